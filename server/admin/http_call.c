/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/http_call.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "admin/admin_room.h"
#include "net/http_limits.h"
#include "admin/route.h"
#include "admin/watch_list.h"
#include "base/clock.h"

#define MESSAGE_MAX 1024u
#define JSON_TYPE "application/json"
/* A stream ends if its reader takes nothing for so long. */
#define STREAM_STALL_S 120
#define STREAM_SNDBUF 32768

static const struct {
	int status;
	const char *word;
} ERRORS[] = {
#define HERD_ADMIN_ERROR_ROW(id, status, word) [id] = { status, word },
	ADMIN_ERRORS(HERD_ADMIN_ERROR_ROW)
#undef HERD_ADMIN_ERROR_ROW
};

/* --- life ------------------------------------------------------------- */

static void
http_call_free(struct http_call *call)
{
	struct admin *admin = call->admin;

	TAILQ_REMOVE(&admin->calls, call, all);
	admin->call_count--;
	if (call->has_query)
		query_release(&call->query);
	if (call->turn != NULL)
		event_free(call->turn);
	if (call->queued)
		TAILQ_REMOVE(&admin->turns, call, turns);
	buf_release(&call->body);
	free(call);
}

static struct evhttp_connection *
connection_of(const struct http_call *call)
{
	return evhttp_request_get_connection(call->request);
}

/* The kernel has the whole answer. */
static void
on_complete(struct evhttp_request *request HERD_UNUSED, void *arg)
{
	struct http_call *call = arg;

	evhttp_connection_set_closecb(connection_of(call), NULL, NULL);
	if (call->conn != NULL)
		http_limits_end(call->conn);
	http_call_free(call);
}

void
http_call_keep(struct http_call *call, void *job, http_call_on_gone *on_gone)
{
	call->job = job;
	call->on_gone = on_gone;
}

static void
drop_job(struct http_call *call)
{
	if (call->on_gone != NULL)
		call->on_gone(call->job);
	http_call_keep(call, NULL, NULL);
}

/*
 * The peer has closed the connection. We free a request that was not answered;
 * evhttp frees one that was.
 */
static void
on_close(struct evhttp_connection *connection HERD_UNUSED, void *arg)
{
	struct http_call *call = arg;
	struct evhttp_request *request = call->request;
	bool answered = call->answered;

	if (!answered)
		drop_job(call);
	if (call->conn != NULL)
		http_limits_gone(call->conn);
	http_call_free(call);
	if (!answered)
		evhttp_request_free(request);
}

struct http_call *
http_call_new(struct admin *admin, struct evhttp_request *request)
{
	struct http_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
		return NULL;
	}
	call->admin = admin;
	call->node = admin->node;
	call->began = clock_mono();
	call->request = request;
	buf_init(&call->body, SIZE_MAX / 2);
	call->conn = http_limits_begin(admin->limits, connection_of(call));
	call->head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
	TAILQ_INSERT_TAIL(&admin->calls, call, all);
	admin->call_count++;
	evhttp_connection_set_closecb(connection_of(call), on_close, call);
	evhttp_request_set_on_complete_cb(request, on_complete, call);
	return call;
}

void
http_call_abort(struct http_call *call)
{
	if (call->answered)
		return;
	drop_job(call);
	if (call->stream && (!call->bounded || call->is_file)) {
		http_call_end(call);
	} else {
		http_call_fail(call, ADMIN_UNAVAILABLE, "ask another node",
		    "the node stops");
	}
}

/* --- answers ---------------------------------------------------------- */

void
http_call_header(struct http_call *call, const char *name, const char *value)
{
	/* Without memory the answer goes without the header. */
	(void)evhttp_add_header(
	    evhttp_request_get_output_headers(call->request), name, value);
}

void
http_call_text(
    struct http_call *call, int status, const char *type, struct span text)
{
	struct evbuffer *body;
	char length[24];

