/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "herd/json.h"
#include "herd/text.h"
#include "herd/time.h"

/* How many lines an event name had in the current second. */
struct log_rate {
	const char *event;
	time_t second;
	unsigned count;
	uint64_t suppressed;
};

struct log {
	int fd;
	bool to_journal;
	_Atomic unsigned level;
	_Atomic unsigned format;
	pthread_mutex_t lock;
	struct log_rate rates[LOG_EVENTS_MAX];
	char *kept[LOG_KEPT];
	uint64_t next; /* number of the next line */
	uint64_t lost; /* lines not written since the last "log-lost" */
	int error;     /* why: an errno; 0: nobody read them */
};

/* What syslog(3) calls the level, as sd-daemon(3) writes it. */
static const char *const PRIORITIES[] = {
	[LOG_DEBUG] = "<7>",
	[LOG_INFO] = "<6>",
	[LOG_WARN] = "<4>",
	[LOG_ERROR] = "<3>",
};
#define PRIORITY_LEN 3u

static const char *const LEVEL_WORDS[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

const char *
log_level_word(enum log_level level)
{
	return LEVEL_WORDS[level];
}

/* systemd tells its services the device and inode of the stream. */
bool
log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat facts;

	if (stream == NULL || fstat(fd, &facts) != 0)
		return false;
	(void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)facts.st_dev,
	    (uintmax_t)facts.st_ino);
	return strcmp(stream, own) == 0;
}

const char *
log_priority(enum log_level level)
{
	return PRIORITIES[level];
}

enum herd_error
log_open(int fd, enum log_level level, enum log_format format, struct log **out)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return HERD_ENOMEM;
	if (pthread_mutex_init(&log->lock, NULL) != 0) {
		free(log);
		return HERD_ENOMEM;
	}
	log->fd = fd;
	log->to_journal = log_is_journal(fd);
	atomic_init(&log->level, level);
	atomic_init(&log->format, format);
	*out = log;
	return HERD_OK;
}

