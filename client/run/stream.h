/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Endless answers of the admin API, line by line, from all of the run's
 * targets at once.
 */
#ifndef HERD_CLIENT_STREAM_H
#define HERD_CLIENT_STREAM_H

#include "run/run.h"

#define STREAM_LINE_MAX (1u << 20)

struct streams;

/* A line without LF, valid during the call. */
typedef void stream_on_line(
    void *arg, const struct target *target, struct span line);

/*
 * Opens the same path on every target. A target that does not begin to
 * answer within the timeout, or ends, is reported on stderr. *out is to be
 * freed in any case.
 */
enum status streams_open(struct run *run, const char *path,
    stream_on_line *on_line, void *arg, struct streams **out);

/*
 * The steps of it: asks; waits until each has begun or ended, or until then;
 * ends those that have not begun.
 */
enum status streams_start(struct run *run, const char *path,
    stream_on_line *on_line, void *arg, struct streams **out);
enum status streams_await(struct streams *streams, struct mono until);
void streams_drop_silent(struct streams *streams);

enum stream_state {
	STREAM_WAITING, /* it has not begun */
	STREAM_OPEN,
	STREAM_ENDED, /* *why says why */
};

/* How the stream of the i-th target is. */
enum stream_state streams_state(
    const struct streams *streams, size_t i, const char **why);

void streams_free(struct streams *streams); /* NULL is fine */

/* `on_pause(arg)` is called when the lines that have come are through. */
void streams_on_pause(struct streams *streams, void (*on_pause)(void *arg));

/* Ends the target's stream with that error. */
void streams_fail(struct streams *streams, const struct target *target,
    enum status status, const char *message, const char *hint);

/*
 * For streams that have an end: waits until all are there, or done(arg). One
 * that is silent for the run's timeout has failed. STATUS_SIGINT: Ctrl-C.
 */
enum status streams_finish(
    struct streams *streams, bool (*done)(const void *arg), const void *arg);

/*
 * Waits until done(arg) (may be NULL), all have ended, the deadline, or
 * Ctrl-C (STATUS_SIGINT). STATUS_OK otherwise.
 */
enum status streams_wait(struct streams *streams, bool (*done)(const void *arg),
    const void *arg, struct mono deadline);

/* OK, PARTIAL or what all failed with; streams_report() says it as well. */
enum status streams_status(const struct streams *streams);

/* Says what failed; OK, PARTIAL or what all failed with. */
enum status streams_report(struct streams *streams);

#endif
