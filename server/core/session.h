/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One session of a link, without I/O: fed with bytes and the time, it gives
 * bytes and deadlines. HELLO, then CHECK and the digest exchange, then live
 * flooding; after SYNCED both nodes hold what either held.
 *
 * A session belongs to one thread. Its outbox makes it known to the table
 * from the first CHECK on. Nothing of a session survives it but the table.
 * Source of every rule: herd-protocol(7).
 */
#ifndef HERD_SESSION_H
#define HERD_SESSION_H

#include "core/board.h"
#include "core/digest.h"
#include "core/pace.h"
#include "core/table.h"
#include "core/timekeeper.h"
#include "herd/framer.h"
#include "herd/time.h"

#define SESSION_NONCE_LEN DIGEST_NONCE_LEN
#define SESSION_HELLO_MAX 1024u /* longest line before HELLO */
#define SESSION_HELLO_NS (5u * HERD_NS_PER_S)
#define SESSION_LINE_EXTRA 1024u  /* a link line beyond max_line */
#define SESSION_OUT_MAX 65536u    /* bytes queued in user space */
#define SESSION_TURN_RECORDS 256u /* per lock and turn */
#define SESSION_SLICE_SLOTS 2048u /* of a pass over the table */
#define SESSION_ACK_RECORDS 256u
#define SESSION_ACK_NS (100u * HERD_NS_PER_MS)
#define SESSION_REPAIR_AGE_NS (60u * HERD_NS_PER_S)
#define SESSION_POLL_NS (20u * HERD_NS_PER_MS)
#define SESSION_MARKS 64u /* sent positions not yet acked */
#define SESSION_ERROR_MAX 200u

/* Where a session is. */
enum session_state {
	SESSION_HELLO,   /* waits for HELLO */
	SESSION_LIVE,    /* no CHECK yet */
	SESSION_CHECKED, /* own CHECK sent */
	SESSION_SCAN,    /* hashes its table */
	SESSION_COMPARE, /* with the peer's hashes */
	SESSION_OWE,     /* owes what differs */
	SESSION_DRAIN,   /* until NEXT */
	SESSION_NEXT,    /* NEXT sent */
	SESSION_SYNCED,
	SESSION_CLOSED,
};

/* Why a session ends: the word of BYE. */
#define SESSION_REASONS(X)                                                \
	X(BYE_NONE, "none", false)                                        \
	X(BYE_STOP, "stop", false)         /* the node stops */           \
	X(BYE_REPLACED, "replaced", false) /* by a newer connection */    \
	X(BYE_STALLED, "stalled", false)   /* debt, no progress */        \
	X(BYE_SILENT, "silent", false)     /* no byte for too long */     \
	X(BYE_BAD_LINE, "bad-line", false)                                \
	X(BYE_MEMORY, "out-of-memory", false)                             \
	X(BYE_WRONG_HERD, "wrong-herd", true)                             \
	X(BYE_WRONG_NODE, "wrong-node", true)                             \
	X(BYE_VERSION, "version", true)                                   \
	X(BYE_PARAMS, "params", true)                                     \
	X(BYE_NOT_CONFIGURED, "not-configured", true)                     \
	X(BYE_DISABLED, "disabled", true)                                 \
	X(BYE_SELF, "self", true)                                         \
	X(BYE_TWIN, "twin", true)        /* its name is taken */          \
	X(BYE_KNOCK, "knock", false)     /* heard; we dial */             \
	X(BYE_KEY, "key", true)          /* no TLS with the herd's key */ \
	X(BYE_CROWDED, "crowded", false) /* too many without HELLO */

/* The third column: a refusal, which an operator has to deal with. */
enum session_reason {
#define HERD_SESSION_REASON(id, word, slow) id,
	SESSION_REASONS(HERD_SESSION_REASON)
#undef HERD_SESSION_REASON
	    SESSION_REASON_COUNT
};

const char *session_reason_word(enum session_reason reason);
bool session_reason_is_refusal(enum session_reason reason);
/*
 * A refusal by one of the herd stays until an operator does something, so
 * dialling again may take long. Without the key it may be anybody's.
 */
bool session_reason_is_slow(enum session_reason reason);

/* What all sessions of a node share. Borrowed by each. */
struct session_node {
	struct table *table;
	struct board *board;
	const struct timekeeper *timekeeper;
	struct span herd;
	struct span name;
	uint64_t params;     /* session_params() */
	uint64_t boot;       /* random, of this process; 0: not said */
	uint64_t max_memory; /* bytes, told to neighbours; 0: not told */
	unsigned lacks;      /* enum session_feature: of an older edition */
	uint64_t max_line;
	uint64_t expire_after_ns;
	uint64_t ping_after_ns;
	uint64_t dead_after_ns;
	uint64_t stall_after_ns;
	uint64_t verify_every_ns;
	uint64_t flush_every_ns; /* see pace.h; 0 = at once */
#ifdef HERD_MUTANTS
	uint64_t max_ahead_ns;
#endif
};

