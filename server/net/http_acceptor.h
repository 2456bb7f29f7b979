/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An evhttp on a listening socket, with TLS if the listener has a certificate.
 * When the process has no descriptor for a new connection, a stranger gives
 * way, or accepting pauses for a second.
 */
#ifndef HERD_HTTP_ACCEPTOR_H
#define HERD_HTTP_ACCEPTOR_H

#include "base/certificate.h"
#include "net/http_limits.h"

struct event;
struct evconnlistener;
struct evhttp;
struct evhttp_request;

struct http_acceptor_config {
	struct event_base *base;
	struct log *log;
	struct http_limits *limits;
	const char *name; /* of the listener, for the log: "admin" */
	bool trusted;     /* its connections have no limits and no TLS */
	struct certificate_slot *slot;
	unsigned idle_s;
	size_t head_max;
	size_t body_max;
	/* Methods that evhttp lets through; it answers 501 to others. */
	uint16_t methods;
	void (*on_request)(struct evhttp_request *request, void *arg);
	void *arg;
};

struct http_acceptor {
	struct http_acceptor_config config;
	struct evhttp *http; /* NULL: not open */
	struct evconnlistener *listener;
	struct event *tick; /* ends a pause */
	bool paused;
	unsigned batch; /* accepted since it was paused */
};

/* Takes the descriptor, also on failure. HERD_ENOMEM: close what is open. */
HERD_MUST_CHECK enum herd_error http_acceptor_open(
    struct http_acceptor *acceptor, const struct http_acceptor_config *config,
    int fd);

/* New connections wait in the kernel from now on. */
void http_acceptor_rest(struct http_acceptor *acceptor);

/* Stops listening; its connections end. One that is not open is fine. */
void http_acceptor_close(struct http_acceptor *acceptor);

#endif
