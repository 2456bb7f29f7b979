/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the admin API opens and closes, and how a request finds its handler. */
#include "admin/admin.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "admin/admin_room.h"
#include "admin/digest_cache.h"
#include "net/http_limits.h"
#include "admin/http_listener.h"
#include "admin/route.h"
#include "admin/table_stats.h"
#include "admin/watch_list.h"
#include "base/clock.h"
#include "base/loop_watch.h"
#include "herd/text.h"
#include "net/peering.h"
#include "net/socket.h"
#include "node/reload.h"
#include "node/limits.h"

/* --- who asks --------------------------------------------------------- */

static void
name_local_peer(struct http_call *call, int fd)
{
	struct ucred peer = { .pid = 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		snprintf(call->who, sizeof(call->who), "uid=%lu pid=%ld",
		    (unsigned long)peer.uid, (long)peer.pid);
	else
		snprintf(call->who, sizeof(call->who), "unix");
}

static void
name_remote_peer(struct http_call *call, int fd, const char *kind)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(peer);
	char text[SOCKET_PEER_MAX] = "unknown";

	if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
		socket_peer_text(&peer, text);
	snprintf(call->who, sizeof(call->who), "%s %s", kind, text);
}

/*
 * What a caller over TCP may do: what its token says. Where there are no
 * tokens, a certificate of admin.client_ca is as good as the one that writes.
 */
static enum token_grant
grant_of(const struct http_call *call, bool has_certificate)
{
	if (!bearer_tokens_exist(&call->admin->tokens))
		return has_certificate ? TOKEN_WRITE : TOKEN_NONE;
	return bearer_tokens_check(&call->admin->tokens,
	    evhttp_find_header(evhttp_request_get_input_headers(call->request),
		"Authorization"));
}

/* Returns whether the caller may use the route; answers if not. */
static bool
is_permitted(struct http_call *call, const struct http_listener *listener)
{
	enum token_grant grant = TOKEN_WRITE;
	const char *kind = "token";
	char name[CERTIFICATE_NAME_MAX + 1] = "";
	struct bufferevent *bev = evhttp_connection_get_bufferevent(
	    evhttp_request_get_connection(call->request));
	const struct ssl_st *ssl = bufferevent_openssl_get_ssl(bev);
	int fd = bufferevent_getfd(bev);
	bool has_certificate = ssl != NULL && certificate_peer_name(ssl, name);

	if (!listener->trusted)
		grant = grant_of(call, has_certificate);
	if (grant == TOKEN_READ)
		kind = "read-token";
	else if (grant != TOKEN_WRITE)
		kind = "stranger";
	/* Whom the certificate names has asked, whatever the token allows. */
	if (name[0] != '\0')
		kind = name;
	if (call->conn != NULL && (grant == TOKEN_READ || grant == TOKEN_WRITE))
		http_limits_trust(call->conn);
	if (listener->trusted)
		name_local_peer(call, fd);
	else
		name_remote_peer(call, fd, kind);
	if (call->route->access == ROUTE_OPEN || grant == TOKEN_WRITE ||
	    (grant == TOKEN_READ && call->route->access == ROUTE_READ))
		return true;
	LOG(call->node->log, LOG_WARN, "admin-refused",
	    log_text("path", call->route->path), log_text("by", call->who),
	    log_text("error", grant == TOKEN_READ ? "the token may only read"
						  : "no valid token"));
	if (grant == TOKEN_READ) {
		http_call_fail(call, ADMIN_FORBIDDEN,
		    "use the token of admin.token_file",
		    "this token may only read");
		return false;
	}
	http_call_header(call, "WWW-Authenticate", "Bearer realm=\"herd\"");
	http_call_fail(call, ADMIN_UNAUTHORIZED,
	    "send Authorization: Bearer TOKEN with the content of "
	    "admin.token_file or admin.read_token_file",
	    grant == TOKEN_WRONG ? "the token is wrong" : "no token");
	return false;
}

/* --- dispatch --------------------------------------------------------- */

