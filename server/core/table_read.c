/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a table: one client's record, and the counts. */
#include <stdlib.h>

#include "core/pack.h"
#include "core/table_shard.h"

void
record_init(struct record *record)
{
	record->from = FROM_NOBODY;
	record->heap = NULL;
	record->heap_size = 0;
}

void
record_release(struct record *record)
{
	free(record->heap);
	record_init(record);
}

/* Copies a slot's blob and unpacked texts into the record's own memory. */
static enum herd_error
record_fill(
    struct record *record, const struct table *table, const struct slot *slot)
{
	struct span origin = slot_origin(table, slot);
	size_t need = slot->client_len + origin.len +
		      pack_scratch(slot->blob_len, slot->client_len);
	char *text = record->text;
	struct report *report = &record->report;

	if (need > RECORD_INLINE) {
		if (need > record->heap_size) {
			char *grown = realloc(record->heap, need);

			if (grown == NULL)
				return HERD_ENOMEM;
			record->heap = grown;
			record->heap_size = need;
		}
		text = record->heap;
	}
	memcpy(text, slot_blob(slot), slot->client_len);
	memcpy(text + slot->client_len, origin.data, origin.len);
	pack_read(slot_blob(slot), slot_packed_len(slot), slot->client_len,
	    text + slot->client_len + origin.len, report);
	report->client.data = text;
	report->origin = span_of(text + slot->client_len, origin.len);
	report->time_ns = slot->time_ns;
	report->kind =
	    slot->state == SLOT_REMOVAL ? REPORT_REMOVAL : REPORT_POSITION;
	record->from = slot->from;
	return HERD_OK;
}

enum herd_error
table_get(struct table *table, struct span client, struct record *out)
{
	uint64_t hash = siphash(&table->key, client.data, client.len);
	struct shard *shard = &table->shards[hash_shard(hash)];
	enum herd_error error = HERD_ENOTFOUND;
	uint32_t entry;

	pthread_mutex_lock(&shard->lock);
	entry = shard->index[shard_probe(shard, (uint32_t)hash, client)];
	if (entry != 0)
		error = record_fill(
		    out, table, shard_slot(shard, entry_slot(entry)));
	pthread_mutex_unlock(&shard->lock);
	return error;
}

void
table_count(struct table *table, struct table_counts *out)
{
	memset(out, 0, sizeof(*out));
	out->bytes = sizeof(*table);
	out->counted = table_bytes(table);
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		struct shard *shard = &table->shards[i];

		pthread_mutex_lock(&shard->lock);
		out->records += shard->held;
		out->removals += shard->removals;
		out->strange += shard->strange;
		out->accepted += shard->accepted;
		out->stale += shard->stale;
		out->equal += shard->equal;
		out->expired += shard->expired;
		out->evicted += shard->evicted;
		out->bytes +=
		    shard->blob_bytes +
		    shard->chunk_count * SLOT_CHUNK * sizeof(struct slot) +
		    shard->index_size * sizeof(*shard->index) +
		    shard->heap_size * sizeof(*shard->heap);
		for (unsigned j = 0; j < TABLE_OUTBOXES; j++)
			out->bytes += shard->fifos[j].size * sizeof(uint32_t);
		pthread_mutex_unlock(&shard->lock);
	}
}
