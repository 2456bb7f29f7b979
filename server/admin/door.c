/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/door.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/guests.h"
#include "net/socket.h"

#define DOOR_PAUSE_S 1 /* after EMFILE */
/* The target's bytes and as much again for headers. */
#define HEADERS_MAX (2 * (ev_ssize_t)QUERY_TARGET_MAX)

static void
on_tick(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct admin_door *door = arg;

	if (!door->paused)
		return;
	evconnlistener_enable(door->listener);
	door->paused = false;
}

static void
door_pause(struct admin_door *door, const char *error, const char *next)
{
	LOG(door->admin->node->log, LOG_WARN, "accept-paused",
	    log_text("listener", "admin"), log_text("error", error),
	    log_text("next", next));
	evconnlistener_disable(door->listener);
	door->paused = true;
}

/* At each new connection; NULL: evhttp makes what it needs itself. */
static struct bufferevent *
on_connection(struct event_base *base HERD_UNUSED, void *arg)
{
	struct admin_door *door = arg;

	return door->trusted ? NULL : guests_accept(door->admin->guests);
}

struct door_search {
	const struct evconnlistener *listener;
	struct admin_door *door; /* NULL: not found yet */
};

static int
match_door(const struct event_base *base HERD_UNUSED, const struct event *event,
    void *arg)
{
	struct door_search *search = arg;
	struct admin_door *door;

	if (event_get_callback(event) != on_tick)
		return 0;
	door = event_get_callback_arg(event);
	if (door->listener == search->listener)
		search->door = door;
	return search->door != NULL;
}

/*
 * The argument is evhttp's own, whose listener it has become: the door is
 * found by its tick.
 */
static void
on_accept_error(struct evconnlistener *listener, void *arg HERD_UNUSED)
{
	bool is_shortage = errno == EMFILE || errno == ENFILE;
	const char *error = strerror(errno);
	struct door_search search = { .listener = listener };

	(void)event_base_foreach_event(
	    evconnlistener_get_base(listener), match_door, &search);
	assert(search.door != NULL);
	/* A stranger's descriptor is as good as a new one. */
	if (is_shortage && guests_make_room(search.door->admin->guests))
		return;
	door_pause(
	    search.door, error, "accepting again in 1 s; raise LimitNOFILE");
}

/* The folder of a Unix socket, if only that is missing. */
static void
make_folder(const char *path)
{
	char copy[ADDRESS_PATH_MAX + 1];

	snprintf(copy, sizeof(copy), "%s", path);
	/* What is wrong with it shows when the socket is bound. */
	(void)mkdir(dirname(copy), 0700);
}

/* A socket that only its owner may use, from its first moment on. */
static enum herd_error
listen_at(const struct address *address, struct buf *message, int *fd)
{
	mode_t before;
	enum herd_error error;

	if (address->kind != ADDRESS_UNIX)
		return socket_listen(address, message, fd);
	make_folder(address->path);
	before = umask(0177);
	error = socket_listen(address, message, fd);
	umask(before);
	return error;
}

static enum herd_error
door_serve(struct admin_door *door, int fd)
{
	const struct timeval idle = { ADMIN_IDLE_S, 0 };
	const struct timeval pause = { DOOR_PAUSE_S, 0 };
	struct evhttp *http = evhttp_new(door->admin->base);

	if (http == NULL) {
		close(fd);
		return HERD_ENOMEM;
	}
	door->http = http;
	door->tick =
	    event_new(door->admin->base, -1, EV_PERSIST, on_tick, door);
	door->listener = evconnlistener_new(door->admin->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (door->listener == NULL) {
		close(fd);
		return HERD_ENOMEM;
	}
	if (door->tick == NULL || event_add(door->tick, &pause) != 0 ||
	    evhttp_bind_listener(http, door->listener) == NULL)
		return HERD_ENOMEM;
	evconnlistener_set_error_cb(door->listener, on_accept_error);
	evhttp_set_gencb(http, door_on_request, door);
	evhttp_set_bevcb(http, on_connection, door);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, ADMIN_BODY_MAX);
	evhttp_set_timeout_tv(http, &idle);
	evhttp_set_default_content_type(http, NULL);
	/* All: what a path does not take is answered with 405 by us. */
	evhttp_set_allowed_methods(http, UINT16_MAX);
	return HERD_OK;
}

enum herd_error
door_open(struct admin *admin, struct admin_door *door,
    const struct address *address, struct buf *message)
{
	enum herd_error error;
	int fd;

	door->admin = admin;
	door->trusted = address->kind == ADDRESS_UNIX;
	if (!door->trusted && admin->tokens == NULL)
		return buf_addf(message, "the admin API over TCP needs "
					 "admin.token_file or "
					 "admin.read_token_file") == HERD_OK
			   ? HERD_ERANGE
			   : HERD_ENOMEM;
	error = listen_at(address, message, &fd);
	if (error != HERD_OK)
		return error;
	error = socket_bound(fd, address, &door->address);
	if (error != HERD_OK) {
		close(fd);
		return error;
	}
	return door_serve(door, fd);
}

void
door_close(struct admin_door *door)
{
	if (door->http == NULL)
		return;
	if (door->tick != NULL)
		event_free(door->tick);
	evhttp_free(door->http); /* and the listener */
	if (door->address.kind == ADDRESS_UNIX)
		(void)unlink(door->address.path);
	door->http = NULL;
}
