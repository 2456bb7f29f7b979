/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "line/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"

#define NAMES_MAX 256u

static const char *const group_titles[GROUP_COUNT] = {
	[GROUP_CLIENTS] = "Clients and places",
	[GROUP_LINKS] = "Nodes and links",
	[GROUP_TABLE] = "The table",
	[GROUP_HERD] = "The herd",
	[GROUP_PLACES] = "Places",
	[GROUP_CONFIG] = "Configuration and log",
	[GROUP_WATCHING] = "Watching",
	[GROUP_TOOL] = "This tool",
};

static const struct flag global_flags[] = {
	FLAG("conf", .letter = 'c', .value = "FILE", .complete = COMPLETE_FILE,
	    .help = "herd file (else $HERD_CONF, the user's, the system's)"),
	FLAG("context", .letter = 'C', .value = "NAME",
	    .complete = COMPLETE_CONTEXT, .help = "work in this context"),
	FLAG("node", .letter = 'n', .value = "NODE|all",
	    .complete = COMPLETE_NODE,
	    .help = "ask this node, several (with commas), or all"),
	FLAG("server", .letter = 's', .value = "ADDR",
	    .help =
		"ask the server at HOST:PORT or /SOCKET, without a herd file"),
	FLAG("output", .letter = 'o', .value = "FORMAT",
	    .complete = COMPLETE_FORMAT,
	    .help = "output format; table on a terminal, else plain"),
	FLAG("json", .help = "as -o json"),
	FLAG("format", .value = "TEMPLATE", .complete = COMPLETE_TEMPLATE,
	    .help = "one line for each row, such as '{client} {lat} {lon}'"),
	FLAG("columns", .value = "LIST", .complete = COMPLETE_COLUMN,
	    .help = "these columns, with commas, or all"),
	FLAG("sort", .value = "KEY[:desc]", .complete = COMPLETE_SORT,
	    .help = "sort by this column; several with commas"),
	FLAG("limit", .value = "N", .help = "N rows at most"),
	FLAG("where", .value = "EXPR", .complete = COMPLETE_WHERE,
	    .help = "only rows such as 'state != synced and rtt > 10ms'"),
	FLAG("no-header", .help = "no titles above the columns"),
	FLAG("safe", .help = "csv, tsv: no cell is a spreadsheet's formula"),
	FLAG("file", .letter = 'f', .value = "FILE", .complete = COMPLETE_FILE,
	    .help = "run the commands in FILE (- is stdin)"),
	FLAG("keep-going",
	    .help = "a script goes on after an error; the worst status counts"),
	FLAG("timeout", .value = "DURATION",
	    .help =
		"how long to wait for all answers together (5s); 0 is for ever"),
	FLAG("watch", .value = "S", .value_optional = true,
	    .help = "repeat every S seconds (2); on a terminal q ends it"),
	FLAG("count", .value = "N", .help = "repeat N times; implies --watch"),
	FLAG("color", .value = "WHEN", .complete = COMPLETE_WORDS,
	    .words = "auto always never",
	    .help = "colours: auto, always or never"),
	FLAG("no-pager", .help = "no pager"),
	FLAG("quiet", .letter = 'q', .help = "no hints, no notices"),
	FLAG("verbose", .letter = 'v', .help = "show each request"),
	FLAG("yes", .letter = 'y', .help = "do not ask for confirmation"),
	FLAG("read-only", .help = "refuse commands that change something"),
	FLAG("token-file", .value = "FILE", .complete = COMPLETE_FILE,
	    .help = "token for admin listeners over TCP"),
	FLAG("ca-file", .value = "FILE", .complete = COMPLETE_FILE,
	    .help = "CA certificates for nodes with TLS, not the system's"),
	FLAG("cert-file", .value = "FILE", .complete = COMPLETE_FILE,
	    .help = "your certificate, for nodes that want one"),
	FLAG("key-file", .value = "FILE", .complete = COMPLETE_FILE,
	    .help = "and its key"),
	FLAG("insecure", .help = "send the token to another machine in clear"),
	FLAG("no-rc", .letter = 'X', .help = "do not read rc files"),
	FLAG("help", .letter = 'h', .help = "help"),
	FLAG("version", .letter = 'V', .help = "the version"),
	{ .name = NULL },
};

const char *
command_group_title(enum command_group group)
{
	return group_titles[group];
}

const struct flag *
command_global_flags(void)
{
	return global_flags;
}

const struct command *
command_find(const char *path)
{
	commands_each(c) {
		if (strcmp((*c)->path, path) == 0)
			return *c;
	}
	return NULL;
}

const struct command *
command_match(const char *const *words, size_t count, size_t *used)
{
	const struct command *command = NULL;

	if (count >= 2) {
		char *path = xasprintf("%s %s", words[0], words[1]);

		command = command_find(path);
		*used = 2;
		free(path);
	}
	if (command == NULL && count >= 1) {
		command = command_find(words[0]);
		*used = 1;
	}
	return command;
}

bool
command_is_in(const struct command *command, const char *group)
{
	size_t len = strlen(group);

	return strncmp(command->path, group, len) == 0 &&
	       command->path[len] == ' ';
}

bool
command_is_group(const char *word)
{
	commands_each(c) {
		if (command_is_in(*c, word))
			return true;
	}
	return false;
}

bool
command_is_verbatim(const char *first_word)
{
	const struct command *command = command_find(first_word);

	return command != NULL && (command->traits & COMMAND_VERBATIM) != 0;
}

/* A misspelt first word: any command of the group that it resembles. */
static const char *
nearest_group(struct span word, const char *const *paths)
{
	for (; *paths != NULL && word.len > 2; paths++) {
		struct span first = span_of(*paths, strcspn(*paths, " "));

		if (text_distance(word, first) <= 2)
			return *paths;
	}
	return NULL;
}

const char *
command_did_you_mean(const char *const *words, size_t count)
{
	const char *paths[NAMES_MAX] = { NULL };
	size_t n = 0;
	char *typed;
	const char *near;
	char *second = NULL;

	commands_each(c) {
		if (((*c)->traits & COMMAND_HIDDEN) == 0 && n + 1 < NAMES_MAX)
			paths[n++] = (*c)->path;
	}
	if (count > 1)
		second = xasprintf("%s %s", words[0], words[1]);
	typed = second == NULL ? xstrdup(words[0]) : second;
	near = text_did_you_mean(span_from(typed), paths);
	if (near == NULL && second != NULL)
		near = text_did_you_mean(span_from(words[0]), paths);
	if (near == NULL)
		near = nearest_group(span_from(words[0]), paths);
	free(typed);
	return near;
}

void
command_put_arguments(struct buf *out, const struct command *command)
{
	put_text(out, command->path);
	for (const struct argument *a = command->args;
	     a != NULL && a->name != NULL; a++)
		putf(out, a->optional ? " [%s%s]" : " %s%s", a->name,
		    a->repeats ? "..." : "");
}

void
command_synopsis(struct buf *out, const struct command *command)
{
	command_put_arguments(out, command);
	for (const struct flag *f = command->flags;
	     f != NULL && f->name != NULL; f++) {
		if (f->letter != 0)
			putf(out, " [-%c", f->letter);
		else
			putf(out, " [--%s", f->name);
		if (f->value != NULL && f->value_optional)
			putf(out, "[=%s]", f->value);
		else if (f->value != NULL)
			putf(out, " %s", f->value);
		put_byte(out, ']');
	}
}
