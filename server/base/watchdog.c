/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/loop_watch.h"
#include "base/notify.h"
#include "base/thread.h"

#define LOOK_NS (25u * HERD_NS_PER_MS)
/* So long between two looks: the process did not run at all. */
#define PAUSE_NS HERD_NS_PER_S

struct watchdog {
	struct log *log;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ends;
	bool ending;
	struct mono looked;     /* last time */
	struct mono told;       /* systemd */
	uint64_t tell_every_ns; /* 0 = systemd does not ask */
};

static void
look_at_all(struct watchdog *watchdog, struct mono now)
{
	uint64_t longest = 0;

	for (unsigned i = 0; i < loop_watch_count(); i++) {
		struct loop_watch *watch = loop_watch_at(i);
		struct loop_watch_look look = loop_watch_look(watch, now);

		if (look.turn_ns > longest)
			longest = look.turn_ns;
		if (look.tell)
			LOG(watchdog->log, LOG_WARN, "slow-turn",
			    log_text("thread", watch->thread),
			    log_text("doing", look.doing),
			    log_number("ms",
				(int64_t)(look.turn_ns / HERD_NS_PER_MS)));
	}
	/* A stuck loop is given as long as systemd waits, not longer. */
	if (watchdog->tell_every_ns != 0 && longest < watchdog->tell_every_ns &&
	    mono_since(now, watchdog->told) >= watchdog->tell_every_ns) {
		notify("WATCHDOG=1");
		watchdog->told = now;
	}
}

static void
look(struct watchdog *watchdog)
{
	struct mono now = clock_mono();
	uint64_t since = mono_since(now, watchdog->looked);

	watchdog->looked = now;
	if (since >= PAUSE_NS) {
		LOG(watchdog->log, LOG_WARN, "paused",
		    log_number("ms", (int64_t)(since / HERD_NS_PER_MS)),
		    log_text("next", "the process did not run: stopped, out of "
				     "memory, or the machine was"));
		for (unsigned i = 0; i < loop_watch_count(); i++)
			loop_watch_forget(loop_watch_at(i));
	}
	look_at_all(watchdog, now);
}

static void
wait_for_next(struct watchdog *watchdog)
{
	uint64_t at_ns = clock_mono().ns + LOOK_NS;
	const struct timespec at = { (time_t)(at_ns / HERD_NS_PER_S),
		(long)(at_ns % HERD_NS_PER_S) };

	(void)pthread_cond_timedwait(&watchdog->ends, &watchdog->lock, &at);
}

static void *
run_watchdog(void *arg)
{
	struct watchdog *watchdog = arg;

	pthread_mutex_lock(&watchdog->lock);
	while (!watchdog->ending) {
		look(watchdog);
		wait_for_next(watchdog);
	}
	pthread_mutex_unlock(&watchdog->lock);
	return NULL;
}

enum herd_error
watchdog_open(struct log *log, struct watchdog **out)
{
	struct watchdog *watchdog = calloc(1, sizeof(*watchdog));
	pthread_condattr_t how;
	int error;

	if (watchdog == NULL)
		return HERD_ENOMEM;
	watchdog->log = log;
	watchdog->looked = clock_mono();
	watchdog->told = watchdog->looked;
	watchdog->tell_every_ns = notify_watchdog_ns() / 2;
	pthread_mutex_init(&watchdog->lock, NULL);
	pthread_condattr_init(&how);
	pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
	pthread_cond_init(&watchdog->ends, &how);
	pthread_condattr_destroy(&how);
	error = thread_start(
	    &watchdog->thread, "watchdog", 0, run_watchdog, watchdog);
	if (error != 0) {
		pthread_cond_destroy(&watchdog->ends);
		pthread_mutex_destroy(&watchdog->lock);
		free(watchdog);
		errno = error;
		return HERD_ESYSTEM;
	}
	*out = watchdog;
	return HERD_OK;
}

void
watchdog_close(struct watchdog *watchdog)
{
	if (watchdog == NULL)
		return;
	pthread_mutex_lock(&watchdog->lock);
	watchdog->ending = true;
	pthread_cond_signal(&watchdog->ends);
	pthread_mutex_unlock(&watchdog->lock);
	pthread_join(watchdog->thread, NULL);
	pthread_cond_destroy(&watchdog->ends);
	pthread_mutex_destroy(&watchdog->lock);
	free(watchdog);
}
