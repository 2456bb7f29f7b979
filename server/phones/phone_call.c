/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/phone_call.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/loop_watch.h"
#include "herd/json.h"
#include "herd/text.h"
#include "net/addresses.h"
#include "phones/login.h"
#include "phones/overland.h"
#include "phones/owntracks.h"
#include "phones/phone_answer.h"
#include "phones/phone_report.h"
#include "phones/query_form.h"
#include "phones/traccar.h"

#define JSON_TYPE "application/json"
#define ERROR_MAX 512u

static const struct {
	int status;
	bool always; /* an app gets this status too */
	const char *text;
} REFUSED[] = {
#define HERD_PHONES_REFUSAL_ROW(id, status, word, always, text) \
	[id] = { status, always, text },
	PHONES_REFUSALS(HERD_PHONES_REFUSAL_ROW)
#undef HERD_PHONES_REFUSAL_ROW
};

/* --- life ----------------------------------------------------------------- */

static struct evhttp_connection *
connection_of(const struct phone_call *call)
{
	return evhttp_request_get_connection(call->request);
}

static void
stop_waiting(struct phone_call *call)
{
	if (call->login != NULL)
		login_leave(call);
	if (call->held)
		phone_report_leave(call);
	if (call->places != NULL)
		phone_answer_leave(call);
}

static void
call_free(struct phone_call *call)
{
	struct phones *phones = call->phones;

	TAILQ_REMOVE(&phones->calls, call, all);
	count_add(&phones->pending, (uint64_t)-1);
	intake_release(&call->intake);
	free(call);
	if (phones->stopping && TAILQ_EMPTY(&phones->calls))
		event_base_loopexit(phones->base, NULL);
}

/* The kernel has the whole answer. */
static void
on_complete(struct evhttp_request *request HERD_UNUSED, void *arg)
{
	struct phone_call *call = arg;

	evhttp_connection_set_closecb(connection_of(call), NULL, NULL);
	if (call->conn != NULL)
		http_limits_end(call->conn);
	call_free(call);
}

/*
 * The peer has closed the connection. We free a request that was not answered;
 * evhttp frees one that was.
 */
static void
on_close(struct evhttp_connection *connection HERD_UNUSED, void *arg)
{
	struct phone_call *call = arg;
	struct evhttp_request *request = call->request;
	bool answered = call->answered;

	stop_waiting(call);
	if (call->conn != NULL)
		http_limits_gone(call->conn);
	call_free(call);
	if (!answered)
		evhttp_request_free(request);
}

static struct phone_call *
call_new(struct phones *phones, struct evhttp_request *request)
{
	struct phone_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
		return NULL;
	}
	call->phones = phones;
	call->request = request;
	call->refused = PHONES_REFUSAL_COUNT;
	/* As the client protocol: the judged time, not the machine's. */
	intake_init(&call->intake,
	    timekeeper_wall(&phones->node->timekeeper, clock_mono()));
	call->conn = http_limits_begin(phones->limits, connection_of(call));
	TAILQ_INSERT_TAIL(&phones->calls, call, all);
	count_add(&phones->pending, 1);
	count_add(&phones->requests, 1);
	evhttp_connection_set_closecb(connection_of(call), on_close, call);
	evhttp_request_set_on_complete_cb(request, on_complete, call);
	return call;
}

/* --- what the request has ------------------------------------------------- */

struct span
phone_call_header(const struct phone_call *call, const char *name)
{
	const char *value = evhttp_find_header(
	    evhttp_request_get_input_headers(call->request), name);

	return span_from(value == NULL ? "" : value);
}

size_t
phone_call_parameter(
    const struct phone_call *call, const char *name, char out[INTAKE_VALUE_MAX])
{
	return query_form_find(call->query, name, out);
}

struct span
phone_call_user(const struct phone_call *call)
{
	return span_of(call->user, call->user_len);
}

struct span
phone_call_device(const struct phone_call *call)
{
	return span_of(call->device, call->device_len);
}

static bool
is_post(const struct phone_call *call)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(call->request);

	return method == EVHTTP_REQ_POST || method == EVHTTP_REQ_PUT;
}

/* IPv4 as a mapped address; false: it is neither. */
static bool
to_v6(const struct sockaddr_storage *peer, struct in6_addr *out)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)peer;

	if (peer->ss_family == AF_INET6) {
		*out = ((const struct sockaddr_in6 *)peer)->sin6_addr;
		return true;
	}
	if (peer->ss_family != AF_INET)
		return false;
	*out = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&out->s6_addr[12], &v4->sin_addr, 4);
	return true;
}

