/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages of commands besides their answer: errors, notices, hints. All on
 * stderr; errors are JSON there when the answer is.
 */
#include "run/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "run/plugin.h"

/*
 * Writes into the picture that is being drawn (--watch, top): the next picture
 * would overwrite a message beside it.
 */
static void
write_stderr(struct run *run, struct buf *text)
{
	if (run->is_sketch || (run->sink.fd < 0 && run->sink.terminal &&
				  isatty(STDERR_FILENO) == 1)) {
		sink_write(&run->sink, buf_span(text));
		return;
	}
	/* The answer waits for the pager's decision and comes first. */
	if (sink_is_undecided(&run->sink)) {
		put_span(&run->afterwards, buf_span(text));
		return;
	}
	fputs(text_of(text), stderr);
	fflush(stderr);
}

static bool
wants_json(const struct run *run)
{
	const char *name = prefs_text(&run->prefs, PREF_OUTPUT);
	const struct format *format = name == NULL ? NULL : format_find(name);

	return format != NULL && (format->traits & FORMAT_JSON) != 0;
}

static void
put_json_error(
    struct run *run, struct buf *out, enum status status, struct span message)
{
	struct json json;

	json_begin(&json, out, JSON_TERMINAL);
	json_object(&json, NULL);
	json_object(&json, "error");
	json_integer(&json, "status", status);
	json_word(&json, "code", exit_status_word(status));
	json_text(&json, "message", message);
	if (run->place != NULL)
		json_word(&json, "place", run->place);
	json_object_end(&json);
	json_object_end(&json);
	must(json_end(&json));
	put_byte(out, '\n');
}

static enum status
say_error(struct run *run, enum status status, struct span message)
{
	struct buf out = XBUF;

	if (plugin_is(run->args == NULL ? NULL : run->args->command)) {
		put_text(&run->complaint, run->complaint.len > 0 ? "; " : "");
		put_span(&run->complaint, message);
		return status;
	}
	/* The answer so far comes before the error, as it happened. */
	if (run->out_begun && run->sink.fd >= 0)
		sink_flush(&run->sink);
	if (wants_json(run)) {
		put_json_error(run, &out, status, message);
	} else {
		if (run->place != NULL)
			putf(&out, "%s: ", run->place);
		else if (run->app->repl == NULL)
			put_text(&out, "herdctl: ");
		put_span(&out, message);
		put_byte(&out, '\n');
	}
	write_stderr(run, &out);
	buf_release(&out);
	return status;
}

/* Names in the text may come from anywhere. */
static void HERD_PRINTF(2, 0)
    put_clean_text(struct buf *out, const char *fmt, va_list args)
{
	struct buf text = XBUF;

	putv(&text, fmt, args);
	put_clean(out, buf_span(&text));
	buf_release(&text);
}

enum status
run_fail(struct run *run, enum status status, const char *fmt, ...)
{
	struct buf message = XBUF;
	va_list args;

	va_start(args, fmt);
	put_clean_text(&message, fmt, args);
	va_end(args);
	say_error(run, status, buf_span(&message));
	buf_release(&message);
	return status;
}

enum status
run_fail_without(struct app *app, const struct prefs *prefs, const char *place,
    enum status status, const char *text)
{
	struct run run = { .app = app, .place = place };

	prefs_copy(&run.prefs, prefs);
	run_fail(&run, status, "%s", text);
	prefs_release(&run.prefs);
	return status;
}

enum status
run_fail_words(struct app *app, const struct prefs *prefs, const char *place,
    const char *const *words, size_t count, enum status status,
    const char *text)
{
	if (plugin_is(args_guess(words, count)))
		return plugin_cannot_judge(span_from(text));
	return run_fail_without(app, prefs, place, status, text);
}

enum status
run_fail_message(struct run *run, enum status status)
{
	say_error(run, status, buf_span(&run->message));
	buf_clear(&run->message);
	return status;
}

/* "Riley: node Riley has none" names the node once too often. */
static const char *
without_node(const char *message, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(message, "node ", 5) == 0 &&
	    strncmp(message + 5, name, len) == 0 && message[5 + len] == ' ')
		return message + 5 + len + 1;
	return message;
}

enum status
run_fail_node(struct run *run, enum status status, const char *name,
    const char *message, const char *hint)
{
	put_clean(&run->message, span_from(name));
	put_text(&run->message, ": ");
	put_clean(&run->message, span_from(without_node(message, name)));
	if (hint != NULL) {
		put_text(&run->message, " (");
		put_clean(&run->message, span_from(hint));
		put_byte(&run->message, ')');
	}
	return run_fail_message(run, status);
}

