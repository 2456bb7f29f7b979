/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * context ls, show, add, rm, use, none, previous.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/contexts.h"
#include "base/paths.h"
#include "repl/repl.h"
#include "cmd/tool.h"
#include "base/xbuf.h"

enum {
	CONTEXT_NAME,
	CONTEXT_USED,
	CONTEXT_CONF,
	CONTEXT_SERVER,
	CONTEXT_NODE,
	CONTEXT_OUTPUT,
	CONTEXT_READ_ONLY,
	CONTEXT_PROTECTED,
	CONTEXT_TIMEOUT,
	CONTEXT_COLOR,
	CONTEXT_TOKEN,
	CONTEXT_INSECURE,
	CONTEXT_FILE,
	CONTEXT_COLUMNS
};

static const struct column columns[CONTEXT_COLUMNS] = {
	[CONTEXT_NAME] = { "context", "CONTEXT", LEAF_TEXT, COLUMN_NAME, 0,
	    NULL, 0 },
	[CONTEXT_USED] = { "used", "USED", LEAF_BOOL, 0, 0, NULL, 0 },
	[CONTEXT_CONF] = { "conf", "CONF", LEAF_TEXT, COLUMN_SHRINK, 1, NULL,
	    0 },
	[CONTEXT_SERVER] = { "server", "SERVER", LEAF_TEXT, COLUMN_SHRINK, 1,
	    NULL, 0 },
	[CONTEXT_NODE] = { "node", "NODE", LEAF_TEXT, 0, 2, NULL, 0 },
	[CONTEXT_OUTPUT] = { "output", "OUTPUT", LEAF_TEXT, COLUMN_WIDE, 0,
	    NULL, 0 },
	[CONTEXT_READ_ONLY] = { "read_only", "READ ONLY", LEAF_BOOL, 0, 3, NULL,
	    0 },
	[CONTEXT_PROTECTED] = { "protected", "PROTECTED", LEAF_BOOL, 0, 3, NULL,
	    0 },
	[CONTEXT_TIMEOUT] = { "timeout", "TIMEOUT", LEAF_TEXT, COLUMN_WIDE, 0,
	    NULL, 0 },
	[CONTEXT_COLOR] = { "color", "COLOR", LEAF_TEXT, COLUMN_WIDE, 0, NULL,
	    0 },
	[CONTEXT_TOKEN] = { "token_file", "TOKEN FILE", LEAF_TEXT, COLUMN_WIDE,
	    0, NULL, 0 },
	[CONTEXT_INSECURE] = { "insecure", "INSECURE", LEAF_BOOL, COLUMN_WIDE,
	    0, NULL, 0 },
	[CONTEXT_FILE] = { "file", "FILE", LEAF_TEXT, COLUMN_WIDE, 0, NULL, 0 },
};

const struct view context_view = { "herdctl.contexts/1", "contexts", VIEW_LIST,
	columns, CONTEXT_COLUMNS };
const struct view context_record = { "herdctl.contexts/1", "contexts",
	VIEW_RECORD, columns, CONTEXT_COLUMNS };

