/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands about herdctl itself: context ..., set, help, version, exit, and
 * what shells ask for their completion.
 */
#include "cmd/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "repl/complete.h"
#include "conf/contexts.h"
#include "run/help.h"
#include "herd/text.h"
#include "herd/version.h"
#include "base/paths.h"
#include "run/run.h"
#include "repl/shells.h"
#include "cmd/tool.h"
#include "base/xbuf.h"

/* --- help, version, exit --------------------------------------------- */

static enum status
run_help(struct run *run)
{
	size_t used = 0;
	const struct command *command = NULL;
	const char *group = NULL;
	const struct args *args = run->args;

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

		put_text(&run->message, "no help for `");
		put_clean(&run->message, span_from(args->words[0]));
		put_text(&run->message, "': there is no such command");
		if (near != NULL)
			putf(&run->message, ", did you mean `%s'?", near);
		return run_fail_message(run, STATUS_USAGE);
	}
	help_print(&run->sink, command, group);
	return STATUS_OK;
}

static enum status
run_version(struct run *run)
{
	const char *format = prefs_text(&run->prefs, PREF_OUTPUT);

	if (format != NULL && strcmp(format, "json") == 0)
		sink_write(&run->sink,
		    span_from("{\"schema\":\"herd.version/1\",\"version\":"
			      "\"" HERD_VERSION "\"}\n"));
	else
		sink_write(&run->sink, span_from("herdctl " HERD_VERSION "\n"));
	return STATUS_OK;
}

static enum status
run_exit(struct run *run)
{
	run->ctl->leaving = true;
	return STATUS_OK;
}

/* --- set ------------------------------------------------------------- */

enum { SET_NAME, SET_VALUE, SET_ORIGIN, SET_WHERE, SET_HELP, SET_COLUMNS };

static const struct column set_columns[SET_COLUMNS] = {
	[SET_NAME] = { "setting", "SETTING", LEAF_TEXT, COLUMN_NAME, 0, NULL,
	    0 },
	[SET_VALUE] = { "value", "VALUE", LEAF_TEXT, COLUMN_SHRINK, 0, NULL,
	    0 },
	[SET_ORIGIN] = { "origin", "ORIGIN", LEAF_TEXT, 0, 2, NULL, 0 },
	[SET_WHERE] = { "where", "WHERE", LEAF_TEXT, COLUMN_SHRINK, 3, NULL,
	    0 },
	[SET_HELP] = { "help", "MEANING", LEAF_TEXT, COLUMN_SHRINK, 1, NULL,
	    0 },
};

const struct view tool_settings_view = { "herdctl.settings/1", "settings",
	VIEW_LIST, set_columns, SET_COLUMNS };

enum status
tool_show_settings(struct run *run)
{
	enum status status = run_begin(run, &tool_settings_view);

	for (size_t i = 0; i < PREF_COUNT && status == STATUS_OK; i++) {
		const struct pref *pref = &pref_table()[i];
		const struct pref_value *value = &run->prefs.values[i];

		out_word(&run->out, SET_NAME, pref->name);
		if (value->text != NULL)
			out_word(&run->out, SET_VALUE, value->text);
		out_word(&run->out, SET_ORIGIN,
		    value->from_context ? "context"
					: pref_origin_word(value->origin));
		if (value->where != NULL)
			out_word(&run->out, SET_WHERE, value->where);
		out_word(&run->out, SET_HELP, pref->help);
		out_row(&run->out);
	}
	if (status == STATUS_OK)
		out_end(&run->out);
	return status;
}

static enum status
unknown_setting(struct run *run, const char *name)
{
	const char *names[PREF_COUNT + 1];
	const char *near;
	size_t count = 0;

	for (size_t i = 0; i < PREF_COUNT; i++) {
		if ((pref_table()[i].traits & PREF_SETTABLE) != 0)
			names[count++] = pref_table()[i].name;
	}
	names[count] = NULL;
	near = text_did_you_mean(span_from(name), names);
	put_text(&run->message, "no setting `");
	put_clean(&run->message, span_from(name));
	put_byte(&run->message, '\'');
	if (near != NULL)
		putf(&run->message, ", did you mean `%s'?", near);
	else
		put_text(&run->message, " (`set' lists them)");
	return run_fail_message(run, STATUS_USAGE);
}