static bool
method_of(const struct evhttp_request *request, enum route_method *out)
{
	static const enum evhttp_cmd_type COMMANDS[] = {
#define HERD_ROUTE_COMMAND(word) [ROUTE_##word] = EVHTTP_REQ_##word,
		ROUTE_METHODS(HERD_ROUTE_COMMAND)
#undef HERD_ROUTE_COMMAND
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(COMMANDS); i++) {
		if (evhttp_request_get_command(request) == COMMANDS[i]) {
			*out = (enum route_method)i;
			return true;
		}
	}
	return false;
}

static void
refuse_method(struct http_call *call)
{
	char allow[ROUTE_ALLOW_MAX];

	route_allow(&call->query, allow);
	http_call_header(call, "Allow", allow);
	http_call_fail(call, ADMIN_METHOD, allow,
	    "this path does not take that "
	    "method");
}

/* Finds the route, or answers and returns false. */
static bool
find_route(struct http_call *call)
{
	const char *target = evhttp_request_get_uri(call->request);
	enum route_method method = ROUTE_GET;
	bool known;
	bool path_known = false;
	enum herd_error error = query_parse(span_from(target), &call->query);

	if (error == HERD_ENOMEM) {
		http_call_out_of_memory(call);
		return false;
	}
	if (error != HERD_OK) {
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "a path like /v1/status, other bytes as %XX, each "
		    "parameter once",
		    "the request's target is %s", herd_strerror(error));
		return false;
	}
	call->has_query = true;
	known = method_of(call->request, &method);
	call->route = route_find(&call->query, method, &path_known);
	if (!known)
		call->route = NULL;
	if (call->route != NULL)
		return true;
	if (path_known)
		refuse_method(call);
	else
		http_call_fail(call, ADMIN_NOT_FOUND,
		    "GET /v1 lists what there is",
		    "there is nothing at this path");
	return false;
}

static bool
params_are_known(struct http_call *call)
{
	const struct query_param *unknown =
	    query_unknown(&call->query, call->route->params);
	struct buf name;

	if (unknown == NULL)
		return true;
	buf_init(&name, 1024);
	if (text_escape(&name, unknown->name, 64) != HERD_OK)
		buf_clear(&name);
	http_call_fail(call, ADMIN_BAD_REQUEST,
	    call->route->params[0] == '\0' ? "this path takes none"
					   : call->route->params,
	    "unknown parameter `" SPAN_FMT "`", SPAN_ARG(buf_span(&name)));
	buf_release(&name);
	return false;
}

/*
 * At the limit: closes the connection of the reader that has taken nothing for
 * the longest time, and for ADMIN_STALL_MS at least. False: none has stalled.
 */
static bool
make_room(struct admin *admin)
{
	uint64_t longest = ADMIN_STALL_MS * HERD_NS_PER_MS;
	struct http_call *victim = NULL;
	struct mono now = clock_mono();
	struct http_call *call;

	TAILQ_FOREACH(call, &admin->calls, all)
	{
		uint64_t stalled =
		    call->dropped ? 0 : http_call_stalled(call, now);

		if (stalled < longest)
			continue;
		longest = stalled;
		victim = call;
	}
	if (victim == NULL)
		return false;
	LOG(admin->node->log, LOG_WARN, "admin-stalled",
	    log_text("by", victim->who),
	    log_text("error", "it does not read its answer, and others wait"),
	    log_text("next", "closing its connection"));
	http_call_drop(victim);
	return true;
}

static void
answer(struct http_listener *listener, struct evhttp_request *request)
{
	struct http_call *call = http_call_new(listener->admin, request);

	if (call == NULL)
		return;
	if (listener->admin->stopping ||
	    (listener->admin->call_count > ADMIN_CALLS_MAX &&
		!make_room(listener->admin))) {
		http_call_fail(call, ADMIN_UNAVAILABLE, "try again in a second",
		    listener->admin->stopping
			? "the node stops"
			: "too many requests at one time");
		return;
	}
	if (!find_route(call))
		return;
	if (is_permitted(call, listener) && params_are_known(call))
		call->route->serve(call);
}

void
admin_on_request(struct evhttp_request *request, void *arg)
{
	loop_watch_begin("admin-request");
	answer(arg, request);
	loop_watch_end();
}