static bool
is_loopback(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) ||
	       (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

/* What the proxy says of the phone: the last one is what it saw itself. */
static void
believe_proxy(struct phone_call *call)
{
	struct span list = phone_call_header(call, "X-Forwarded-For");
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&call->peer;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&call->peer;
	char text[INET6_ADDRSTRLEN];
	struct span last = list;
	struct sockaddr_storage before = call->peer;

	while (list.len > 0)
		last = text_trim(span_cut(&list, ','));
	if (last.len == 0 || last.len >= sizeof(text))
		return;
	memcpy(text, last.data, last.len);
	text[last.len] = '\0';
	memset(&call->peer, 0, sizeof(call->peer));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	else
		call->peer = before;
}

/* Sets who the peer is. False: it may not speak in clear. */
static bool
find_peer(struct phone_call *call)
{
	const struct phones *phones = call->phones;
	struct bufferevent *bev =
	    evhttp_connection_get_bufferevent(connection_of(call));
	struct in6_addr address;
	bool has_tls, by_proxy, known;

	if (call->conn != NULL)
		call->peer = *http_limits_peer(call->conn);
	known = to_v6(&call->peer, &address);
	by_proxy = phones->config.has_proxy && known &&
		   IN6_ARE_ADDR_EQUAL(&address, &phones->config.proxy);
	has_tls = bufferevent_openssl_get_ssl(bev) != NULL;
	if (by_proxy)
		believe_proxy(call);
	busiest_see(&call->phones->busiest, BUSIEST_REQUESTS, &call->peer, 1);
	return has_tls || by_proxy || phones->is_local ||
	       (known && is_loopback(&address));
}

/*
 * A browser adds the credentials that it knows to what any page makes it send.
 */
static bool
is_from_page(const struct phone_call *call)
{
	struct span site = phone_call_header(call, "Sec-Fetch-Site");

	return phone_call_header(call, "Origin").len > 0 ||
	       (site.len > 0 && !span_is(site, "none") &&
		   !span_is(site, "same-origin"));
}

/* evhttp takes "Content-Length : 5" for another header, and +5 for a number. */
static bool
is_odd_header(const struct evkeyval *header)
{
	static const char digits[] = "0123456789";

	if (header->key[strcspn(header->key, " \t")] != '\0')
		return true;
	return strcasecmp(header->key, "Content-Length") == 0 &&
	       header->value[strspn(header->value, digits)] != '\0';
}

/*
 * evhttp and a proxy before it may disagree about where such a request
 * ends, and then somebody's next request is a part of it.
 */
static bool
has_odd_length(struct phone_call *call)
{
	const struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(call->request);
	const struct evkeyval *header;
	unsigned lengths = 0, codings = 0;
	bool is_odd = false;

	TAILQ_FOREACH(header, headers, next)
	{
		is_odd = is_odd || is_odd_header(header);
		lengths += strcasecmp(header->key, "Content-Length") == 0;
		codings += strcasecmp(header->key, "Transfer-Encoding") == 0;
	}
	call->last =
	    is_odd || lengths + codings > 1 ||
	    (codings == 1 &&
		strcasecmp(phone_call_header(call, "Transfer-Encoding").data,
		    "chunked") != 0) ||
	    (!is_post(call) && lengths + codings > 0 &&
		!span_is(phone_call_header(call, "Content-Length"), "0"));
	return call->last;
}

/* --- the route ------------------------------------------------------------ */

static struct span
body_of(const struct phone_call *call)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(call->request);
	size_t len = evbuffer_get_length(input);

	return len == 0
		   ? span_from("")
		   : span_of((const char *)evbuffer_pullup(input, -1), len);
}

static bool
looks_like_json(struct span body)
{
	struct span rest = text_trim(body);

	if (span_begins(rest, span_from("\xef\xbb\xbf")))
		rest = text_trim(span_of(rest.data + 3, rest.len - 3));
	return rest.len > 0 && (rest.data[0] == '{' || rest.data[0] == '[');
}

struct path_route {
	const char *first; /* the path's first part */
	enum phone_route route;
	enum phones_app app;
	bool posts; /* with POST, else with GET */
	bool below; /* more may follow */
};

static const struct path_route ROUTES[] = {
	{ "owntracks", ROUTE_REPORT, APP_OWNTRACKS, true, true },
	{ "overland", ROUTE_REPORT, APP_OVERLAND, true, false },
	{ "whatsat", ROUTE_WHATSAT_JSON, APP_QUERY, false, false },
	{ "where", ROUTE_WHERE, APP_QUERY, false, false },
};

