/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/http_listener.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/http_limits.h"
#include "net/socket.h"

/* After EMFILE; and else, when the tick is there to be found. */
static const struct timeval ACCEPT_PAUSE = { 1, 0 };
static const struct timeval ACCEPT_REST = { 3600, 0 };
/* The target's bytes and as much again for headers. */
#define HEADERS_MAX (2 * (ev_ssize_t)QUERY_TARGET_MAX)

static void
on_tick(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct http_listener *listener = arg;

	if (!listener->paused)
		return;
	evconnlistener_enable(listener->acceptor);
	listener->paused = false;
	event_add(listener->tick, &ACCEPT_REST);
}

/* Called at each new connection. NULL: evhttp makes its own bufferevent. */
static struct bufferevent *
on_connection(struct event_base *base HERD_UNUSED, void *arg)
{
	struct http_listener *listener = arg;
	struct ssl_st *ssl;
	bool has_tls;

	if (listener->trusted)
		return NULL;
	has_tls = certificate_slot_begin(
	    &listener->admin->node->admin_tls.slot, &ssl);
	return http_limits_accept(listener->admin->limits, has_tls, ssl);
}

struct listener_search {
	const struct evconnlistener *acceptor;
	struct http_listener *listener; /* NULL: not found yet */
};

static int
match_listener(const struct event_base *base HERD_UNUSED,
    const struct event *event, void *arg)
{
	struct listener_search *search = arg;
	struct http_listener *listener;

	if (event_get_callback(event) != on_tick)
		return 0;
	listener = event_get_callback_arg(event);
	if (listener->acceptor == search->acceptor)
		search->listener = listener;
	return search->listener != NULL;
}

/*
 * evhttp has made the argument its own, so that ours is found by its tick.
 */
static void
on_accept_error(struct evconnlistener *acceptor, void *arg HERD_UNUSED)
{
	bool is_shortage = errno == EMFILE || errno == ENFILE;
	const char *error = strerror(errno);
	struct listener_search search = { .acceptor = acceptor };
	struct http_listener *listener;

	(void)event_base_foreach_event(
	    evconnlistener_get_base(acceptor), match_listener, &search);
	listener = search.listener;
	assert(listener != NULL);
	/* Closing a stranger's connection frees a descriptor. */
	if (is_shortage && http_limits_make_room(listener->admin->limits))
		return;
	LOG(listener->admin->node->log, LOG_WARN, "accept-paused",
	    log_text("listener", "admin"), log_text("error", error),
	    log_text("next", "accepting again in 1 s; raise LimitNOFILE"));
	evconnlistener_disable(acceptor);
	listener->paused = true;
	event_add(listener->tick, &ACCEPT_PAUSE);
}

/* HERD_ENOTFOUND: there is no such group. */
static enum herd_error
find_group(const char *name, gid_t *out)
{
	char room[16384];
	struct group entry;
	struct group *found = NULL;

	if (getgrnam_r(name, &entry, room, sizeof(room), &found) != 0 ||
	    found == NULL)
		return HERD_ENOTFOUND;
	*out = found->gr_gid;
	return HERD_OK;
}

/*
 * Makes the folder of a Unix socket, if only that is missing; with admin.group
 * its members may enter it.
 */
static void
make_folder(const char *path, const char *group)
{
	char copy[ADDRESS_PATH_MAX + 1];
	const char *folder;
	gid_t gid;

	snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	/* An error shows when the socket is bound, or given to the group. */
	if (mkdir(folder, 0700) == 0 && group[0] != '\0' &&
	    find_group(group, &gid) == HERD_OK &&
	    chown(folder, (uid_t)-1, gid) == 0)
		(void)chmod(folder, 0750);
}

