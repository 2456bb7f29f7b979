/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/watchers.h"

#include <event2/event.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/arrivals.h"
#include "admin/glob.h"
#include "admin/rows.h"
#include "clock.h"
#include "herd/text.h"
#include "net/links.h"

#define LINE_MAX_BYTES (1u << 20)
#define IDS_MAX 65536u /* of the clients of one turn; one more always fits */

struct watcher {
	struct watchers *watchers;
	TAILQ_ENTRY(watcher) all;
	struct call *call;
	unsigned types;   /* bit per enum watch_type */
	struct span glob; /* borrows the call's query */
	struct event *turn;
	struct outbox outbox;
	struct arrivals
	    *arrivals;     /* of a filtered stream of reports, or NULL */
	struct buf ids;    /* of a turn: length, bytes, length, bytes */
	struct buf queue;  /* lines of the other events */
	bool lagged;       /* the reader was slower than the herd */
	uint64_t dropped;  /* lines that the queue had no room for */
	uint64_t accepted; /* the table's count when the stream began */
	uint64_t said;     /* of the reports that were replaced unsent */
};

TAILQ_HEAD(watcher_list, watcher);

struct watchers {
	struct admin *admin;
	struct watcher_list all;
	unsigned count;
	struct event *places_tick;
	struct buf places; /* its last event, without the time */
};

static const char *const TYPE_WORDS[] = {
#define HERD_WATCH_TYPE_WORD(id, word) [id] = word,
	WATCH_TYPES(HERD_WATCH_TYPE_WORD)
#undef HERD_WATCH_TYPE_WORD
};

/* --- lines ------------------------------------------------------------ */

static void
event_begin_at(struct json *json, const char *event, struct wall at)
{
	char text[TIME_FORMAT_MAX];

	json_init(json);
	json_string(json, json->root, "event", event);
	json_span(
	    json, json->root, "at", span_of(text, time_format(at.ns, text)));
}

static void
event_begin(struct json *json, const char *event)
{
	event_begin_at(json, event, clock_wall());
}

/* Appends the document as a line and releases it; false if there is no room. */
static bool
event_end(struct json *json, struct buf *out)
{
	char *text = json_print(json);
	size_t before = out->len;
	bool done = text != NULL && buf_add_text(out, text) == HERD_OK &&
		    buf_add_byte(out, '\n') == HERD_OK;

	if (!done)
		buf_truncate(out, before);
	cJSON_free(text);
	json_release(json);
	return done;
}

static bool
watches(const struct watcher *watcher, enum watch_type type)
{
	return (watcher->types >> type & 1) != 0;
}

/* --- reports ---------------------------------------------------------- */

/* Under the shard's lock: only the ids are taken along. */
static bool
on_owed(void *arg, const struct report *report)
{
	struct watcher *watcher = arg;
	uint32_t len = (uint32_t)report->client.len;
	size_t before = watcher->ids.len;

	if (watcher->glob.data != NULL &&
	    !glob_matches(watcher->glob, report->client))
		return true;
	if (before >= IDS_MAX)
		return false;
	if (buf_add(&watcher->ids, &len, sizeof(len)) == HERD_OK &&
	    buf_add_span(&watcher->ids, report->client) == HERD_OK)
		return true;
	buf_truncate(&watcher->ids, before);
	return false;
}

/* What the table holds of the client now: it may be newer than what woke us. */
static void
add_report(struct watcher *watcher, struct span client, struct record *record,
    struct buf *out)
{
	struct node *node = watcher->call->node;
	struct arrival arrival;
	char giver[GIVER_MAX];
	struct json json;

	if (table_get(node->table, client, record) != HERD_OK)
		return;
	if (watcher->arrivals == NULL ||
	    !arrivals_find(watcher->arrivals,
		(uint32_t)table_hash(node->table, client),
		record->report.time_ns, &arrival))
		arrival = (struct arrival){ .from = record->from,
			.at = clock_wall() };
	event_begin_at(&json, TYPE_WORDS[WATCH_REPORT], arrival.at);
	name_giver(node, arrival.from, giver);
	row_client(&json, json.root, &record->report, giver);
	watcher->dropped += !event_end(&json, out);
}

