/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table: the newest report of every client, in 64 shards, each with its
 * own lock. A consumer of changes (a link, the store, a watcher) attaches an
 * outbox: see outbox.h. Passes over the table are in table_walk.h, its inside
 * is in shard.h.
 *
 * The accept rule is table_put(): a report that is newer in the order of
 * report_compare() replaces the record and is owed to every outbox but its
 * sender's. Nothing else writes records. Any thread may call anything here
 * unless it says otherwise; no callback may call back into the table.
 */
#ifndef HERD_TABLE_H
#define HERD_TABLE_H

#include <stdatomic.h>

#include "core/names.h"
#include "core/record.h"
#include "herd/siphash.h"
#include "herd/report.h"
#include "herd/time.h"

/*
 * A batch of reports visits all shards, so each costs cache lines; with fewer,
 * threads would meet in them.
 */
#define TABLE_SHARD_BITS 5u
#define TABLE_SHARDS (1u << TABLE_SHARD_BITS)
#define TABLE_OUTBOXES 64u

/* Where a record came from: these, or a session's number. */
#define FROM_NOBODY 0u
#define FROM_CLIENT 1u

struct table_config {
	uint64_t max_clients;     /* records at most, 0 = no cap */
	uint64_t expire_after_ns; /* by the report's own time, 0 = never */
	struct siphash_key key; /* random, so that nobody can aim at a bucket */
};

struct table;
struct outbox;

/* Gives *out. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error table_new(
    const struct table_config *config, struct table **out);
/* No outbox is attached any more. NULL is fine. */
void table_free(struct table *table);

/* Names of the herd file's nodes: origins that need no text in a record. */
struct names *table_names(struct table *table);

/* --- the accept rule ----------------------------------------------------- */

enum put_result {
	PUT_ACCEPTED, /* new or newer: held and owed */
	PUT_EQUAL,    /* the very report that is held */
	PUT_STALE,    /* older than what is held */
	PUT_EXPIRED,  /* older than expire_after */
	PUT_REFUSED,  /* the least of a full table */
	PUT_NO_ROOM,  /* of table_take() only: max_bytes is reached */
	PUT_FULL,     /* of table_take() only: max_clients is reached */
	PUT_NOMEM,    /* nothing changed */
};

/*
 * A ticket for a caller that waits for durability: the report is covered, in
 * any case, by what was appended to the store's FIFO of `shard` up to
 * `appended`. See commit.h.
 */
struct put_info {
	unsigned shard;
	uint64_t appended; /* of the outbox asked for; see table_put */
};

/*
 * Offers a checked report. `from` is FROM_CLIENT or the session's number;
 * `now` is this node's clock, for expiry only. When `store` is an attached
 * outbox and `info` is not NULL, *info is filled whatever the result.
 */
enum put_result table_put(struct table *table, const struct report *report,
    uint32_t from, struct wall now, const struct outbox *store,
    struct put_info *info);

/*
 * So that many puts wait for memory once: hash each client, prefetch the index
 * for all, then the records for all, then put. Prefetching may be left out;
 * table_put() does all by itself.
 */
uint64_t table_hash(const struct table *table, struct span client);
void table_prefetch_index(struct table *table, uint64_t hash);
void table_prefetch_record(struct table *table, uint64_t hash);

/* table_put() with the client's hash at hand. */
enum put_result table_put_hashed(struct table *table, uint64_t hash,
    const struct report *report, uint32_t from, struct wall now,
    const struct outbox *store, struct put_info *info);

/*
 * Bounds of the reports that a node takes from its clients. They do not apply
 * to reports from links and from the store, because two nodes with different
 * bounds would then hold different tables for ever.
 */
struct table_bounds {
	uint64_t max_bytes; /* of table_bytes(), 0 = no bound */
	bool refuse_at_cap; /* at max_clients; else the least record goes */
};

/*
 * table_put_hashed() for a report that a client of this node has sent. At a
 * bound it refuses a client that is not known, and at max_bytes also a report
 * whose record needs a larger block of memory than the one it replaces:
 * PUT_NO_ROOM or PUT_FULL; nothing changes, *info is not filled. A client of
 * whom a removal is held is known.
 *
 * Each thread may exceed max_bytes by one record and by what the table grows
 * for it: 256 slots, a shard's index, the FIFOs. max_clients is exact; threads
 * that compete for the last places may all be refused.
 */
enum put_result table_take(struct table *table, uint64_t hash,
    const struct report *report, struct wall now, const struct outbox *store,
    struct put_info *info, const struct table_bounds *bounds);

/*
 * Memory of the table in bytes, without free slots and without removals
 * (their slots and texts). As fast as one load.
 */
uint64_t table_bytes(const struct table *table);

/* --- reading ------------------------------------------------------------- */

/*
 * Copies out the record of `client`, a removal too. HERD_ENOTFOUND,
 * HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error table_get(
    struct table *table, struct span client, struct record *out);

struct table_counts {
	uint64_t records; /* positions and removals */
	uint64_t removals;
	uint64_t strange; /* records whose origin never was in the herd file */
	uint64_t accepted;
	uint64_t stale;
	uint64_t equal;
	uint64_t expired; /* refused or swept */
	uint64_t evicted; /* refused or evicted at the cap */
	uint64_t bytes;   /* memory of slots, texts, indices and FIFOs */
	uint64_t counted; /* of them, table_bytes() */
};

void table_count(struct table *table, struct table_counts *out);

#endif
