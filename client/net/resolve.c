/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/resolve.h"

#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "herd/compiler.h"
#include "base/xbuf.h"

/*
 * Shared by the loop and the thread. Whoever is through with it second frees
 * it: the thread cannot be stopped while it hangs in the resolver.
 */
struct resolution {
	struct address address;
	resolve_done *done;
	void *arg;
	int ready; /* eventfd */
	struct event *event;
	int error; /* of getaddrinfo */
	struct resolved result;
	atomic_bool one_side_left;
};

static void
add_all(struct resolved *out, const struct addrinfo *list)
{
	for (; list != NULL && out->count < RESOLVE_MAX; list = list->ai_next) {
		if (list->ai_addrlen > sizeof(out->addresses[0]))
			continue;
		memcpy(&out->addresses[out->count], list->ai_addr,
		    list->ai_addrlen);
		out->lengths[out->count] = list->ai_addrlen;
		out->count++;
	}
}

static int
look_up(const struct address *address, int flags, struct resolved *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", (unsigned)address->port);
	error = getaddrinfo(address->host, port, &hints, &list);
	if (error == 0) {
		add_all(out, list);
		freeaddrinfo(list);
	}
	return error;
}

bool
resolve_now(const struct address *address, struct resolved *out)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };

	out->count = 0;
	if (address->kind == ADDRESS_UNIX) {
		memcpy(local.sun_path, address->path,
		    strnlen(address->path, sizeof(local.sun_path) - 1));
		memcpy(&out->addresses[0], &local, sizeof(local));
		out->lengths[0] = sizeof(local);
		out->count = 1;
		return true;
	}
	return look_up(address, AI_NUMERICHOST, out) == 0;
}

static void
leave(struct resolution *r)
{
	if (!atomic_exchange(&r->one_side_left, true))
		return;
	close(r->ready);
	free(r);
}

static void *
run_lookup(void *arg)
{
	struct resolution *r = arg;
	uint64_t one = 1;
	ssize_t n;

	r->error = look_up(&r->address, AI_ADDRCONFIG, &r->result);
	n = write(r->ready, &one, sizeof(one));
	(void)n; /* an eventfd takes it, or the other side has gone */
	leave(r);
	return NULL;
}

static void
on_ready(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct resolution *r = arg;
	resolve_done *done = r->done;
	void *done_arg = r->arg;
	struct resolved result = r->result;
	const char *error = r->error == 0 ? NULL : gai_strerror(r->error);

	event_free(r->event);
	leave(r);
	done(done_arg, &result, error);
}

struct resolution *
resolve_start(struct event_base *base, const struct address *address,
    resolve_done *done, void *arg)
{
	struct resolution *r = xcalloc(1, sizeof(*r));
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	r->address = *address;
	r->done = done;
	r->arg = arg;
	r->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->event = event_new(base, r->ready, EV_READ, on_ready, r);
	if (r->ready < 0 || r->event == NULL || event_add(r->event, NULL) != 0)
		out_of_memory();
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &attributes, run_lookup, r);
	pthread_attr_destroy(&attributes);
	if (error != 0) {
		event_free(r->event);
		close(r->ready);
		free(r);
		return NULL;
	}
	return r;
}

void
resolve_cancel(struct resolution *resolution)
{
	event_free(resolution->event);
	leave(resolution);
}
