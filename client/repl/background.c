/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "repl/background.h"

#include <cjson/cJSON.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/framer.h"
#include "herd/text.h"
#include "net/standing.h"
#include "net/tls.h"
#include "out/width.h"
#include "run/fields.h"

#define IDS_MAX 5000u
#define IDS_PAGE 1000u
#define METRICS_MAX 1000u
#define IDS_FRESH_S 10u   /* older ids are asked for again */
#define EVENTS_AGAIN_S 5u /* an event stream that ended */
#define EVENT_LINE_MAX 65536u
#define PEERS_MAX 64u

/* The last notice about a peer, so that only changes are notices. */
struct peer_state {
	char *name;
	bool up;
};

struct background {
	struct app *app;
	background_notice *notice;
	background_changed *changed;
	void *arg;
	struct target target; /* name is ours */
	char *name;
	/* Ours: by the time it is sent, app may have another herd. */
	struct admin_ways ways; /* to its admin listener; a copy */
	bool follows;
	bool may_ask; /* its admin listener, for which a token is at hand */
	struct standing *standing;
	/* event stream */
	struct admin_call *events;
	struct event *events_again;
	struct framer lines;
	bool heard; /* the stream has begun */
	bool lost;  /* and ended; only told where there is no link */
	struct peer_state peers[PEERS_MAX];
	size_t peer_count;
	/* client ids */
	struct admin_call *asking;
	struct event *ask_soon;
	char *asked_prefix;
	bool asked_all;
	struct mono asked_at;
	const char **ids;
	size_t id_count;
	/*
	 * A key is handled within the app's loop, which cannot run in itself,
	 * so what a key waits for has a loop of its own.
	 */
	struct loop quick_loop;
	struct admin_client *quick;
	/* names of metrics */
	const char **metrics;
	size_t metric_count;
};

static void follow_events(struct background *l);

static void HERD_PRINTF(2, 3) say(struct background *l, const char *fmt, ...)
{
	struct buf text = XBUF;
	va_list args;

	if (!prefs_is(&l->app->prefs, PREF_NOTICES) ||
	    prefs_is(&l->app->prefs, PREF_QUIET))
		return;
	va_start(args, fmt);
	putv(&text, fmt, args);
	va_end(args);
	l->notice(l->arg, text_of(&text));
	buf_release(&text);
}

static struct timeval
seconds(unsigned s)
{
	return (struct timeval){ .tv_sec = s };
}

/* --- the connection -------------------------------------------------- */

static void
on_link_change(void *arg, bool up, const char *reason)
{
	struct background *l = arg;

	if (up)
		say(l, "%s is back", l->name);
	else
		say(l, "%s is down: %s; trying again in the background",
		    l->name, reason);
	l->changed(l->arg);
}

static const struct standing_events link_events = { on_link_change };

/* --- events as notices ----------------------------------------------- */

static struct peer_state *
peer_state(struct background *l, const char *name)
{
	for (size_t i = 0; i < l->peer_count; i++) {
		if (strcmp(l->peers[i].name, name) == 0)
			return &l->peers[i];
	}
	if (l->peer_count == PEERS_MAX)
		return NULL;
	l->peers[l->peer_count] =
	    (struct peer_state){ .name = xstrdup(name), .up = true };
	return &l->peers[l->peer_count++];
}

static void
on_link_event(struct background *l, const cJSON *event)
{
	const char *peer = fields_text(event, "peer");
	const char *state = fields_text(event, "state");
	const char *error = fields_text(event, "error");
	struct peer_state *known = peer == NULL ? NULL : peer_state(l, peer);
	bool up;
	struct buf text = XBUF;

	if (known == NULL || state == NULL)
		return;
	up = strcmp(state, "synced") == 0;
	/* On the way up every state but the last is no news. */
	if (up == known->up)
		return;
	known->up = up;
	put_clean(&text, span_from(peer));
	put_text(&text, up ? " is synced" : " is ");
	if (!up)
		put_clean(&text, span_from(state));
	if (!up && error != NULL) {
		put_text(&text, ": ");
		put_clean(&text, span_from(error));
	}
	say(l, "%s: link to %s", l->name, text_of(&text));
	buf_release(&text);
}

static void
on_event(struct background *l, const cJSON *event)
{
	const char *kind = fields_text(event, "event");

	if (kind == NULL)
		return;
	if (strcmp(kind, "hello") == 0) {
		if (l->lost && l->standing == NULL)
			say(l, "%s is back", l->name);
		l->heard = true;
		l->lost = false;
		l->changed(l->arg);
	} else if (strcmp(kind, "link") == 0) {
		on_link_event(l, event);
	}
}