static void HERD_PRINTF(3, 0)
    say(struct run *run, const char *prefix, const char *fmt, va_list args)
{
	struct buf out = XBUF;

	if (wants_json(run)) {
		struct json json;
		struct buf text = XBUF;

		putv(&text, fmt, args);
		json_begin(&json, &out, JSON_TERMINAL);
		json_object(&json, NULL);
		json_text(&json, "notice", buf_span(&text));
		json_object_end(&json);
		must(json_end(&json));
		put_byte(&out, '\n');
		buf_release(&text);
	} else {
		put_text(&out, prefix);
		putv(&out, fmt, args);
		put_byte(&out, '\n');
	}
	write_stderr(run, &out);
	buf_release(&out);
}

static void HERD_PRINTF(2, 3) say_text(struct run *run, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(run, run->app->repl == NULL ? "herdctl: " : "", fmt, args);
	va_end(args);
}

/* Do people look, and want more than the answer? */
static bool
wants_words(const struct run *run)
{
	return run->to_terminal && isatty(STDERR_FILENO) == 1 &&
	       !prefs_is(&run->prefs, PREF_QUIET) && !wants_json(run);
}

void
run_print(struct run *run, const char *fmt, ...)
{
	struct buf text = XBUF;
	va_list args;

	va_start(args, fmt);
	putv(&text, fmt, args);
	va_end(args);
	put_byte(&text, '\n');
	sink_write(&run->sink, buf_span(&text));
	buf_release(&text);
}

void
run_hint(struct run *run, const char *fmt, ...)
{
	va_list args;

	if (!wants_words(run) || !prefs_is(&run->prefs, PREF_HINTS))
		return;
	if (run->sink.fd >= 0)
		sink_flush(&run->sink);
	va_start(args, fmt);
	say(run, "hint: ", fmt, args);
	va_end(args);
}

void
run_notice(struct run *run, const char *fmt, ...)
{
	va_list args;

	if (isatty(STDERR_FILENO) != 1 || prefs_is(&run->prefs, PREF_QUIET) ||
	    wants_json(run))
		return;
	va_start(args, fmt);
	say(run, run->app->repl == NULL ? "herdctl: " : "", fmt, args);
	va_end(args);
}

void
run_note(struct run *run, const char *fmt, ...)
{
	struct buf text = XBUF;
	va_list args;

	if (prefs_is(&run->prefs, PREF_QUIET))
		return;
	va_start(args, fmt);
	put_clean_text(&text, fmt, args);
	va_end(args);
	say_text(run, "%s", text_of(&text));
	buf_release(&text);
}

void
run_verbose(struct run *run, const char *fmt, ...)
{
	va_list args;

	if (!prefs_is(&run->prefs, PREF_VERBOSE))
		return;
	va_start(args, fmt);
	say(run, run->app->repl == NULL ? "herdctl: " : "", fmt, args);
	va_end(args);
}

enum status
run_wait_status(struct run *run, enum wait_result result)
{
	switch (result) {
	case WAIT_DONE: return STATUS_OK;
	case WAIT_TIMEOUT:
		return run_fail(run, STATUS_TIMEOUT, "no answer in time");
	case WAIT_INTERRUPTED: return STATUS_SIGINT;
	}
	return STATUS_OK;
}

/* One line from the terminal; Ctrl-C says no. */
static bool
read_yes(struct run *run)
{
	struct loop *loop = app_loop(run->app);
	char line[64];
	ssize_t n;

	if (loop_wait_readable(loop, STDIN_FILENO, NO_DEADLINE) != WAIT_DONE) {
		if (run->app->repl == NULL)
			fputc('\n', stderr);
		return false;
	}
	n = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (n <= 0) {
		fputc('\n', stderr);
		return false;
	}
	line[n] = '\0';
	return strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0;
}

enum status
run_confirm(struct run *run, const char *fmt, ...)
{
	struct buf question = XBUF;
	va_list args;
	bool yes;

	va_start(args, fmt);
	put_clean_text(&question, fmt, args);
	va_end(args);
	/* run_where() left its words there. */
	buf_clear(&run->message);
	if (prefs_is(&run->prefs, PREF_YES)) {
		buf_release(&question);
		return STATUS_OK;
	}
	if (run->place != NULL || isatty(STDIN_FILENO) != 1 ||
	    isatty(STDERR_FILENO) != 1) {
		buf_release(&question);
		return run_fail(run, STATUS_USAGE,
		    "`%s' needs a confirmation, and there is no terminal to ask: "
		    "give --yes",
		    run->args->command->path);
	}
	fprintf(stderr, "%s [y/N] ", text_of(&question));
	fflush(stderr);
	buf_release(&question);
	yes = read_yes(run);
	if (!yes)
		return run_fail(run, STATUS_USAGE, "not confirmed");
	/* The time for the answer does not count as the servers' time. */
	run_renew_deadline(run);
	return STATUS_OK;
}
