/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "places/question.h"

#define BUCKETS 4096u /* a power of two */

struct entry {
	TAILQ_ENTRY(entry) by_use; /* the newest at the tail */
	struct entry *next;        /* in its bucket */
	struct places_question question;
	struct mono kept_at;
	struct mono failed_at;     /* 0 = not since kept_at */
	struct answer_facts facts; /* a good status: `text` is an answer */
	size_t len;                /* 0 = nothing is kept yet */
	char *text;
};

TAILQ_HEAD(entries, entry);

struct cache {
	pthread_mutex_t lock;
	struct entry *buckets[BUCKETS];
	struct entries by_use;
	size_t count;
	size_t bytes;
};

enum herd_error
cache_open(struct cache **out)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return HERD_ENOMEM;
	pthread_mutex_init(&cache->lock, NULL);
	TAILQ_INIT(&cache->by_use);
	*out = cache;
	return HERD_OK;
}

void
cache_close(struct cache *cache)
{
	if (cache == NULL)
		return;
	(void)cache_flush(cache);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static struct entry **
bucket_of(struct cache *cache, const struct places_question *question)
{
	return &cache->buckets[question_hash(question) & (BUCKETS - 1)];
}

static struct entry *
find(struct cache *cache, const struct places_question *question)
{
	struct entry *entry = *bucket_of(cache, question);

	while (entry != NULL && !question_equal(&entry->question, question))
		entry = entry->next;
	return entry;
}

static size_t
entry_bytes(const struct entry *entry)
{
	return sizeof(*entry) + entry->len;
}

static void
drop(struct cache *cache, struct entry *entry)
{
	struct entry **at = bucket_of(cache, &entry->question);

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	TAILQ_REMOVE(&cache->by_use, entry, by_use);
	cache->count--;
	cache->bytes -= entry_bytes(entry);
	free(entry->text);
	free(entry);
}

static struct entry *
add(struct cache *cache, const struct places_question *question)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	struct entry **at = bucket_of(cache, question);

	if (entry == NULL)
		return NULL;
	entry->question = *question;
	entry->next = *at;
	*at = entry;
	TAILQ_INSERT_TAIL(&cache->by_use, entry, by_use);
	cache->count++;
	cache->bytes += entry_bytes(entry);
	return entry;
}

/* What the entry is good for now. */
static enum cache_finding
judge(const struct entry *entry, struct mono now)
{
	uint64_t age = mono_since(now, entry->kept_at);
	bool failed = entry->failed_at.ns != 0 &&
		      mono_since(now, entry->failed_at) < CACHE_FAILURE_NS;

	if (entry->len == 0)
		return CACHE_NOTHING;
	if (!answer_is_good(entry->facts.status))
		return failed ? CACHE_FAILURE : CACHE_NOTHING;
	if (age < CACHE_FRESH_NS)
		return CACHE_FRESH;
	if (age < CACHE_FRESH_NS + CACHE_STALE_NS)
		return failed ? CACHE_FRESH : CACHE_STALE;
	return CACHE_NOTHING;
}

enum cache_finding
cache_find(struct cache *cache, const struct places_question *question,
    struct mono now, struct buf *text, struct answer_facts *facts)
{
	enum cache_finding finding = CACHE_NOTHING;
	struct entry *entry;

	pthread_mutex_lock(&cache->lock);
	entry = find(cache, question);
	if (entry != NULL) {
		finding = judge(entry, now);
		TAILQ_REMOVE(&cache->by_use, entry, by_use);
		TAILQ_INSERT_TAIL(&cache->by_use, entry, by_use);
	}
	if (finding != CACHE_NOTHING &&
	    buf_add(text, entry->text, entry->len) != HERD_OK)
		finding = CACHE_NOTHING;
	if (finding != CACHE_NOTHING)
		*facts = entry->facts;
	pthread_mutex_unlock(&cache->lock);
	return finding;
}

/* A failure does not replace an answer that can still serve. */
static void
put(struct cache *cache, struct entry *entry, struct mono now, struct span text,
    const struct answer_facts *facts)
{
	bool good = answer_is_good(facts->status);
	enum cache_finding before = judge(entry, now);
	char *copy;

	if (!good)
		entry->failed_at = now;
	if (!good && (before == CACHE_FRESH || before == CACHE_STALE))
		return;
	copy = malloc(text.len);
	if (copy == NULL)
		return;
	memcpy(copy, text.data, text.len);
	free(entry->text);
	cache->bytes += text.len;
	cache->bytes -= entry->len;
	entry->text = copy;
	entry->len = text.len;
	entry->facts = *facts;
	if (good) {
		entry->kept_at = now;
		entry->failed_at.ns = 0;
	}
}

void
cache_keep(struct cache *cache, const struct places_question *question,
    struct mono now, struct span text, const struct answer_facts *facts)
{
	struct entry *entry;

	if (text.len == 0 || text.len > CACHE_BYTES_MAX / 4)
		return;
	pthread_mutex_lock(&cache->lock);
	entry = find(cache, question);
	if (entry == NULL)
		entry = add(cache, question);
	if (entry != NULL)
		put(cache, entry, now, text, facts);
	while (
	    cache->count > CACHE_ENTRIES_MAX || cache->bytes > CACHE_BYTES_MAX)
		/* The analyzer does not see that the queue's head moves. */
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		drop(cache, TAILQ_FIRST(&cache->by_use));
	pthread_mutex_unlock(&cache->lock);
}

size_t
cache_flush(struct cache *cache)
{
	size_t count;

	pthread_mutex_lock(&cache->lock);
	count = cache->count;
	while (cache->count > 0)
		drop(cache, TAILQ_FIRST(&cache->by_use));
	pthread_mutex_unlock(&cache->lock);
	return count;
}

void
cache_size(struct cache *cache, size_t *entries, size_t *bytes)
{
	pthread_mutex_lock(&cache->lock);
	*entries = cache->count;
	*bytes = cache->bytes;
	pthread_mutex_unlock(&cache->lock);
}
