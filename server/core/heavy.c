/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/heavy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)
#define WEIGHT_MAX (1u << 20)

/* --- one half window ----------------------------------------------------- */

static void
half_clear(struct heavy_half *half, unsigned size)
{
	half->total = 0;
	half->least = 0;
	half->used = 0;
	half->hand = 0;
	memset(half->buckets, 0, 2u * size * sizeof(*half->buckets));
}

static void
half_release(struct heavy_half *half)
{
	free(half->counts);
	free(half->counters);
	free(half->labels);
	free(half->buckets);
}

static bool
half_init(struct heavy_half *half, unsigned size, unsigned label_max)
{
	half->counts = calloc(size, sizeof(*half->counts));
	half->counters = calloc(size, sizeof(*half->counters));
	half->labels = calloc(size, label_max);
	half->buckets = calloc(2u * size, sizeof(*half->buckets));
	return half->counts != NULL && half->counters != NULL &&
	       half->labels != NULL && half->buckets != NULL;
}

static uint16_t *
bucket_of(const struct heavy *heavy, struct heavy_half *half, uint64_t key)
{
	return &half->buckets[(key * GOLDEN) >> 32 & (2u * heavy->size - 1)];
}

/* The place that has the counter's number, or the end of its bucket. */
static uint16_t *
find(const struct heavy *heavy, struct heavy_half *half, uint64_t key)
{
	uint16_t *at = bucket_of(heavy, half, key);

	while (*at != 0 && half->counters[*at - 1].key != key)
		at = &half->counters[*at - 1].next;
	return at;
}

/*
 * Counts only grow, so the counters that have the least count are looked for
 * once for all of them.
 */
static unsigned
find_least(const struct heavy *heavy, struct heavy_half *half)
{
	for (;;) {
		uint64_t least = UINT64_MAX;

		for (; half->hand < heavy->size; half->hand++) {
			if (half->counts[half->hand] == half->least)
				return half->hand;
		}
		for (unsigned i = 0; i < heavy->size; i++) {
			if (half->counts[i] < least)
				least = half->counts[i];
		}
		half->least = least;
		half->hand = 0;
	}
}

/* The counter of a new key: a free one, or the least. */
static unsigned
take_counter(const struct heavy *heavy, struct heavy_half *half)
{
	unsigned at;
	uint16_t *place;

	if (half->used < heavy->size) {
		half->counts[half->used] = 0;
		return half->used++;
	}
	at = find_least(heavy, half);
	place = find(heavy, half, half->counters[at].key);
	*place = half->counters[at].next;
	return at;
}

static void
half_count(const struct heavy *heavy, struct heavy_half *half, uint64_t key,
    struct span label, uint64_t events)
{
	uint16_t *place = find(heavy, half, key);
	unsigned at;

	half->total += events;
	if (*place == 0) {
		struct heavy_counter *counter;
		size_t kept =
		    label.len < heavy->label_max ? label.len : heavy->label_max;

		at = take_counter(heavy, half);
		counter = &half->counters[at];
		counter->key = key;
		counter->before = half->counts[at];
		counter->len = (uint32_t)label.len;
		memcpy(half->labels + (size_t)at * heavy->label_max, label.data,
		    kept);
		/* The bucket may have changed at its end. */
		place = bucket_of(heavy, half, key);
		counter->next = *place;
		*place = (uint16_t)(at + 1);
	}
	half->counts[*place - 1] += events;
}

/* --- one in so many ------------------------------------------------------ */

/* xorshift64*: nobody outside may guess which events are counted. */
static uint32_t
next_random(struct heavy *heavy)
{
	heavy->random ^= heavy->random >> 12;
	heavy->random ^= heavy->random << 25;
	heavy->random ^= heavy->random >> 27;
	return (uint32_t)(heavy->random * UINT64_C(2685821657736338717) >> 32);
}

/* From 1 to 2 * every - 1, `every` on average. */
static void
draw(struct heavy *heavy)
{
	heavy->weight = heavy->every;
	heavy->left = 1;
	if (heavy->every > 1)
		heavy->left += next_random(heavy) % (2 * heavy->every - 1);
}

void
heavy_take(
    struct heavy *heavy, uint64_t key, struct span label, uint32_t events)
{
	uint64_t counted = 0;

	while (heavy->left <= events) {
		events -= heavy->left;
		counted += heavy->weight;
		if (++heavy->taken % HEAVY_TAKEN == 0 &&
		    heavy->every < WEIGHT_MAX)
			heavy->every *= 2;
		draw(heavy);
	}
	heavy->left -= events;
	heavy->seen += counted;
	half_count(heavy, &heavy->halves[heavy->now], key, label, counted);
}