/*
 * What `set read-only on` has begun, `set` may end; what a flag, a variable,
 * a file or the context asks for holds for the whole session.
 */
static bool
may_set_read_only(const struct run *run)
{
	const struct pref_value *value = &run->prefs.values[PREF_READ_ONLY];

	return !prefs_is(&run->prefs, PREF_READ_ONLY) ||
	       value->origin == ORIGIN_SESSION;
}

static enum status
run_set(struct run *run)
{
	struct ctl *ctl = run->ctl;
	const struct pref *pref;
	enum status status;

	if (run->args->count == 0)
		return tool_show_settings(run);
	pref = pref_find(run_word(run, 0));
	if (pref == NULL || (pref->traits & PREF_SETTABLE) == 0)
		return unknown_setting(run, run_word(run, 0));
	if (pref->id == PREF_READ_ONLY && !may_set_read_only(run))
		return run_may_change(run);
	if (run->args->count == 1) {
		prefs_unset(&ctl->base, pref->id);
	} else {
		status = prefs_set(&ctl->base, pref->id, run_word(run, 1),
		    ORIGIN_SESSION, "set", &run->message);
		if (status != STATUS_OK)
			return run_fail_message(run, status);
	}
	status = ctl_apply(ctl, &run->message);
	return status == STATUS_OK ? status : run_fail_message(run, status);
}

/* --- what shells ask ------------------------------------------------- */

/*
 * Settings with the options among `words`, which say whose nodes are meant.
 * A line that is still being typed may be wrong: what is understood counts.
 */
static void
read_typed_options(struct ctl *out, const struct ctl *from,
    const char *const *words, size_t count)
{
	struct args args;
	struct buf message;

	*out = (struct ctl){ .utf8 = from->utf8 };
	prefs_copy(&out->base, &from->base);
	prefs_init(&out->prefs);
	buf_init(&message, XBUF_MAX);
	(void)args_parse(words, count, &args, &message);
	(void)prefs_read_options(&out->base, &args, ORIGIN_FLAG, &message);
	(void)ctl_apply(out, &message);
	args_release(&args);
	buf_release(&message);
}

/*
 * What reaches the shell as one line and, once it has quoted it, herdctl as
 * one argument: no control character, no word for the shell's script itself,
 * and nothing that would be an option.
 */
static bool
fits_on_a_line(const struct completions *found, const struct completion *item)
{
	for (const char *c = item->word; *c != '\0'; c++) {
		if ((*c >= 0 && *c < ' ') || *c == 0x7f)
			return false;
	}
	return item->word[0] != '\0' && strcmp(item->word, ":files") != 0 &&
	       !completion_wants_dashes(found, item);
}

/*
 * __complete WORD... PREFIX: the words behind `herdctl' so far, the last one
 * is being typed. One suggestion to a line; a last line `:files' asks the
 * shell to add file names.
 */
static enum status
run_complete(struct run *run)
{
	static const struct complete_sources none = { NULL };
	struct completions found;
	struct ctl ctl;
	size_t count = run->args->count;

	if (count == 0)
		return STATUS_USAGE;
	read_typed_options(&ctl, run->ctl, run->args->words, count - 1);
	complete(&ctl, run->args->words, count - 1, run->args->words[count - 1],
	    &none, &found);
	for (size_t i = 0; i < found.count; i++) {
		const struct completion *item = &found.items[i];

		if (!fits_on_a_line(&found, item))
			continue;
		sink_write_foreign(&run->sink, span_from(item->word));
		sink_write(&run->sink, span_from("\n"));
	}
	if (found.files)
		sink_write(&run->sink, span_from(":files\n"));
	completions_release(&found);
	ctl_release(&ctl);
	return STATUS_OK;
}