/* Sends up to WATCHER_TURN_RECORDS reports; false when none is owed. */
static bool
send_reports(struct watcher *watcher)
{
	struct record record;
	struct span ids;
	struct buf out;
	unsigned most = watcher->glob.data == NULL ? WATCHER_TURN_RECORDS
						   : WATCHER_TURN_FILTERED;
	unsigned taken = outbox_take(&watcher->outbox, most, on_owed, watcher);

	buf_init(&out, 16 * LINE_MAX_BYTES);
	record_init(&record);
	for (ids = buf_span(&watcher->ids); ids.len > 0;) {
		uint32_t len;

		memcpy(&len, ids.data, sizeof(len));
		add_report(watcher, span_of(ids.data + sizeof(len), len),
		    &record, &out);
		ids = span_of(
		    ids.data + sizeof(len) + len, ids.len - sizeof(len) - len);
	}
	record_release(&record);
	buf_clear(&watcher->ids);
	call_send(watcher->call, buf_span(&out));
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

/* Says what a reader that has caught up did not get. */
static void
send_missed(struct watcher *watcher)
{
	uint64_t replaced = watcher->said;
	struct json json;
	struct buf out;

	if (watches(watcher, WATCH_REPORT))
		replaced = count_replaced(watcher);
	buf_init(&out, LINE_MAX_BYTES);
	event_begin(&json, "missed");
	/* Which clients they were of is not known. */
	if (watcher->glob.data != NULL && replaced > watcher->said)
		json_null(&json, json.root, "count");
	else
		json_count(&json, json.root, "count",
		    replaced - watcher->said + watcher->dropped);
	if (event_end(&json, &out))
		call_send(watcher->call, buf_span(&out));
	buf_release(&out);
	watcher->said = replaced;
	watcher->dropped = 0;
	watcher->lagged = false;
}

/* --- the flow --------------------------------------------------------- */

static bool
reports_are_owed(const struct watcher *watcher)
{
	return watches(watcher, WATCH_REPORT) &&
	       !outbox_is_empty(&watcher->outbox);
}

static void
watcher_arm(struct watcher *watcher, unsigned wait_ms)
{
	const struct timeval wait = { 0, (suseconds_t)(wait_ms * 1000) };

	if (!event_pending(watcher->turn, EV_TIMEOUT, NULL))
		event_add(watcher->turn, &wait);
}

/* Sends what the reader has room for. */
static void
watcher_serve(struct watcher *watcher)
{
	struct call *call = watcher->call;
	bool more = reports_are_owed(watcher);

	if (call_room(call) == 0) {
		watcher->lagged |= more;
		return; /* on_room() goes on */
	}
	if (watcher->queue.len > 0) {
		call_send(call, buf_span(&watcher->queue));
		buf_clear(&watcher->queue);
	}
	if (more)
		more = send_reports(watcher);
	if (more)
		watcher_arm(watcher, 0);
	else if (watcher->lagged || watcher->dropped > 0)
		send_missed(watcher);
}

static void
on_turn(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	watcher_serve(arg);
}

static void
on_room(struct call *call)
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

	arrivals_note(watcher->arrivals, &arrival);
}

void
watchers_wake(struct watchers *watchers)
{
	struct watcher *watcher;

	TAILQ_FOREACH(watcher, &watchers->all, all)
	{
		if (reports_are_owed(watcher))
			watcher_arm(watcher, WATCHER_PAUSE_MS);
	}
}

/* --- other events ----------------------------------------------------- */

/* Takes the document; each watcher of that type gets it. */
static void
tell(struct watchers *watchers, enum watch_type type, struct json *json)
{
	struct watcher *watcher;
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	if (event_end(json, &line)) {
		TAILQ_FOREACH(watcher, &watchers->all, all)
		{
			if (!watches(watcher, type))
				continue;
			watcher->dropped += buf_add_span(&watcher->queue,
						buf_span(&line)) != HERD_OK;
			watcher_arm(watcher, 0);
		}
	}
	buf_release(&line);
}

void
watchers_on_admin(struct watchers *watchers, const char *verb,
    const char *target, const char *who)
{
	struct json json;

	if (watchers->count == 0)
		return;
	event_begin(&json, TYPE_WORDS[WATCH_ADMIN]);
	json_string(&json, json.root, "verb", verb);
	json_string(&json, json.root, "target", target);
	json_string(&json, json.root, "who", who);
	tell(watchers, WATCH_ADMIN, &json);
}

struct link_news {
	struct message message;
	struct watchers *watchers;
	char peer[REPORT_ORIGIN_MAX + 1];
	enum link_state state;
	char error[SESSION_ERROR_MAX];
};

/* Else the error is of the past. */
static bool
is_trouble(enum link_state state)
{
	return state == LINK_DISABLED || state == LINK_REFUSED ||
	       state == LINK_BACKOFF || state == LINK_WAITING;
}

