/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/admin_client.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/version.h"
#include "net/curl_api.h"
#include "net/tls.h"

struct admin_client {
	struct loop *loop;
	struct curl_api curl;
	CURLM *multi;
	struct event *timer;
	struct admin_call *calls;
};

struct admin_call {
	struct admin_client *admin;
	struct admin_call *next;
	struct admin_call *prev;
	CURL *easy;
	struct curl_slist *headers;
	struct admin_ways ways; /* a copy */
	unsigned way;           /* that is tried */
	bool denied;            /* on an earlier way */
	char *path;
	char *type; /* a header, or NULL */
	char *hint; /* of its failure, or NULL */
	struct mono deadline;
	const struct admin_events *events;
	void *arg;
	struct buf body;
	struct buf url;
	bool too_long;
	struct buf where; /* the addresses, for people */
	char error[CURL_ERROR_SIZE];
};

/* --- calls ----------------------------------------------------------- */

static struct timeval
timeval_of(long ms)
{
	return (struct timeval){ .tv_sec = ms / 1000,
		.tv_usec = (ms % 1000) * 1000 };
}

static void
unlink_call(struct admin_call *call)
{
	struct admin_client *admin = call->admin;

	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		admin->calls = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
}

static void
free_call(struct admin_call *call)
{
	const struct curl_api *curl = &call->admin->curl;

	unlink_call(call);
	curl->multi_remove(call->admin->multi, call->easy);
	curl->easy_cleanup(call->easy);
	curl->slist_free(call->headers);
	admin_ways_release(&call->ways);
	free(call->path);
	free(call->type);
	free(call->hint);
	buf_release(&call->body);
	buf_release(&call->url);
	buf_release(&call->where);
	free(call);
}

static const char *
string_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(object, key));
}

static enum status
status_of_http(long http)
{
	if (http < 400)
		return STATUS_OK;
	return http == 404 ? STATUS_NEGATIVE : STATUS_REFUSED;
}

/* Before a byte of an answer: a certificate that is refused may look so. */
static bool
hung_up(const struct admin_call *call, CURLcode code)
{
	long http = 0;

	call->admin->curl.get(call->easy, CURLINFO_RESPONSE_CODE, &http);
	return http == 0 &&
	       (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
		   code == CURLE_GOT_NOTHING);
}

/* libcurl compares the name itself, and gives no number for it. */
static bool
names_another_host(const struct admin_call *call)
{
	return strstr(call->error, "subject name") != NULL;
}

/* A fault of TLS in words, NULL: it is none. *hint says what to do. */
static const char *
tls_fault(const struct admin_call *call, CURLcode code, const char **hint)
{
	const char *meaning = NULL;
	long verify = 0;

	if (call->ways.items[call->way].tls == NULL)
		return NULL;
	call->admin->curl.get(call->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return tls_certificate_fault(
		    names_another_host(call) ? 0 : verify, hint);
	if (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_RECV_ERROR ||
	    code == CURLE_SEND_ERROR)
		meaning = tls_error_meaning(call->error, hint);
	if (meaning == NULL && code != CURLE_SSL_CONNECT_ERROR &&
	    hung_up(call, code)) {
		*hint = "does it want a certificate of yours (--cert-file, "
			"--key-file), signed by its client_ca?";
		meaning = "it closed the connection after the TLS handshake";
	}
	return meaning;
}

/* Was it the connection that failed, and how? */
static enum status
status_of_curl(CURLcode code, int error)
{
	if (code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM)
		return STATUS_LOCAL;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return STATUS_TIMEOUT;
	if (error == EACCES || error == EPERM)
		return STATUS_REFUSED;
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
		return STATUS_CONNECT;
	return STATUS_REPLY;
}

static const char *
message_of_curl(const struct admin_call *call, CURLcode code, int error)
{
	if (call->too_long)
		return "the answer is longer than any answer should be";
	if (code == CURLE_OPERATION_TIMEDOUT)
		return "no answer in time";
	if (code == CURLE_COULDNT_CONNECT && error == ENOENT)
		return "there is no such socket";
	if (code == CURLE_COULDNT_CONNECT && error != 0)
		return strerror(error);
	if (code == CURLE_GOT_NOTHING)
		return "it closed the connection without an answer";
	if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR)
		return "it closed the connection in the middle of an answer";
	if (code == CURLE_UNSUPPORTED_PROTOCOL ||
	    code == CURLE_WEIRD_SERVER_REPLY)
		return "what it sent is not HTTP";
	return call->error[0] != '\0' ? call->error
				      : call->admin->curl.strerror(code);
}

