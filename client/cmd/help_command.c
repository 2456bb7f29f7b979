/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "base/xbuf.h"
#include "run/help.h"
#include "run/run.h"

/* What it means, and help on that. */
static enum status
explain_alias(struct run *run, const struct alias *alias)
{
	struct args args = { 0 };
	struct alias_line line;
	struct buf text = XBUF;
	struct buf why = XBUF;
	enum status status = alias_expand(&run->app->aliases,
	    (const char *const *)alias->words, alias->count, &line, &why);

	alias_put(&text, alias);
	sink_write(&run->sink, span_from(alias->name));
	sink_write(&run->sink, span_from(" is an alias ("));
	sink_write_foreign(&run->sink, span_from(alias->where));
	sink_write(&run->sink, span_from(") of: "));
	sink_write_foreign(&run->sink, buf_span(&text));
	sink_write(&run->sink, span_from("\n\n"));
	if (status == STATUS_OK)
		status = args_parse(
		    (const char *const *)line.words, line.count, &args, &why);
	if (status != STATUS_OK)
		(void)run_fail(run, status, "%s", text_of(&why));
	else if (args.command != NULL)
		help_print(&run->sink, args.command, NULL, NULL);
	args_release(&args);
	alias_line_release(&line);
	buf_release(&text);
	buf_release(&why);
	return status;
}

static enum status
help_run(struct run *run)
{
	size_t used = 0;
	const struct alias *alias;
	const struct command *command = NULL;
	const char *group = NULL;
	const struct args *args = run->args;

	if (args->count == 1) {
		alias = alias_find(&run->app->aliases, args->words[0]);
		if (alias != NULL)
			return explain_alias(run, alias);
	}
	if (args->count > 0) {
		command = command_match(args->words, args->count, &used);
		if (args->count == 1 && command_is_group(args->words[0]) &&
		    command == NULL)
			group = args->words[0];
		else if (command == NULL || used < args->count)
			command = NULL;
	}
	if (args->count > 0 && command == NULL && group == NULL) {
		const char *near =
		    command_did_you_mean(args->words, args->count);

		return run_fail(run, STATUS_USAGE,
		    "no help for `%s': there is no such command%s%s%s",
		    args->words[0], near == NULL ? "" : ", did you mean `",
		    near == NULL ? "" : near, near == NULL ? "" : "'?");
	}
	help_print(&run->sink, command, group, &run->app->aliases);
	return STATUS_OK;
}

const struct command cmd_help = {
	.path = "help",
	.summary = "show all commands, or help on one",
	.group = GROUP_TOOL,
	.args = ARGS(ARG("COMMAND", .complete = COMPLETE_COMMAND,
	    .optional = true, .repeats = true)),
	.traits = COMMAND_HARMLESS,
	.run = help_run,
	.example = "help client show",
};