static enum status
run_completion(struct run *run)
{
	sink_write(&run->sink, span_from(shells_script(run_word(run, 0))));
	return STATUS_OK;
}

/* --- the table ------------------------------------------------------- */

static const struct argument help_arguments[] = {
	{ "COMMAND", COMPLETE_COMMAND, true, true, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument set_arguments[] = {
	{ "SETTING", COMPLETE_SETTING, true, false, NULL, false },
	{ "VALUE", COMPLETE_NONE, true, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument words_arguments[] = {
	{ "WORD", COMPLETE_NONE, true, true, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument shell_arguments[] = {
	{ "SHELL", COMPLETE_WORDS, false, false, "bash zsh fish", true },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

const struct command client_tool_commands[] = {
	{ "context ls", "list the contexts", NULL, NULL, NULL, &context_view,
	    COMMAND_READ, context_run_ls, "context ls", GROUP_TOOL },
	{ "context show", "show a context (else the one in use)", NULL,
	    context_optional, NULL, &context_record, COMMAND_READ,
	    context_run_show, "context show lab", GROUP_TOOL },
	{ "context add", "make or change a context",
	    "Its settings are those given as options: -c, -s, -n, -o, "
	    "--timeout, --color, --token-file, --insecure, --read-only, "
	    "--protected. Its token goes to its own herd only.",
	    context_required, context_add_flags, NULL, COMMAND_BY_LINE,
	    context_run_add, "context add lab -c /etc/herd/lab.yaml -n Riley",
	    GROUP_TOOL },
	{ "context rm", "remove a context", NULL, context_required, NULL, NULL,
	    COMMAND_WRITE | COMMAND_CONFIRM, context_run_rm,
	    "context rm lab --yes", GROUP_TOOL },
	{ "context use", "work in a context from now on",
	    "On a command line: in later commands too. In a session: in this "
	    "session only, unless --save is given.",
	    context_required, context_use_flags, NULL, COMMAND_BY_LINE,
	    context_run_use, "context use lab", GROUP_TOOL },
	{ "context none", "work in no context", NULL, NULL, context_use_flags,
	    NULL, COMMAND_BY_LINE, context_run_none, "context none",
	    GROUP_TOOL },
	{ "context previous", "go back to the context before", NULL, NULL,
	    context_use_flags, NULL, COMMAND_BY_LINE, context_run_previous,
	    "context previous", GROUP_TOOL },
	{ "set", "change a setting for this session",
	    "Without arguments it lists the settings, what they are and where "
	    "that comes from; without a value it goes back to the default.",
	    set_arguments, NULL, &tool_settings_view, COMMAND_BY_LINE, run_set,
	    "set output json", GROUP_TOOL },
	{ "help", "show all commands, or help on one", NULL, help_arguments,
	    NULL, NULL, COMMAND_HARMLESS, run_help, "help client show",
	    GROUP_TOOL },
	{ "version", "show the version", NULL, NULL, NULL, NULL,
	    COMMAND_HARMLESS, run_version, "version", GROUP_TOOL },
	{ "completion", "print the completion script for a shell", NULL,
	    shell_arguments, NULL, NULL, COMMAND_HARMLESS, run_completion,
	    "completion bash", GROUP_TOOL },
	{ "exit", "leave the session", NULL, NULL, NULL, NULL, COMMAND_HARMLESS,
	    run_exit, NULL, GROUP_TOOL },
	{ "quit", "leave the session", NULL, NULL, NULL, NULL,
	    COMMAND_HIDDEN | COMMAND_HARMLESS, run_exit, NULL, GROUP_TOOL },
	{ "__complete", "words that could come next", NULL, words_arguments,
	    NULL, NULL, COMMAND_HIDDEN | COMMAND_VERBATIM | COMMAND_HARMLESS,
	    run_complete, NULL, GROUP_TOOL },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0 },
};
