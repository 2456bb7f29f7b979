/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one event loop. A command is plain code that starts what it needs and
 * waits here until its condition holds, its deadline comes or Ctrl-C; what
 * else there is (the REPL's reconnecting, its cache) goes on meanwhile.
 */
#ifndef HERD_CLIENT_LOOP_H
#define HERD_CLIENT_LOOP_H

#include <signal.h>
#include <stdbool.h>

#include "herd/time.h"

struct event_base;
struct event;

struct loop {
	struct event_base *base;
	struct event *interrupt; /* SIGINT; NULL while it simply kills */
	struct event *terminate; /* SIGTERM, SIGHUP */
	struct event *hangup;
	struct event *suspend;
	const struct loop_terminal *terminal; /* who holds it, or NULL */
	bool interrupted; /* Ctrl-C since loop_clear_interrupt() */
	int ended_by;     /* SIGTERM or SIGHUP, 0 = none */
};

/* How the holder of the terminal puts it back, and takes it again. */
struct loop_terminal {
	void (*leave)(void *arg);
	void (*enter)(void *arg);
	void (*interrupt)(void *arg); /* Ctrl-C, as it comes; or NULL */
	void *arg;
};

enum wait_result {
	WAIT_DONE,
	WAIT_TIMEOUT,
	WAIT_INTERRUPTED,
};

/* A deadline that never comes. */
#define NO_DEADLINE ((struct mono){ UINT64_MAX })

void loop_init(struct loop *loop);
void loop_release(struct loop *loop);

/*
 * From here on SIGINT, SIGTERM and SIGHUP end the wait, not the process, so
 * that herdctl can put the terminal back before it leaves. SIGTSTP (Ctrl-Z)
 * stops the process after the holder of the terminal has put it back.
 */
void loop_catch_signals(struct loop *loop);
void loop_clear_interrupt(struct loop *loop);

/* Sets who holds the terminal (borrows); returns who did before. NULL: none. */
const struct loop_terminal *loop_hold_terminal(
    struct loop *loop, const struct loop_terminal *terminal);

/* Runs events until done(arg), the deadline or an interrupt. */
enum wait_result loop_wait(struct loop *loop, bool (*done)(const void *arg),
    const void *arg, struct mono deadline);

/* A callback for an event: sets the bool that `arg' points to. */
void loop_set_flag(int fd, short what, void *arg);

/* Runs events once, waiting for one if there is none. */
void loop_turn(struct loop *loop);

/* Waits until `fd` can be read. */
enum wait_result loop_wait_readable(
    struct loop *loop, int fd, struct mono deadline);

/* Waits `ns` nanoseconds. WAIT_TIMEOUT when they have passed. */
enum wait_result loop_rest(struct loop *loop, uint64_t ns);

struct mono now_mono(void);
struct wall now_wall(void);

/* A timeout in ns from now as a deadline; 0 = none. */
struct mono deadline_in(uint64_t ns);

/* ms until the deadline, at least 0, at most one day. */
long deadline_left_ms(struct mono deadline);

#endif
