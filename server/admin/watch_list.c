/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event streams: their life, and when they are served. */
#include "admin/watch_list.h"

#include <event2/event.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/arrival_ring.h"
#include "admin/route.h"
#include "admin/watcher.h"
#include "base/clock.h"
#include "herd/glob.h"

/* --- the flow --------------------------------------------------------- */

static bool
reports_are_owed(const struct watcher *watcher)
{
	return watcher_wants(watcher, WATCH_REPORT) &&
	       !outbox_is_empty(&watcher->outbox);
}

void
watcher_arm(struct watcher *watcher, unsigned wait_ms)
{
	const struct timeval wait = { 0, (suseconds_t)(wait_ms * 1000) };

	if (!event_pending(watcher->turn, EV_TIMEOUT, NULL))
		event_add(watcher->turn, &wait);
}

/* Sends as much as the reader has room for. */
static void
watcher_serve(struct watcher *watcher)
{
	struct http_call *call = watcher->call;
	bool more = reports_are_owed(watcher);

	if (http_call_room(call) == 0) {
		watcher->lagged |= more;
		return; /* on_room() goes on */
	}
	if (watcher->queue.len > 0) {
		http_call_send(call, buf_span(&watcher->queue));
		buf_clear(&watcher->queue);
	}
	if (more)
		more = watcher_send_reports(watcher);
	if (more)
		watcher_arm(watcher, 0);
	else if (watcher->lagged || watcher->dropped > 0)
		watcher_send_missed(watcher);
}

static void
on_turn(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	watcher_serve(arg);
}

static void
on_room(struct http_call *call)
{
	struct watcher *watcher = call->job;

	if (watcher->queue.len > 0 || reports_are_owed(watcher) ||
	    watcher->lagged)
		watcher_arm(watcher, 0);
}

/* Under a shard's lock, in any thread. */
static void
on_outbox_wake(void *arg)
{
	const struct watcher *watcher = arg;

	mailbox_wake(&watcher->watchers->admin->mailbox);
}

/* Under a shard's lock, in any thread. */
static void
on_outbox_note(void *arg, uint32_t hash, uint64_t time_ns, uint32_t from)
{
	const struct watcher *watcher = arg;
	const struct arrival arrival = { hash, from, time_ns, clock_wall() };

	arrival_ring_note(watcher->arrivals, &arrival);
}

void
watch_list_wake(struct watch_list *watchers)
{
	struct watcher *watcher;

	TAILQ_FOREACH(watcher, &watchers->all, all)
	{
		if (reports_are_owed(watcher))
			watcher_arm(watcher, WATCHER_PAUSE_MS);
	}
}

/* --- a watcher's life ------------------------------------------------- */

static void
watcher_free(struct watcher *watcher)
{
	outbox_detach(&watcher->outbox);
	if (watcher->arrivals != NULL)
		arrival_ring_release(watcher->arrivals);
	free(watcher->arrivals);
	if (watcher->turn != NULL)
		event_free(watcher->turn);
	buf_release(&watcher->ids);
	buf_release(&watcher->queue);
	free(watcher);
}

static void
on_gone(void *job)
{
	struct watcher *watcher = job;

	TAILQ_REMOVE(&watcher->watchers->all, watcher, all);
	watcher->watchers->count--;
	watcher_free(watcher);
}

static void
send_hello(struct watcher *watcher)
{
	struct node *node = watcher->call->node;
	struct watch_line line;
	struct json *json;
	struct buf out;

	buf_init(&out, WATCH_LINE_MAX);
	json = watch_begin(&line, &out, "hello");
	json_word(json, "node", node->name);
	json_word(json, "herd", node->herd);
	json_array(json, "types");
	for (size_t i = 0; i < WATCH_TYPE_COUNT; i++) {
		if (watcher_wants(watcher, (enum watch_type)i))
			json_word(json, NULL, WATCH_TYPE_WORDS[i]);
	}
	json_array_end(json);
	if (watch_end(&line))
		http_call_send(watcher->call, buf_span(&out));
	buf_release(&out);
}

/* Without memory the stream says what the table says. */
static void
watcher_note_arrivals(struct watcher *watcher)
{
	watcher->arrivals = malloc(sizeof(*watcher->arrivals));
	if (watcher->arrivals == NULL)
		return;
	arrival_ring_init(watcher->arrivals);
	watcher->outbox.note = on_outbox_note;
}