static void
on_events_data(void *arg, struct span data)
{
	struct background *l = arg;
	struct span line;

	if (framer_feed(&l->lines, data) != HERD_OK)
		return;
	while (framer_next(&l->lines, &line) == HERD_OK) {
		cJSON *event = cJSON_ParseWithLength(line.data, line.len);

		on_event(l, event);
		cJSON_Delete(event);
	}
}

static void
on_events_done(void *arg, const struct admin_answer *answer)
{
	struct background *l = arg;
	struct timeval again = seconds(EVENTS_AGAIN_S);

	l->events = NULL;
	/* Without a client listener to watch this is how a loss shows. */
	if (l->standing == NULL && !l->lost)
		say(l, "%s is down: %s; trying again in the background",
		    l->name,
		    answer->message == NULL ? "the stream has ended"
					    : answer->message);
	l->lost = true;
	l->heard = false;
	l->changed(l->arg);
	framer_release(&l->lines);
	framer_init(&l->lines, EVENT_LINE_MAX);
	if (evtimer_add(l->events_again, &again) != 0)
		out_of_memory();
}

static const struct admin_events stream_events = { on_events_data,
	on_events_done };

static struct admin_request
request_for(struct background *l, const char *path, uint64_t timeout_ns)
{
	return (struct admin_request){
		.ways = l->ways,
		.method = "GET",
		.path = path,
		.timeout_ns = timeout_ns,
	};
}

static struct admin_client *
admin_of(struct background *l)
{
	struct admin_client *admin = NULL;
	struct buf message = XBUF;

	if (!l->follows || !l->may_ask)
		return NULL;
	if (app_admin(l->app, &admin, &message) != STATUS_OK)
		admin = NULL;
	buf_release(&message);
	return admin;
}

static void
follow_events(struct background *l)
{
	struct admin_client *admin = admin_of(l);
	struct admin_request request =
	    request_for(l, "/v1/events?type=link", 0);

	if (admin != NULL && l->events == NULL)
		l->events =
		    admin_client_start(admin, &request, &stream_events, l);
}

static void
on_events_again(
    evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	follow_events(arg);
}

/* --- client ids ------------------------------------------------------ */

static void
forget_ids(struct background *l)
{
	for (size_t i = 0; i < l->id_count; i++)
		free((void *)(uintptr_t)l->ids[i]);
	l->id_count = 0;
	l->ids[0] = NULL;
}

static bool
knows_id(const struct background *l, const char *id)
{
	for (size_t i = 0; i < l->id_count; i++) {
		if (strcmp(l->ids[i], id) == 0)
			return true;
	}
	return false;
}

static void
add_id(struct background *l, const cJSON *client)
{
	struct buf id = XBUF;

	if (l->id_count == IDS_MAX)
		return;
	/* No word can hold a NUL. */
	if (fields_client_id(client, &id) && id.len > 0 &&
	    span_find(buf_span(&id), '\0') == NULL &&
	    (l->asked_prefix == NULL || !knows_id(l, text_of(&id))))
		l->ids[l->id_count++] = xstrdup(text_of(&id));
	buf_release(&id);
}

static void
take_ids(struct background *l, struct span body)
{
	cJSON *json = cJSON_ParseWithLength(body.data, body.len);
	const cJSON *client;

	if (l->asked_prefix != NULL && l->id_count + IDS_PAGE > IDS_MAX)
		forget_ids(l);
	if (l->asked_prefix == NULL) {
		forget_ids(l);
		l->asked_all =
		    json != NULL && fields_text(json, "next") == NULL;
	}
	cJSON_ArrayForEach(client, fields_at(json, "clients"))
		add_id(l, client);
	l->ids[l->id_count] = NULL;
	cJSON_Delete(json);
}

static void
on_ids(void *arg, const struct admin_answer *answer)
{
	struct background *l = arg;

	l->asking = NULL;
	if (answer->status == STATUS_OK)
		take_ids(l, answer->body);
}

static const struct admin_events id_events = { NULL, on_ids };

static void
put_ids_path(struct buf *path, const char *prefix)
{
	putf(path, "/v1/clients?sort=table&limit=%u", IDS_PAGE);
	put_query(path, "&prefix=", prefix);
}

static void
note_asked(struct background *l, const char *prefix)
{
	free(l->asked_prefix);
	l->asked_prefix = prefix == NULL ? NULL : xstrdup(prefix);
	l->asked_at = now_mono();
}