/* What must be equal on all nodes for tables to converge, as one hash. */
uint64_t session_params(
    uint64_t max_line, uint64_t max_clients, uint64_t expire_after_ns);

/* Counters of a session; an edge sums them up. */
struct session_stats {
	uint64_t sent;     /* records */
	uint64_t received; /* records */
	uint64_t accepted;
	uint64_t stale;     /* received, but older than or equal to the held */
	uint64_t repaired;  /* accepted from a verification, not new */
	uint64_t restored;  /* the same, but a clock or cut was the reason */
	uint64_t exchanges; /* finished */
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t exchange_bytes; /* of DIGEST lines sent */
	uint64_t acked;          /* of `sent` */
};

void session_stats_add(
    struct session_stats *sum, const struct session_stats *stats);

/* What a node can do beyond the first edition: a word each in HELLO. */
#define SESSION_FEATURES(X)                                     \
	X(KNOCK, "knock")   /* answers a knock by dialling */   \
	X(LIMITS, "limits") /* reads LIMIT */                   \
	X(CUTS, "cuts")     /* reads fractions in CHECK */      \
	X(JUDGED, "judged") /* reads the judged time in PONG */ \
	X(PAIRS, "pairs")   /* short DIGESTs, short cut */

enum session_feature_bit {
#define HERD_SESSION_FEATURE_BIT(id, word) SESSION_BIT_##id,
	SESSION_FEATURES(HERD_SESSION_FEATURE_BIT)
#undef HERD_SESSION_FEATURE_BIT
};

enum session_feature {
#define HERD_SESSION_FEATURE(id, word) SESSION_##id = 1u << SESSION_BIT_##id,
	SESSION_FEATURES(HERD_SESSION_FEATURE)
#undef HERD_SESSION_FEATURE
};

/* A HELLO that is in order. */
struct session_hello {
	struct span node;
	bool knocks;
};

/*
 * Asked when a stranger's HELLO has come in: may it speak here, and what is
 * the link's number? Sets *number, or says why not, or calls session_hold():
 * then session_decide() answers later.
 */
typedef enum session_reason session_admit(void *arg,
    const struct session_hello *hello, unsigned *number, struct mono now,
    struct wall clock);

struct session_config {
	const struct session_node *node;
	struct span peer; /* whom we dialled; empty: HELLO will tell */
	bool knocks;      /* says so in HELLO, and nothing else */
	session_admit *admit;
	outbox_wake *wake;
	void *arg; /* of both */
	uint8_t nonce[SESSION_NONCE_LEN];
	uint64_t random; /* seed of the verification interval */
};

/* A moment at which `sent` records were under way, for the lag. */
struct session_mark {
	uint64_t sent;
	struct mono at;
};

struct session {
	const struct session_node *node;
	session_admit *admit;
	outbox_wake *wake;
	void *arg;
	enum session_state state;
	char peer[REPORT_ORIGIN_MAX + 1];
	unsigned edge;
	uint8_t nonce[SESSION_NONCE_LEN];
	uint8_t peer_nonce[SESSION_NONCE_LEN];
	bool fresh;      /* as our HELLO said */
	bool peer_fresh; /* as its HELLO said */
	bool knocks;
	bool peer_knocks;
	bool greeted;         /* the peer's HELLO is here */
	bool held;            /* its answer waits: nothing is read */
	uint64_t peer_boot;   /* 0: it said none */
	unsigned features;    /* enum session_feature: of both sides */
	uint64_t memory_told; /* our max_memory */
	uint64_t peer_memory; /* its max_memory, 0: not told */
	struct framer in;
	struct buf control; /* lines that go before data */
	struct outbox outbox;
	uint64_t random;

	/* exchange */
	uint64_t exchange;    /* N of the one under way or done last */
	uint64_t cut_ns;      /* ours, then the larger one */
	uint64_t cut_past_ns; /* the largest of earlier exchanges */
	bool restores;        /* it begins because of a clock */
	bool verify_again;    /* a clock has changed during it */
	bool counted;         /* on the board, as exchanging */
	bool synced;          /* was SYNCED once; on the board */
	bool peer_checked;    /* its CHECK N is here */
	bool next_received;
	struct siphash_key key;
	struct digest *digest;
	struct table_cursor cursor;
	unsigned open;  /* DIGESTs of the peer that are awaited */
	bool root_held; /* peer's root came before our scan's end */
	struct digest_node root;
	bool root_pending;    /* to be sent */
	bool root_awaited;    /* from the peer */
	uint64_t pending_top; /* bit per node of depth 1 */
	uint64_t awaited_top;
	uint64_t pending[DIGEST_FAN]; /* the same of depth 2 */
	uint64_t awaited[DIGEST_FAN];
	uint64_t pending_rows; /* bit per non-zero word of `pending` */
	uint8_t *marks;        /* bit per leaf that differs */
	uint32_t marked;       /* leaves */
	struct outbox_progress target;

