/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a command says: errors with their hints, notices and questions on
 * stderr, lines of its answer on stdout.
 * It is part of run.h.
 */
#ifndef HERD_CLIENT_RUN_MESSAGE_H
#define HERD_CLIENT_RUN_MESSAGE_H

#include "run/run.h"

/*
 * Reports that the node `name` failed, why, and a hint (or NULL); returns
 * `status`.
 */
enum status run_fail_node(struct run *run, enum status status, const char *name,
    const char *message, const char *hint);

/* Reports an error on stderr, cleaned for a terminal; returns `status`. */
enum status run_fail(struct run *run, enum status status, const char *fmt, ...)
    HERD_PRINTF(3, 4);

/* As run_fail(), where no command runs: a line or file is wrong as a whole. */
enum status run_fail_without(struct app *app, const struct prefs *prefs,
    const char *place, enum status status, const char *text);

/* As run_fail_without() for a line of these words; a plugin says UNKNOWN. */
enum status run_fail_words(struct app *app, const struct prefs *prefs,
    const char *place, const char *const *words, size_t count,
    enum status status, const char *text);

/* As run_fail() with what a callee left in run->message. */
enum status run_fail_message(struct run *run, enum status status);

/* A line of the answer, where the answer is no rows. */
void run_print(struct run *run, const char *fmt, ...) HERD_PRINTF(2, 3);

/* A hint at the next command; on a terminal only. */
void run_hint(struct run *run, const char *fmt, ...) HERD_PRINTF(2, 3);

/* For a person who waits: when stderr is a terminal. */
void run_notice(struct run *run, const char *fmt, ...) HERD_PRINTF(2, 3);

/* What a person and a script have to know; cleaned; nothing with --quiet. */
void run_note(struct run *run, const char *fmt, ...) HERD_PRINTF(2, 3);

/* With --verbose only. */
void run_verbose(struct run *run, const char *fmt, ...) HERD_PRINTF(2, 3);

/* Asks before destroying; STATUS_OK when it may be done. */
enum status run_confirm(struct run *run, const char *fmt, ...)
    HERD_PRINTF(2, 3);

/* Was the wait interrupted, or timed out? The status for that. */
enum status run_wait_status(struct run *run, enum wait_result result);

#endif