const struct argument context_optional[] = {
	{ "NAME", COMPLETE_CONTEXT, true, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

const struct argument context_required[] = {
	{ "NAME", COMPLETE_CONTEXT, false, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

const struct flag context_add_flags[] = {
	{ "protected", 0, NULL, false, COMPLETE_NONE, NULL,
	    "bench refuses to run in it" },
	{ NULL, 0, NULL, false, COMPLETE_NONE, NULL, NULL },
};

const struct flag context_use_flags[] = {
	{ "save", 0, NULL, false, COMPLETE_NONE, NULL,
	    "in a session: in later sessions and commands too" },
	{ NULL, 0, NULL, false, COMPLETE_NONE, NULL, NULL },
};

/* --- reading --------------------------------------------------------- */

/* Which column shows which setting of a context. */
static const struct {
	size_t column;
	enum pref_id id;
} shown[] = {
	{ CONTEXT_CONF, PREF_CONF },
	{ CONTEXT_SERVER, PREF_SERVER },
	{ CONTEXT_NODE, PREF_NODE },
	{ CONTEXT_OUTPUT, PREF_OUTPUT },
	{ CONTEXT_READ_ONLY, PREF_READ_ONLY },
	{ CONTEXT_PROTECTED, PREF_PROTECTED },
	{ CONTEXT_TIMEOUT, PREF_TIMEOUT },
	{ CONTEXT_COLOR, PREF_COLOR },
	{ CONTEXT_TOKEN, PREF_TOKEN_FILE },
	{ CONTEXT_INSECURE, PREF_INSECURE },
};

static enum status
add_row(struct run *run, const char *name)
{
	struct prefs prefs;
	char *path = context_path(name);
	enum status status;

	prefs_init(&prefs);
	status =
	    prefs_read_file(&prefs, path, ORIGIN_USER, true, &run->message);
	if (status != STATUS_OK)
		run_fail_message(run, status);
	out_word(&run->out, CONTEXT_NAME, name);
	out_bool(&run->out, CONTEXT_USED,
	    run->context != NULL && strcmp(run->context, name) == 0);
	out_word(&run->out, CONTEXT_FILE, path);
	for (size_t i = 0; i < HERD_ARRAY_LEN(shown); i++) {
		const struct pref_value *value = &prefs.values[shown[i].id];

		if (columns[shown[i].column].type == LEAF_BOOL)
			out_bool(&run->out, shown[i].column,
			    prefs_is(&prefs, shown[i].id));
		else if (value->from_context)
			out_word(&run->out, shown[i].column, value->text);
	}
	out_row(&run->out);
	prefs_release(&prefs);
	free(path);
	return status;
}

enum status
context_run_ls(struct run *run)
{
	char **names = contexts_list();
	enum status worst = STATUS_OK;
	enum status status = run_begin(run, &context_view);

	for (char **name = names; *name != NULL && status == STATUS_OK; name++)
		worst = status_worst(worst, add_row(run, *name));
	if (status == STATUS_OK)
		out_end(&run->out);
	if (status == STATUS_OK && names[0] == NULL)
		run_hint(run, "`context add NAME -c FILE` makes one");
	contexts_free(names);
	return status != STATUS_OK ? status : worst;
}

static bool
exists(const char *name)
{
	char *path = context_name_is_valid(name) ? context_path(name) : NULL;
	bool found = path != NULL && access(path, F_OK) == 0;

	free(path);
	return found;
}

static enum status
no_such(struct run *run, const char *name, enum status status)
{
	put_text(&run->message, "no context `");
	put_clean(&run->message, span_from(name));
	put_text(&run->message, "' (see `context ls')");
	return run_fail_message(run, status);
}

enum status
context_run_show(struct run *run)
{
	const char *name = run_word(run, 0);
	enum status status;

	if (name == NULL)
		name = run->context;
	if (name == NULL)
		return run_fail(run, STATUS_NEGATIVE, "no context is in use");
	if (!exists(name))
		return no_such(run, name, STATUS_NEGATIVE);
	status = run_begin(run, &context_record);
	if (status == STATUS_OK)
		status = add_row(run, name);
	if (status == STATUS_OK)
		out_end(&run->out);
	return status;
}

/* --- changing -------------------------------------------------------- */

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
		if (pref->complete == COMPLETE_FILE)
			absolute = realpath(value->text, NULL);
		putf(out, "%s ", pref->name);
		words_quote(out, absolute != NULL ? absolute : value->text);
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

/* --read-only on this line is the new context's, and no reason to refuse. */
static enum status
may_add(struct run *run)
{
	const struct ctl *ctl = run->ctl;
	bool is_session = ctl->repl != NULL || run->place != NULL;

	if (is_session
		? !prefs_is(&ctl->prefs, PREF_READ_ONLY)
		: run->prefs.values[PREF_READ_ONLY].origin == ORIGIN_FLAG)
		return STATUS_OK;
	return run_may_change(run);
}

enum status
context_run_add(struct run *run)
{
	const char *name = run_word(run, 0);
	struct buf text;
	size_t count;
	enum status status = may_add(run);

	if (status != STATUS_OK)
		return status;
	if (!context_name_is_valid(name)) {
		put_byte(&run->message, '`');
		put_clean(&run->message, span_from(name));
		put_text(&run->message,
		    "' is no name for a context: 1 to 64 letters, digits, "
		    "'.', '_' or '-', and not `none'");
		return run_fail_message(run, STATUS_USAGE);
	}
	buf_init(&text, XBUF_MAX);
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

enum status
context_run_rm(struct run *run)
{
	const char *name = run_word(run, 0);
	char *path;
	enum status status;

	if (!exists(name))
		return no_such(run, name, STATUS_NEGATIVE);
	status = run_confirm(run, "Remove the context %s?", name);
	if (status != STATUS_OK)
		return status;
	path = context_path(name);
	if (unlink(path) != 0)
		status = run_fail(run, STATUS_LOCAL, "cannot remove %s: %s",
		    path, strerror(errno));
	free(path);
	return status;
}

/* In a session only there, unless it is to be saved. */
static enum status
use(struct run *run, const char *name)
{
	struct ctl *ctl = run->ctl;
	bool session = ctl->repl != NULL || run->place != NULL;
	bool saves = !session || run_flag(run, "save") != NULL;
	struct prefs before;
	enum status status = STATUS_OK;

	/* One leaves a read-only context for another one. */
	if (saves && !run->prefs.values[PREF_READ_ONLY].from_context)
		status = run_may_change(run);
	if (status != STATUS_OK)
		return status;
	if (saves) {
		if (contexts_use(name) != 0)
			return run_fail(run, STATUS_LOCAL,
			    "cannot write the context in use: %s",
			    strerror(errno));
	}
	if (!session)
		return STATUS_OK;
	if (ctl->repl != NULL)
		repl_note_context(ctl->repl);
	prefs_copy(&before, &ctl->base);
	/* The node of the old context means nothing in the new one. */
	prefs_unset(&ctl->base, PREF_NODE);
	status =
	    prefs_set(&ctl->base, PREF_CONTEXT, name == NULL ? "none" : name,
		ORIGIN_SESSION, "context use", &run->message);
	if (status == STATUS_OK)
		status = ctl_apply(ctl, &run->message);
	if (status != STATUS_OK) {
		prefs_release(&ctl->base);
		ctl->base = before;
		return run_fail_message(run, status);
	}
	prefs_release(&before);
	return STATUS_OK;
}

enum status
context_run_use(struct run *run)
{
	const char *name = run_word(run, 0);

	if (strcmp(name, "none") == 0)
		return use(run, NULL);
	if (!exists(name))
		return no_such(run, name, STATUS_NEGATIVE);
	return use(run, name);
}

enum status
context_run_none(struct run *run)
{
	return use(run, NULL);
}

enum status
context_run_previous(struct run *run)
{
	char *current = NULL;
	char *previous = NULL;
	enum status status;

	if (run->ctl->repl != NULL)
		previous = repl_previous_context(run->ctl->repl);
	if (previous == NULL) {
		contexts_read_state(&current, &previous);
		free(current);
	}
	if (previous == NULL)
		return run_fail(
		    run, STATUS_NEGATIVE, "there was no context before");
	if (strcmp(previous, "none") == 0)
		status = use(run, NULL);
	else
		status = exists(previous)
			     ? use(run, previous)
			     : no_such(run, previous, STATUS_NEGATIVE);
	free(previous);
	return status;
}
