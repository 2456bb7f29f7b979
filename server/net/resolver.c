/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/resolver.h"
#include "base/thread.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* Freed by the last of the loop and the threads. */
struct resolver {
	pthread_mutex_t lock;
	struct mailbox *mailbox; /* NULL: the loop has gone */
	unsigned threads;
};

struct lookup {
	struct message message;
	struct resolver *resolver;
	struct address address;
	resolver_on_done *on_done; /* the loop's; NULL: cancelled */
	void *arg;
	const char *error;
	struct endpoints found;
};

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
resolver_free(struct resolver *resolver)
{
	pthread_mutex_destroy(&resolver->lock);
	free(resolver);
}

enum herd_error
resolver_open(struct mailbox *mailbox, struct resolver **out)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (resolver == NULL)
		return HERD_ENOMEM;
	if (pthread_mutex_init(&resolver->lock, NULL) != 0) {
		free(resolver);
		return HERD_ENOMEM;
	}
	resolver->mailbox = mailbox;
	*out = resolver;
	return HERD_OK;
}

void
resolver_close(struct resolver *resolver)
{
	bool last;

	if (resolver == NULL)
		return;
	pthread_mutex_lock(&resolver->lock);
	resolver->mailbox = NULL;
	last = resolver->threads == 0;
	pthread_mutex_unlock(&resolver->lock);
	if (last)
		resolver_free(resolver);
}

/* Back in the loop's thread. */
static void
on_answer(struct message *message)
{
	struct lookup *lookup = (struct lookup *)message;

	if (lookup->on_done != NULL)
		lookup->on_done(lookup->arg, &lookup->found, lookup->error);
	free(lookup);
}

static void *
run_lookup(void *arg)
{
	struct lookup *lookup = arg;
	struct resolver *resolver = lookup->resolver;
	bool last;
	int error;

	error = look_up(&lookup->address, 0, &lookup->found);
	if (error != 0)
		lookup->error = error_text(error);
	pthread_mutex_lock(&resolver->lock);
	resolver->threads--;
	last = resolver->mailbox == NULL && resolver->threads == 0;
	if (resolver->mailbox != NULL)
		mailbox_post(resolver->mailbox, &lookup->message);
	else
		free(lookup);
	pthread_mutex_unlock(&resolver->lock);
	if (last)
		resolver_free(resolver);
	return NULL;
}

enum herd_error
resolver_begin(struct resolver *resolver, const struct address *address,
    resolver_on_done *on_done, void *arg, struct lookup **out)
{
	enum herd_error error = HERD_ELIMIT;
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	pthread_t thread;

	if (lookup == NULL)
		return HERD_ENOMEM;
	lookup->message.run = on_answer;
	lookup->resolver = resolver;
	lookup->address = *address;
	lookup->on_done = on_done;
	lookup->arg = arg;
	pthread_mutex_lock(&resolver->lock);
	if (resolver->threads < RESOLVER_LOOKUPS_MAX)
		error = thread_start(&thread, "lookup", THREAD_DETACHED,
			    run_lookup, lookup) == 0
			    ? HERD_OK
			    : HERD_ENOMEM;
	if (error == HERD_OK)
		resolver->threads++;
	pthread_mutex_unlock(&resolver->lock);
	if (error == HERD_OK)
		*out = lookup;
	else
		free(lookup);
	return error;
}

void
resolver_cancel(struct lookup *lookup)
{
	if (lookup != NULL)
		lookup->on_done = NULL;
}
