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
void streams_free(struct streams *streams); /* NULL is fine */

/* As streams_open(), but waits for nothing. */
enum status streams_start(struct run *run, const char *path,
    stream_on_line *on_line, void *arg, struct streams **out);

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

/*
 * The i-th target and why it failed, NULL if it did not; borrowed. False: there
 * are no more.
 */
bool streams_failure(const struct streams *streams, size_t i,
    const struct target **target, const char **message);

/* OK, PARTIAL or what all failed with; streams_report() says it as well. */
enum status streams_status(const struct streams *streams);

/* Says what failed; OK, PARTIAL or what all failed with. */
enum status streams_report(struct streams *streams);

#endif
