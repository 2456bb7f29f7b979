/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/help.h"

#include <string.h>

#include "base/xbuf.h"
#include "out/out.h"
#include "out/width.h"

#define FLAG_COLUMN 26u
#define COMMAND_COLUMN 34u
#define TEXT_WIDTH 78u

/* `text` broken into lines after `indent` columns; the first is begun. */
static void
put_wrapped(struct buf *out, const char *text, size_t indent)
{
	size_t column = indent;

	while (*text != '\0') {
		size_t len = strcspn(text, " \n");
		bool newline = text[len] == '\n';

		if (column > indent && column + 1 + len > TEXT_WIDTH) {
			put_byte(out, '\n');
			put_fill(out, ' ', indent);
			column = indent;
		} else if (column > indent) {
			put_byte(out, ' ');
			column++;
		}
		put(out, text, len);
		column += len;
		text += len;
		text += *text != '\0';
		if (newline) {
			put_byte(out, '\n');
			put_fill(out, ' ', indent);
			column = indent;
		}
	}
	put_byte(out, '\n');
}

/* A name, then its text in a column of its own. */
static void
put_entry(struct buf *out, struct buf *name, size_t column, const char *text)
{
	size_t width = name->len + 2;

	put_text(out, "  ");
	put_span(out, buf_span(name));
	if (width + 2 > column) {
		put_byte(out, '\n');
		width = 0;
	}
	put_fill(out, ' ', column - width);
	put_wrapped(out, text, column);
	buf_clear(name);
}

static void
put_flag_name(struct buf *out, const struct flag *flag)
{
	if (flag->letter != 0)
		putf(out, "-%c, ", flag->letter);
	putf(out, "--%s", flag->name);
	if (flag->value != NULL && flag->value_optional)
		putf(out, "[=%s]", flag->value);
	else if (flag->value != NULL)
		putf(out, " %s", flag->value);
}

static void
put_flags(struct buf *out, const struct flag *flags)
{
	struct buf name = XBUF;

	for (; flags != NULL && flags->name != NULL; flags++) {
		put_flag_name(&name, flags);
		put_entry(out, &name, FLAG_COLUMN, flags->help);
	}
	buf_release(&name);
}

static void
put_columns(struct buf *out, const struct view *view)
{
	struct buf list = XBUF;

	put_text(out, "\nColumns (--columns, --sort, --where):\n  ");
	for (size_t i = 0; i < view->count; i++)
		putf(&list, "%s%s", i > 0 ? " " : "", view->columns[i].key);
	put_wrapped(out, text_of(&list), 2);
	buf_release(&list);
}

static void
put_command(struct buf *out, const struct command *command)
{
	put_text(out, "usage: herdctl ");
	command_synopsis(out, command);
	put_text(out, "\n\n");
	put_wrapped(out, command->summary, 0);
	if (command->help != NULL) {
		put_byte(out, '\n');
		put_wrapped(out, command->help, 0);
	}
	if (command->flags != NULL && command->flags->name != NULL) {
		put_text(out, "\nOptions:\n");
		put_flags(out, command->flags);
	}
	if (command->view != NULL)
		put_columns(out, command->view);
	if (command->example != NULL)
		putf(out, "\nExample:\n  herdctl %s\n", command->example);
	put_text(out, "\n`help' lists the options that every command takes.\n");
}

/* The commands of each group, all or those that begin with `word`. */
static void
put_groups(struct buf *out, const char *word)
{
	enum command_group shown = GROUP_COUNT;
	struct buf name = XBUF;

	commands_each(at) {
		const struct command *c = *at;

		if ((c->traits & COMMAND_HIDDEN) != 0 ||
		    (word != NULL && !command_is_in(c, word)))
			continue;
		if (c->group != shown)
			putf(out, "\n%s\n", command_group_title(c->group));
		shown = c->group;
		command_put_arguments(&name, c);
		put_entry(out, &name, COMMAND_COLUMN, c->summary);
	}
	buf_release(&name);
}

static void
put_formats(struct buf *out)
{
	struct buf name = XBUF;

	put_text(out, "\nFormats (-o)\n");
	for (const struct format *f = format_table(); f->name != NULL; f++) {
		put_text(&name, f->name);
		put_entry(out, &name, FLAG_COLUMN, f->help);
	}
	buf_release(&name);
}

static void
put_statuses(struct buf *out)
{
	struct buf name = XBUF;

	put_text(out, "\nExit status\n");
	for (const struct status_entry *e = exit_status_table();
	     e->word != NULL; e++) {
		putf(&name, "%d %s", (int)e->status, e->word);
		put_entry(out, &name, FLAG_COLUMN, e->text);
	}
	buf_release(&name);
}

static void
put_aliases(struct buf *out, const struct aliases *aliases)
{
	struct buf name = XBUF;
	struct buf text = XBUF;
	struct buf clean = XBUF;

	if (aliases->count > 0)
		put_text(out, "\nAliases\n");
	for (size_t i = 0; i < aliases->count; i++) {
		buf_clear(&text);
		buf_clear(&clean);
		alias_put(&text, &aliases->items[i]);
		put_clean(&clean, buf_span(&text));
		put_text(&name, aliases->items[i].name);
		put_entry(out, &name, COMMAND_COLUMN, text_of(&clean));
	}
	buf_release(&name);
	buf_release(&text);
	buf_release(&clean);
}

static void
put_overview(struct buf *out, const struct aliases *aliases)
{
	put_text(out,
	    "usage: herdctl [OPTION...] COMMAND [ARGUMENT...]\n"
	    "       herdctl [OPTION...]            an interactive session\n"
	    "       herdctl [OPTION...] -f FILE    a script; so does a pipe\n");
	put_groups(out, NULL);
	put_aliases(out, aliases);
	put_text(out, "\nOptions of every command\n");
	put_flags(out, command_global_flags());
	put_formats(out);
	put_statuses(out);
	put_text(out, "\n`help COMMAND' says more; herdctl(1) says all.\n");
}

void
help_print(struct sink *sink, const struct command *command, const char *group,
    const struct aliases *aliases)
{
	struct buf out = XBUF;

	if (command != NULL) {
		put_command(&out, command);
	} else if (group != NULL) {
		put_groups(&out, group);
		buf_drain(&out, 1);
	} else {
		put_overview(&out, aliases);
	}
	sink_write(sink, buf_span(&out));
	sink_flush(sink);
	buf_release(&out);
}

void
help_list_group(struct buf *out, const char *group)
{
	const char *comma = "";

	commands_each(c) {
		if (((*c)->traits & COMMAND_HIDDEN) != 0 ||
		    !command_is_in(*c, group))
			continue;
		putf(out, "%s%s", comma, (*c)->path + strlen(group) + 1);
		comma = ", ";
	}
}