/* As many as would have been right for the turn that ends. */
static void
choose_every(struct heavy *heavy)
{
	uint64_t every = (heavy->seen + HEAVY_TAKEN - 1) / HEAVY_TAKEN;

	every = every < 1 ? 1 : every > WEIGHT_MAX ? WEIGHT_MAX : every;
	heavy->taken = 0;
	heavy->seen = 0;
	if (every == heavy->every)
		return;
	heavy->every = (uint32_t)every;
	/* A quiet stream does not wait for what was right for a busy one. */
	if (heavy->left > 2 * heavy->every)
		draw(heavy);
}

static double
most_per_s(const struct heavy_half *half, uint64_t ns)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < half->used; i++) {
		uint64_t own = half->counts[i] - half->counters[i].before;

		most = own > most ? own : most;
	}
	return (double)most * 1e9 / (double)ns;
}

bool
heavy_turn(struct heavy *heavy, struct mono now)
{
	uint64_t ns = mono_since(now, heavy->began);

	choose_every(heavy);
	if (ns < HEAVY_HALF_NS)
		return false;
	heavy->past_ns = ns;
	heavy->past_most = most_per_s(&heavy->halves[heavy->now], ns);
	heavy->began = now;
	heavy->now = !heavy->now;
	half_clear(&heavy->halves[heavy->now], heavy->size);
	return true;
}

/* --- reading ------------------------------------------------------------- */

static unsigned
read_half(const struct heavy *heavy, unsigned which, double seconds,
    struct heavy_row *rows, struct heavy_sums *sums)
{
	const struct heavy_half *half = &heavy->halves[which];
	uint64_t least = half->used < heavy->size ? 0 : UINT64_MAX;

	for (unsigned i = 0; i < half->used; i++) {
		const struct heavy_counter *counter = &half->counters[i];

		if (half->counts[i] < least)
			least = half->counts[i];
		rows[i] = (struct heavy_row){
			.key = counter->key,
			.per_s = (double)(half->counts[i] - counter->before) /
				 seconds,
			.len = counter->len,
			.shown = counter->len < heavy->label_max
				     ? counter->len
				     : heavy->label_max,
			.label = half->labels + (size_t)i * heavy->label_max,
		};
	}
	sums->per_s += (double)half->total / seconds;
	sums->missed_per_s += (double)least / seconds;
	return half->used;
}

unsigned
heavy_read(const struct heavy *heavy, struct mono now, struct heavy_row *rows,
    struct heavy_sums *sums)
{
	double seconds =
	    (double)(mono_since(now, heavy->began) + heavy->past_ns) / 1e9;
	unsigned count;

	/* The first events are no rate yet. */
	if (seconds < 1)
		seconds = 1;
	*sums = (struct heavy_sums){ .window_s = seconds };
	count = read_half(heavy, heavy->now, seconds, rows, sums);
	if (heavy->past_ns != 0)
		count +=
		    read_half(heavy, !heavy->now, seconds, rows + count, sums);
	return count;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct heavy_row *x = a;
	const struct heavy_row *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static int
compare_rates(const void *a, const void *b)
{
	const struct heavy_row *x = a;
	const struct heavy_row *y = b;

	if (x->per_s > y->per_s || x->per_s < y->per_s)
		return x->per_s > y->per_s ? -1 : 1;
	return compare_keys(a, b);
}

unsigned
heavy_merge(struct heavy_row *rows, unsigned count)
{
	unsigned kept = 0;

	qsort(rows, count, sizeof(*rows), compare_keys);
	for (unsigned i = 0; i < count; i++) {
		if (kept > 0 && rows[kept - 1].key == rows[i].key)
			rows[kept - 1].per_s += rows[i].per_s;
		else
			rows[kept++] = rows[i];
	}
	return kept;
}

void
heavy_sort(struct heavy_row *rows, unsigned count)
{
	qsort(rows, count, sizeof(*rows), compare_rates);
}

/* --- life ---------------------------------------------------------------- */

enum herd_error
heavy_init(struct heavy *heavy, unsigned size, unsigned label_max,
    uint64_t seed, struct mono now)
{
	assert(size > 0 && size <= HEAVY_SIZE_MAX && (size & (size - 1)) == 0);
	*heavy = (struct heavy){
		.size = size,
		.label_max = label_max,
		.began = now,
		.random = seed | 1,
		.every = 1,
	};
	draw(heavy);
	if (half_init(&heavy->halves[0], size, label_max) &&
	    half_init(&heavy->halves[1], size, label_max))
		return HERD_OK;
	heavy_release(heavy);
	return HERD_ENOMEM;
}

void
heavy_release(struct heavy *heavy)
{
	half_release(&heavy->halves[0]);
	half_release(&heavy->halves[1]);
	*heavy = (struct heavy){ .size = 0 };
}

size_t
heavy_bytes(unsigned size, unsigned label_max)
{
	const struct heavy_half *half = NULL;

	return 2u * size *
	       (sizeof(*half->counts) + sizeof(*half->counters) + label_max +
		   2u * sizeof(*half->buckets));
}
