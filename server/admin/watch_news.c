/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of links, of places and of operators. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/rows.h"
#include "admin/watcher.h"
#include "places/places_report.h"

/* --- links and operators ------------------------------------------------- */

/* A line of news, of the type that its watchers want. */
struct news {
	enum watch_type type;
	struct watch_line line;
	struct buf text;
};

static struct json *
news_begin(struct news *news, enum watch_type type)
{
	news->type = type;
	buf_init(&news->text, WATCH_LINE_MAX);
	return watch_begin(&news->line, &news->text, WATCH_TYPE_WORDS[type]);
}

static void
news_tell(struct news *news, struct watch_list *watchers)
{
	struct watcher *watcher;

	if (watch_end(&news->line)) {
		TAILQ_FOREACH(watcher, &watchers->all, all)
		{
			if (!watcher_wants(watcher, news->type))
				continue;
			watcher->dropped +=
			    buf_add_span(&watcher->queue,
				buf_span(&news->text)) != HERD_OK;
			watcher_arm(watcher, 0);
		}
	}
	buf_release(&news->text);
}

void
watch_list_on_admin(struct watch_list *watchers, const char *verb,
    const char *target, const char *who)
{
	struct news news;
	struct json *json;

	if (watchers->count == 0)
		return;
	json = news_begin(&news, WATCH_ADMIN);
	json_word(json, "verb", verb);
	json_word(json, "target", target);
	json_word(json, "who", who);
	news_tell(&news, watchers);
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
	struct link_news *change = (struct link_news *)message;
	struct news news;
	struct json *json;

	if (change->watchers->count > 0) {
		json = news_begin(&news, WATCH_LINK);
		json_word(json, "peer", change->peer);
		json_word(json, "state", link_state_word(change->state));
		row_word(json, "error",
		    is_trouble(change->state) ? change->error : "");
		news_tell(&news, change->watchers);
	}
	free(change);
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

/* The state of places as members of an object. */
static void
add_places(const struct watch_list *watchers, struct json *json)
{
	struct places *places = watchers->admin->node->places;
	static const char *const off[] = { "provider", "state", "failed",
		"last_error" };

	if (places != NULL) {
		places_report_news(places, json);
		return;
	}
	for (size_t i = 0; i < HERD_ARRAY_LEN(off); i++)
		json_null(json, off[i]);
}

/* Is it another one than at the last look? Then it is kept. */
static bool
places_have_changed(struct watch_list *watchers)
{
	struct json json;
	struct buf now;
	bool changed;

	buf_init(&now, WATCH_LINE_MAX);
	json_begin(&json, &now, JSON_COMPACT);
	json_object(&json, NULL);
	add_places(watchers, &json);
	json_object_end(&json);
	changed = json_end(&json) == HERD_OK &&
		  !span_equal(buf_span(&now), buf_span(&watchers->places));
	if (changed &&
	    buf_set(&watchers->places, buf_span(&now).data, now.len) != HERD_OK)
		buf_clear(&watchers->places);
	buf_release(&now);
	return changed;
}

void
watch_list_look_at_places(struct watch_list *watchers)
{
	bool first = watchers->places.len == 0;
	struct news news;

	if (watchers->count == 0 || !places_have_changed(watchers) || first)
		return;
	add_places(watchers, news_begin(&news, WATCH_PLACES));
	news_tell(&news, watchers);
}
