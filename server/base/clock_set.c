/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock_set.h"

#include <event2/event.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/loop_watch.h"

/* A time that no clock reaches: the kernel counts ns in 63 bits. */
static bool
arm(const struct clock_set *clock_set)
{
	const struct itimerspec never = { .it_value = { 9000000000, 0 } };

	return timerfd_settime(clock_set->fd,
		   TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
		   NULL) == 0;
}

static void
on_set(evutil_socket_t fd, short what HERD_UNUSED, void *arg)
{
	struct clock_set *clock_set = arg;
	uint64_t times;

	/* ECANCELED */
	(void)!read(fd, &times, sizeof(times));
	(void)arm(clock_set);
	loop_watch_begin(clock_set->doing);
	clock_set->run(clock_set->arg);
	loop_watch_end();
}

enum herd_error
clock_set_open(struct clock_set *clock_set, struct event_base *base,
    const char *doing, void (*run)(void *arg), void *arg)
{
	*clock_set =
	    (struct clock_set){ .run = run, .arg = arg, .doing = doing };
	clock_set->fd =
	    timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (clock_set->fd < 0)
		return HERD_ESYSTEM;
	clock_set->event = event_new(
	    base, clock_set->fd, EV_READ | EV_PERSIST, on_set, clock_set);
	if (clock_set->event == NULL || !arm(clock_set) ||
	    event_add(clock_set->event, NULL) != 0) {
		clock_set_close(clock_set);
		return HERD_ENOMEM;
	}
	return HERD_OK;
}

void
clock_set_close(struct clock_set *clock_set)
{
	if (clock_set->run == NULL)
		return;
	if (clock_set->event != NULL)
		event_free(clock_set->event);
	if (clock_set->fd >= 0)
		(void)close(clock_set->fd);
	*clock_set = (struct clock_set){ 0 };
}
