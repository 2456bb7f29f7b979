/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The floor: a libevent server on one thread that sends back what it reads,
 * with direct reads and writes. Prints its port, then serves until killed.
 */
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "herd/compiler.h"

struct echo {
	struct event *event;
};

static void
on_readable(evutil_socket_t fd, short what HERD_UNUSED, void *arg)
{
	static char data[65536];
	struct echo *echo = arg;
	ssize_t n = recv(fd, data, sizeof(data), 0);

	if (n <= 0 || send(fd, data, (size_t)n, MSG_NOSIGNAL) != n) {
		event_free(echo->event);
		close(fd);
		free(echo);
	}
}

static void
on_accept(evutil_socket_t listener, short what HERD_UNUSED, void *arg)
{
	const int on = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct echo *echo;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	echo = calloc(1, sizeof(*echo));
	if (echo == NULL)
		exit(1);
	echo->event =
	    event_new(arg, fd, EV_READ | EV_PERSIST, on_readable, echo);
	event_add(echo->event, NULL);
}

int
main(void)
{
	struct event_base *base = event_base_new();
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(fd, 1024) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return 1;
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	event_add(
	    event_new(base, fd, EV_READ | EV_PERSIST, on_accept, base), NULL);
	event_base_dispatch(base);
	return 0;
}