static void
on_link_news(struct message *message)
{
	struct link_news *news = (struct link_news *)message;
	struct json json;

	if (news->watchers->count > 0) {
		event_begin(&json, TYPE_WORDS[WATCH_LINK]);
		json_string(&json, json.root, "peer", news->peer);
		json_string(
		    &json, json.root, "state", link_state_word(news->state));
		if (news->error[0] == '\0' || !is_trouble(news->state))
			json_null(&json, json.root, "error");
		else
			json_string(&json, json.root, "error", news->error);
		tell(news->watchers, WATCH_LINK, &json);
	}
	free(news);
}

/* In the links thread. */
static void
on_link_change(
    void *arg, const char *peer, enum link_state state, const char *error)
{
	struct watchers *watchers = arg;
	struct link_news *news = calloc(1, sizeof(*news));

	if (news == NULL)
		return; /* a stream may miss news; the node has other worries */
	news->message.run = on_link_news;
	news->watchers = watchers;
	news->state = state;
	snprintf(news->peer, sizeof(news->peer), "%s", peer);
	snprintf(news->error, sizeof(news->error), "%s", error);
	mailbox_post(&watchers->admin->mailbox, &news->message);
}

/* --- places ----------------------------------------------------------- */

static const char *const PLACES_KEYS[] = { "provider", "state", "failed",
	"last_error" };

/* Moves what a stream shows of the chain's report into `row`. */
static void
pick_places(cJSON *whole, struct json *json)
{
	const cJSON *first = cJSON_GetArrayItem(
	    cJSON_GetObjectItemCaseSensitive(whole, "providers"), 0);

	for (size_t i = 0; i < HERD_ARRAY_LEN(PLACES_KEYS); i++) {
		const cJSON *item =
		    cJSON_GetObjectItemCaseSensitive(whole, PLACES_KEYS[i]);
		cJSON *copy;

		if (item == NULL)
			item = cJSON_GetObjectItemCaseSensitive(
			    first, PLACES_KEYS[i]);
		copy = cJSON_Duplicate(item, true);
		if (copy == NULL ||
		    !cJSON_AddItemToObject(json->root, PLACES_KEYS[i], copy))
			json_null(json, json->root, PLACES_KEYS[i]);
	}
}

/* The state of places as an event; false if it is as it was. */
static bool
places_have_changed(struct watchers *watchers, struct json *json)
{
	struct places *places = watchers->admin->node->places;
	cJSON *whole = NULL;
	struct json picked;
	struct buf text;
	struct buf now;
	bool changed;

	buf_init(&text, LINE_MAX_BYTES);
	buf_init(&now, LINE_MAX_BYTES);
	if (places != NULL && places_status_json(places, &text) == HERD_OK)
		whole = cJSON_ParseWithLength(buf_span(&text).data, text.len);
	json_init(&picked);
	pick_places(whole, &picked);
	changed = event_end(&picked, &now) && now.len > 0 &&
		  !span_equal(buf_span(&now), buf_span(&watchers->places));
	if (changed) {
		event_begin(json, TYPE_WORDS[WATCH_PLACES]);
		pick_places(whole, json);
		if (buf_set(&watchers->places, buf_span(&now).data, now.len) !=
		    HERD_OK)
			buf_clear(&watchers->places);
	}
	cJSON_Delete(whole);
	buf_release(&text);
	buf_release(&now);
	return changed;
}

static void
on_places_tick(
    evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct watchers *watchers = arg;
	bool first = watchers->places.len == 0;
	struct json json;

	if (watchers->count == 0 || !places_have_changed(watchers, &json))
		return;
	if (first)
		json_release(&json);
	else
		tell(watchers, WATCH_PLACES, &json);
}

/* --- a watcher's life ------------------------------------------------- */

static void
watcher_free(struct watcher *watcher)
{
	outbox_detach(&watcher->outbox);
	if (watcher->arrivals != NULL)
		arrivals_release(watcher->arrivals);
	free(watcher->arrivals);
	if (watcher->turn != NULL)
		event_free(watcher->turn);
	buf_release(&watcher->ids);
	buf_release(&watcher->queue);
	free(watcher);
}

static void
on_gone(struct call *call)
{
	struct watcher *watcher = call->job;

	TAILQ_REMOVE(&watcher->watchers->all, watcher, all);
	watcher->watchers->count--;
	watcher_free(watcher);
}

static void
send_hello(struct watcher *watcher)
{
	struct node *node = watcher->call->node;
	struct json json;
	struct buf line;
	cJSON *types;

	buf_init(&line, LINE_MAX_BYTES);
	event_begin(&json, "hello");
	json_string(&json, json.root, "node", node->name);
	json_string(&json, json.root, "herd", node->herd);
	types = json_array(&json, json.root, "types");
	for (size_t i = 0; i < HERD_ARRAY_LEN(TYPE_WORDS); i++) {
		if (watches(watcher, (enum watch_type)i))
			json_string(&json, types, NULL, TYPE_WORDS[i]);
	}
	if (event_end(&json, &line))
		call_send(watcher->call, buf_span(&line));
	buf_release(&line);
}