/* The reason why there is none, or PHONES_REFUSAL_COUNT. */
static enum phones_refusal
find_path(struct phone_call *call, struct span path)
{
	struct span first;

	while (path.len > 0 && path.data[0] == '/')
		path = span_of(path.data + 1, path.len - 1);
	if (path.len == 0) {
		call->app = APP_QUERY;
		if (is_post(call) && looks_like_json(body_of(call)))
			call->app = APP_TRACCAR;
		return PHONES_REFUSAL_COUNT;
	}
	first = span_cut(&path, '/');
	for (size_t i = 0; i < HERD_ARRAY_LEN(ROUTES); i++) {
		if (!span_is(first, ROUTES[i].first))
			continue;
		call->route = ROUTES[i].route;
		call->app = ROUTES[i].app;
		if (path.len > 0 && !ROUTES[i].below)
			break;
		return is_post(call) == ROUTES[i].posts ? PHONES_REFUSAL_COUNT
							: PHONES_METHOD;
	}
	return PHONES_PATH;
}

static enum phones_refusal
find_route(struct phone_call *call)
{
	const struct evhttp_uri *uri =
	    evhttp_request_get_evhttp_uri(call->request);
	const char *path = evhttp_uri_get_path(uri);
	const char *query = evhttp_uri_get_query(uri);

	call->query = span_from(query == NULL ? "" : query);
	return find_path(call, span_from(path == NULL ? "" : path));
}

/* --- reading ---------------------------------------------------------------
 */

/*
 * A key where a name is expected must not become a part of the id. It names
 * its device, if that is the user's.
 */
static struct span
name_of_key(struct phone_call *call, struct span name)
{
	const struct users_entry *entry =
	    accounts_key(call->phones->config.accounts, name);

	if (entry == NULL)
		return name;
	call->by_key = span_equal(entry->user, phone_call_user(call));
	return call->by_key ? entry->device : span_from("");
}

/* In a name that is none, bytes that are not good become hyphens. */
static void
set_device(struct phone_call *call, struct span name)
{
	name = text_trim(name);
	if (call->device_len > 0 || name.len == 0)
		return;
	name = name_of_key(call, name);
	if (name.len > USERS_NAME_MAX)
		name = text_utf8_whole(span_of(name.data, USERS_NAME_MAX));
	memcpy(call->device, name.data, name.len);
	call->device_len = name.len;
	if (users_file_name_is_valid(name))
		return;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];

		if (!text_is_digit(c) &&
		    !((c | 32) >= 'a' && (c | 32) <= 'z') && c != '.' &&
		    c != '_')
			call->device[i] = '-';
	}
}

/* What the request calls its device, if no key has said so. */
static void
name_device(struct phone_call *call)
{
	const struct intake *intake = &call->intake;
	char value[INTAKE_VALUE_MAX];
	size_t len;

	set_device(call, phone_call_header(call, "X-Limit-D"));
	len = phone_call_parameter(call, "d", value);
	set_device(call, span_of(value, len));
	set_device(call, span_of(intake->claim, intake->claim_len));
}

static void
read_body(struct phone_call *call)
{
	struct span body = body_of(call);

	if (call->route != ROUTE_REPORT)
		return;
	if (body.len > PHONE_BODY_MAX && call->app != APP_OVERLAND) {
		call->refused = PHONES_SIZE;
		return;
	}
	switch (call->app) {
	case APP_OWNTRACKS: owntracks_read(body, &call->intake); break;
	case APP_TRACCAR: traccar_read(body, &call->intake); break;
	case APP_OVERLAND: overland_read(body, &call->intake); break;
	case APP_QUERY:
	case APP_COUNT:
		query_form_read(call->query, body, &call->intake);
		break;
	}
}

static bool
address_may_ask(struct phone_call *call)
{
	uint64_t rate = atomic_load_explicit(
	    &call->phones->node->limits.http_rate, memory_order_relaxed);
	struct mono now = clock_mono();
	struct visitor *visitor = visitors_find(
	    &call->phones->visitors, address_key(&call->peer), now);

	return rate == 0 || rate_take(&visitor->requests, rate, now);
}

static enum phones_refusal
judge(struct phone_call *call)
{
	enum phones_refusal why = PHONES_REFUSAL_COUNT;
	bool is_odd = has_odd_length(call);

	if (!find_peer(call))
		return PHONES_CLEAR;
	if (is_odd)
		return PHONES_BODY;
	why = find_route(call);
	if (why != PHONES_REFUSAL_COUNT)
		return why;
	if (call->phones->stopping ||
	    node_state(call->phones->node) != NODE_RUNNING)
		return PHONES_DRAIN;
	if (!address_may_ask(call))
		return PHONES_RATE;
	return is_from_page(call) ? PHONES_PAGE : PHONES_REFUSAL_COUNT;
}

static void
serve(struct phone_call *call)
{
	enum phones_refusal why = judge(call);
	struct bufferevent *bev =
	    evhttp_connection_get_bufferevent(connection_of(call));

	/* evhttp enables it again after the answer. */
	bufferevent_disable(bev, EV_READ);
	if (why != PHONES_REFUSAL_COUNT) {
		phone_call_refuse(call, why);
		return;
	}
	/* A batch is read when its sender is known. */
	if (call->app != APP_OVERLAND)
		read_body(call);
	else if (phone_call_header(call, "Authorization").len == 0)
		overland_claim(body_of(call), &call->intake);
	login_begin(call);
}

