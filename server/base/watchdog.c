/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/loop_watch.h"
#include "base/notify.h"
#include "base/thread.h"

/* Turns that end tell of themselves: looks are for those that do not. */
#define LOOK_NS HERD_NS_PER_S
/* So long between two looks: the process did not run at all. */
#define PAUSE_NS (2u * HERD_NS_PER_S)

struct watchdog {
	struct log *log;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ending;
	bool slow;              /* a slow turn has ended */
	struct mono looked;     /* last time */
	struct mono told;       /* systemd */
	uint64_t tell_every_ns; /* 0 = systemd does not ask */
};

static void
tell_slow(struct watchdog *watchdog, const struct loop_watch *watch,
    const char *doing, uint64_t turn_ns)
{
	LOG(watchdog->log, LOG_WARN, "slow-turn",
	    log_text("thread", watch->thread), log_text("doing", doing),
	    log_number("ms", (int64_t)(turn_ns / HERD_NS_PER_MS)));
}

/* Returns how long its turn lasts already. */
static uint64_t
look_at(struct watchdog *watchdog, struct loop_watch *watch)
{
	struct loop_watch_late late = loop_watch_take_late(watch);
	struct loop_watch_look look =
	    loop_watch_look(watch, loop_watch_now_ns());

	if (late.count > 0)
		tell_slow(watchdog, watch, late.doing, late.turn_ns);
	if (look.tell)
		tell_slow(watchdog, watch, look.doing, look.turn_ns);
	return look.turn_ns;
}

static void
look_at_all(struct watchdog *watchdog, struct mono now)
{
	uint64_t longest = 0;

	for (unsigned i = 0; i < loop_watch_count(); i++) {
		uint64_t turn_ns = look_at(watchdog, loop_watch_at(i));

		if (turn_ns > longest)
			longest = turn_ns;
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

/* Looks as often as systemd wants to hear, at least. */
static uint64_t
look_every_ns(const struct watchdog *watchdog)
{
	uint64_t tell = watchdog->tell_every_ns;

	return tell != 0 && tell / 2 < LOOK_NS ? tell / 2 : LOOK_NS;
}

/* The condition's clock does not go on while the machine sleeps. */
static void
wait_for_next(struct watchdog *watchdog)
{
	uint64_t at_ns =
	    clock_read_ns(CLOCK_MONOTONIC) + look_every_ns(watchdog);
	const struct timespec at = { (time_t)(at_ns / HERD_NS_PER_S),
		(long)(at_ns % HERD_NS_PER_S) };

	while (!watchdog->ending && !watchdog->slow &&
	       pthread_cond_timedwait(
		   &watchdog->changed, &watchdog->lock, &at) == 0)
		;
	watchdog->slow = false;
}

/* In the thread whose turn was slow. */
static void
on_slow(void *arg)
{
	struct watchdog *watchdog = arg;

	pthread_mutex_lock(&watchdog->lock);
	watchdog->slow = true;
	pthread_cond_signal(&watchdog->changed);
	pthread_mutex_unlock(&watchdog->lock);
}

static void *
run_watchdog(void *arg)
{
	struct watchdog *watchdog = arg;

	pthread_mutex_lock(&watchdog->lock);
	while (!watchdog->ending) {
		pthread_mutex_unlock(&watchdog->lock);
		look(watchdog);
		pthread_mutex_lock(&watchdog->lock);
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
	pthread_cond_init(&watchdog->changed, &how);
	pthread_condattr_destroy(&how);
	error = thread_start(
	    &watchdog->thread, "watchdog", 0, run_watchdog, watchdog);
	if (error != 0) {
		pthread_cond_destroy(&watchdog->changed);
		pthread_mutex_destroy(&watchdog->lock);
		free(watchdog);
		errno = error;
		return HERD_ESYSTEM;
	}
	loop_watch_set_on_slow(on_slow, watchdog);
	*out = watchdog;
	return HERD_OK;
}

void
watchdog_close(struct watchdog *watchdog)
{
	if (watchdog == NULL)
		return;
	loop_watch_set_on_slow(NULL, NULL);
	pthread_mutex_lock(&watchdog->lock);
	watchdog->ending = true;
	pthread_cond_signal(&watchdog->changed);
	pthread_mutex_unlock(&watchdog->lock);
	pthread_join(watchdog->thread, NULL);
	pthread_cond_destroy(&watchdog->changed);
	pthread_mutex_destroy(&watchdog->lock);
	free(watchdog);
}