	/* liveness */
	struct mono started;
	struct mono synced_at; /* when SYNCED last */
	struct mono ticked;    /* what was due by then has been said */
	struct mono last_rx;
	struct mono last_tx;
	struct mono progress; /* last ack or acceptance of bytes */
	struct mono verify_at;
	struct pace pace;     /* of batches of data */
	struct mono flush_at; /* data waits until then; 0 = there is none */
	struct mono poll_at;  /* of a start that waits for another session */
	uint64_t ping;        /* number of the last one */
	uint64_t ponged;      /* greatest that was answered */
	struct mono ping_at;
	bool ping_open;
	int64_t rtt_ns; /* -1 unknown */
	bool clock_known;
	struct timekeeper_clock clock; /* of the peer */

	/* acks */
	uint64_t ack_sent; /* of stats.received */
	struct mono ack_due;
	bool ack_waits;
	struct session_mark marks_sent[SESSION_MARKS];
	unsigned mark_head;
	unsigned mark_count;

	struct session_stats stats;
#ifdef HERD_MUTANTS
	bool check_waits; /* wait-both: the peer's CHECK is not answered */
	uint64_t check_cut_ns;
#endif
	enum session_reason reason; /* why closed */
	bool by_peer;               /* its BYE */
	char error[SESSION_ERROR_MAX];
};

/* Queues HELLO. Copies what it needs of `config` but not config->node. */
void session_init(struct session *session, const struct session_config *config,
    struct mono now);

/* Detaches, frees; the session must not be used any more. */
void session_release(struct session *session);

/*
 * Reads straight into the session: room for at least `want` bytes, then
 * session_input() with what came. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error session_space(
    struct session *session, size_t want, char **data, size_t *room);

/*
 * `len` bytes came in at session_space(). The session may be CLOSED
 * afterwards: write what session_fill() still gives (a BYE), then hang up.
 */
void session_input(
    struct session *session, size_t len, struct mono now, struct wall clock);

/* The same for bytes that are elsewhere. */
void session_feed(struct session *session, struct span data, struct mono now,
    struct wall clock);

/* The peer hung up, or the transport failed: `text` says how. */
void session_lost(struct session *session, const char *text);

/* Ends it from our side with a BYE. */
void session_bye(struct session *session, enum session_reason reason,
    const char *fmt, ...) HERD_PRINTF(3, 4);

/*
 * Appends what is to be sent now, control lines first, then DIGESTs, then at
 * most SESSION_TURN_RECORDS records. Nothing is added beyond SESSION_OUT_MAX
 * bytes but control lines and what was begun, so `out` needs room for twice
 * that and a line. Returns true when there is more at once: call again as
 * soon as `out` has been written, not before.
 */
bool session_fill(struct session *session, struct buf *out, struct mono now,
    struct wall clock);

/* `bytes` of what session_fill gave have left. */
void session_sent(struct session *session, size_t bytes, struct mono now);

/*
 * One slice of a pass over the table, if one is under way. Returns true
 * while there is more to do: call again soon, and session_fill().
 */
bool session_work(struct session *session, struct mono now);

/* Is a pass under way? It may begin in session_input() or session_fill(). */
bool session_has_work(const struct session *session);

/* Does what is due; then session_fill() may have something. */
void session_tick(struct session *session, struct mono now, struct wall clock);

/*
 * When session_tick() wants to be called; UINT64_MAX: not at all. After
 * session_tick(now) it is later than `now`, whatever the socket does: what
 * was due then waits for session_fill().
 */
struct mono session_deadline(const struct session *session);

/* In the admit callback: its answer comes by session_decide(). */
void session_hold(struct session *session);

/* The answer to a held HELLO, as session_admit would have given it. */
void session_decide(struct session *session, enum session_reason reason,
    unsigned number, struct mono now, struct wall clock);

/* Do both sides know that feature? */
bool session_knows(const struct session *session, enum session_feature feature);

/* Asks for a sign of life now: the number for session_has_pong(). */
uint64_t session_probe(struct session *session, struct mono now);
bool session_has_pong(const struct session *session, uint64_t number);

/* Compare everything again now, if SYNCED. */
void session_verify(struct session *session, struct mono now);

/*
 * The same for the sake of a clock: what comes then is counted as restored,
 * and a comparison under way is made once more.
 */
void session_verify_clock(struct session *session, struct mono now);

/* Peer's clock minus the own one, which is at `clock`, ns. */
int64_t session_clock_ns(
    const struct session *session, struct mono now, struct wall clock);

/* Records are owed, or sent and not yet acknowledged. */
bool session_has_debt(const struct session *session);

/* HELLO was accepted, and the tables are being compared or will be. */
bool session_is_comparing(const struct session *session);

/*
 * The table's debt to the peer, and how much later than a peer in step would
 * it has not acknowledged the oldest record sent.
 */
uint64_t session_owed(const struct session *session);
uint64_t session_lag_ns(const struct session *session, struct mono now);

#endif