static void
ask_ids(struct background *l, const char *prefix)
{
	struct admin_client *admin = admin_of(l);
	struct admin_request request;
	struct buf path = XBUF;

	if (admin == NULL || l->asking != NULL)
		return;
	note_asked(l, prefix);
	put_ids_path(&path, prefix);
	request = request_for(l, text_of(&path), 2 * HERD_NS_PER_S);
	l->asking = admin_client_start(admin, &request, &id_events, l);
	buf_release(&path);
}

static void
on_ask_soon(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	ask_ids(arg, NULL);
}

/* --- an answer that a key waits for ------------------------------------ */

struct quick_answer {
	bool done;
	bool ok;
	struct buf body;
};

static void
on_quick(void *arg, const struct admin_answer *answer)
{
	struct quick_answer *quick = arg;

	quick->done = true;
	quick->ok = answer->status == STATUS_OK;
	if (quick->ok)
		put_span(&quick->body, answer->body);
}

static const struct admin_events quick_events = { NULL, on_quick };

static bool
is_answered(const void *arg)
{
	const struct quick_answer *quick = arg;

	return quick->done;
}

static struct admin_client *
quick_client(struct background *l)
{
	struct buf message = XBUF;

	if (l->quick == NULL) {
		loop_init(&l->quick_loop);
		if (admin_client_new(&l->quick_loop, &l->quick, &message) !=
		    STATUS_OK) {
			l->quick = NULL;
			loop_release(&l->quick_loop);
		}
	}
	buf_release(&message);
	return l->quick;
}

static struct mono
wait_of_a_key(void)
{
	return deadline_in(BACKGROUND_WAIT_MS * HERD_NS_PER_MS);
}

/* Asks the node and waits for a moment. False: there is no answer so far. */
static bool
ask_quickly(struct background *l, const char *path, struct mono deadline,
    struct buf *body)
{
	struct quick_answer answer = { .body = XBUF };
	struct admin_request request;
	struct admin_call *call;

	if (!l->follows || !l->may_ask || background_is_down(l) ||
	    quick_client(l) == NULL)
		return false;
	/* The wait ends it; its own limit would count as a failure. */
	request = request_for(l, path, 2 * HERD_NS_PER_S);
	call = admin_client_start(l->quick, &request, &quick_events, &answer);
	(void)loop_wait(&l->quick_loop, is_answered, &answer, deadline);
	if (!answer.done)
		admin_client_cancel(call);
	if (answer.ok)
		put_span(body, buf_span(&answer.body));
	buf_release(&answer.body);
	return answer.ok;
}

/* False: the answer has to be waited for in the background. */
static bool
ask_ids_quickly(struct background *l, const char *prefix, struct mono deadline)
{
	struct buf path = XBUF;
	struct buf body = XBUF;
	bool ok;

	put_ids_path(&path, prefix);
	ok = ask_quickly(l, text_of(&path), deadline, &body);
	if (ok) {
		/* An older question would count as this one's answer. */
		if (l->asking != NULL)
			admin_client_cancel(l->asking);
		l->asking = NULL;
		note_asked(l, prefix);
		take_ids(l, buf_span(&body));
	}
	buf_release(&path);
	buf_release(&body);
	return ok;
}

/* Are the ids with this prefix as good as those of the node? */
static bool
is_prefix_known(const struct background *l, const char *prefix)
{
	return prefix[0] == '\0' || l->asked_all ||
	       (l->asked_prefix != NULL &&
		   strcmp(l->asked_prefix, prefix) == 0);
}

const char *const *
background_clients(struct background *l, const char *prefix)
{
	struct mono deadline = wait_of_a_key();
	bool old =
	    mono_since(now_mono(), l->asked_at) > IDS_FRESH_S * HERD_NS_PER_S;

	if ((old || l->id_count == 0) && !ask_ids_quickly(l, NULL, deadline))
		ask_ids(l, NULL);
	if (!is_prefix_known(l, prefix) &&
	    !ask_ids_quickly(l, prefix, deadline))
		ask_ids(l, prefix);
	return l->ids;
}

/* --- names of metrics ------------------------------------------------- */

static void
forget_metrics(struct background *l)
{
	for (size_t i = 0; i < l->metric_count; i++)
		free((void *)(uintptr_t)l->metrics[i]);
	l->metric_count = 0;
	l->metrics[0] = NULL;
}

/* `# TYPE name kind' is there once for each metric. */
static void
take_metrics(struct background *l, struct span body)
{
	while (body.len > 0 && l->metric_count < METRICS_MAX) {
		struct span line = width_take_line(&body, 0);
		struct span name;

		if (!span_is(text_next_field(&line), "#") ||
		    !span_is(text_next_field(&line), "TYPE"))
			continue;
		name = text_next_field(&line);
		if (name.len > 0 && span_find(name, '\0') == NULL)
			l->metrics[l->metric_count++] =
			    xstrndup(name.data, name.len);
	}
	l->metrics[l->metric_count] = NULL;
}

