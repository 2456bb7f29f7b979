/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * alias: lists and defines names for the beginnings of command lines.
 */
#include "cmd/list.h"

#include "base/xbuf.h"
#include "run/run.h"

/* clang-format off */
#define ALIAS_COLUMNS(X) \
	X(ALIAS_NAME, "alias", "ALIAS", VALUE_TEXT, .traits = COLUMN_NAME) \
	X(ALIAS_COMMAND, "command", "COMMAND", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(ALIAS_WHERE, "where", "WHERE", VALUE_TEXT, .traits = COLUMN_SHRINK, .drop = 1)
/* clang-format on */

COLUMN_TABLE(alias_columns, ALIAS_COLUMNS);

static const struct view alias_view =
    VIEW(alias_columns, .schema = "herdctl.aliases/1", .list = "aliases");

static void
add_row(struct run *run, const struct alias *alias)
{
	struct buf text = XBUF;

	alias_put(&text, alias);
	out_word(&run->out, ALIAS_NAME, alias->name);
	out_text(&run->out, ALIAS_COMMAND, buf_span(&text));
	out_word(&run->out, ALIAS_WHERE, alias->where);
	out_row(&run->out);
	buf_release(&text);
}

/* All of them, or the one of that name. */
static enum status
list_aliases(struct run *run, const char *name)
{
	const struct aliases *aliases = &run->app->aliases;
	const struct alias *one = NULL;
	enum status status;

	if (name != NULL) {
		one = alias_find(aliases, name);
		if (one == NULL)
			return run_fail(run, STATUS_NEGATIVE,
			    "there is no alias `%s'; `alias NAME = COMMAND' "
			    "makes one",
			    name);
	}
	status = run_begin(run, &alias_view);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < aliases->count; i++) {
		if (one == NULL || one == &aliases->items[i])
			add_row(run, &aliases->items[i]);
	}
	out_end(&run->out);
	return status;
}

static enum status
alias_run(struct run *run)
{
	const struct args *args = run->args;
	enum status status;

	if (args->count < 2)
		return list_aliases(run, run_word(run, 0));
	if (run->place == NULL && run->app->repl == NULL)
		return run_fail(run, STATUS_USAGE,
		    "an alias of a command line would be forgotten at once; "
		    "write it into ~/.config/herdctl/rc");
	status = alias_set(&run->app->aliases, args->words[0], args->words + 2,
	    args->count - 2, run->place == NULL ? "session" : run->place,
	    &run->message);
	return status == STATUS_OK ? status : run_fail_message(run, status);
}

const struct command cmd_alias = {
	.path = "alias",
	.summary = "list the aliases, or define one for this session",
	.help =
	    "An alias is a name for the beginning of a command line, its "
	    "options included; what is typed after it follows. It may begin with "
	    "another alias, and never has the name of a command. rc files keep "
	    "such lines; a session or a script forgets its own.",
	.group = GROUP_TOOL,
	.args = ARGS(ARG("NAME", .complete = COMPLETE_ALIAS, .optional = true),
	    ARG("=", .complete = COMPLETE_WORDS, .words = "=", .fixed = true,
		.optional = true),
	    ARG("COMMAND", .optional = true, .repeats = true)),
	.view = &alias_view,
	.traits = COMMAND_HARMLESS | COMMAND_ASSIGN,
	.run = alias_run,
	.example = "alias",
};
