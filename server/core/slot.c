/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/slot.h"

#include <stdlib.h>

#include "core/pack.h"
#include "core/shard.h"

#define BLOB_EXTRA 8u /* malloc's own bytes before a block */

uint64_t
slot_blob_memory(size_t size)
{
	return size <= SLOT_INLINE ? 0 : (size + BLOB_EXTRA + 15u) / 16u * 16u;
}

size_t
slot_packed_len(const struct slot *slot)
{
	if (slot->origin != NAME_NONE)
		return slot->blob_len;
	return slot->blob_len - 1u - slot_blob(slot)[slot->blob_len - 1];
}

struct span
slot_origin(const struct table *table, const struct slot *slot)
{
	size_t at;

	if (slot->origin != NAME_NONE)
		return names_text(&table->names, slot->origin);
	at = slot_packed_len(slot);
	return span_of(
	    (const char *)slot_blob(slot) + at, slot->blob_len - 1u - at);
}

enum herd_error
slot_read(const struct table *table, const struct slot *slot,
    char scratch[SLOT_SCRATCH], char **heap, struct report *out)
{
	size_t need = pack_scratch(slot->blob_len, slot->client_len);

	*heap = NULL;
	if (need > SLOT_SCRATCH) {
		*heap = malloc(need);
		if (*heap == NULL)
			return HERD_ENOMEM;
		scratch = *heap;
	}
	pack_read(slot_blob(slot), slot_packed_len(slot), slot->client_len,
	    scratch, out);
	out->origin = slot_origin(table, slot);
	out->time_ns = slot->time_ns;
	out->kind =
	    slot->state == SLOT_REMOVAL ? REPORT_REMOVAL : REPORT_POSITION;
	return HERD_OK;
}

uint64_t
slot_bytes(const struct slot *slot)
{
	switch ((enum slot_state)slot->state) {
	case SLOT_FREE: return 0;
	case SLOT_POSITION: return slot_blob_memory(slot->blob_len);
	case SLOT_REMOVAL: return 0 - (uint64_t)sizeof(*slot);
	}
	return 0;
}

static void
add_removal(struct table *table, struct shard *shard)
{
	shard->removals++;
	atomic_fetch_add(&table->removals, 1);
}

static void
drop_removal(struct table *table, struct shard *shard)
{
	uint64_t left = atomic_fetch_sub(&table->removals, 1) - 1;
	uint64_t replaced = atomic_load(&table->replaced);

	shard->removals--;
	while (replaced > left &&
	       !atomic_compare_exchange_weak(&table->replaced, &replaced, left))
		;
}

void
slot_drop(struct table *table, struct shard *shard, struct slot *slot)
{
	void *blob;

	if (slot->state == SLOT_FREE)
		return;
	if (slot->state == SLOT_REMOVAL)
		drop_removal(table, shard);
	shard->strange -= slot->origin == NAME_NONE;
	if (slot->blob_len > SLOT_INLINE) {
		memcpy(&blob, slot->text, sizeof(blob));
		free(blob);
		shard->blob_bytes -= slot_blob_memory(slot->blob_len);
	}
	slot->blob_len = 0;
}

/* Most reports of a client have the same origin as the last one. */
static uint16_t
find_origin(
    const struct table *table, const struct slot *slot, struct span origin)
{
	if (slot->state != SLOT_FREE && slot->origin != NAME_NONE &&
	    span_equal(names_text(&table->names, slot->origin), origin))
		return slot->origin;
	return names_find(&table->names, origin);
}

enum herd_error
slot_write(struct table *table, struct shard *shard, struct slot *slot,
    const struct report *report, uint32_t from)
{
	uint16_t origin = find_origin(table, slot, report->origin);
	size_t packed = pack_size(report);
	size_t size =
	    packed + (origin == NAME_NONE ? report->origin.len + 1 : 0);
	uint64_t before = slot_bytes(slot);
	uint8_t *blob = slot->text;

	if (size > SLOT_INLINE) {
		blob = malloc(size);
		if (blob == NULL)
			return HERD_ENOMEM;
	}
	slot_drop(table, shard, slot);
	shard->strange += origin == NAME_NONE;
	pack_write(report, blob);
	if (origin == NAME_NONE) {
		memcpy(blob + packed, report->origin.data, report->origin.len);
		blob[size - 1] = (uint8_t)report->origin.len;
	}
	if (size > SLOT_INLINE) {
		memcpy(slot->text, &blob, sizeof(blob));
		shard->blob_bytes += slot_blob_memory(size);
	}
	slot->blob_len = (uint32_t)size;
	slot->client_len = (uint16_t)report->client.len;
	slot->time_ns = report->time_ns;
	slot->origin = origin;
	slot->from = from;
	slot->state =
	    report->kind == REPORT_REMOVAL ? SLOT_REMOVAL : SLOT_POSITION;
	if (slot->state == SLOT_REMOVAL)
		add_removal(table, shard);
	table_add_bytes(table, before, slot_bytes(slot));
	return HERD_OK;
}
