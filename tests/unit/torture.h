/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios run again and again, each time with another allocation failing,
 * or another mutex. The functions are replaced in the program that includes
 * this, so that libraries' calls come here as well; sanitizers replace them
 * too, and then everything is only run once.
 */
#ifndef HERD_UNIT_TORTURE_H
#define HERD_UNIT_TORTURE_H

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "unit.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTING 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTING 0
#endif
#endif
#ifndef COUNTING
#define COUNTING 1
#endif

/* The state of the allocator; scenarios read `failed`. */
static size_t calls_left = SIZE_MAX; /* until one fails */
static long live;                    /* allocations and mutexes not freed */
static bool failed;

#if COUNTING
/* glibc's own, under the names that it keeps for replacements. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *old);

static bool
fails_now(void)
{
	if (calls_left == SIZE_MAX)
		return false;
	if (calls_left-- > 0)
		return false;
	calls_left = SIZE_MAX;
	failed = true;
	return true;
}

/* The C library's own parameters have reserved names. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
void *
malloc(size_t size)
{
	void *new = fails_now() ? NULL : __libc_malloc(size);

	live += new != NULL;
	return new;
}

void *
calloc(size_t count, size_t size)
{
	void *new = fails_now() ? NULL : __libc_calloc(count, size);

	live += new != NULL;
	return new;
}

void *
realloc(void *old, size_t size)
{
	void *new = fails_now() ? NULL : __libc_realloc(old, size);

	live += new != NULL &&old == NULL;
	return new;
}

void *
aligned_alloc(size_t alignment, size_t size)
{
	void *new = fails_now() ? NULL : __libc_memalign(alignment, size);

	live += new != NULL;
	return new;
}

void
free(void *old)
{
	live -= old != NULL;
	__libc_free(old);
}

int
pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *how)
{
	static int (*real)(pthread_mutex_t *, const pthread_mutexattr_t *);

	if (fails_now())
		return ENOMEM;
	if (real == NULL)
		real = (int (*)(pthread_mutex_t *,
		    const pthread_mutexattr_t *))dlsym(RTLD_NEXT,
		    "pthread_mutex_init");
	live++;
	return real(mutex, how);
}

int
pthread_mutex_destroy(pthread_mutex_t *mutex)
{
	static int (*real)(pthread_mutex_t *);

	if (real == NULL)
		real = (int (*)(pthread_mutex_t *))dlsym(
		    RTLD_NEXT, "pthread_mutex_destroy");
	live--;
	return real(mutex);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
#endif

/*
 * Runs `scenario` with its first, second, ... allocation failing, until none
 * did; whatever failed, nothing may be leaked.
 */
static inline void
torture_scenario(void (*scenario)(void))
{
	size_t n = 0;

	do {
		long before = live;

		failed = false;
		calls_left = COUNTING ? n : SIZE_MAX;
		scenario();
		calls_left = SIZE_MAX;
		if (live != before)
			fail_msg("allocation %zu failed: %ld leaked", n,
			    live - before);
		n++;
	} while (failed);
	print_message("%zu allocations\n", n - 1);
}

#endif
