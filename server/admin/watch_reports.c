/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of reports. */
#include "admin/admin_room.h"
#include "admin/arrival_ring.h"
#include "admin/client_row.h"
#include "admin/rows.h"
#include "admin/watcher.h"
#include "base/clock.h"
#include "herd/glob.h"

/* Of a glob on the ids of a turn, some nanoseconds each. */
#define TURN_STEPS (1u << 20)

/* Copies only the ids, because the shard is locked. */
static bool
on_owed(void *arg, const struct report *report)
{
	struct watcher *watcher = arg;
	uint32_t len = (uint32_t)report->client.len;
	size_t before = watcher->ids.len;

	if (watcher->looked >= TURN_STEPS)
		return false;
	watcher->looked += watcher->glob.len * report->client.len;
	if (watcher->glob.data != NULL &&
	    !glob_matches(watcher->glob, report->client))
		return true;
	if (before >= WATCHER_IDS_MAX)
		return false;
	if (buf_add(&watcher->ids, &len, sizeof(len)) == HERD_OK &&
	    buf_add_span(&watcher->ids, report->client) == HERD_OK)
		return true;
	buf_truncate(&watcher->ids, before);
	return false;
}

/* Reads the client's record, which may be newer than the one that woke us. */
static void
add_report(struct watcher *watcher, const struct client_scene *scene,
    struct span client, struct record *record, struct buf *out)
{
	const struct node *node = scene->node;
	struct arrival arrival;
	struct client_row row = { .scene = scene, .report = &record->report };
	struct watch_line line;
	struct json *json;

	if (table_get(node->table, client, record) != HERD_OK)
		return;
	if (watcher->arrivals == NULL ||
	    !arrival_ring_find(watcher->arrivals,
		(uint32_t)table_hash(node->table, client),
		record->report.time_ns, &arrival))
		arrival = (struct arrival){ .from = record->from,
			.at = clock_wall() };
	json = watch_begin_at(
	    &line, out, WATCH_TYPE_WORDS[WATCH_REPORT], arrival.at);
	row.from = arrival.from;
	client_row_write(json, &row);
	watcher->dropped += !watch_end(&line);
}

bool
watcher_send_reports(struct watcher *watcher)
{
	struct client_scene scene;
	struct record record;
	struct span ids;
	struct buf out;
	unsigned most = watcher->glob.data == NULL ? WATCHER_TURN_RECORDS
						   : WATCHER_TURN_FILTERED;
	unsigned taken;

	watcher->looked = 0;
	taken = outbox_take(&watcher->outbox, most, on_owed, watcher);
	buf_init(&out, 16 * WATCH_LINE_MAX);
	record_init(&record);
	client_scene_init(&scene, watcher->call->node);
	for (ids = buf_span(&watcher->ids); ids.len > 0;) {
		uint32_t len;

		memcpy(&len, ids.data, sizeof(len));
		add_report(watcher, &scene,
		    span_of(ids.data + sizeof(len), len), &record, &out);
		ids = span_of(
		    ids.data + sizeof(len) + len, ids.len - sizeof(len) - len);
	}
	record_release(&record);
	buf_clear(&watcher->ids);
	http_call_send(watcher->call, buf_span(&out));
	buf_release(&out);
	return taken > 0 || !outbox_is_empty(&watcher->outbox);
}

/* Reports that were replaced by newer ones before they were taken. */
static uint64_t
count_replaced(const struct watcher *watcher)
{
	struct table_counts counts;
	struct outbox_progress progress;
	uint64_t taken = watcher->accepted;

	outbox_progress(&watcher->outbox, &progress);
	for (unsigned i = 0; i < TABLE_SHARDS; i++)
		taken += progress.appended[i];
	table_count(watcher->call->node->table, &counts);
	return counts.accepted > taken ? counts.accepted - taken : 0;
}

void
watcher_send_missed(struct watcher *watcher)
{
	uint64_t replaced = watcher->said;
	struct watch_line line;
	struct json *json;
	struct buf out;

	if (watcher_wants(watcher, WATCH_REPORT))
		replaced = count_replaced(watcher);
	buf_init(&out, WATCH_LINE_MAX);
	json = watch_begin(&line, &out, "missed");
	/* Which clients they were of is not known. */
	row_count(json, "count",
	    watcher->glob.data == NULL || replaced <= watcher->said,
	    replaced - watcher->said + watcher->dropped);
	if (watch_end(&line))
		http_call_send(watcher->call, buf_span(&out));
	buf_release(&out);
	watcher->said = replaced;
	watcher->dropped = 0;
	watcher->lagged = false;
}
