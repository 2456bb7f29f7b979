/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/record.h"

#include <stdlib.h>

#include "core/pack.h"
#include "core/shard.h"

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

enum herd_error
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
