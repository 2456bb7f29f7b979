/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/loop.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/xbuf.h"

#define DAY_MS 86400000

void
loop_init(struct loop *loop)
{
	struct event_config *config = event_config_new();

	*loop = (struct loop){ 0 };
	if (config == NULL)
		out_of_memory();
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (loop->base == NULL)
		out_of_memory();
}

static void
free_event(struct event **event)
{
	if (*event != NULL)
		event_free(*event);
	*event = NULL;
}

void
loop_release(struct loop *loop)
{
	free_event(&loop->interrupt);
	free_event(&loop->terminate);
	free_event(&loop->hangup);
	free_event(&loop->suspend);
	if (loop->base != NULL)
		event_base_free(loop->base);
	*loop = (struct loop){ 0 };
}

static void
on_signal(evutil_socket_t number, short what HERD_UNUSED, void *arg)
{
	struct loop *loop = arg;
	const struct loop_terminal *holder = loop->terminal;

	loop->interrupted = true;
	if (number != SIGINT)
		loop->ended_by = (int)number;
	else if (holder != NULL && holder->interrupt != NULL)
		holder->interrupt(holder->arg);
}

/* A shell expects the terminal as it was, and a process that has stopped. */
static void
on_suspend(
    evutil_socket_t number HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	const struct loop *loop = arg;
	const struct loop_terminal *holder = loop->terminal;

	if (holder != NULL)
		holder->leave(holder->arg);
	kill(getpid(), SIGSTOP);
	if (holder != NULL)
		holder->enter(holder->arg);
}

const struct loop_terminal *
loop_hold_terminal(struct loop *loop, const struct loop_terminal *terminal)
{
	const struct loop_terminal *before = loop->terminal;

	loop->terminal = terminal;
	return before;
}

static struct event *
catch_signal(struct loop *loop, int number, event_callback_fn on_it)
{
	struct event *event = evsignal_new(loop->base, number, on_it, loop);

	if (event == NULL || event_add(event, NULL) != 0)
		out_of_memory();
	return event;
}

void
loop_catch_signals(struct loop *loop)
{
	if (loop->interrupt != NULL)
		return;
	loop->interrupt = catch_signal(loop, SIGINT, on_signal);
	loop->terminate = catch_signal(loop, SIGTERM, on_signal);
	loop->hangup = catch_signal(loop, SIGHUP, on_signal);
	loop->suspend = catch_signal(loop, SIGTSTP, on_suspend);
}

void
loop_clear_interrupt(struct loop *loop)
{
	loop->interrupted = loop->ended_by != 0;
}

void
loop_set_flag(int fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	*(bool *)arg = true;
}

static struct timeval
timeval_of(long ms)
{
	return (struct timeval){ .tv_sec = ms / 1000,
		.tv_usec = (ms % 1000) * 1000 };
}

enum wait_result
loop_wait(struct loop *loop, bool (*done)(const void *arg), const void *arg,
    struct mono deadline)
{
	bool rang = false;
	struct event *alarm = NULL;
	enum wait_result result;

	if (deadline.ns != NO_DEADLINE.ns) {
		struct timeval left = timeval_of(deadline_left_ms(deadline));

		alarm = evtimer_new(loop->base, loop_set_flag, &rang);
		if (alarm == NULL || evtimer_add(alarm, &left) != 0)
			out_of_memory();
	}
	for (;;) {
		if (done(arg)) {
			result = WAIT_DONE;
			break;
		}
		if (loop->interrupted) {
			result = WAIT_INTERRUPTED;
			break;
		}
		if (rang) {
			result = WAIT_TIMEOUT;
			break;
		}
		loop_turn(loop);
	}
	free_event(&alarm);
	return result;
}

void
loop_turn(struct loop *loop)
{
	event_base_loop(loop->base, EVLOOP_ONCE);
}

static bool
is_set(const void *arg)
{
	return *(const bool *)arg;
}

enum wait_result
loop_wait_readable(struct loop *loop, int fd, struct mono deadline)
{
	bool readable = false;
	struct event *event =
	    event_new(loop->base, fd, EV_READ, loop_set_flag, &readable);
	enum wait_result result;

	if (event == NULL)
		out_of_memory();
	/* A plain file cannot be watched by epoll; it can always be read. */
	if (event_add(event, NULL) != 0)
		readable = true;
	result = loop_wait(loop, is_set, &readable, deadline);
	free_event(&event);
	return result;
}

enum wait_result
loop_rest(struct loop *loop, uint64_t ns)
{
	bool never = false;

	return loop_wait(loop, is_set, &never, mono_add(now_mono(), ns));
}

static uint64_t
read_clock(clockid_t clock)
{
	struct timespec at;

	clock_gettime(clock, &at);
	return (uint64_t)at.tv_sec * HERD_NS_PER_S + (uint64_t)at.tv_nsec;
}

struct mono
now_mono(void)
{
	return (struct mono){ read_clock(CLOCK_MONOTONIC) };
}

struct wall
now_wall(void)
{
	return (struct wall){ read_clock(CLOCK_REALTIME) };
}

struct mono
deadline_in(uint64_t ns)
{
	return ns == 0 ? NO_DEADLINE : mono_add(now_mono(), ns);
}

long
deadline_left_ms(struct mono deadline)
{
	uint64_t ms = (mono_since(deadline, now_mono()) + HERD_NS_PER_MS - 1) /
		      HERD_NS_PER_MS;

	return ms > DAY_MS ? DAY_MS : (long)ms;
}
