/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "base/xbuf.h"
#include "conf/contexts.h"
#include "run/run.h"

/* Appends `NAME VALUE' for each global option of this line. */
static size_t
put_options(struct run *run, struct buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < PREF_COUNT; i++) {
		const struct pref *pref = &pref_table()[i];
		const struct pref_value *value = &run->prefs.values[i];
		bool given = value->origin == ORIGIN_FLAG ||
			     value->origin == ORIGIN_LINE;
		char *absolute = NULL;

		if ((pref->traits & PREF_CONTEXTUAL) == 0 || !given ||
		    value->from_context)
			continue;
		/* A context is used from any directory. */
		if ((pref->traits & PREF_PATH) != 0)
			absolute = realpath(value->text, NULL);
		putf(out, "%s ", pref->name);
		tokens_quote(out, absolute != NULL ? absolute : value->text);
		put_byte(out, '\n');
		free(absolute);
		count++;
	}
	return count;
}

static enum status
write_context(struct run *run, const char *name, struct buf *text)
{
	char *path = context_path(name);
	enum status status = STATUS_OK;

	if (path == NULL || path_write(path, text_of(text)) != 0)
		status = run_fail(run, STATUS_LOCAL,
		    "cannot write the context %s: %s",
		    path == NULL ? name : path,
		    path == NULL ? "there is no home directory"
				 : strerror(errno));
	free(path);
	return status;
}

/* --read-only on this line is for the new context; it does not refuse it. */
static enum status
may_add(struct run *run)
{
	const struct app *app = run->app;
	bool is_session = app->repl != NULL || run->place != NULL;

	if (is_session
		? !prefs_is(&app->prefs, PREF_READ_ONLY)
		: run->prefs.values[PREF_READ_ONLY].origin == ORIGIN_FLAG)
		return STATUS_OK;
	return run_may_change(run);
}

static enum status
context_add_run(struct run *run)
{
	const char *name = run_word(run, 0);
	struct buf text = XBUF;
	size_t count;
	enum status status = may_add(run);

	if (status != STATUS_OK)
		return status;
	if (!context_name_is_valid(name))
		return run_fail(run, STATUS_USAGE,
		    "`%s' is no name for a context: 1 to 64 letters, digits, "
		    "'.', '_' or '-', and not `none'",
		    name);
	count = put_options(run, &text);
	if (run_flag(run, "protected") != NULL)
		put_text(&text, "protected on\n");
	if (count == 0)
		status = run_fail(run, STATUS_USAGE,
		    "a context needs at least a herd file (-c FILE) or a "
		    "server (-s ADDR)");
	else
		status = write_context(run, name, &text);
	buf_release(&text);
	return status;
}

const struct command cmd_context_add = {
	.path = "context add",
	.summary = "make or change a context",
	.help = "Its settings are those given as options: -c, -s, -n, -o, "
		"--timeout, --color, --token-file, --ca-file, --cert-file, "
		"--key-file, --insecure, --read-only, --protected. Its token "
		"and certificate go to its own herd only.",
	.group = GROUP_TOOL,
	.args = ARGS(ARG("NAME", .complete = COMPLETE_CONTEXT)),
	.flags = FLAGS(FLAG("protected", .help = "bench refuses to run in it")),
	.traits = COMMAND_BY_LINE,
	.run = context_add_run,
	.example = "context add lab -c /etc/herd/lab.yaml -n Riley",
};
