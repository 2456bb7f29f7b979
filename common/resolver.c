/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/resolver.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

/* Freed by the last of its owner and its thread. */
struct resolution {
	struct address address;
	int fd; /* eventfd */
	const char *error;
	struct endpoints found;
	_Atomic bool is_over; /* `error` and `found` are the owner's */
	_Atomic bool one_has_left;
};

static _Atomic unsigned under_way;

/* --- the system's resolver ----------------------------------------------- */

static bool
endpoints_have(
    const struct endpoints *endpoints, const struct addrinfo *address)
{
	for (unsigned i = 0; i < endpoints->count; i++) {
		if (endpoints->list[i].len == address->ai_addrlen &&
		    memcmp(&endpoints->list[i].addr, address->ai_addr,
			address->ai_addrlen) == 0)
			return true;
	}
	return false;
}

static void
endpoints_fill(struct endpoints *out, const struct addrinfo *found)
{
	out->count = 0;
	for (; found != NULL && out->count < RESOLVER_ADDRESSES_MAX;
	     found = found->ai_next) {
		struct endpoint *endpoint = &out->list[out->count];

		/* The file of hosts may have an address more than once. */
		if (found->ai_addrlen > sizeof(endpoint->addr) ||
		    endpoints_have(out, found))
			continue;
		memset(endpoint, 0, sizeof(*endpoint));
		memcpy(&endpoint->addr, found->ai_addr, found->ai_addrlen);
		endpoint->len = found->ai_addrlen;
		out->count++;
	}
}

/* Returns 0 or the code of getaddrinfo. */
static int
look_up(const struct address *address, int flags, struct endpoints *out)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", address->port);
	error = getaddrinfo(address->host, port, &hints, &found);
	if (error != 0)
		return error;
	endpoints_fill(out, found);
	freeaddrinfo(found);
	return out->count > 0 ? 0 : EAI_NONAME;
}

static const char *
error_text(int error)
{
	return error == EAI_SYSTEM ? strerrordesc_np(errno)
				   : gai_strerror(error);
}

enum herd_error
resolver_numeric(const struct address *address, struct endpoints *out)
{
	struct endpoint *first = &out->list[0];
	struct sockaddr_un *un = (struct sockaddr_un *)&first->addr;

	if (address->kind != ADDRESS_UNIX)
		return look_up(address, AI_NUMERICHOST, out) == 0
			   ? HERD_OK
			   : HERD_ENOTFOUND;
	memset(first, 0, sizeof(*first));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, address->path, strlen(address->path));
	first->len = sizeof(*un);
	out->count = 1;
	return HERD_OK;
}

enum herd_error
resolver_wait(
    const struct address *address, struct endpoints *out, const char **error)
{
	int code;

	if (resolver_numeric(address, out) == HERD_OK)
		return HERD_OK;
	code = look_up(address, AI_PASSIVE, out);
	if (code == 0)
		return HERD_OK;
	*error = error_text(code);
	return HERD_ENOTFOUND;
}

/* --- lookups ------------------------------------------------------------- */

static void
leave(struct resolution *resolution)
{
	if (!atomic_exchange(&resolution->one_has_left, true))
		return;
	close(resolution->fd);
	free(resolution);
}

static void *
run_lookup(void *arg)
{
	struct resolution *resolution = arg;
	const uint64_t one = 1;
	int error;

	(void)pthread_setname_np(pthread_self(), "lookup");
	error = look_up(&resolution->address, 0, &resolution->found);
	if (error != 0)
		resolution->error = error_text(error);
	atomic_store(&resolution->is_over, true);
	/* An eventfd takes it, or the owner has gone. */
	while (write(resolution->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	leave(resolution);
	atomic_fetch_sub(&under_way, 1);
	return NULL;
}

/* Without signals, which are for the threads that handle them. */
static int
start_thread(struct resolution *resolution)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return error;
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, run_lookup, resolution);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return error;
}

enum herd_error
resolver_begin(const struct address *address, struct resolution **out)
{
	enum herd_error error = HERD_ENOMEM;
	struct resolution *resolution = calloc(1, sizeof(*resolution));

	if (resolution == NULL)
		return HERD_ENOMEM;
	resolution->address = *address;
	resolution->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (atomic_fetch_add(&under_way, 1) >= RESOLVER_LOOKUPS_MAX)
		error = HERD_ELIMIT;
	else if (resolution->fd >= 0 && start_thread(resolution) == 0)
		error = HERD_OK;
	if (error == HERD_OK) {
		*out = resolution;
		return HERD_OK;
	}
	atomic_fetch_sub(&under_way, 1);
	if (resolution->fd >= 0)
		close(resolution->fd);
	free(resolution);
	return error;
}

int
resolver_fd(const struct resolution *resolution)
{
	return resolution->fd;
}

const char *
resolver_result(
    const struct resolution *resolution, const struct endpoints **found)
{
	bool is_over = atomic_load(&resolution->is_over);

	assert(is_over);
	(void)is_over;
	*found = &resolution->found;
	return resolution->error;
}

void
resolver_free(struct resolution *resolution)
{
	if (resolution != NULL)
		leave(resolution);
}