void
serve_index(struct http_call *call)
{
	struct json *json = http_call_answer(call);
	size_t count;
	const struct route *routes = route_all(&count);

	json_word(json, "schema", "herd.index/1");
	json_array(json, "endpoints");
	for (size_t i = 0; i < count; i++) {
		const struct route *route = &routes[i];

		json_object(json, NULL);
		json_word(json, "method", route_method_word(route->method));
		json_word(json, "path", route->path);
		json_word(json, "params", route->params);
		json_bool(json, "writes", route->access == ROUTE_WRITE);
		json_word(json, "help", route->help);
		json_object_end(json);
	}
	json_array_end(json);
	http_call_json(call);
}

/* --- life ------------------------------------------------------------- */

/* Reads the token files of the start into `out`. */
static enum herd_error
read_tokens(struct admin *admin, struct bearer_tokens *out, struct buf *message)
{
	const struct node *node = admin->node;
	const struct settings *settings = &node->boot.settings;
	const struct keyfile write_file = { TOKEN_SETTING,
		settings->admin.token_file, node->name, node->base_dir, false };
	const struct keyfile read_file = { READ_TOKEN_SETTING,
		settings->admin.read_token_file, node->name, node->base_dir,
		false };

	return bearer_tokens_read(
	    &write_file, &read_file, &admin->tokens, out, message);
}

/* Does a listener at `wide` serve those who connect to `address` as well? */
static bool
covers(const struct address *wide, const struct address *address)
{
	return wide->kind == ADDRESS_TCP && address->kind == ADDRESS_TCP &&
	       wide->port == address->port && wide->port != 0 &&
	       (strcmp(wide->host, address->host) == 0 ||
		   strcmp(wide->host, "0.0.0.0") == 0 ||
		   strcmp(wide->host, "::") == 0);
}

static enum herd_error
on_reload_read(void *arg, struct reload *reload, struct buf *message)
{
	struct admin *admin = arg;
	enum herd_error error = read_tokens(admin, &admin->new_tokens, message);

	if (error != HERD_OK)
		return error;
	if (!keyring_equal(&admin->tokens.write, &admin->new_tokens.write))
		reload_applies(reload, TOKEN_SETTING);
	if (!keyring_equal(&admin->tokens.read, &admin->new_tokens.read))
		reload_applies(reload, READ_TOKEN_SETTING);
	return HERD_OK;
}

static void
on_reload_end(void *arg, bool use)
{
	struct admin *admin = arg;

	if (use)
		admin->tokens = admin->new_tokens;
	bearer_tokens_wipe(&admin->new_tokens);
}

static const struct reload_files TOKEN_FILES = { on_reload_read,
	on_reload_end };

static enum herd_error
open_listeners(struct admin *admin, struct buf *message)
{
	const struct node *node = admin->node;
	const struct address_list *own = &node->file.nodes[node->self].admin;
	const char *listen = node->file.settings.admin.listen;
	struct http_listener *listener = admin->listeners;
	struct http_listener *last = &listener[ADMIN_LISTENERS - 1];
	struct address wide = { .kind = ADDRESS_NONE };
	enum herd_error error = HERD_OK;

	if (listen[0] != '\0')
		error = address_parse(span_from(listen), &wide);
	if (error == HERD_OK && listen[0] != '\0')
		error = http_listener_open(admin, last, &wide, message);
	for (unsigned i = 0; i < own->count && error == HERD_OK; i++)
		if (!covers(&wide, &own->items[i]))
			error = http_listener_open(
			    admin, listener++, &own->items[i], message);
	return error;
}

/* The sockets have the group that the settings name now. */
static void
on_reloaded(void *arg)
{
	struct admin *admin = arg;
	struct buf message;

	buf_init(&message, 1024);
	for (unsigned i = 0; i < ADMIN_LISTENERS; i++) {
		struct http_listener *listener = &admin->listeners[i];

		buf_clear(&message);
		if (listener->acceptor.http != NULL &&
		    http_listener_share(listener, admin->node->admin_group,
			&message) != HERD_OK)
			LOG(admin->node->log, LOG_ERROR, "admin-group",
			    log_span("error", buf_span(&message)),
			    log_text("next", "until then only the node's user "
					     "may use the socket"));
	}
	buf_release(&message);
}

static void
on_wake(void *arg)
{
	struct admin *admin = arg;

	if (admin->watchers != NULL)
		watch_list_wake(admin->watchers);
}

