/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands to the node: drain, undrain, stop, and the log level. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <cjson/cJSON.h>

#include "admin/admin_room.h"
#include "admin/route.h"

#define LEVEL_TIME_MAX_S (7u * 24u * 3600u)

/* --- drain, undrain, stop --------------------------------------------- */

static void
answer_state(struct http_call *call)
{
	struct json *json = http_call_answer(call);

	json_word(json, "state", node_state_word(call->node));
	http_call_json(call);
}

void
serve_drain(struct http_call *call)
{
	node_drain(call->node, true, call->who);
	http_call_log(call, call->node->name);
	answer_state(call);
}

void
serve_undrain(struct http_call *call)
{
	if (atomic_load(&call->node->store_lost)) {
		http_call_fail(call, ADMIN_CONFLICT,
		    "fix the disk and restart the node; GET /v1/status has "
		    "the store's error",
		    "the store has failed: no client is served until a "
		    "restart");
		return;
	}
	node_drain(call->node, false, call->who);
	http_call_log(call, call->node->name);
	answer_state(call);
}

/* admin_close() gives the answer time to leave. */
void
serve_stop(struct http_call *call)
{
	struct node *node = call->node;

	http_call_log(call, node->name);
	node_stop(node, call->who);
	answer_state(call);
}

/* --- the log level ---------------------------------------------------- */

void
serve_log_level(struct http_call *call)
{
	struct json *json = http_call_answer(call);
	struct timeval left;
	struct timeval now;
	const struct event *timer = call->admin->level_timer;

	json_word(
	    json, "level", log_level_word(log_level_get(call->node->log)));
	if (timer != NULL && event_pending(timer, EV_TIMEOUT, &left)) {
		evutil_gettimeofday(&now, NULL);
		json_count(json, "for_s",
		    left.tv_sec > now.tv_sec
			? (uint64_t)(left.tv_sec - now.tv_sec)
			: 0);
		json_word(
		    json, "then", log_level_word(call->admin->level_before));
	}
	http_call_json(call);
}

/* If a reload has set another level meanwhile, that one stays. */
static void
on_level_over(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct admin *admin = arg;
	struct log *log = admin->node->log;

	if (log_level_get(log) != admin->level_timed)
		return;
	log_level_set(log, admin->level_before);
	LOG(log, LOG_INFO, "log-level",
	    log_text("level", log_level_word(admin->level_before)),
	    log_text("by", "its timer"));
}

void
log_level_cancel(struct admin *admin)
{
	if (admin->level_timer == NULL)
		return;
	event_free(admin->level_timer);
	admin->level_timer = NULL;
}

static enum herd_error
set_level(struct admin *admin, enum log_level level, unsigned for_s)
{
	const struct timeval wait = { (time_t)for_s, 0 };
	bool timed = admin->level_timer != NULL &&
		     event_pending(admin->level_timer, EV_TIMEOUT, NULL) != 0;

	if (admin->level_timer == NULL)
		admin->level_timer =
		    evtimer_new(admin->base, on_level_over, admin);
	if (admin->level_timer == NULL)
		return HERD_ENOMEM;
	/* A second timed level returns to where the first one began. */
	if (!timed)
		admin->level_before = log_level_get(admin->node->log);
	event_del(admin->level_timer);
	if (for_s > 0 && event_add(admin->level_timer, &wait) != 0)
		return HERD_ENOMEM;
	admin->level_timed = level;
	log_level_set(admin->node->log, level);
	return HERD_OK;
}

static bool
level_parse(const char *word, enum log_level *out)
{
	static const enum log_level LEVELS[] = { LOG_DEBUG, LOG_INFO, LOG_WARN,
		LOG_ERROR };

	for (size_t i = 0; i < HERD_ARRAY_LEN(LEVELS); i++) {
		if (strcmp(word, log_level_word(LEVELS[i])) == 0) {
			*out = LEVELS[i];
			return true;
		}
	}
	return false;
}

/* Reads {"level":"debug","for_s":600}; returns what is wrong, or NULL. */
static const char *
read_level(const struct http_call *call, enum log_level *level, unsigned *for_s)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(call->request);
	size_t len = evbuffer_get_length(body);
	const unsigned char *data = evbuffer_pullup(body, -1);
	cJSON *json =
	    len == 0 ? NULL : cJSON_ParseWithLength((const char *)data, len);
	const cJSON *time = cJSON_GetObjectItemCaseSensitive(json, "for_s");
	const char *word = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(json, "level"));
	const char *fault = NULL;

	*for_s = 0;
	if (json == NULL)
		fault = "the body is not JSON";
	else if (word == NULL || !level_parse(word, level))
		fault = "level is not one of debug, info, warn, error";
	else if (cJSON_IsNull(time))
		*for_s = 0;
	else if (time != NULL &&
		 (!cJSON_IsNumber(time) || !(time->valuedouble >= 0) ||
		     time->valuedouble > LEVEL_TIME_MAX_S))
		fault = "for_s is not a number of seconds, up to a week";
	else if (time != NULL)
		*for_s = (unsigned)(time->valuedouble + 0.999);
	cJSON_Delete(json);
	return fault;
}

void
serve_log_level_set(struct http_call *call)
{
	enum log_level level = LOG_INFO;
	unsigned for_s;
	const char *fault = read_level(call, &level, &for_s);

	if (fault != NULL) {
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "send {\"level\":\"debug\",\"for_s\":600}", "%s", fault);
		return;
	}
	if (set_level(call->admin, level, for_s) != HERD_OK) {
		http_call_out_of_memory(call);
		return;
	}
	http_call_log(call, log_level_word(level));
	serve_log_level(call);
}