const char *const *
background_metrics(struct background *l)
{
	struct buf body = XBUF;

	if (l->metric_count == 0 &&
	    ask_quickly(l, "/metrics", wait_of_a_key(), &body))
		take_metrics(l, buf_span(&body));
	buf_release(&body);
	return l->metrics;
}

/* --- life ------------------------------------------------------------ */

struct background *
background_new(struct app *app, background_notice *notice,
    background_changed *changed, void *arg)
{
	struct background *l = xcalloc(1, sizeof(*l));
	struct event_base *base = app_loop(app)->base;

	l->app = app;
	l->notice = notice;
	l->changed = changed;
	l->arg = arg;
	l->ids = xcalloc(IDS_MAX + 1, sizeof(*l->ids));
	l->metrics = xcalloc(METRICS_MAX + 1, sizeof(*l->metrics));
	l->events_again = evtimer_new(base, on_events_again, l);
	l->ask_soon = evtimer_new(base, on_ask_soon, l);
	if (l->events_again == NULL || l->ask_soon == NULL)
		out_of_memory();
	framer_init(&l->lines, EVENT_LINE_MAX);
	return l;
}

static void
stop(struct background *l)
{
	if (l->events != NULL)
		admin_client_cancel(l->events);
	if (l->asking != NULL)
		admin_client_cancel(l->asking);
	l->events = NULL;
	l->asking = NULL;
	evtimer_del(l->events_again);
	evtimer_del(l->ask_soon);
	framer_release(&l->lines);
	framer_init(&l->lines, EVENT_LINE_MAX);
	standing_free(l->standing);
	l->standing = NULL;
	l->app->standing = NULL;
	for (size_t i = 0; i < l->peer_count; i++)
		free(l->peers[i].name);
	l->peer_count = 0;
	forget_ids(l);
	forget_metrics(l);
	free(l->name);
	l->name = NULL;
	admin_ways_release(&l->ways);
	tls_drop(l->target.clients_tls);
	l->target.clients_tls = NULL;
	l->may_ask = false;
	l->follows = false;
	l->heard = false;
	l->lost = false;
}

void
background_free(struct background *l)
{
	stop(l);
	event_free(l->events_again);
	event_free(l->ask_soon);
	framer_release(&l->lines);
	if (l->quick != NULL) {
		admin_client_free(l->quick);
		loop_release(&l->quick_loop);
	}
	free(l->asked_prefix);
	free(l->ids);
	free(l->metrics);
	free(l);
}

static bool
is_followed(const struct background *l, const struct target *target,
    const struct admin_ways *ways)
{
	return l->follows && target != NULL &&
	       strcmp(l->name, target->name) == 0 &&
	       admin_ways_equal(&l->ways, ways) &&
	       l->target.clients_tls == target->clients_tls &&
	       address_equal(&l->target.clients, &target->clients);
}

void
background_follow(struct background *l, const struct target *target)
{
	struct timeval at_once = seconds(0);
	bool may_ask = target != NULL && target->admin.count > 0;
	struct admin_ways ways = { 0 };
	struct buf why = XBUF;

	/* A fault of the token is reported when a command asks. */
	if (may_ask)
		may_ask = herd_ways(&l->app->herd, &target->admin, &ways,
			      &why) == STATUS_OK;
	buf_release(&why);
	if (is_followed(l, target, &ways) || (!l->follows && target == NULL))
		return;
	stop(l);
	if (target == NULL)
		return;
	l->follows = true;
	l->name = xstrdup(target->name);
	l->target = *target;
	l->target.name = l->name;
	l->target.clients_tls = tls_hold(target->clients_tls);
	admin_ways_copy(&l->ways, &ways);
	if (target->clients.kind != ADDRESS_NONE)
		l->standing = standing_new(app_loop(l->app)->base,
		    &target->clients, target->clients_tls, &link_events, l);
	l->app->standing = l->standing;
	l->may_ask = may_ask;
	if (!may_ask)
		return;
	if (evtimer_add(l->events_again, &at_once) != 0 ||
	    evtimer_add(l->ask_soon, &at_once) != 0)
		out_of_memory();
}

bool
background_is_down(const struct background *l)
{
	if (l->standing != NULL)
		return !standing_is_up(l->standing) &&
		       !standing_is_new(l->standing);
	return l->follows && l->lost;
}