/* A hint at the next thing to check. Gives NULL or a text to free. */
static char *
hint_of_curl(struct admin_call *call, CURLcode code)
{
	const struct admin_way *way = &call->ways.items[call->way];

	if (code == CURLE_COULDNT_CONNECT)
		return xasprintf("is herdd running? Its admin listener is %s",
		    text_of(&call->where));
	if ((code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR) &&
	    way->address.kind == ADDRESS_TCP && way->tls == NULL)
		return xasprintf("if %s speaks TLS, its herd file says so with "
				 "admin.tls_cert; with -s ask tls://HOST:PORT",
		    text_of(&call->where));
	if (code == CURLE_UNSUPPORTED_PROTOCOL ||
	    code == CURLE_WEIRD_SERVER_REPLY)
		return xasprintf("an admin listener is asked here, not one for "
				 "clients: is %s one?",
		    text_of(&call->where));
	return NULL;
}

static void
read_error(struct admin_answer *answer, cJSON *json)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");

	answer->message = string_of(error, "message");
	answer->hint = string_of(error, "hint");
}

/* `answer` gets a hint that is static, or the call's. */
static void
fail_by_curl(struct admin_call *call, CURLcode code, int error,
    struct admin_answer *answer)
{
	answer->message = tls_fault(call, code, &answer->hint);
	if (answer->message != NULL) {
		/* libcurl counts the handshake as a part of connecting. */
		answer->connected = true;
		answer->status = STATUS_CONNECT;
		return;
	}
	answer->status = status_of_curl(code, error);
	answer->message = message_of_curl(call, code, error);
	call->hint = hint_of_curl(call, code);
	answer->hint = call->hint;
}

static void
complete(struct admin_call *call, CURLcode code)
{
	const struct curl_api *curl = &call->admin->curl;
	const struct admin_events *events = call->events;
	void *arg = call->arg;
	struct admin_answer answer = { .body = buf_span(&call->body) };
	cJSON *json = NULL;
	char *failed = NULL;
	double connected = 0;
	long error = 0;

	curl->get(call->easy, CURLINFO_RESPONSE_CODE, &answer.http);
	curl->get(call->easy, CURLINFO_OS_ERRNO, &error);
	curl->get(call->easy, CURLINFO_CONNECT_TIME, &connected);
	if (code == CURLE_COULDNT_CONNECT && call->denied)
		error = EACCES;
	answer.connected = connected > 0;
	if (code != CURLE_OK) {
		fail_by_curl(call, code, (int)error, &answer);
	} else {
		answer.status = status_of_http(answer.http);
	}
	if (code == CURLE_OK && answer.status != STATUS_OK) {
		json = cJSON_ParseWithLength(answer.body.data, answer.body.len);
		read_error(&answer, json);
		if (answer.message == NULL) {
			failed = xasprintf("HTTP status %ld", answer.http);
			answer.message = failed;
		}
	}
	events->on_done(arg, &answer);
	cJSON_Delete(json);
	free(failed);
	free_call(call);
}

static void
add_header(struct admin_call *call, const char *text)
{
	call->headers = call->admin->curl.slist_append(call->headers, text);
	if (call->headers == NULL)
		out_of_memory();
}

static void
set_url(struct admin_call *call, const struct admin_way *way)
{
	const struct curl_api *curl = &call->admin->curl;
	const struct address *address = &way->address;
	bool local = address->kind == ADDRESS_UNIX;

	buf_clear(&call->url);
	put_text(&call->url, way->tls != NULL ? "https://" : "http://");
	if (local)
		put_text(&call->url, "localhost");
	else
		must(address_format(&call->url, address));
	put_text(&call->url, call->path);
	curl->set(
	    call->easy, CURLOPT_UNIX_SOCKET_PATH, local ? address->path : NULL);
	curl->set(call->easy, CURLOPT_URL, text_of(&call->url));
}

