/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The families of commands, the options that all of them take, and the
 * look-ups over the whole table.
 */
#include "cmd/commands.h"

#include <stdlib.h>
#include <string.h>

#include "herd/text.h"
#include "base/xbuf.h"

#define NAMES_MAX 256u

static const struct family families[] = {
	{ "Clients and places", client_data_commands },
	{ "Nodes and links", client_node_commands },
	{ "The table", client_table_commands },
	{ "The herd", client_herd_commands },
	{ "Places", client_places_commands },
	{ "Configuration and log", client_config_commands },
	{ "Watching", client_watch_commands },
	{ "This tool", client_tool_commands },
	{ NULL, NULL },
};

static const struct flag global_flags[] = {
	{ "conf", 'c', "FILE", false, COMPLETE_FILE, NULL,
	    "herd file (else $HERD_CONF, the user's, the system's)" },
	{ "context", 'C', "NAME", false, COMPLETE_CONTEXT, NULL,
	    "work in this context" },
	{ "node", 'n', "NODE|all", false, COMPLETE_NODE, NULL,
	    "ask this node, several (with commas), or all" },
	{ "server", 's', "ADDR", false, COMPLETE_NONE, NULL,
	    "ask the server at HOST:PORT or /SOCKET, without a herd file" },
	{ "output", 'o', "FORMAT", false, COMPLETE_FORMAT, NULL,
	    "output format; table on a terminal, else plain" },
	{ "json", 0, NULL, false, COMPLETE_NONE, NULL, "as -o json" },
	{ "columns", 0, "LIST", false, COMPLETE_COLUMN, NULL,
	    "these columns, with commas, or all" },
	{ "sort", 0, "KEY[:desc]", false, COMPLETE_COLUMN, NULL,
	    "sort by this column; several with commas" },
	{ "limit", 0, "N", false, COMPLETE_NONE, NULL, "N rows at most" },
	{ "where", 0, "EXPR", false, COMPLETE_NONE, NULL,
	    "only rows such as 'state != synced and rtt > 10ms'" },
	{ "no-header", 0, NULL, false, COMPLETE_NONE, NULL,
	    "no titles above the columns" },
	{ "file", 'f', "FILE", false, COMPLETE_FILE, NULL,
	    "run the commands in FILE (- is stdin)" },
	{ "keep-going", 0, NULL, false, COMPLETE_NONE, NULL,
	    "a script goes on after an error; the worst status counts" },
	{ "timeout", 0, "DURATION", false, COMPLETE_NONE, NULL,
	    "wait so long for all answers together (5s); 0 waits for ever" },
	{ "watch", 0, "S", true, COMPLETE_NONE, NULL,
	    "again every S seconds (2); on a terminal q ends it" },
	{ "count", 0, "N", false, COMPLETE_NONE, NULL,
	    "so many times, with --watch or as if with it" },
	{ "color", 0, "WHEN", false, COMPLETE_WORDS, "auto always never",
	    "colours: auto, always or never" },
	{ "no-pager", 0, NULL, false, COMPLETE_NONE, NULL, "no pager" },
	{ "quiet", 'q', NULL, false, COMPLETE_NONE, NULL,
	    "no hints, no notices" },
	{ "verbose", 'v', NULL, false, COMPLETE_NONE, NULL,
	    "say what is asked of whom" },
	{ "yes", 'y', NULL, false, COMPLETE_NONE, NULL,
	    "do not ask for confirmation" },
	{ "read-only", 0, NULL, false, COMPLETE_NONE, NULL,
	    "refuse what would change something" },
	{ "token-file", 0, "FILE", false, COMPLETE_FILE, NULL,
	    "token for admin listeners over TCP" },
	{ "insecure", 0, NULL, false, COMPLETE_NONE, NULL,
	    "send the token to another machine in clear" },
	{ "no-rc", 'X', NULL, false, COMPLETE_NONE, NULL,
	    "do not read rc files" },
	{ "help", 'h', NULL, false, COMPLETE_NONE, NULL, "help" },
	{ "version", 'V', NULL, false, COMPLETE_NONE, NULL, "the version" },
	{ NULL, 0, NULL, false, COMPLETE_NONE, NULL, NULL },
};

const struct family *
command_families(void)
{
	return families;
}

const struct flag *
command_global_flags(void)
{
	return global_flags;
}

void
command_each(void (*each)(const struct command *command, void *arg), void *arg)
{
	for (const struct family *f = families; f->title != NULL; f++) {
		for (const struct command *c = f->commands; c->path != NULL;
		     c++)
			each(c, arg);
	}
}

const struct command *
command_find(const char *path)
{
	for (const struct family *f = families; f->title != NULL; f++) {
		for (const struct command *c = f->commands; c->path != NULL;
		     c++) {
			if (strcmp(c->path, path) == 0)
				return c;
		}
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
command_is_group(const char *word)
{
	size_t len = strlen(word);

	for (const struct family *f = families; f->title != NULL; f++) {
		for (const struct command *c = f->commands; c->path != NULL;
		     c++) {
			if (strncmp(c->path, word, len) == 0 &&
			    c->path[len] == ' ')
				return true;
		}
	}
	return false;
}

bool
command_is_verbatim(const char *first_word)
{
	const struct command *command = command_find(first_word);

	return command != NULL && (command->traits & COMMAND_VERBATIM) != 0;
}

struct names {
	const char *names[NAMES_MAX];
	size_t count;
};

static void
add_path(const struct command *command, void *arg)
{
	struct names *names = arg;

	if ((command->traits & COMMAND_HIDDEN) == 0 &&
	    names->count + 1 < NAMES_MAX)
		names->names[names->count++] = command->path;
}

/* A misspelt first word: any command of the group that it resembles. */
static const char *
nearest_group(struct span word, const struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *path = names->names[i];
		struct span first = span_of(path, strcspn(path, " "));

		if (word.len > 2 && text_distance(word, first) <= 2)
			return path;
	}
	return NULL;
}

const char *
command_did_you_mean(const char *const *words, size_t count)
{
	struct names names = { .count = 0 };
	char *typed;
	const char *near;
	char *second = NULL;

	command_each(add_path, &names);
	names.names[names.count] = NULL;
	if (count > 1)
		second = xasprintf("%s %s", words[0], words[1]);
	typed = second == NULL ? xstrdup(words[0]) : second;
	near = text_did_you_mean(span_from(typed), names.names);
	if (near == NULL && second != NULL)
		near = text_did_you_mean(span_from(words[0]), names.names);
	if (near == NULL)
		near = nearest_group(span_from(words[0]), &names);
	free(typed);
	return near;
}

void
command_synopsis(struct buf *out, const struct command *command)
{
	put_text(out, command->path);
	for (const struct argument *a = command->arguments;
	     a != NULL && a->name != NULL; a++)
		putf(out, a->optional ? " [%s%s]" : " %s%s", a->name,
		    a->repeats ? "..." : "");
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
