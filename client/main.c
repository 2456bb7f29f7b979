/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herdctl: one command, a script, or a session.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "herd/file.h"
#include "repl/repl.h"
#include "run/run.h"
#include "run/script.h"

static enum status
start(struct app *app, const struct args *args)
{
	static const struct run_origin origin = { .is_line = false };
	const char *file = args_flag(args, "file", true);

	/* A command on the command line wins over those on stdin. */
	if (args->command != NULL || args->group != NULL || args->help)
		return run_args(app, args, &origin);
	if (file == NULL && isatty(STDIN_FILENO) == 1) {
		if (isatty(STDOUT_FILENO) == 1)
			return repl_run(app);
		/* Nobody would see a prompt, so this is a usage error. */
		return run_args(app, args, &origin);
	}
	return script_run(
	    app, file, args_flag(args, "keep-going", true) != NULL);
}

/*
 * The rc files have been read: is the command an alias? Then *args and the
 * settings are those of the line that it means.
 */
static enum status
parse_alias(struct app *app, const char *const *words, size_t count,
    struct args *args, struct alias_line *line, struct buf *message)
{
	struct buf why = XBUF;
	enum status status =
	    alias_expand(&app->aliases, words, count, line, &why);

	if (status == STATUS_OK) {
		args_release(args);
		status = args_parse(
		    (const char *const *)line->words, line->count, args, &why);
	}
	if (status == STATUS_OK)
		status =
		    prefs_read_options(&app->base, args, ORIGIN_FLAG, &why);
	if (status == STATUS_OK)
		status = app_apply(app, &why);
	buf_clear(message);
	put_span(message, buf_span(&why));
	buf_release(&why);
	return status;
}

/* Parses, reads settings, runs. */
static enum status
run_main(struct app *app, const char *const *words, size_t count)
{
	static const char *const version[] = { "version" };
	struct args args;
	struct alias_line line = { 0 };
	struct buf message = XBUF;
	struct buf unread = XBUF;
	enum status status;
	enum status usage;

	usage = args_parse(words, count, &args, &message);
	if (usage == STATUS_OK && args_flag(&args, "version", true) != NULL) {
		args_release(&args);
		usage = args_parse(version, 1, &args, &message);
	}
	/* Options that were understood decide how the failure is shown. */
	status = app_init(
	    app, &args, args_flag(&args, "no-rc", true) != NULL, &unread);
	if (status != STATUS_OK) {
		buf_clear(&message);
		put_span(&message, buf_span(&unread));
	} else if (usage != STATUS_OK) {
		usage = parse_alias(app, words, count, &args, &line, &message);
	}
	if (usage != STATUS_OK || status != STATUS_OK)
		status = run_fail_words(app, &app->base, NULL, words, count,
		    status != STATUS_OK ? status : usage, text_of(&message));
	else
		status = start(app, &args);
	args_release(&args);
	alias_line_release(&line);
	buf_release(&message);
	buf_release(&unread);
	return status;
}

/* So that the parent sees that a signal ended this. */
static void
die_of(int number)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	fflush(NULL);
	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
	raise(number);
}

int
main(int argc, char **argv)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct app app;
	enum status status;
	int ended_by;

	if (file_hold_standard() != HERD_OK)
		return STATUS_LOCAL;
	/*
	 * At a limit of file size the write fails, and the error is reported.
	 */
	sigaction(SIGXFSZ, &ignore, NULL);
	setlocale(LC_CTYPE, "");
	status = run_main(&app, (const char *const *)argv + 1,
	    argc > 0 ? (size_t)argc - 1 : 0);
	ended_by = app.loop.ended_by;
	app_release(&app);
	if (ended_by != 0)
		die_of(ended_by);
	if (status == STATUS_SIGINT)
		die_of(SIGINT);
	return (int)status;
}