	if (call->stream) {
		http_call_send(call, text);
		http_call_end(call);
		return;
	}
	body = evbuffer_new();
	call->answered = true;
	call->admin->answers++;
	call->admin->errors += status >= 400;
	snprintf(length, sizeof(length), "%zu", text.len);
	http_call_header(call, "Content-Type", type);
	http_call_header(call, "Content-Length", length);
	http_call_header(call, "Cache-Control", "no-store");
	if (body != NULL && !call->head)
		(void)evbuffer_add(body, text.data, text.len);
	evhttp_send_reply(call->request, status, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
}

void
http_call_out_of_memory(struct http_call *call)
{
	http_call_text(call, ERRORS[ADMIN_INTERNAL].status, JSON_TYPE,
	    span_from("{\"error\":{\"code\":\"internal\",\"message\":"
		      "\"out of memory\",\"hint\":\"\"}}\n"));
}

struct json *
http_call_answer(struct http_call *call)
{
	buf_clear(&call->body);
	json_begin(&call->json, &call->body, JSON_COMPACT);
	json_object(&call->json, NULL);
	call->status = HTTP_OK;
	return &call->json;
}

struct json *
http_call_error(struct http_call *call, enum admin_error error,
    const char *hint, struct span message)
{
	struct json *json = http_call_answer(call);

	call->status = ERRORS[error].status;
	json_object(json, "error");
	json_word(json, "code", ERRORS[error].word);
	json_text(json, "message", message);
	json_word(json, "hint", hint);
	json_object_end(json);
	return json;
}

/* A slow reader holds libevent's copy of the text, not this one too. */
void
http_call_json(struct http_call *call)
{
	struct buf body;
	enum herd_error error;

	json_object_end(&call->json);
	error = json_end(&call->json);
	if (error == HERD_OK)
		error = buf_add_byte(&call->body, '\n');
	body = call->body;
	buf_init(&call->body, body.max);
	if (error == HERD_OK)
		http_call_text(call, call->status, JSON_TYPE, buf_span(&body));
	else
		http_call_out_of_memory(call);
	buf_release(&body);
}

void
http_call_fail(struct http_call *call, enum admin_error error, const char *hint,
    const char *fmt, ...)
{
	struct buf text;
	enum herd_error result;
	va_list args;

	buf_init(&text, MESSAGE_MAX);
	va_start(args, fmt);
	result = buf_addv(&text, fmt, args);
	va_end(args);
	(void)http_call_error(call, error, hint,
	    result == HERD_OK ? buf_span(&text)
			      : span_from(ERRORS[error].word));
	buf_release(&text);
	http_call_json(call);
}

/* --- streams ---------------------------------------------------------- */

static struct bufferevent *
begin_stream(struct http_call *call, const char *type)
{
	const struct timeval stall = { STREAM_STALL_S, 0 };
	struct bufferevent *bev =
	    evhttp_connection_get_bufferevent(connection_of(call));

	call->stream = true;
	call->admin->answers++;
	http_call_header(call, "Content-Type", type);
	http_call_header(call, "Cache-Control", "no-store");
	http_call_header(call, "Connection", "close");
	evhttp_send_reply_start(call->request, HTTP_OK, NULL);
	/* The reader may be silent: only its end of the stream is read. */
	bufferevent_set_timeouts(bev, NULL, &stall);
	bufferevent_setwatermark(bev, EV_READ, 0, HTTP_CALL_UNSENT_MAX);
	return bev;
}

/* A small buffer, because bytes that wait in the kernel get old. */
void
http_call_stream(struct http_call *call, const char *type)
{
	const int size = STREAM_SNDBUF;
	struct bufferevent *bev = begin_stream(call, type);

	(void)setsockopt(
	    bufferevent_getfd(bev), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

void
http_call_download(struct http_call *call, const char *type)
{
	call->bounded = true;
	(void)begin_stream(call, type);
}

void
http_call_send_file(struct http_call *call, const char *type, uint64_t bytes)
{
	char length[24];

	snprintf(length, sizeof(length), "%llu", (unsigned long long)bytes);
	http_call_header(call, "Content-Length", length);
	call->is_file = true;
	http_call_download(call, type);
}

void
http_call_end(struct http_call *call)
{
	call->answered = true;
	evhttp_send_reply_end(call->request);
}

size_t
http_call_unsent(const struct http_call *call)
{
	struct bufferevent *bev =
	    evhttp_connection_get_bufferevent(connection_of(call));

	return evbuffer_get_length(bufferevent_get_output(bev));
}

size_t
http_call_room(const struct http_call *call)
{
	size_t unsent = http_call_unsent(call);

	return unsent < HTTP_CALL_UNSENT_MAX ? HTTP_CALL_UNSENT_MAX - unsent
					     : 0;
}

static void
on_sent(struct evhttp_connection *connection HERD_UNUSED, void *arg)
{
	struct http_call *call = arg;

	if (!call->answered && call->on_room != NULL)
		call->on_room(call);
}

/* A download that lacks a line must not look whole: its reader sees it cut. */
static void
on_lack(struct http_call *call)
{
	struct bufferevent *bev =
	    evhttp_connection_get_bufferevent(connection_of(call));

	if (call->bounded)
		(void)shutdown(bufferevent_getfd(bev), SHUT_RDWR);
}

void
http_call_send(struct http_call *call, struct span text)
{
	struct evbuffer *chunk;

	if (text.len == 0)
		return;
	chunk = evbuffer_new();
	if (chunk != NULL && evbuffer_add(chunk, text.data, text.len) == 0)
		evhttp_send_reply_chunk_with_cb(
		    call->request, chunk, on_sent, call);
	else
		on_lack(call);
	if (chunk != NULL)
		evbuffer_free(chunk);
}

/* --- work in turns ---------------------------------------------------- */

static void
start_turns(struct admin *admin)
{
	const struct timeval now = { 0, 0 };

	/* A timer that is due at once lets others run, event_active() not. */
	event_add(admin->turn, &now);
}

static void
queue_turn(struct http_call *call)
{
	if (call->queued)
		return;
	TAILQ_INSERT_TAIL(&call->admin->turns, call, turns);
	call->queued = true;
	start_turns(call->admin);
}

static bool
must_wait(const struct http_call *call)
{
	return call->bounded && http_call_room(call) == 0;
}

static void
next_turn(struct http_call *call)
{
	const struct timeval wait = { (time_t)(call->every_ms / 1000),
		(suseconds_t)(call->every_ms % 1000 * 1000) };

	if (must_wait(call))
		call->on_room = queue_turn;
	else if (call->every_ms == 0)
		queue_turn(call);
	else
		event_add(call->turn, &wait);
}

static void
take_turn(struct http_call *call)
{
	struct mono start = clock_mono();
	http_call_on_gone *job_free = call->on_gone;
	void *job = call->job;

	if (call->answered)
		return; /* it was aborted */
	do {
		if (!call->step(call)) {
			job_free(job);
			return;
		}
	} while (call->every_ms == 0 && !must_wait(call) &&
		 mono_since(clock_mono(), start) <
		     HTTP_CALL_TURN_MS * HERD_NS_PER_MS);
	next_turn(call);
}

/* One call in a turn of the loop, so that short ones wait for one at most. */
void
http_call_on_turn(
    evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct admin *admin = arg;
	struct http_call *call = TAILQ_FIRST(&admin->turns);

	if (call == NULL)
		return;
	TAILQ_REMOVE(&admin->turns, call, turns);
	call->queued = false;
	take_turn(call);
	if (!TAILQ_EMPTY(&admin->turns))
		start_turns(admin);
}

static void
on_time(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	take_turn(arg);
}

void
http_call_walk(struct http_call *call, void *job, http_call_on_gone *job_free,
    http_call_step *step, unsigned every_ms)
{
	http_call_keep(call, job, job_free);
	call->step = step;
	call->every_ms = every_ms;
	call->turn = evtimer_new(call->admin->base, on_time, call);
	if (call->turn != NULL && every_ms == 0) {
		queue_turn(call);
	} else if (call->turn != NULL) {
		take_turn(call);
	} else if (call->stream) {
		http_call_abort(call);
	} else {
		drop_job(call);
		http_call_out_of_memory(call);
	}
}

/* --- readers that do not read ----------------------------------------- */

uint64_t
http_call_stalled(struct http_call *call, struct mono now)
{
	size_t unsent = http_call_unsent(call);

	if (unsent > 0 && unsent == call->unsent)
		return mono_since(now, call->unsent_since);
	call->unsent = unsent;
	call->unsent_since = now;
	return 0;
}

/* evhttp sees it as if the peer had left. */
void
http_call_drop(struct http_call *call)
{
	struct bufferevent *bev =
	    evhttp_connection_get_bufferevent(connection_of(call));

	call->dropped = true;
	(void)shutdown(bufferevent_getfd(bev), SHUT_RDWR);
}

/* --- the log ---------------------------------------------------------- */

void
http_call_log(struct http_call *call, const char *target)
{
	LOG(call->node->log, LOG_INFO, "admin",
	    log_text("verb", call->route->verb), log_text("target", target),
	    log_text("by", call->who));
	watch_list_on_admin(
	    call->admin->watchers, call->route->verb, target, call->who);
}