void
log_close(struct log *log)
{
	if (log == NULL)
		return;
	for (unsigned i = 0; i < LOG_KEPT; i++)
		free(log->kept[i]);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

enum log_level
log_level_get(const struct log *log)
{
	return (enum log_level)atomic_load(&log->level);
}

void
log_level_set(struct log *log, enum log_level level)
{
	atomic_store(&log->level, level);
}

void
log_format_set(struct log *log, enum log_format format)
{
	atomic_store(&log->format, format);
}

/* --- one line ----------------------------------------------------------- */

struct span
log_time(char text[LOG_TIME_MAX])
{
	struct timespec now;
	struct tm utc;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(text, LOG_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
	len += (size_t)snprintf(
	    text + len, LOG_TIME_MAX - len, ".%06ldZ", now.tv_nsec / 1000);
	return span_of(text, len);
}

static bool
needs_quotes(struct span text)
{
	if (text.len == 0)
		return true;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return true;
	}
	return false;
}

static enum herd_error
add_logfmt(struct buf *out, const char *key, struct span text)
{
	bool quotes = needs_quotes(text);
	enum herd_error error =
	    buf_addf(out, " %s=%s", key, quotes ? "\"" : "");

	if (error == HERD_OK)
		error = text_escape(out, text, LOG_FIELD_MAX);
	if (error == HERD_OK && quotes)
		error = buf_add_byte(out, '"');
	return error;
}

static enum herd_error
format_logfmt(struct buf *out, enum log_level level, const char *event,
    const struct log_field *fields)
{
	char text[LOG_TIME_MAX];
	struct span time = log_time(text);
	enum herd_error error =
	    buf_addf(out, "time=" SPAN_FMT " level=%s event=%s", SPAN_ARG(time),
		LEVEL_WORDS[level], event);

	for (; error == HERD_OK && fields->type != LOG_FIELD_END; fields++) {
		if (fields->type == LOG_FIELD_NUMBER)
			error = buf_addf(out, " %s=%lld", fields->key,
			    (long long)fields->number);
		else
			error = add_logfmt(out, fields->key, fields->text);
	}
	return error;
}

static enum herd_error
format_json(struct buf *out, enum log_level level, const char *event,
    const struct log_field *fields)
{
	char time[LOG_TIME_MAX];
	struct json json;

	json_begin(&json, out, JSON_ASCII);
	json_object(&json, NULL);
	json_text(&json, "time", log_time(time));
	json_word(&json, "level", LEVEL_WORDS[level]);
	json_word(&json, "event", event);
	for (; fields->type != LOG_FIELD_END; fields++) {
		struct span text = fields->text;

		if (text.len > LOG_FIELD_MAX)
			text.len = LOG_FIELD_MAX;
		if (fields->type == LOG_FIELD_NUMBER)
			json_integer(&json, fields->key, fields->number);
		else
			json_text(&json, fields->key, text);
	}
	json_object_end(&json);
	return json_end(&json);
}

/* Every line begins with its priority; only the journal is told. */
static enum herd_error
format_line(struct buf *out, bool json, enum log_level level, const char *event,
    const struct log_field *fields)
{
	enum herd_error error = buf_add(out, PRIORITIES[level], PRIORITY_LEN);

	if (error == HERD_OK)
		error = json ? format_json(out, level, event, fields)
			     : format_logfmt(out, level, event, fields);
	return error == HERD_OK ? buf_add_byte(out, '\n') : error;
}

/* --- writing ------------------------------------------------------------ */

/* May this event be logged now? *suppressed: lines left out before it. */
static bool
rate_allows(struct log *log, const char *event, uint64_t *suppressed)
{
	time_t now = time(NULL);
	struct log_rate *rate = NULL;

	*suppressed = 0;
	for (unsigned i = 0; i < LOG_EVENTS_MAX && rate == NULL; i++) {
		if (log->rates[i].event == NULL)
			log->rates[i].event = event;
		if (strcmp(log->rates[i].event, event) == 0)
			rate = &log->rates[i];
	}
	if (rate == NULL)
		return true;
	if (rate->second != now) {
		rate->second = now;
		rate->count = 0;
		*suppressed = rate->suppressed;
		rate->suppressed = 0;
	}
	if (rate->count >= LOG_BURST) {
		rate->suppressed++;
		return false;
	}
	rate->count++;
	return true;
}

/*
 * A log that cannot be written must not stop the node: all loops would wait for
 * a pipe that nobody reads. A pipe that polls as writable takes PIPE_BUF bytes
 * at once.
 */
static bool
write_all(int fd, struct span text, int *cause)
{
	while (text.len > 0) {
		struct pollfd out = { fd, POLLOUT, 0 };
		size_t len = text.len < PIPE_BUF ? text.len : PIPE_BUF;
		ssize_t n;

		*cause = 0;
		if (poll(&out, 1, 0) == 0)
			return false;
		n = write(fd, text.data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			*cause = errno;
		if (n <= 0)
			return false;
		text.data += n;
		text.len -= (size_t)n;
	}
	return true;
}

static struct span
without_priority(struct span line)
{
	return span_of(line.data + PRIORITY_LEN, line.len - PRIORITY_LEN);
}

static bool
write_line(const struct log *log, struct span line, int *cause)
{
	return write_all(
	    log->fd, log->to_journal ? line : without_priority(line), cause);
}

/* Tells how many lines before this one were lost. */
static void
tell_lost(struct log *log)
{
	const struct log_field note[] = {
		log_number("count", (int64_t)log->lost),
		log_text("error", log->error == 0 ? "nobody read the log"
						  : strerror(log->error)),
		log_text("next", "GET /v1/log has the last lines"),
		{ LOG_FIELD_END, NULL, { NULL, 0 }, 0 },
	};
	struct buf line;
	int cause;

	buf_init(&line, LOG_LINE_MAX);
	if (format_line(&line, atomic_load(&log->format) == LOG_JSON, LOG_WARN,
		"log-lost", note) == HERD_OK &&
	    write_line(log, buf_span(&line), &cause))
		log->lost = 0;
	buf_release(&line);
}

static void
log_emit(struct log *log, struct span line)
{
	char **slot = &log->kept[log->next % LOG_KEPT];
	struct span kept = without_priority(line);

	free(*slot);
	*slot = strndup(kept.data, kept.len);
	log->next++;
	if (log->lost > 0)
		tell_lost(log);
	if (log->lost > 0 || !write_line(log, line, &log->error))
		log->lost++;
}

void
log_event(struct log *log, enum log_level level, const char *event,
    const struct log_field *fields)
{
	bool json = atomic_load(&log->format) == LOG_JSON;
	uint64_t suppressed;
	struct buf line;

	if (level < log_level_get(log))
		return;
	buf_init(&line, LOG_LINE_MAX * 4);
	pthread_mutex_lock(&log->lock);
	if (rate_allows(log, event, &suppressed)) {
		const struct log_field note[] = {
			log_text("of", event),
			log_number("count", (int64_t)suppressed),
			{ LOG_FIELD_END, NULL, { NULL, 0 }, 0 },
		};

		if (suppressed > 0 && format_line(&line, json, LOG_WARN,
					  "suppressed", note) == HERD_OK)
			log_emit(log, buf_span(&line));
		buf_clear(&line);
		if (format_line(&line, json, level, event, fields) == HERD_OK)
			log_emit(log, buf_span(&line));
	}
	pthread_mutex_unlock(&log->lock);
	buf_release(&line);
}

/* --- reading ------------------------------------------------------------ */

/* The oldest line that is kept. */
static uint64_t
first_kept(const struct log *log)
{
	return log->next > LOG_KEPT ? log->next - LOG_KEPT : 0;
}

/* Copies from number *at on; what does not fit is left for later. */
static enum herd_error
copy_lines(struct log *log, struct buf *out, uint64_t *at)
{
	for (; *at < log->next; ++*at) {
		const char *line = log->kept[*at % LOG_KEPT];
		enum herd_error error = HERD_OK;

		if (line != NULL)
			error = buf_add_text(out, line);
		if (error == HERD_ELIMIT)
			return HERD_OK;
		if (error != HERD_OK)
			return error;
	}
	return HERD_OK;
}

uint64_t
log_next(struct log *log)
{
	uint64_t next;

	pthread_mutex_lock(&log->lock);
	next = log->next;
	pthread_mutex_unlock(&log->lock);
	return next;
}

enum herd_error
log_lines_since(
    struct log *log, struct buf *out, uint64_t *next, uint64_t *missed)
{
	enum herd_error error;
	uint64_t first;

	pthread_mutex_lock(&log->lock);
	first = first_kept(log);
	*missed = *next < first ? first - *next : 0;
	if (*next < first)
		*next = first;
	error = copy_lines(log, out, next);
	pthread_mutex_unlock(&log->lock);
	return error;
}

enum herd_error
log_lines(struct log *log, unsigned count, struct buf *out)
{
	enum herd_error error;
	uint64_t first;
	uint64_t from;

	pthread_mutex_lock(&log->lock);
	first = first_kept(log);
	from = log->next > count ? log->next - count : 0;
	if (from < first)
		from = first;
	error = copy_lines(log, out, &from);
	pthread_mutex_unlock(&log->lock);
	return error;
}
