/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/http_acceptor.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <string.h>
#include <unistd.h>

/* Connections that limits have not seen yet, at most. */
#define ACCEPT_BATCH 16u
/* After EMFILE; and else, when the tick is there to be found. */
static const struct timeval ACCEPT_PAUSE = { 1, 0 };
static const struct timeval ACCEPT_REST = { 3600, 0 };

static void
on_tick(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct http_acceptor *acceptor = arg;

	if (!acceptor->paused)
		return;
	evconnlistener_enable(acceptor->listener);
	acceptor->paused = false;
	acceptor->batch = 0;
	event_add(acceptor->tick, &ACCEPT_REST);
}

/* Called at each new connection. NULL: evhttp makes its own bufferevent. */
static struct bufferevent *
on_connection(struct event_base *base HERD_UNUSED, void *arg)
{
	struct http_acceptor *acceptor = arg;
	struct ssl_st *ssl = NULL;
	bool has_tls;

	if (acceptor->config.trusted)
		return NULL;
	/* The others wait until the limits have closed who is too many. */
	if (++acceptor->batch == ACCEPT_BATCH) {
		evconnlistener_disable(acceptor->listener);
		acceptor->paused = true;
		event_active(acceptor->tick, EV_TIMEOUT, 0);
	}
	has_tls = certificate_slot_begin(acceptor->config.slot, &ssl);
	return http_limits_accept(acceptor->config.limits, has_tls, ssl);
}

struct listener_search {
	const struct evconnlistener *listener;
	struct http_acceptor *acceptor; /* NULL: not found yet */
};

static int
match_listener(const struct event_base *base HERD_UNUSED,
    const struct event *event, void *arg)
{
	struct listener_search *search = arg;
	struct http_acceptor *acceptor;

	if (event_get_callback(event) != on_tick)
		return 0;
	acceptor = event_get_callback_arg(event);
	if (acceptor->listener == search->listener)
		search->acceptor = acceptor;
	return search->acceptor != NULL;
}

/*
 * evhttp has made the argument its own, so that ours is found by its tick.
 */
static void
on_accept_error(struct evconnlistener *listener, void *arg HERD_UNUSED)
{
	bool is_shortage = errno == EMFILE || errno == ENFILE;
	const char *error = strerror(errno);
	struct listener_search search = { .listener = listener };
	struct http_acceptor *acceptor;

	(void)event_base_foreach_event(
	    evconnlistener_get_base(listener), match_listener, &search);
	acceptor = search.acceptor;
	assert(acceptor != NULL);
	/* Closing a stranger's connection frees a descriptor. */
	if (is_shortage && http_limits_make_room(acceptor->config.limits))
		return;
	LOG(acceptor->config.log, LOG_WARN, "accept-paused",
	    log_text("listener", acceptor->config.name),
	    log_text("error", error),
	    log_text("next", "accepting again in 1 s; raise LimitNOFILE"));
	evconnlistener_disable(listener);
	acceptor->paused = true;
	event_add(acceptor->tick, &ACCEPT_PAUSE);
}

static void
set_up(struct http_acceptor *acceptor)
{
	const struct http_acceptor_config *config = &acceptor->config;
	const struct timeval idle = { (time_t)config->idle_s, 0 };

	evconnlistener_set_error_cb(acceptor->listener, on_accept_error);
	evhttp_set_gencb(acceptor->http, config->on_request, config->arg);
	evhttp_set_bevcb(acceptor->http, on_connection, acceptor);
	evhttp_set_max_headers_size(
	    acceptor->http, (ev_ssize_t)config->head_max);
	evhttp_set_max_body_size(acceptor->http, (ev_ssize_t)config->body_max);
	evhttp_set_timeout_tv(acceptor->http, &idle);
	evhttp_set_default_content_type(acceptor->http, NULL);
	evhttp_set_allowed_methods(acceptor->http, config->methods);
}

enum herd_error
http_acceptor_open(struct http_acceptor *acceptor,
    const struct http_acceptor_config *config, int fd)
{
	acceptor->config = *config;
	acceptor->http = evhttp_new(config->base);
	if (acceptor->http == NULL) {
		close(fd);
		return HERD_ENOMEM;
	}
	acceptor->tick =
	    event_new(config->base, -1, EV_PERSIST, on_tick, acceptor);
	acceptor->listener = evconnlistener_new(config->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (acceptor->listener == NULL) {
		close(fd);
		return HERD_ENOMEM;
	}
	if (acceptor->tick == NULL ||
	    event_add(acceptor->tick, &ACCEPT_REST) != 0 ||
	    evhttp_bind_listener(acceptor->http, acceptor->listener) == NULL)
		return HERD_ENOMEM;
	set_up(acceptor);
	return HERD_OK;
}

void
http_acceptor_rest(struct http_acceptor *acceptor)
{
	acceptor->paused = false;
	evconnlistener_disable(acceptor->listener);
}

void
http_acceptor_close(struct http_acceptor *acceptor)
{
	if (acceptor->http == NULL)
		return;
	if (acceptor->tick != NULL)
		event_free(acceptor->tick);
	evhttp_free(acceptor->http); /* and the listener */
	acceptor->http = NULL;
}
