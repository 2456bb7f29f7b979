/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A link: the configured connection to a peer, and all that keeps it up.
 * Without I/O: events and the time come in, struct link_actions carries out
 * what follows. The server runs this on sockets, the simulator on its own.
 *
 * One side of a link dials. The other side knocks when it starts or has lost
 * the link: it connects, says HELLO with knock=1, and is told BYE knock. The
 * dialler then dials at once, however long its backoff had become. A knock
 * never becomes a session, so a link has one connection at most.
 *
 * One thread has all links of a node.
 */
#ifndef HERD_LINK_H
#define HERD_LINK_H

#include "core/backoff.h"
#include "core/link_history.h"
#include "core/session.h"

#define LINKS_MAX 64u /* a bit each */
/* For connect and TLS; as long again for HELLO. */
#define LINK_OPEN_NS (5u * HERD_NS_PER_S)
/* How long a probed connection has for its PONG. */
#define LINK_PROBE_NS (500u * HERD_NS_PER_MS)
/* After this a knock restarts the attempt that answers an earlier one. */
#define LINK_KNOCK_NS (1u * HERD_NS_PER_S)
/* Least time before the operator is told that the peer does not dial. */
#define LINK_AWAIT_NS (5u * HERD_NS_PER_S)

struct link;
struct link_conn;

enum link_verb {
	LINK_ENABLE,
	LINK_DISABLE,
	LINK_RECONNECT,
	LINK_RENEW, /* as RECONNECT, because the key it is on was removed */
};

/* What there is to tell an operator. */
enum link_notice {
	LINK_NOTICE_UP,
	LINK_NOTICE_ENDED,   /* a link that was up, for any reason */
	LINK_NOTICE_DOWN,    /* for a reason that was not told before */
	LINK_NOTICE_STILL,   /* down for the same reason again */
	LINK_NOTICE_AWAITED, /* the peer is to dial and has not */
	LINK_NOTICE_TWIN,    /* two processes have the peer's name */
};

enum link_written {
	LINK_WRITTEN, /* *len bytes; it may take more */
	LINK_FULL,    /* the socket takes none now */
	LINK_BROKEN,  /* it takes none any more; *error says why */
};

/* What the driver's owner does. `arg` is struct link_driver's. */
struct link_actions {
	/*
	 * Begins an attempt to connect; none is under way. It ends with a
	 * connection that link_conn_init() made known, or link_on_failed().
	 */
	void (*dial)(void *arg, struct link *link);
	/* Forgets an attempt that has no connection yet. */
	void (*cancel)(void *arg, struct link *link);
	/*
	 * A connection of the attempt failed, or is given up (`error` NULL):
	 * true if another address is dialled instead.
	 */
	bool (*dial_next)(void *arg, struct link *link,
	    const struct link_conn *conn, const char *error);
	enum link_written (*write)(void *arg, struct link_conn *conn,
	    struct span data, size_t *len, const char **error);
	/*
	 * Call link_conn_on_time() at link_conn_deadline(), link_conn_work()
	 * soon if session_has_work(), link_conn_settle() when the socket has
	 * room again if `wants_room`.
	 */
	void (*arm)(void *arg, struct link_conn *conn, bool wants_room);
	/* The connection has ended and its reason was told: free it. */
	void (*close)(void *arg, struct link_conn *conn,
	    enum session_reason reason, const char *error);
	/* Call link_on_time() at link_deadline(). */
	void (*arm_link)(void *arg, struct link *link);
	/* Its state has changed. */
	void (*changed)(void *arg, struct link *link);
	/* `next` says what happens next, or what an operator can do. */
	void (*tell)(void *arg, struct link *link, enum link_notice news,
	    enum session_reason reason, const char *error, const char *next);
	uint64_t (*random)(void *arg);
};

/* All links of a node. Set up by its owner; the list is the driver's. */
struct link_driver {
	const struct link_actions *actions;
	void *arg;
	outbox_wake *wake; /* with the link_conn; see outbox.h */
	const struct session_node *sessions;
	uint64_t redial_max_ns; /* may change */
	uint64_t file_hash;     /* of the eager links by the herd file */
	uint64_t eager_hash;    /* the same; 0: floods on all links */
	uint64_t rest_after_ns; /* eager links must be up for that long */
	uint64_t followed;      /* changes of the roster that were */
	bool stopping;          /* nothing is dialled or told any more */
	struct link *links[LINKS_MAX];
};