/* Opens a socket that only its owner may use from the start. */
static enum herd_error
listen_at(const struct address *address, const char *group, struct buf *message,
    int *fd)
{
	mode_t before;
	enum herd_error error;

	if (address->kind != ADDRESS_UNIX)
		return socket_listen(address, message, fd);
	make_folder(address->path, group);
	before = umask(0177);
	error = socket_listen(address, message, fd);
	umask(before);
	return error;
}

static enum herd_error
open_on(struct http_listener *listener, int fd)
{
	const struct timeval idle = { ADMIN_IDLE_S, 0 };
	struct evhttp *http = evhttp_new(listener->admin->base);

	if (http == NULL) {
		close(fd);
		return HERD_ENOMEM;
	}
	listener->http = http;
	listener->tick =
	    event_new(listener->admin->base, -1, EV_PERSIST, on_tick, listener);
	listener->acceptor = evconnlistener_new(listener->admin->base, NULL,
	    NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (listener->acceptor == NULL) {
		close(fd);
		return HERD_ENOMEM;
	}
	if (listener->tick == NULL ||
	    event_add(listener->tick, &ACCEPT_REST) != 0 ||
	    evhttp_bind_listener(http, listener->acceptor) == NULL)
		return HERD_ENOMEM;
	evconnlistener_set_error_cb(listener->acceptor, on_accept_error);
	evhttp_set_gencb(http, admin_on_request, listener);
	evhttp_set_bevcb(http, on_connection, listener);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, ADMIN_BODY_MAX);
	evhttp_set_timeout_tv(http, &idle);
	evhttp_set_default_content_type(http, NULL);
	/* All methods, because we answer 405 ourselves. */
	evhttp_set_allowed_methods(http, UINT16_MAX);
	return HERD_OK;
}

enum herd_error
http_listener_open(struct admin *admin, struct http_listener *listener,
    const struct address *address, struct buf *message)
{
	enum herd_error error;
	int fd;

	listener->admin = admin;
	listener->trusted = address->kind == ADDRESS_UNIX;
	if (!listener->trusted && !bearer_tokens_exist(&admin->tokens) &&
	    admin->node->admin_tls.client_ca[0] == '\0')
		return buf_addf(message, "the admin API over TCP needs "
					 "admin.token_file, "
					 "admin.read_token_file or "
					 "admin.client_ca") == HERD_OK
			   ? HERD_ERANGE
			   : HERD_ENOMEM;
	error = listen_at(address, admin->node->admin_group, message, &fd);
	if (error != HERD_OK)
		return error;
	error = socket_bound(fd, address, &listener->address);
	if (error == HERD_OK)
		error = http_listener_share(
		    listener, admin->node->admin_group, message);
	if (error != HERD_OK) {
		close(fd);
		return error;
	}
	return open_on(listener, fd);
}

enum herd_error
http_listener_share(
    struct http_listener *listener, const char *group, struct buf *message)
{
	const char *path = listener->address.path;
	gid_t gid = getegid();
	const char *why = NULL;

	if (listener->address.kind != ADDRESS_UNIX)
		return HERD_OK;
	if (group[0] != '\0' && find_group(group, &gid) != HERD_OK)
		why = "there is no such group";
	/* Closed first: the new group is not to get the old one's rights. */
	else if (chmod(path, 0600) != 0 || chown(path, (uid_t)-1, gid) != 0 ||
		 (group[0] != '\0' && chmod(path, 0660) != 0))
		why = strerror(errno);
	if (why == NULL)
		return HERD_OK;
	if (buf_addf(message,
		"admin.group: cannot give the socket %s to group %s: %s; "
		"name a group that this node's user is a member of",
		path, group, why) != HERD_OK)
		return HERD_ENOMEM;
	return HERD_ESYSTEM;
}

void
http_listener_close(struct http_listener *listener)
{
	if (listener->http == NULL)
		return;
	if (listener->tick != NULL)
		event_free(listener->tick);
	evhttp_free(listener->http); /* and the listener */
	if (listener->address.kind == ADDRESS_UNIX)
		(void)unlink(listener->address.path);
	listener->http = NULL;
}
