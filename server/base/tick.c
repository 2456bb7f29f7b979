/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/tick.h"

#include <event2/event.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop_watch.h"

static void
on_expired(evutil_socket_t fd, short what HERD_UNUSED, void *arg)
{
	struct tick *tick = arg;
	uint64_t times;

	/* It was set again meanwhile. */
	if (read(fd, &times, sizeof(times)) != sizeof(times))
		return;
	loop_watch_begin(tick->doing);
	tick->at = (struct mono){ 0 };
	tick->ran = clock_mono();
	tick->run(tick->arg);
	loop_watch_end();
}

enum herd_error
tick_open(struct tick *tick, struct event_base *base, int priority,
    const char *doing, void (*run)(void *arg), void *arg)
{
	*tick = (struct tick){ .run = run, .arg = arg, .doing = doing };
	tick->fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (tick->fd < 0)
		return HERD_ESYSTEM;
	tick->event =
	    event_new(base, tick->fd, EV_READ | EV_PERSIST, on_expired, tick);
	if (tick->event == NULL ||
	    (priority >= 0 && event_priority_set(tick->event, priority) != 0) ||
	    event_add(tick->event, NULL) != 0) {
		tick_close(tick);
		return HERD_ENOMEM;
	}
	return HERD_OK;
}

void
tick_close(struct tick *tick)
{
	if (tick->run == NULL)
		return;
	if (tick->event != NULL)
		event_free(tick->event);
	if (tick->fd >= 0)
		(void)close(tick->fd);
	*tick = (struct tick){ 0 };
}

void
tick_in(struct tick *tick, uint64_t ns)
{
	const struct itimerspec when = { .it_value = {
					     (time_t)(ns / HERD_NS_PER_S),
					     (long)(ns % HERD_NS_PER_S) } };

	tick->at = mono_add(clock_mono(), ns);
	(void)timerfd_settime(tick->fd, 0, &when, NULL);
}

void
tick_soon(struct tick *tick, uint64_t ns)
{
	if (tick->at.ns == 0 || tick->at.ns > clock_mono().ns + ns)
		tick_in(tick, ns);
}
