/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log: one event a line on stderr, logfmt or JSON, and the last lines in
 * memory for the admin API. To systemd's journal each line has its priority in
 * front, "<4>", which the journal takes off. Values from outside are escaped
 * and cut. Each
 * event name has its own rate limit, so that a flood costs a counter. If nobody
 * reads stderr, lines are lost, and no thread waits. Any thread.
 */
#ifndef HERD_LOG_H
#define HERD_LOG_H

#include <stdarg.h>

#include "herd/buf.h"
#include "herd/settings.h"

#define LOG_FIELD_MAX 256u /* bytes of a value that are shown */
#define LOG_LINE_MAX 4096u
#define LOG_KEPT 1024u     /* lines for `log tail` */
#define LOG_EVENTS_MAX 64u /* event names with a rate limit */
#define LOG_BURST 50u      /* lines of one event name per second */

struct log;

enum log_field_type { LOG_FIELD_END, LOG_FIELD_TEXT, LOG_FIELD_NUMBER };

struct log_field {
	enum log_field_type type;
	const char *key;
	struct span text;
	int64_t number;
};

static inline struct log_field
log_span(const char *key, struct span text)
{
	return (struct log_field){ LOG_FIELD_TEXT, key, text, 0 };
}

static inline struct log_field
log_text(const char *key, const char *text)
{
	return log_span(key, span_from(text));
}

static inline struct log_field
log_number(const char *key, int64_t number)
{
	return (struct log_field){ LOG_FIELD_NUMBER, key, { "", 0 }, number };
}

/*
 * Gives *out; writes to file descriptor `fd`, which it does not close.
 */
HERD_MUST_CHECK enum herd_error log_open(
    int fd, enum log_level level, enum log_format format, struct log **out);
void log_close(struct log *log);

enum log_level log_level_get(const struct log *log);
void log_level_set(struct log *log, enum log_level level);
void log_format_set(struct log *log, enum log_format format);

/* `fields` end with a LOG_FIELD_END. Use LOG(). */
void log_event(struct log *log, enum log_level level, const char *event,
    const struct log_field *fields);

#define LOG(log, level, event, ...)     \
	log_event(log, level, event,    \
	    (const struct log_field[]){ \
		__VA_ARGS__, { LOG_FIELD_END, NULL, { NULL, 0 }, 0 } })

/* Appends the last `count` lines, each with LF, oldest first. */
HERD_MUST_CHECK enum herd_error log_lines(
    struct log *log, unsigned count, struct buf *out);

/* The number of the line that will come next. */
uint64_t log_next(struct log *log);

/*
 * For a follower: appends lines from number *next on, as many as fit into
 * `out`, and moves *next after them; *missed counts those that are no longer
 * kept.
 */
HERD_MUST_CHECK enum herd_error log_lines_since(
    struct log *log, struct buf *out, uint64_t *next, uint64_t *missed);

#define LOG_TIME_MAX 40u

/* Writes the time of now, in UTC with microseconds, into `text`; borrows it. */
struct span log_time(char text[LOG_TIME_MAX]);

/*
 * Is the file descriptor systemd's journal, as JOURNAL_STREAM has it? Then each
 * line begins with its priority, "<4>".
 */
bool log_is_journal(int fd);
const char *log_priority(enum log_level level);

/* "debug", "info", "warn", "error". */
const char *log_level_word(enum log_level level);

#endif
