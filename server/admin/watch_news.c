/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of links, of places and of operators. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/watcher.h"

/* --- links and operators ------------------------------------------------- */

/* Takes the document; each watcher of that type gets it. */
static void
tell(struct watch_list *watchers, enum watch_type type, struct json *json)
{
	struct watcher *watcher;
	struct buf line;

	buf_init(&line, WATCH_LINE_MAX);
	if (watch_end(json, &line)) {
		TAILQ_FOREACH(watcher, &watchers->all, all)
		{
			if (!watcher_wants(watcher, type))
				continue;
			watcher->dropped += buf_add_span(&watcher->queue,
						buf_span(&line)) != HERD_OK;
			watcher_arm(watcher, 0);
		}
	}
	buf_release(&line);
}

void
watch_list_on_admin(struct watch_list *watchers, const char *verb,
    const char *target, const char *who)
{
	struct json json;

	if (watchers->count == 0)
		return;
	watch_begin(&json, WATCH_TYPE_WORDS[WATCH_ADMIN]);
	json_string(&json, json.root, "verb", verb);
	json_string(&json, json.root, "target", target);
	json_string(&json, json.root, "who", who);
	tell(watchers, WATCH_ADMIN, &json);
}

struct link_news {
	struct message message;
	struct watch_list *watchers;
	char peer[REPORT_ORIGIN_MAX + 1];
	enum link_state state;
	char error[SESSION_ERROR_MAX];
};

/* Otherwise the error is of the past. */
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
		watch_begin(&json, WATCH_TYPE_WORDS[WATCH_LINK]);
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

void
watch_list_on_link(
    void *arg, const char *peer, enum link_state state, const char *error)
{
	struct watch_list *watchers = arg;
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

/* --- places -------------------------------------------------------------- */

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
places_have_changed(struct watch_list *watchers, struct json *json)
{
	struct places *places = watchers->admin->node->places;
	cJSON *whole = NULL;
	struct json picked;
	struct buf text;
	struct buf now;
	bool changed;

	buf_init(&text, WATCH_LINE_MAX);
	buf_init(&now, WATCH_LINE_MAX);
	if (places != NULL && places_status_json(places, &text) == HERD_OK)
		whole = cJSON_ParseWithLength(buf_span(&text).data, text.len);
	json_init(&picked);
	pick_places(whole, &picked);
	changed = watch_end(&picked, &now) && now.len > 0 &&
		  !span_equal(buf_span(&now), buf_span(&watchers->places));
	if (changed) {
		watch_begin(json, WATCH_TYPE_WORDS[WATCH_PLACES]);
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

void
watch_list_look_at_places(struct watch_list *watchers)
{
	bool first = watchers->places.len == 0;
	struct json json;

	if (watchers->count == 0 || !places_have_changed(watchers, &json))
		return;
	if (first)
		json_release(&json);
	else
		tell(watchers, WATCH_PLACES, &json);
}
