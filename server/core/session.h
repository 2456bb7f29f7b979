/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One session of a link, without I/O: it takes bytes and the time, and gives
 * bytes and deadlines. HELLO comes first, then CHECK and the exchange, then
 * live flooding. After SYNCED both nodes hold what either held.
 *
 * A session belongs to one thread. Its outbox is attached to the table from the
 * first CHECK on. Only the table outlives a session.
 * Source of every rule: herd-protocol(7).
 */
#ifndef HERD_SESSION_H
#define HERD_SESSION_H

#include "core/batch_timer.h"
#include "core/board.h"
#include "core/exchange.h"
#include "core/roster.h"
#include "core/timekeeper.h"
#include "herd/framer.h"
#include "herd/time.h"
#include "herd/time_histogram.h"

#define SESSION_NONCE_LEN DIGEST_NONCE_LEN
#define SESSION_HELLO_MAX 1024u /* longest line before HELLO */
#define SESSION_HELLO_NS (5u * HERD_NS_PER_S)
#define SESSION_LINE_EXTRA 1024u  /* a link line beyond max_line */
#define SESSION_OUT_MAX 65536u    /* bytes queued in user space */
#define SESSION_TURN_RECORDS 512u /* per lock and turn */
#define SESSION_ACK_RECORDS 4096u
#define SESSION_ACK_NS (100u * HERD_NS_PER_MS)
#define SESSION_REPAIR_AGE_NS (60u * HERD_NS_PER_S)
#define SESSION_POLL_NS (20u * HERD_NS_PER_MS)
/* Between two batches of the roster's words. */
#define SESSION_WORDS_NS (100u * HERD_NS_PER_MS)
/* How long a link that woke waits for others to compare. */
#define SESSION_WAKE_NS (5u * HERD_NS_PER_S)
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
 * A refusal by a node of the herd lasts until an operator does something, so
 * dialling again may wait long. A refusal without the key may be anybody's.
 */
bool session_reason_is_slow(enum session_reason reason);

/* What all sessions of a node share. Borrowed by each. */
struct session_node {
	struct table *table;
	struct board *board;
	const struct timekeeper *timekeeper;
	struct roster *roster; /* NULL: the node knows no eager links */
	struct span herd;
	struct span name;
	uint64_t params;     /* session_params() */
	uint64_t boot;       /* random, of this process; 0: not told */
	uint64_t max_memory; /* bytes, told to neighbours; 0: not told */
	unsigned lacks;      /* enum session_feature: of an older edition */
	uint64_t max_line;
	uint64_t expire_after_ns;
	uint64_t ping_after_ns;
	uint64_t dead_after_ns;
	uint64_t stall_after_ns;
	uint64_t verify_every_ns;
	uint64_t flush_every_ns; /* see batch_timer.h; 0 = at once */
};

/* Counters of a session; a link sums them up. */
struct session_stats {
	uint64_t sent;     /* records */
	uint64_t received; /* records */
	uint64_t accepted;
	uint64_t stale;     /* received, but older than or equal to the held */
	uint64_t repaired;  /* accepted from a verification, not new */
	uint64_t restored;  /* the same, but a clock or cut was the reason */
	uint64_t caught_up; /* the same, but the link had rested */
	uint64_t exchanges; /* finished */
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t exchange_bytes; /* of DIGEST lines sent */
	uint64_t acked;          /* of `sent` */
	/*
	 * From the peer's receipt of a client's report to here, by the peer's
	 * clock: reports whose origin is the peer and that were new here,
	 * after the link was SYNCED.
	 */
	struct time_histogram propagation;
};

void session_stats_add(
    struct session_stats *sum, const struct session_stats *stats);

struct session;

/*
 * Called when a HELLO that is in order has told `peer` and `peer_knocks`: may
 * the peer speak here, and what is the link's number? Sets *number, or returns
 * why not, or sets session->held: then session_decide() answers later.
 */
typedef enum session_reason session_admit(void *arg, struct session *session,
    unsigned *number, struct mono now, struct wall clock);

struct session_config {
	const struct session_node *node;
	struct span peer; /* whom we dialled; empty: HELLO will tell */
	bool knocks;      /* says knock=1 in HELLO, and nothing else */
	session_admit *admit;
	outbox_wake *wake;
	void *arg; /* of both */
	uint8_t nonce[SESSION_NONCE_LEN];
	uint64_t random; /* seed of the verification interval */
};

