/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "run/run.h"

struct script {
	struct app *app;
	const char *name;
	FILE *file;
	bool keep_going;
	unsigned long line;
	enum status status;
};

/* Should the script go on after this status? Notes it. */
static bool
goes_on(struct script *s, enum status status)
{
	s->status =
	    s->keep_going ? exit_status_worst(s->status, status) : status;
	if (status == STATUS_SIGINT || s->app->leaving)
		return false;
	return status == STATUS_OK || s->keep_going;
}

static bool
run_line(struct script *s, struct span text)
{
	char *place = xasprintf("%s:%lu", s->name, s->line);
	struct line line;
	enum words_error error = line_split(text, command_is_verbatim, &line);
	bool more = true;

	if (error != WORDS_OK)
		more =
		    goes_on(s, run_fail_without(s->app, &s->app->prefs, place,
				   STATUS_USAGE, tokens_strerror(error)));
	for (size_t i = 0; i < line.count && more && error == WORDS_OK; i++)
		more = goes_on(s, run_parsed(s->app, &line.commands[i], place));
	line_release(&line);
	free(place);
	return more;
}

static void
run_lines(struct script *s)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t len;
	bool more = true;

	while (more && (len = getline(&text, &room, s->file)) >= 0) {
		struct span line = span_of(text, (size_t)len);

		if (s->line++ == 0)
			line = text_without_bom(line);
		if (line.len > 0 && line.data[line.len - 1] == '\n')
			line.len--;
		more = run_line(s, line);
	}
	free(text);
}

enum status
script_run(struct app *app, const char *path, bool keep_going)
{
	struct script s = { .app = app, .keep_going = keep_going };
	bool is_stdin = path == NULL || strcmp(path, "-") == 0;

	s.name = is_stdin ? "stdin" : path;
	s.file = is_stdin ? stdin : fopen(path, "re");
	if (s.file == NULL) {
		char *text =
		    xasprintf("cannot read %s: %s", path, strerror(errno));

		s.status = run_fail_without(
		    app, &app->prefs, NULL, STATUS_LOCAL, text);
		free(text);
		return s.status;
	}
	run_lines(&s);
	if (!is_stdin)
		fclose(s.file);
	return s.status;
}
