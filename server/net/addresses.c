/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/addresses.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u
/* No connection comes from that prefix. */
#define KEY_UNIX UINT64_MAX

struct addresses {
	pthread_mutex_t lock;
	unsigned seats;
	struct source *buckets[BUCKETS];
	struct source **heap; /* the one with the most connections first */
	uint32_t count;
	uint32_t size;
};

enum herd_error
addresses_new(unsigned seats, struct addresses **out)
{
	struct addresses *addresses = calloc(1, sizeof(*addresses));

	if (addresses == NULL)
		return HERD_ENOMEM;
	addresses->seats = seats;
	pthread_mutex_init(&addresses->lock, NULL);
	*out = addresses;
	return HERD_OK;
}

void
addresses_free(struct addresses *addresses)
{
	if (addresses == NULL)
		return;
	for (uint32_t i = 0; i < addresses->count; i++)
		free(addresses->heap[i]);
	free(addresses->heap);
	pthread_mutex_destroy(&addresses->lock);
	free(addresses);
}

uint64_t
address_key(const struct sockaddr_storage *peer)
{
	const struct in6_addr *v6 =
	    &((const struct sockaddr_in6 *)peer)->sin6_addr;
	uint64_t key;
	uint32_t v4;

	if (peer->ss_family == AF_INET)
		return ((const struct sockaddr_in *)peer)->sin_addr.s_addr;
	if (peer->ss_family != AF_INET6)
		return KEY_UNIX;
	if (IN6_IS_ADDR_V4MAPPED(v6)) {
		memcpy(&v4, &v6->s6_addr[12], sizeof(v4));
		return v4;
	}
	memcpy(&key, v6, sizeof(key));
	return key;
}

void
address_text(const struct sockaddr_storage *peer, char out[ADDRESS_TEXT_MAX])
{
	struct in6_addr v6 = ((const struct sockaddr_in6 *)peer)->sin6_addr;
	const void *v4 = &((const struct sockaddr_in *)peer)->sin_addr;
	char text[INET6_ADDRSTRLEN] = "";
	const char *end = "";

	if (peer->ss_family != AF_INET && peer->ss_family != AF_INET6) {
		snprintf(out, ADDRESS_TEXT_MAX, "unix");
		return;
	}
	if (peer->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6))
		v4 = &v6.s6_addr[12];
	else if (peer->ss_family == AF_INET6)
		v4 = NULL;
	if (v4 == NULL && !IN6_IS_ADDR_LOOPBACK(&v6)) {
		memset(&v6.s6_addr[8], 0, 8);
		end = "/64";
	}
	if (v4 != NULL)
		(void)inet_ntop(AF_INET, v4, text, sizeof(text));
	else
		(void)inet_ntop(AF_INET6, &v6, text, sizeof(text));
	snprintf(out, ADDRESS_TEXT_MAX, "%s%s", text, end);
}