/* When the count of sent records reached `sent`, for the lag. */
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
	uint8_t nonce[SESSION_NONCE_LEN];
	uint8_t peer_nonce[SESSION_NONCE_LEN];
	bool fresh;      /* as our HELLO said */
	bool peer_fresh; /* as its HELLO said */
	bool knocks;
	bool peer_knocks;
	bool greeted;         /* the peer's HELLO is here */
	bool held;            /* its answer waits: nothing is read */
	uint64_t peer_boot;   /* 0: it told none */
	unsigned features;    /* enum session_feature: of both sides */
	uint64_t memory_told; /* our max_memory */
	uint64_t peer_memory; /* its max_memory, 0: not told */
	struct framer in;
	struct buf control; /* lines that go before data */
	struct outbox outbox;
	uint64_t random;

	struct exchange exchange;
	bool counted; /* on the board, as exchanging */
	bool synced;  /* was SYNCED once; on the board */

	/* sparse flooding */
	bool may_rest;        /* once SYNCED it owes nothing */
	struct mono woke;     /* since then it has to compare; 0: it has not */
	struct mono wake_at;  /* when to try that */
	bool waking;          /* it compares; on the board */
	uint64_t words_told;  /* of the roster's changes */
	uint64_t words_asked; /* of the roster's sets */
	struct mono words_at; /* no words leave before */

	/* liveness */
	struct mono started;
	struct mono synced_at; /* when SYNCED last */
	struct mono ticked;    /* all that was due by then is done */
	struct mono last_rx;
	struct mono last_tx;
	struct mono progress; /* last ack or acceptance of bytes */
	struct mono verify_at;
	struct batch_timer batch_timer; /* of batches of data */
	struct mono flush_at;    /* data waits until then; 0 = there is none */
	struct mono flush_early; /* from then on it leaves if we are awake */
	struct mono poll_at;     /* of a start that waits for another session */
	uint64_t ping;           /* number of the last one */
	uint64_t ponged;         /* greatest that was answered */
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
	enum session_reason reason; /* why closed */
	bool by_peer;               /* its BYE */
	char error[SESSION_ERROR_MAX];
};

/* Queues HELLO. Copies what it needs of `config` but not config->node. */
void session_init(struct session *session, const struct session_config *config,
    struct mono now);

/* Detaches, frees; the session must not be used any more. */
void session_release(struct session *session);

/* The peer hung up, or the transport failed: `text` says how. */
void session_lost(struct session *session, const char *text);

/* Ends it from our side with a BYE. */
void session_bye(struct session *session, enum session_reason reason,
    const char *fmt, ...) HERD_PRINTF(3, 4);

/*
 * Appends what is to be sent now: control lines, then DIGESTs, then at most
 * SESSION_TURN_RECORDS records. Beyond SESSION_OUT_MAX bytes it adds only
 * control lines and the rest of a line, so `out` must take twice that and a
 * line. Returns true when there is more to send: call again as soon as `out`
 * has been written, not before.
 */
bool session_fill(struct session *session, struct buf *out, struct mono now);

/* `bytes` of what session_fill gave have left. */
void session_sent(struct session *session, size_t bytes, struct mono now);

/* Does what is due; then session_fill() may have something. */
void session_tick(struct session *session, struct mono now);

/*
 * When session_tick() wants to be called; UINT64_MAX: not at all. After
 * session_tick(now) it is later than `now`, even if the socket takes nothing:
 * what is due waits for session_fill().
 */
struct mono session_deadline(const struct session *session);

/*
 * Sends a PING now: the PONG tells the RTT and the peer's clock. Returns its
 * number, for session_has_pong().
 */
uint64_t session_ping(struct session *session, struct mono now);
bool session_has_pong(const struct session *session, uint64_t number);

/*
 * Compares everything again now because of a clock. Records that this brings
 * are counted as restored. A comparison under way is made once more.
 */
void session_verify_clock(struct session *session, struct mono now);

/* Peer's clock minus the own one, which is at `clock`, ns. */
int64_t session_clock_ns(
    const struct session *session, struct mono now, struct wall clock);

/*
 * From now on the link rests while it is SYNCED: it owes no reports, but goes
 * on with PING and CHECK. Or it may rest no more: then it owes new reports, and
 * compares the tables, because what came meanwhile was not owed. If too many
 * links compare just now, it waits, SESSION_WAKE_NS at most.
 */
void session_let_rest(struct session *session, bool may_rest, struct mono now);

/* Is it SYNCED, and owes nothing? */
bool session_is_resting(const struct session *session);

/*
 * Are there words of the roster that the peer was not told? They are due when
 * the last ones left SESSION_WORDS_NS ago: so the first ones leave at once, and
 * a node whose word changes all the time costs the herd little.
 */
bool session_has_words(const struct session *session);
bool session_words_are_due(const struct session *session, struct mono now);

/* Records are owed that may leave now, although they could wait longer. */
bool session_may_flush(const struct session *session, struct mono now);

/* Records are owed, or sent and not yet acknowledged. */
bool session_has_debt(const struct session *session);

/* HELLO was accepted, and the tables are being compared or will be. */
bool session_is_comparing(const struct session *session);

/* By how much the acknowledgement of the oldest record is late. */
uint64_t session_lag_ns(const struct session *session, struct mono now);

/* --- for session*.c only ------------------------------------------------- */

/* The one place where the state changes; checks the transition. */
void session_set_state(struct session *session, enum session_state state);

/* Closes it without a BYE. Once closed, nothing changes. */
void session_close(
    struct session *session, enum session_reason reason, bool by_peer);

/* It is in no exchange that the board counts. */
void session_leave_board(struct session *session);

/* Tells the peer our bounds if it does not know them. */
void session_tell_limits(struct session *session);

/* From the session's own sequence: `least` to `most`, `most` included. */
uint64_t session_random_between(
    struct session *session, uint64_t least, uint64_t most);

/* Queues a control line. Too many, or no memory, end the session. */
void session_say(struct session *session, const char *fmt, ...)
    HERD_PRINTF(2, 3);

#define SESSION_SHOWN_MAX 64u
struct session_text {
	char text[4 * SESSION_SHOWN_MAX + 8];
};

/* What a peer says, escaped: at most `most` bytes of it. */
const char *session_show(
    struct session_text *shown, struct span text, size_t most);

/* A line against the rules: BYE bad-line with what was wrong. */
void session_bad_line(
    struct session *session, const char *what, struct span line);

#endif
