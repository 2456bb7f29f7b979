/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A slot: the place of one record in a shard, with the bits of the outboxes to
 * which it is owed. The texts are in the slot itself if they fit, else in a
 * block of their own (the blob).
 *
 * A slot is 88 bytes: with the index that is below 100 bytes per client with
 * an id of 20 bytes, outboxes included. All under the shard's lock.
 */
#ifndef HERD_SLOT_H
#define HERD_SLOT_H

#include <string.h>

#include "herd/report.h"

#define SLOT_INLINE 55u
#define SLOT_NONE UINT32_MAX

struct shard;
struct table;

enum slot_state {
	SLOT_FREE = 0,
	SLOT_POSITION,
	SLOT_REMOVAL,
};

struct slot {
	uint64_t owed; /* membership bit of each outbox; outlives the record */
	uint64_t time_ns; /* free: number of the next free slot */
	uint32_t hash;
	uint32_t from;
	uint32_t blob_len;
	uint16_t client_len;
	uint16_t origin;           /* NAME_NONE: the blob's end has it */
	uint8_t state;             /* enum slot_state */
	uint8_t text[SLOT_INLINE]; /* the blob, or a pointer to it */
};

_Static_assert(sizeof(struct slot) == 88, "memory per client is promised");

/* Memory that a blob of that size takes outside its slot, malloc's included. */
uint64_t slot_blob_memory(size_t size);

/* Bytes of the slot's record beyond the slot of a position. */
uint64_t slot_bytes(const struct slot *slot);

/*
 * The slot's bytes: client id, packed texts and, without a number for the
 * origin, the origin's text and its length in one byte.
 */
static inline const uint8_t *
slot_blob(const struct slot *slot)
{
	const uint8_t *blob = slot->text;

	if (slot->blob_len > SLOT_INLINE)
		memcpy(&blob, slot->text, sizeof(blob));
	return blob;
}

/* The name of the origin: borrows the slot, or is a name's own text. */
struct span slot_origin(const struct table *table, const struct slot *slot);

/* Of slot_blob(): the client id and the packed texts. */
size_t slot_packed_len(const struct slot *slot);

#define SLOT_SCRATCH 256u
/*
 * The slot's record. Its texts borrow the slot and `scratch`, or *heap when
 * SLOT_SCRATCH bytes are too few; the caller frees *heap. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error slot_read(const struct table *table,
    const struct slot *slot, char scratch[SLOT_SCRATCH], char **heap,
    struct report *out);

/*
 * Writes the record into the slot and counts it. HERD_ENOMEM: the slot is as
 * before.
 */
HERD_MUST_CHECK enum herd_error slot_write(struct table *table,
    struct shard *shard, struct slot *slot, const struct report *report,
    uint32_t from);

/* Frees the blob of the slot's record and takes it out of the counts. */
void slot_drop(struct table *table, struct shard *shard, struct slot *slot);

#endif
