/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The floor for HTTP: libevent's evhttp on one thread, which answers every
 * request with what a node answers a phone and does nothing else. Prints its
 * port, then serves until killed.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "herd/compiler.h"

static void
on_request(struct evhttp_request *request, void *arg HERD_UNUSED)
{
	struct evbuffer *body = evbuffer_new();

	if (body == NULL)
		return;
	evbuffer_add(body, "[]\n", 3);
	evhttp_add_header(evhttp_request_get_output_headers(request),
	    "Content-Type", "application/json");
	evhttp_send_reply(request, 200, "OK", body);
	evbuffer_free(body);
}

int
main(void)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);
	struct evhttp_bound_socket *bound;
	struct sockaddr_in at = { 0 };
	socklen_t len = sizeof(at);

	evhttp_set_gencb(http, on_request, NULL);
	bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	if (bound == NULL || getsockname(evhttp_bound_socket_get_fd(bound),
				 (struct sockaddr *)&at, &len) != 0)
		return 1;
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	event_base_dispatch(base);
	return 0;
}