void
phone_call_on_request(struct evhttp_request *request, void *arg)
{
	struct phone_call *call = call_new(arg, request);

	if (call == NULL)
		return;
	loop_watch_begin("phones-request");
	serve(call);
	loop_watch_end();
}

void
phone_call_go_on(struct phone_call *call, struct account *account)
{
	uint64_t rate = atomic_load_explicit(
	    &call->phones->node->limits.http_rate, memory_order_relaxed);

	if (call->conn != NULL)
		http_limits_trust(call->conn);
	if (rate != 0 && !rate_take(&account->requests, rate, clock_mono())) {
		phone_call_refuse(call, PHONES_RATE);
		return;
	}
	if (call->app == APP_OVERLAND)
		read_body(call);
	name_device(call);
	if (call->route == ROUTE_REPORT)
		phone_report_take(call, account);
	else
		phone_answer_reader(call, account);
}

void
phone_call_abort(struct phone_call *call)
{
	if (call->answered)
		return;
	stop_waiting(call);
	phone_call_refuse(call, PHONES_DRAIN);
}

/* --- answers ---------------------------------------------------------------
 */

static void
add_header(struct phone_call *call, const char *name, const char *value)
{
	/* Without memory the answer goes without the header. */
	(void)evhttp_add_header(
	    evhttp_request_get_output_headers(call->request), name, value);
}

void
phone_call_answer(
    struct phone_call *call, int status, const char *type, struct span body)
{
	struct evbuffer *out = evbuffer_new();

	call->answered = true;
	add_header(call, "Content-Type", type);
	if (call->phones->stopping || call->last)
		add_header(call, "Connection", "close");
	if (out != NULL)
		(void)evbuffer_add(out, body.data, body.len);
	evhttp_send_reply(call->request, status, NULL, out);
	if (out != NULL)
		evbuffer_free(out);
}

void
phone_call_count(struct phone_call *call, enum phones_refusal why)
{
	count_add(&call->phones->refused[why], 1);
	busiest_see(&call->phones->busiest, BUSIEST_REFUSED, &call->peer, 1);
	phone_call_note(call, phones_refusal_word(why));
}

/* Is a line for that user and reason due? */
static bool
must_log(struct phone_call *call, const char *why)
{
	struct phones *phones = call->phones;
	struct mono now = clock_mono();
	uint64_t hash = table_hash(phones->node->table, phone_call_user(call)) ^
			table_hash(phones->node->table, span_from(why));
	struct phones_logged *place = &phones->logged[hash % PHONES_LOGGED_MAX];

	if (call->user_len == 0)
		hash ^= address_key(&call->peer);
	/* Another one's place is not taken: many addresses fill no disk. */
	if (now.ns < place->until.ns)
		return false;
	place->hash = hash;
	place->until = mono_add(now, PHONES_LOG_AGAIN_S * HERD_NS_PER_S);
	return true;
}

void
phone_call_note(struct phone_call *call, const char *why)
{
	char peer[ADDRESS_TEXT_MAX];

	if (!must_log(call, why))
		return;
	address_text(&call->peer, peer);
	LOG(call->phones->node->log, LOG_WARN, "phone-refused",
	    log_text("reason", why), log_span("user", phone_call_user(call)),
	    log_span("device", phone_call_device(call)),
	    log_text("app", phones_app_word(call->app)),
	    log_text("peer", peer));
}

static enum herd_error
write_error(struct buf *out, enum phones_refusal why, const char *text)
{
	struct json json;

	json_begin(&json, out, JSON_COMPACT);
	json_object(&json, NULL);
	json_word(&json, "error", phones_refusal_word(why));
	json_word(&json, "message", text);
	json_object_end(&json);
	return json_end(&json);
}

void
phone_call_refuse(struct phone_call *call, enum phones_refusal why)
{
	phone_call_explain(call, why, REFUSED[why].text);
}

void
phone_call_explain(
    struct phone_call *call, enum phones_refusal why, const char *text)
{
	int status = REFUSED[why].status;
	struct buf body;

	phone_call_count(call, why);
	if (!REFUSED[why].always && call->app != APP_QUERY) {
		phone_answer_taken(call);
		return;
	}
	if (status == 401)
		add_header(call, "WWW-Authenticate",
		    "Basic realm=\"herd\", charset=\"UTF-8\"");
	if (status == 429 || status == 503)
		add_header(
		    call, "Retry-After", why == PHONES_ATTEMPTS ? "60" : "1");
	buf_init(&body, ERROR_MAX);
	if (write_error(&body, why, text) != HERD_OK)
		buf_clear(&body);
	phone_call_answer(call, status, JSON_TYPE, buf_span(&body));
	buf_release(&body);
}
