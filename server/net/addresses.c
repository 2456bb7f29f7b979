/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/addresses.h"

#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u

struct address_count {
	struct address_count *next;
	uint64_t key;
	uint64_t connections;
};

struct addresses {
	pthread_mutex_t lock;
	struct address_count *buckets[BUCKETS];
};

enum herd_error
addresses_new(struct addresses **out)
{
	struct addresses *addresses = calloc(1, sizeof(*addresses));

	if (addresses == NULL)
		return HERD_ENOMEM;
	pthread_mutex_init(&addresses->lock, NULL);
	*out = addresses;
	return HERD_OK;
}

void
addresses_free(struct addresses *addresses)
{
	if (addresses == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++) {
		while (addresses->buckets[i] != NULL) {
			struct address_count *first = addresses->buckets[i];

			addresses->buckets[i] = first->next;
			free(first);
		}
	}
	pthread_mutex_destroy(&addresses->lock);
	free(addresses);
}

/*
 * The address as a number; an IPv4 one can't equal a routed IPv6 prefix. Those
 * who come by IPv4 to a listener on [::] would all have the prefix 0.
 */
bool
addresses_key(const struct sockaddr_storage *peer, uint64_t *key)
{
	const struct in6_addr *v6 =
	    &((const struct sockaddr_in6 *)peer)->sin6_addr;
	uint32_t v4;

	if (peer->ss_family == AF_INET) {
		*key = ((const struct sockaddr_in *)peer)->sin_addr.s_addr;
		return true;
	}
	if (peer->ss_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(v6)) {
		memcpy(&v4, &v6->s6_addr[12], sizeof(v4));
		*key = v4;
	} else {
		memcpy(key, v6, sizeof(*key));
	}
	return true;
}

static struct address_count **
find(struct addresses *addresses, uint64_t key)
{
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
	struct address_count **at = &addresses->buckets[hash >> 54];

	while (*at != NULL && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

static bool
enter(struct addresses *addresses, uint64_t key, uint64_t max)
{
	struct address_count **at = find(addresses, key);

	if (*at == NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at == NULL)
			return false;
		(*at)->key = key;
	}
	if ((*at)->connections >= max)
		return false;
	(*at)->connections++;
	return true;
}

bool
addresses_enter(struct addresses *addresses,
    const struct sockaddr_storage *peer, uint64_t max)
{
	uint64_t key;
	bool allowed;

	if (!addresses_key(peer, &key))
		return true;
	pthread_mutex_lock(&addresses->lock);
	allowed = enter(addresses, key, max);
	pthread_mutex_unlock(&addresses->lock);
	return allowed;
}

void
addresses_leave(
    struct addresses *addresses, const struct sockaddr_storage *peer)
{
	struct address_count **at;
	struct address_count *entry;
	uint64_t key;

	if (!addresses_key(peer, &key))
		return;
	pthread_mutex_lock(&addresses->lock);
	at = find(addresses, key);
	entry = *at;
	assert(entry != NULL && entry->connections > 0);
	if (--entry->connections == 0) {
		*at = entry->next;
		free(entry);
	}
	pthread_mutex_unlock(&addresses->lock);
}