static struct source **
find(struct addresses *addresses, uint64_t key)
{
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
	struct source **at = &addresses->buckets[hash >> 54];

	while (*at != NULL && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

/* --- the heap ------------------------------------------------------------ */

static void
heap_place(struct addresses *addresses, struct source *source, uint32_t at)
{
	addresses->heap[at] = source;
	source->at = at;
}

/* The address has more connections than before. */
static void
heap_rise(struct addresses *addresses, struct source *source)
{
	uint32_t at = source->at;

	while (at > 0) {
		struct source *above = addresses->heap[(at - 1) / 2];

		if (above->connections >= source->connections)
			break;
		heap_place(addresses, above, at);
		at = (at - 1) / 2;
	}
	heap_place(addresses, source, at);
}

/* The address has fewer. */
static void
heap_sink(struct addresses *addresses, struct source *source)
{
	uint32_t at = source->at;

	for (;;) {
		uint32_t child = at * 2 + 1;

		if (child >= addresses->count)
			break;
		if (child + 1 < addresses->count &&
		    addresses->heap[child + 1]->connections >
			addresses->heap[child]->connections)
			child++;
		if (addresses->heap[child]->connections <= source->connections)
			break;
		heap_place(addresses, addresses->heap[child], at);
		at = child;
	}
	heap_place(addresses, source, at);
}

static bool
heap_has_room(struct addresses *addresses)
{
	uint32_t size = addresses->size == 0 ? 64 : addresses->size * 2;
	struct source **heap;

	if (addresses->count < addresses->size)
		return true;
	heap = realloc(addresses->heap, size * sizeof(*heap));
	if (heap == NULL)
		return false;
	addresses->heap = heap;
	addresses->size = size;
	return true;
}

/* --- life ---------------------------------------------------------------- */

static struct source *
source_new(struct addresses *addresses, uint64_t key)
{
	size_t size = sizeof(struct source) +
		      addresses->seats * sizeof(struct source_seat);
	struct source *source = NULL;

	if (heap_has_room(addresses))
		source = aligned_alloc(64, size);
	if (source == NULL)
		return NULL;
	memset(source, 0, size);
	source->key = key;
	for (unsigned i = 0; i < addresses->seats; i++) {
		TAILQ_INIT(&source->seats[i].resting);
		atomic_init(&source->seats[i].since_ns, UINT64_MAX);
	}
	heap_place(addresses, source, addresses->count++);
	return source;
}

/* Frees it after its last connection and hold. */
static void
source_settle(struct addresses *addresses, struct source *source)
{
	struct source *last;

	if (source->connections > 0 || source->holds > 0)
		return;
	*find(addresses, source->key) = source->next;
	last = addresses->heap[--addresses->count];
	if (last != source) {
		heap_place(addresses, last, source->at);
		heap_rise(addresses, last);
		heap_sink(addresses, last);
	}
	free(source);
}

bool
addresses_is_full(struct addresses *addresses,
    const struct sockaddr_storage *peer, uint64_t max)
{
	uint64_t key = address_key(peer);
	const struct source *source;
	bool full;

	pthread_mutex_lock(&addresses->lock);
	source = *find(addresses, key);
	full = source != NULL && key != KEY_UNIX && source->connections >= max;
	pthread_mutex_unlock(&addresses->lock);
	return full;
}

struct source *
addresses_enter(
    struct addresses *addresses, const struct sockaddr_storage *peer)
{
	uint64_t key = address_key(peer);
	struct source *source;
	struct source **at;

	pthread_mutex_lock(&addresses->lock);
	at = find(addresses, key);
	if (*at == NULL)
		*at = source_new(addresses, key);
	source = *at;
	if (source != NULL) {
		source->connections++;
		heap_rise(addresses, source);
	}
	pthread_mutex_unlock(&addresses->lock);
	return source;
}

void
addresses_leave(struct addresses *addresses, struct source *source)
{
	pthread_mutex_lock(&addresses->lock);
	assert(source->connections > 0);
	source->connections--;
	heap_sink(addresses, source);
	source_settle(addresses, source);
	pthread_mutex_unlock(&addresses->lock);
}

/* --- who gives way -------------------------------------------------------- */

/* Takes a seat of the address instead if it has rested longer than *since. */
static bool
source_offer(const struct addresses *addresses, struct source *source,
    uint64_t *since, unsigned *seat)
{
	bool better = false;

	for (unsigned i = 0; i < addresses->seats; i++) {
		uint64_t own = atomic_load_explicit(
		    &source->seats[i].since_ns, memory_order_relaxed);

		if (own >= *since)
			continue;
		*since = own;
		*seat = i;
		better = true;
	}
	return better;
}

/* In the heap, addresses with as many connections as the first follow it. */
static struct source *
find_idlest(struct addresses *addresses, unsigned *seat)
{
	uint32_t ties[2 * ADDRESSES_TIES_MAX];
	struct source *idlest = NULL;
	uint64_t since = UINT64_MAX;
	uint32_t count = 0;

	if (addresses->count > 0)
		ties[count++] = 0;
	for (uint32_t i = 0; i < count && i < ADDRESSES_TIES_MAX; i++) {
		struct source *source = addresses->heap[ties[i]];

		if (source_offer(addresses, source, &since, seat))
			idlest = source;
		for (uint32_t child = ties[i] * 2 + 1;
		     child <= ties[i] * 2 + 2 && child < addresses->count;
		     child++) {
			if (count < 2 * ADDRESSES_TIES_MAX &&
			    addresses->heap[child]->connections ==
				source->connections)
				ties[count++] = child;
		}
	}
	return idlest;
}

struct source *
addresses_idlest(struct addresses *addresses, unsigned *seat)
{
	struct source *source;

	pthread_mutex_lock(&addresses->lock);
	source = find_idlest(addresses, seat);
	if (source != NULL)
		source->holds++;
	pthread_mutex_unlock(&addresses->lock);
	return source;
}

void
addresses_release(struct addresses *addresses, struct source *source)
{
	pthread_mutex_lock(&addresses->lock);
	source->holds--;
	source_settle(addresses, source);
	pthread_mutex_unlock(&addresses->lock);
}
