/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An exchange: the comparison of a node's table with a peer's. Both nodes do
 * the same: scan the table into a digest, send its root, go down where the
 * hashes differ, mark the leaves that differ, and owe their records.
 *
 * It knows no state and no line but DIGEST: session_exchange.c says when each
 * step is due. Source: herd-protocol(7), EXCHANGE.
 */
#ifndef HERD_EXCHANGE_H
#define HERD_EXCHANGE_H

#include "core/digest.h"
#include "core/outbox.h"

#define EXCHANGE_SLICE_SLOTS 2048u /* of a pass over the table */
/* A bit per node: one word for the root, one for depth 1, 64 for depth 2. */
#define EXCHANGE_WORDS (2u + DIGEST_FAN)

struct exchange {
	uint64_t number;      /* N of this one, or of the last */
	uint64_t cut_ns;      /* ours, then the larger one */
	uint64_t cut_past_ns; /* the largest of earlier exchanges */
	bool restores;        /* it was started because of a clock */
	bool wakes;           /* the link rested before it */
	bool verify_again;    /* a clock changed during it: compare again */
	bool peer_checked;    /* its CHECK N is here */
	bool next_received;
	bool is_first; /* our name sorts before the peer's */
	bool pairs;    /* DIGESTs are short: both know SESSION_PAIRS */
	struct siphash_key key;
	struct digest *digest;
	struct table_cursor cursor;
	unsigned open;  /* DIGESTs of the peer that are awaited */
	bool root_held; /* the peer's root came before the end of our scan */
	struct digest_node root;
	unsigned due; /* our DIGESTs that are not sent yet */
	uint64_t pending[EXCHANGE_WORDS]; /* a bit each */
	uint64_t awaited[EXCHANGE_WORDS]; /* the same of the peer's */
	uint8_t *marks;                   /* bit per leaf that differs */
	uint32_t marked;                  /* leaves */
	struct outbox_progress target;
};

/* Frees what a comparison needs; numbers and cuts stay. */
void exchange_release(struct exchange *exchange);

/* Prepares the scan with this exchange's key. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error exchange_begin(
    struct exchange *exchange, const struct siphash_key *key);

/* Hashes a slice of the table; true while there is more. */
bool exchange_scan(struct exchange *exchange, struct table *table);

/* The scan is over: our root is due, and so is the peer's. */
void exchange_await_root(struct exchange *exchange);

/* What follows DIGEST and the path in a line. */
HERD_MUST_CHECK bool exchange_parse_node(const struct exchange *exchange,
    struct digest_path path, struct span rest, struct digest_node *node);

/* Was this DIGEST awaited? Each comes once, for a node that differs. */
HERD_MUST_CHECK bool exchange_expects(
    struct exchange *exchange, struct digest_path path);

/* Compares an expected DIGEST: marks leaves, or makes more DIGESTs due. */
void exchange_compare(struct exchange *exchange, struct digest_path path,
    const struct digest_node *theirs);

/* Appends DIGEST lines that are due until `out` has `most` bytes or more. */
HERD_MUST_CHECK enum herd_error exchange_fill(
    struct exchange *exchange, struct buf *out, size_t most);

/*
 * Returns true when each side has sent and received the same nodes. Then all is
 * compared, and exchange_owe() may begin.
 */
bool exchange_end_compare(struct exchange *exchange);

/* Owes a slice of the records that differ; true while there is more. */
bool exchange_owe(struct exchange *exchange, struct outbox *outbox);

/* Has the consumer taken all that the exchange owed? */
bool exchange_is_drained(
    const struct exchange *exchange, const struct outbox *outbox);

#endif