struct link {
	struct link_driver *driver;
	unsigned number; /* of its records' `from`; see board.h */
	bool enabled;
	bool leaving; /* the herd file has it no more */
	bool dials;
	char peer[REPORT_ORIGIN_MAX + 1];
	enum link_state state;
	struct mono since;
	struct backoff backoff;
	bool trying;             /* an attempt is under way */
	struct mono began;       /* that attempt, or the last one */
	bool answers_knock;      /* the attempt is the answer to a knock */
	struct mono retry_at;    /* 0: no attempt is due */
	bool eager;              /* it never rests */
	struct mono settle_at;   /* when it has been up for long; 0: it has */
	struct mono awake_until; /* it woke: it does not rest before; 0: may */
	struct mono await_at;   /* when to tell that the peer has not dialled */
	struct link_conn *conn; /* HELLO accepted */
	struct link_conn *dialled; /* of the attempt under way */
	struct link_conn *waiting; /* HELLO is held while `conn` is probed */
	struct mono probed;        /* when the probe began */
	uint64_t probe;            /* its PING's number */
	uint64_t connects;
	uint64_t twins; /* refused for having the peer's name */
	struct mono twin_at;
	struct session_stats past; /* of ended sessions */
	char error[SESSION_ERROR_MAX];
	char told[SESSION_ERROR_MAX]; /* the error that was told last */
	struct mono error_at;
	struct link_history history;
};

const char *link_state_word(enum link_state state);

/* The driver's link to that peer, NULL if none. */
struct link *link_find(const struct link_driver *driver, struct span peer);

/*
 * Adds a link and begins to serve it: dials, or knocks and waits. All but
 * `number`, `peer` and `dials` is set here. HERD_ELIMIT: LINKS_MAX exist.
 */
HERD_MUST_CHECK enum herd_error link_add(struct link_driver *driver,
    struct link *link, struct mono now, struct wall clock);

/* Ends it: BYE not-configured; nothing refers to it any more. */
void link_remove(struct link *link, struct mono now, struct wall clock);

/* Stops all attempts and timers, for the end of the driver. */
void link_rest(struct link *link);

void link_command(
    struct link *link, enum link_verb verb, struct mono now, struct wall clock);

/*
 * Somebody who said that he is the peer was turned away, and why. It shows as
 * the link's error unless the link is up: nothing proves who he was.
 */
void link_note_claim(struct link *link, const char *error, struct mono now);

/* What is due. */
void link_on_time(struct link *link, struct mono now, struct wall clock);

/* When link_on_time() wants to be called; UINT64_MAX: not at all. */
struct mono link_deadline(const struct link *link);

/* An attempt that is due later begins now, because the obstacle is gone. */
void link_hurry(struct link *link, struct mono now, struct wall clock);

/*
 * An attempt ended without a connection. `next` says what an operator can do,
 * NULL: nothing special.
 */
void link_on_failed(struct link *link, const char *error, const char *next,
    struct mono now, struct wall clock);

/*
 * Judges the clock by those of the SYNCED neighbours. If the verdict asks for
 * it, every link compares its table again. Call it a few times a second.
 */
struct timekeeper_news link_judge_clock(struct link_driver *driver,
    struct timekeeper *timekeeper, struct mono now, struct wall clock);

/*
 * The link is one of the eager ones or is not, by the herd file. A new link
 * says so before link_add().
 */
void link_set_eager(struct link *link, bool eager, struct mono now);

/* --- for link_conn.c ----------------------------------------------------- */

/* HELLO was accepted on `conn`: it replaces what the link had. */
void link_adopt(struct link *link, struct link_conn *conn, struct mono now,
    struct wall clock);

/* The peer knocked: dial at once. */
void link_on_knock(struct link *link, struct mono now, struct wall clock);

/* A connection of the link has ended with that reason and text. */
void link_on_lost(struct link *link, struct link_conn *conn,
    enum session_reason reason, const char *error, struct mono now,
    struct wall clock);

/* The one place where a link's state changes. */
void link_set_state(struct link *link, enum link_state state, struct mono now,
    struct wall clock);

#endif