static enum herd_error
open_limits(struct admin *admin)
{
	unsigned max = limits_admin(limits_raise_files());
	const struct http_limits_config config = {
		.event = "admin-limit",
		.error = "too many connections to the admin API",
		.max = max,
		.reserved = max / 8,
		.of_address = max / 2,
		.bytes_max = 256u * (ADMIN_BODY_MAX + 2u * QUERY_TARGET_MAX),
		.bytes_of_connection = 2u * ADMIN_BODY_MAX,
	};

	return http_limits_open(
	    admin->base, admin->node->log, &config, &admin->limits);
}

enum herd_error
admin_open(struct node *node, struct event_base *base, struct buf *message,
    struct admin **out)
{
	struct admin *admin = calloc(1, sizeof(*admin));
	enum herd_error error;

	if (admin == NULL)
		return HERD_ENOMEM;
	admin->node = node;
	admin->base = base;
	TAILQ_INIT(&admin->calls);
	TAILQ_INIT(&admin->turns);
	admin->turn = evtimer_new(base, http_call_on_turn, admin);
	if (admin->turn == NULL) {
		free(admin);
		return HERD_ENOMEM;
	}
	error = mailbox_init(&admin->mailbox, base, on_wake, admin);
	admin->has_mailbox = error == HERD_OK;
	if (error == HERD_OK)
		error = open_limits(admin);
	if (error == HERD_OK)
		error = read_tokens(admin, &admin->tokens, message);
	if (error == HERD_OK)
		error = table_stats_open(node, base, &admin->stats);
	if (error == HERD_OK)
		error = digest_cache_open(base, &admin->digests);
	if (error == HERD_OK)
		error = watch_list_open(admin, &admin->watchers);
	if (error == HERD_OK)
		error = open_listeners(admin, message);
	if (error != HERD_OK) {
		admin_close(admin);
		admin_release(admin);
		return error;
	}
	node_on_reload_files(node, &TOKEN_FILES, admin);
	node_on_reloaded(node, on_reloaded, admin);
	*out = admin;
	return HERD_OK;
}

/* Gives answers that are being sent a moment to leave. */
static void
drain_answers(struct admin *admin)
{
	struct mono until =
	    mono_add(clock_mono(), ADMIN_CLOSE_MS * HERD_NS_PER_MS);

	while (!TAILQ_EMPTY(&admin->calls) && clock_mono().ns < until.ns) {
		const struct timeval step = { 0, 10000 };

		event_base_loopexit(admin->base, &step);
		event_base_dispatch(admin->base);
	}
}

void
admin_close(struct admin *admin)
{
	struct http_call *call;
	struct http_call *next;

	if (admin == NULL)
		return;
	admin->stopping = true;
	node_on_reloaded(admin->node, NULL, NULL);
	for (call = TAILQ_FIRST(&admin->calls); call != NULL; call = next) {
		next = TAILQ_NEXT(call, all);
		http_call_abort(call);
	}
	drain_answers(admin);
	log_level_cancel(admin);
	for (unsigned i = 0; i < HERD_ARRAY_LEN(admin->listeners); i++)
		http_listener_close(&admin->listeners[i]);
	if (admin->watchers != NULL)
		peering_watch(admin->node->peering, NULL, NULL);
	digest_cache_close(admin->digests);
	table_stats_close(admin->stats);
	bearer_tokens_wipe(&admin->tokens);
	http_limits_close(admin->limits);
	admin->limits = NULL;
	admin->digests = NULL;
	admin->stats = NULL;
}

void
admin_release(struct admin *admin)
{
	if (admin == NULL)
		return;
	places_jobs_join(admin);
	if (admin->has_mailbox)
		mailbox_release(&admin->mailbox);
	watch_list_close(admin->watchers);
	event_free(admin->turn);
	free(admin);
}

struct address_list
admin_addresses(const struct admin *admin)
{
	struct address_list list = { 0 };

	for (unsigned i = 0; i < ADDRESS_LIST_MAX; i++)
		if (admin->listeners[i].acceptor.http != NULL)
			list.items[list.count++] = admin->listeners[i].address;
	return list;
}

const struct address *
admin_listen_address(const struct admin *admin)
{
	return &admin->listeners[ADMIN_LISTENERS - 1].address;
}
