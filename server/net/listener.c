/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop_watch.h"

struct listener {
	int fd;
	struct event *readable;
	struct event *resume;
	bool paused;
	struct address address;
	const char *what;
	struct log *log;
	listener_on_accept *on_accept;
	void *arg;
};

static void
listener_rest(struct listener *listener, unsigned ms)
{
	const struct timeval pause = { ms / 1000,
		(suseconds_t)(ms % 1000) * 1000 };

	listener->paused = true;
	event_del(listener->readable);
	event_add(listener->resume, &pause);
}

void
listener_hold(struct listener *listener)
{
	listener_rest(listener, LISTENER_HOLD_MS);
}

static void
listener_pause(struct listener *listener, int error)
{
	LOG(listener->log, LOG_WARN, "accept-paused",
	    log_text("listener", listener->what),
	    log_text("error", strerror(error)),
	    log_text("next", "accepting again in 1 s; raise LimitNOFILE or "
			     "lower max_connections"));
	listener_rest(listener, LISTENER_PAUSE_MS);
}

static void
on_resume(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct listener *listener = arg;

	listener->paused = false;
	event_add(listener->readable, NULL);
}

static void
listener_accept(struct listener *listener)
{
	for (unsigned i = 0; i < LISTENER_BATCH && !listener->paused; i++) {
		struct sockaddr_storage peer;
		int accepted;
		enum herd_error error =
		    socket_accept(listener->fd, &accepted, &peer);

		if (error == HERD_EAGAIN)
			return;
		if (error != HERD_OK) {
			listener_pause(listener, errno);
			return;
		}
		listener->on_accept(listener->arg, accepted, &peer);
	}
}

static void
on_readable(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	loop_watch_begin("accept");
	listener_accept(arg);
	loop_watch_end();
}

enum herd_error
listener_open(struct event_base *base, const struct address *address,
    const char *what, struct log *log, listener_on_accept *on_accept, void *arg,
    struct buf *message, struct listener **out)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	enum herd_error error;

	if (listener == NULL)
		return HERD_ENOMEM;
	listener->what = what;
	listener->log = log;
	listener->on_accept = on_accept;
	listener->arg = arg;
	error = socket_listen(address, message, &listener->fd);
	if (error != HERD_OK) {
		free(listener);
		return error;
	}
	error = socket_bound(listener->fd, address, &listener->address);
	listener->readable = event_new(
	    base, listener->fd, EV_READ | EV_PERSIST, on_readable, listener);
	listener->resume = evtimer_new(base, on_resume, listener);
	if (error != HERD_OK || listener->readable == NULL ||
	    listener->resume == NULL ||
	    event_add(listener->readable, NULL) != 0) {
		listener_close(listener);
		return HERD_ENOMEM;
	}
	*out = listener;
	return HERD_OK;
}

void
listener_close(struct listener *listener)
{
	if (listener == NULL)
		return;
	if (listener->readable != NULL)
		event_free(listener->readable);
	if (listener->resume != NULL)
		event_free(listener->resume);
	close(listener->fd);
	if (listener->address.kind == ADDRESS_UNIX)
		(void)unlink(listener->address.path);
	free(listener);
}

const struct address *
listener_address(const struct listener *listener)
{
	return &listener->address;
}