static void
set_files(struct admin_call *call, const struct tls_names *files)
{
	const struct curl_api *curl = &call->admin->curl;

	curl->set(
	    call->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (files->ca != NULL) {
		curl->set(call->easy, CURLOPT_CAINFO, files->ca);
		curl->set(call->easy, CURLOPT_CAPATH, NULL);
	}
	if (files->cert != NULL)
		curl->set(call->easy, CURLOPT_SSLCERT, files->cert);
	if (files->key != NULL)
		curl->set(call->easy, CURLOPT_SSLKEY, files->key);
}

/* A way that leads nowhere leaves time for those that follow. */
static void
set_time(struct admin_call *call)
{
	const struct curl_api *curl = &call->admin->curl;
	long ways = (long)(call->ways.count - call->way);
	long ms;

	if (call->deadline.ns == NO_DEADLINE.ns)
		return;
	ms = deadline_left_ms(call->deadline);
	curl->set(call->easy, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
	curl->set(
	    call->easy, CURLOPT_CONNECTTIMEOUT_MS, ms > ways ? ms / ways : 1L);
}

/* What of the request depends on the way that it goes. */
static void
set_way(struct admin_call *call)
{
	const struct curl_api *curl = &call->admin->curl;
	const struct admin_way *way = &call->ways.items[call->way];

	set_url(call, way);
	if (way->tls != NULL)
		set_files(call, tls_names(way->tls));
	set_time(call);
	curl->slist_free(call->headers);
	call->headers = NULL;
	if (call->type != NULL)
		add_header(call, call->type);
	if (way->token != NULL) {
		char *text = xasprintf("Authorization: Bearer %s", way->token);

		add_header(call, text);
		explicit_bzero(text, strlen(text));
		free(text);
	}
	curl->set(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

/* Did the way lead nowhere, so that the next one may be tried? */
static bool
has_another_way(struct admin_call *call, CURLcode code)
{
	double connected = 0;
	long error = 0;

	if (call->way + 1 >= call->ways.count)
		return false;
	call->admin->curl.get(call->easy, CURLINFO_CONNECT_TIME, &connected);
	call->admin->curl.get(call->easy, CURLINFO_OS_ERRNO, &error);
	call->denied |= error == EACCES || error == EPERM;
	return code == CURLE_COULDNT_CONNECT ||
	       code == CURLE_COULDNT_RESOLVE_HOST ||
	       (code == CURLE_OPERATION_TIMEDOUT && connected <= 0 &&
		   deadline_left_ms(call->deadline) > 0);
}

static void
go_another_way(struct admin_call *call)
{
	const struct curl_api *curl = &call->admin->curl;

	curl->multi_remove(call->admin->multi, call->easy);
	call->way++;
	call->error[0] = '\0';
	set_way(call);
	if (curl->multi_add(call->admin->multi, call->easy) != CURLM_OK)
		out_of_memory();
}

/* Takes finished calls one by one: a callback may start or cancel others. */
static void
reap(struct admin_client *admin)
{
	CURLMsg *message;
	int left;

	while (
	    (message = admin->curl.multi_read(admin->multi, &left)) != NULL) {
		struct admin_call *call = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		for (call = admin->calls; call != NULL; call = call->next) {
			if (call->easy == message->easy_handle)
				break;
		}
		if (call != NULL && has_another_way(call, code))
			go_another_way(call);
		else if (call != NULL)
			complete(call, code);
	}
}

static void
act(struct admin_client *admin, curl_socket_t fd, int what)
{
	int running;

	admin->curl.multi_act(admin->multi, fd, what, &running);
	reap(admin);
}

static void
on_timer(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	int flags = 0;

	if ((what & EV_READ) != 0)
		flags |= CURL_CSELECT_IN;
	if ((what & EV_WRITE) != 0)
		flags |= CURL_CSELECT_OUT;
	act(arg, fd, flags);
}

/* libcurl says what it wants to know of a socket. */
static int
want_socket(
    CURL *easy HERD_UNUSED, curl_socket_t fd, int what, void *arg, void *old)
{
	struct admin_client *admin = arg;
	struct event *event = old;
	short wanted = EV_PERSIST;

	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		if ((what & CURL_POLL_IN) != 0)
			wanted |= EV_READ;
		if ((what & CURL_POLL_OUT) != 0)
			wanted |= EV_WRITE;
		event =
		    event_new(admin->loop->base, fd, wanted, on_socket, admin);
		if (event == NULL || event_add(event, NULL) != 0)
			out_of_memory();
	}
	admin->curl.multi_assign(admin->multi, fd, event);
	return 0;
}

/* Uses the timer even for 0 ms: libcurl must not be called from inside. */
static int
want_timer(CURLM *multi HERD_UNUSED, long ms, void *arg)
{
	struct admin_client *admin = arg;
	struct timeval in = timeval_of(ms < 0 ? 0 : ms);

	if (ms < 0)
		evtimer_del(admin->timer);
	else if (evtimer_add(admin->timer, &in) != 0)
		out_of_memory();
	return 0;
}

enum status
admin_client_new(
    struct loop *loop, struct admin_client **out, struct buf *message)
{
	struct admin_client *admin = xcalloc(1, sizeof(*admin));
	const char *error;

	admin->loop = loop;
	if (curl_api_load(&admin->curl, &error) != 0) {
		putf(message, "the admin API needs libcurl: %s", error);
		free(admin);
		return STATUS_LOCAL;
	}
	admin->multi = admin->curl.multi_init();
	admin->timer = evtimer_new(loop->base, on_timer, admin);
	if (admin->multi == NULL || admin->timer == NULL)
		out_of_memory();
	admin->curl.multi_set(
	    admin->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	admin->curl.multi_set(admin->multi, CURLMOPT_SOCKETDATA, admin);
	admin->curl.multi_set(admin->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	admin->curl.multi_set(admin->multi, CURLMOPT_TIMERDATA, admin);
	*out = admin;
	return STATUS_OK;
}

void
admin_client_free(struct admin_client *admin)
{
	if (admin == NULL)
		return;
	while (admin->calls != NULL)
		free_call(admin->calls);
	admin->curl.multi_cleanup(admin->multi);
	event_free(admin->timer);
	free(admin);
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	struct admin_call *call = arg;
	size_t len = size * count;

	if (call->events->on_data != NULL) {
		long http = 0;

		call->admin->curl.get(
		    call->easy, CURLINFO_RESPONSE_CODE, &http);
		if (http < 400) {
			call->events->on_data(call->arg, span_of(data, len));
			return len;
		}
	}
	if (buf_add(&call->body, data, len) != HERD_OK) {
		call->too_long = true;
		return 0;
	}
	return len;
}

static void
set_options(struct admin_call *call, const struct admin_request *request)
{
	const struct curl_api *curl = &call->admin->curl;
	CURL *easy = call->easy;

	curl->set(easy, CURLOPT_CUSTOMREQUEST, request->method);
	/* "." and ".." are client ids, not directories. */
	curl->set(easy, CURLOPT_PATH_AS_IS, 1L);
	curl->set(easy, CURLOPT_NOSIGNAL, 1L);
	curl->set(easy, CURLOPT_PROXY, "");
	curl->set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl->set(easy, CURLOPT_QUICK_EXIT, 1L);
	curl->set(easy, CURLOPT_USERAGENT, "herdctl/" HERD_VERSION);
	curl->set(easy, CURLOPT_ERRORBUFFER, call->error);
	curl->set(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl->set(easy, CURLOPT_WRITEDATA, call);
	/* Without a length a server would wait for a body until the end. */
	if (request->body == NULL && (strcmp(request->method, "POST") == 0 ||
					 strcmp(request->method, "PUT") == 0))
		curl->set(easy, CURLOPT_COPYPOSTFIELDS, "");
	if (request->body != NULL) {
		curl->set(easy, CURLOPT_COPYPOSTFIELDS, request->body);
		call->type = xstrdup(request->type == NULL
					 ? "Content-Type: application/json"
					 : request->type);
	}
}

static void
say_where(struct admin_call *call)
{
	for (unsigned i = 0; i < call->ways.count; i++) {
		put_text(&call->where, i == 0 ? "" : " or ");
		must(
		    address_format(&call->where, &call->ways.items[i].address));
	}
}

struct admin_call *
admin_client_start(struct admin_client *admin,
    const struct admin_request *request, const struct admin_events *events,
    void *arg)
{
	struct admin_call *call = xcalloc(1, sizeof(*call));

	call->admin = admin;
	call->events = events;
	call->arg = arg;
	buf_init(&call->body, ADMIN_ANSWER_MAX);
	buf_init(&call->url, XBUF_MAX);
	buf_init(&call->where, XBUF_MAX);
	call->easy = admin->curl.easy_init();
	if (call->easy == NULL)
		out_of_memory();
	call->next = admin->calls;
	if (call->next != NULL)
		call->next->prev = call;
	admin->calls = call;
	call->path = xstrdup(request->path);
	call->deadline = deadline_in(request->timeout_ns);
	admin_ways_copy(&call->ways, &request->ways);
	say_where(call);
	set_options(call, request);
	set_way(call);
	if (admin->curl.multi_add(admin->multi, call->easy) != CURLM_OK)
		out_of_memory();
	return call;
}

void
admin_client_cancel(struct admin_call *call)
{
	free_call(call);
}