static struct watcher *
watcher_new(struct http_call *call, unsigned types)
{
	const struct query_param *glob = query_find(&call->query, "client");
	struct watch_list *watchers = call->admin->watchers;
	struct watcher *watcher = calloc(1, sizeof(*watcher));
	struct table_counts counts;

	if (watcher == NULL)
		return NULL;
	watcher->watchers = watchers;
	watcher->call = call;
	watcher->types = types;
	if (glob != NULL)
		watcher->glob = glob->value;
	buf_init(&watcher->ids, 2 * WATCHER_IDS_MAX + 16);
	buf_init(&watcher->queue, WATCHER_QUEUE_MAX);
	watcher->turn = evtimer_new(call->admin->base, on_turn, watcher);
	outbox_init(&watcher->outbox, call->node->table, FROM_NOBODY,
	    on_outbox_wake, watcher);
	if (watcher->glob.data != NULL && watcher_wants(watcher, WATCH_REPORT))
		watcher_note_arrivals(watcher);
	if (watcher->turn == NULL ||
	    (watcher_wants(watcher, WATCH_REPORT) &&
		outbox_attach(&watcher->outbox) != HERD_OK)) {
		watcher_free(watcher);
		return NULL;
	}
	table_count(call->node->table, &counts);
	watcher->accepted = counts.accepted;
	return watcher;
}

/* "report,link": bits in *types; false if a word is unknown. */
static bool
read_types(const struct query *query, unsigned *types)
{
	const struct query_param *param = query_find(query, "type");
	struct span rest;

	*types = (1u << WATCH_TYPE_COUNT) - 1;
	if (param == NULL || param->value.len == 0)
		return true;
	*types = 0;
	rest = param->value;
	while (rest.len > 0) {
		struct span word = span_cut(&rest, ',');
		unsigned before = *types;

		for (unsigned i = 0; i < WATCH_TYPE_COUNT; i++)
			*types |=
			    span_is(word, WATCH_TYPE_WORDS[i]) ? 1u << i : 0;
		if (*types == before)
			return false;
	}
	return true;
}

void
serve_events(struct http_call *call)
{
	struct watch_list *watchers = call->admin->watchers;
	const struct query_param *glob;
	struct watcher *watcher;
	unsigned types;

	if (!read_types(&call->query, &types)) {
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "type is some of report,link,places,admin, each once",
		    "a parameter has a wrong value");
		return;
	}
	glob = query_find(&call->query, "client");
	if (glob != NULL && glob->value.len > GLOB_MAX) {
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "client is a glob of at most 1024 bytes",
		    "a parameter has a wrong value");
		return;
	}
	if (watchers->count >= WATCHERS_MAX) {
		http_call_fail(call, ADMIN_UNAVAILABLE,
		    "end another stream first",
		    "%u event streams are open, which is the most",
		    watchers->count);
		return;
	}
	watcher = watcher_new(call, types);
	if (watcher == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	TAILQ_INSERT_TAIL(&watchers->all, watcher, all);
	watchers->count++;
	tick_soon(&watchers->places_tick, WATCHER_PLACES_MS * HERD_NS_PER_MS);
	http_call_keep(call, watcher, on_gone);
	call->on_room = on_room;
	http_call_stream(call, "application/x-ndjson");
	send_hello(watcher);
}

/* --- life ------------------------------------------------------------- */

static void
on_places_tick(void *arg)
{
	struct watch_list *watchers = arg;

	watch_list_look_at_places(watchers);
	if (watchers->count > 0)
		tick_in(
		    &watchers->places_tick, WATCHER_PLACES_MS * HERD_NS_PER_MS);
}

enum herd_error
watch_list_open(struct admin *admin, struct watch_list **out)
{
	struct watch_list *watchers = calloc(1, sizeof(*watchers));

	if (watchers == NULL)
		return HERD_ENOMEM;
	watchers->admin = admin;
	TAILQ_INIT(&watchers->all);
	buf_init(&watchers->places, WATCH_LINE_MAX);
	if (tick_open(&watchers->places_tick, admin->base, -1, "watch-places",
		on_places_tick, watchers) != HERD_OK) {
		watch_list_close(watchers);
		return HERD_ENOMEM;
	}
	peering_watch(admin->node->peering, watch_list_on_link, watchers);
	*out = watchers;
	return HERD_OK;
}

void
watch_list_close(struct watch_list *watchers)
{
	if (watchers == NULL)
		return;
	tick_close(&watchers->places_tick);
	buf_release(&watchers->places);
	free(watchers);
}