/* Without memory for it the stream says what the table says. */
static void
watcher_note_arrivals(struct watcher *watcher)
{
	watcher->arrivals = malloc(sizeof(*watcher->arrivals));
	if (watcher->arrivals == NULL)
		return;
	arrivals_init(watcher->arrivals);
	watcher->outbox.note = on_outbox_note;
}

static struct watcher *
watcher_new(struct call *call, unsigned types)
{
	const struct query_param *glob = query_find(&call->query, "client");
	struct watchers *watchers = call->admin->watchers;
	struct watcher *watcher = calloc(1, sizeof(*watcher));
	struct table_counts counts;

	if (watcher == NULL)
		return NULL;
	watcher->watchers = watchers;
	watcher->call = call;
	watcher->types = types;
	if (glob != NULL)
		watcher->glob = glob->value;
	buf_init(&watcher->ids, 2 * IDS_MAX + 16);
	buf_init(&watcher->queue, WATCHER_QUEUE_MAX);
	watcher->turn = evtimer_new(call->admin->base, on_turn, watcher);
	outbox_init(&watcher->outbox, call->node->table, FROM_NOBODY,
	    on_outbox_wake, watcher);
	if (watcher->glob.data != NULL && watches(watcher, WATCH_REPORT))
		watcher_note_arrivals(watcher);
	if (watcher->turn == NULL ||
	    (watches(watcher, WATCH_REPORT) &&
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

	*types = (1u << HERD_ARRAY_LEN(TYPE_WORDS)) - 1;
	if (param == NULL || param->value.len == 0)
		return true;
	*types = 0;
	rest = param->value;
	while (rest.len > 0) {
		const char *comma = memchr(rest.data, ',', rest.len);
		size_t len =
		    comma == NULL ? rest.len : (size_t)(comma - rest.data);
		struct span word = span_of(rest.data, len);
		unsigned before = *types;

		for (unsigned i = 0; i < HERD_ARRAY_LEN(TYPE_WORDS); i++)
			*types |= span_is(word, TYPE_WORDS[i]) ? 1u << i : 0;
		if (*types == before)
			return false;
		len += comma != NULL;
		rest = span_of(rest.data + len, rest.len - len);
	}
	return true;
}

void
serve_events(struct call *call)
{
	struct watchers *watchers = call->admin->watchers;
	struct watcher *watcher;
	unsigned types;

	if (!read_types(&call->query, &types)) {
		call_fail(call, ADMIN_BAD_REQUEST,
		    "type is some of report,link,places,admin, each once",
		    "a parameter has a wrong value");
		return;
	}
	if (watchers->count >= WATCHERS_MAX) {
		call_fail(call, ADMIN_UNAVAILABLE, "end another stream first",
		    "%u event streams are open, which is the most",
		    watchers->count);
		return;
	}
	watcher = watcher_new(call, types);
	if (watcher == NULL) {
		call_out_of_memory(call);
		return;
	}
	TAILQ_INSERT_TAIL(&watchers->all, watcher, all);
	watchers->count++;
	call->job = watcher;
	call->on_gone = on_gone;
	call->on_room = on_room;
	call_stream(call, "application/x-ndjson");
	send_hello(watcher);
}

/* --- life ------------------------------------------------------------- */

enum herd_error
watchers_open(struct admin *admin, struct watchers **out)
{
	const struct timeval tick = { WATCHER_PLACES_MS / 1000, 0 };
	struct watchers *watchers = calloc(1, sizeof(*watchers));

	if (watchers == NULL)
		return HERD_ENOMEM;
	watchers->admin = admin;
	TAILQ_INIT(&watchers->all);
	buf_init(&watchers->places, LINE_MAX_BYTES);
	watchers->places_tick =
	    event_new(admin->base, -1, EV_PERSIST, on_places_tick, watchers);
	if (watchers->places_tick == NULL ||
	    event_add(watchers->places_tick, &tick) != 0) {
		watchers_close(watchers);
		return HERD_ENOMEM;
	}
	links_watch(admin->node->links, on_link_change, watchers);
	*out = watchers;
	return HERD_OK;
}

void
watchers_close(struct watchers *watchers)
{
	if (watchers == NULL)
		return;
	if (watchers->places_tick != NULL)
		event_free(watchers->places_tick);
	buf_release(&watchers->places);
	free(watchers);
}
