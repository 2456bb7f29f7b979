/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the unit tests share: cmocka with what it needs, short assertions,
 * random numbers that can be repeated, and memory with a fence at both ends.
 */
#ifndef HERD_UNIT_H
#define HERD_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "herd/buf.h"

#define assert_ok(call) assert_int_equal(call, HERD_OK)

/* The bytes of a span or buffer against a C string; both shown on failure. */
static inline void
unit_assert_span(struct span got, const char *want, const char *file, int line)
{
	if (span_is(got, want))
		return;
	print_error(
	    "got  \"" SPAN_FMT "\"\nwant \"%s\"\n", SPAN_ARG(got), want);
	_fail(file, line);
}
#define assert_span(got, want) unit_assert_span(got, want, __FILE__, __LINE__)
#define assert_buf(got, want) \
	unit_assert_span(buf_span(got), want, __FILE__, __LINE__)

/* splitmix64 */
struct unit_random {
	uint64_t state;
};

static inline uint64_t
unit_next(struct unit_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 to n - 1 */
static inline size_t
unit_below(struct unit_random *random, size_t n)
{
	return (size_t)(unit_next(random) % n);
}

/* Another seed on each run, printed; UNIT_SEED repeats one. */
static inline struct unit_random
unit_random(const char *test)
{
	const char *given = getenv("UNIT_SEED");
	struct timespec now;
	struct unit_random random;

	clock_gettime(CLOCK_REALTIME, &now);
	random.state = given != NULL ? strtoull(given, NULL, 0)
				     : (uint64_t)now.tv_sec * 1000000000u +
					   (uint64_t)now.tv_nsec;
	print_message(
	    "%s: UNIT_SEED=%llu\n", test, (unsigned long long)random.state);
	return random;
}

/*
 * One page between two that may not be touched: a text put at either end
 * shows a read of even one byte outside it.
 */
struct unit_fence {
	char *page;
	size_t size;
};

static inline struct unit_fence
unit_fence_new(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *map = mmap(
	    NULL, 3u * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map + size, size, PROT_READ | PROT_WRITE), 0);
	return (struct unit_fence){ map + size, size };
}

static inline void
unit_fence_free(struct unit_fence *fence)
{
	assert_int_equal(
	    munmap(fence->page - fence->size, 3u * fence->size), 0);
}

/* A copy whose first byte is the page's first. */
static inline struct span
unit_fence_left(struct unit_fence *fence, struct span text)
{
	assert_true(text.len <= fence->size);
	memcpy(fence->page, text.data, text.len);
	return span_of(fence->page, text.len);
}

/* A copy whose last byte is the page's last. */
static inline struct span
unit_fence_right(struct unit_fence *fence, struct span text)
{
	char *start = fence->page + fence->size - text.len;

	assert_true(text.len <= fence->size);
	memcpy(start, text.data, text.len);
	return span_of(start, text.len);
}

#endif
