/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "line/alias.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/tokens.h"
#include "base/xbuf.h"
#include "herd/text.h"
#include "line/args.h"

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!is_letter(c) &&
		    (i == 0 || (!text_is_digit(c) && c != '-' && c != '_')))
			return false;
	}
	return len > 0 && len <= ALIAS_NAME_MAX;
}

static enum status
check(const struct aliases *aliases, const char *name, size_t count,
    struct buf *message)
{
	put_text(message, "alias `");
	put_clean(message, span_from(name));
	if (!is_name(name))
		put_text(message, "': a name is a letter, then letters, "
				  "digits, - and _");
	else if (command_find(name) != NULL || command_is_group(name))
		put_text(message, "' would hide the command of that name");
	else if (count == 0)
		put_text(message, "' needs a command");
	else if (aliases->count == ALIAS_MOST &&
		 alias_find(aliases, name) == NULL)
		put_text(message, "' is one too many");
	else
		return STATUS_OK;
	return STATUS_USAGE;
}

static void
release_words(char **words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(words[i]);
	free(words);
}

static void
release(struct alias *alias)
{
	free(alias->name);
	free(alias->where);
	release_words(alias->words, alias->count);
}

enum status
alias_set(struct aliases *aliases, const char *name, const char *const *words,
    size_t count, const char *where, struct buf *message)
{
	size_t before = message->len;
	struct alias made = { 0 };
	const struct alias *old;
	enum status status = check(aliases, name, count, message);

	if (status != STATUS_OK)
		return status;
	buf_truncate(message, before);
	made.words = xcalloc(count, sizeof(*made.words));
	made.name = xstrdup(name);
	made.where = xstrdup(where);
	while (made.count < count) {
		made.words[made.count] = xstrdup(words[made.count]);
		made.count++;
	}
	old = alias_find(aliases, name);
	if (old != NULL)
		alias_remove(aliases, old);
	grow_array(aliases->items, aliases->count, aliases->room);
	aliases->items[aliases->count++] = made;
	return STATUS_OK;
}

const struct alias *
alias_find(const struct aliases *aliases, const char *name)
{
	for (size_t i = 0; aliases != NULL && i < aliases->count; i++) {
		if (strcmp(aliases->items[i].name, name) == 0)
			return &aliases->items[i];
	}
	return NULL;
}

void
alias_put(struct buf *out, const struct alias *alias)
{
	for (size_t i = 0; i < alias->count; i++) {
		put_text(out, i > 0 ? " " : "");
		tokens_quote(out, alias->words[i]);
	}
}

void
alias_remove(struct aliases *aliases, const struct alias *alias)
{
	size_t at = (size_t)(alias - aliases->items);

	release(&aliases->items[at]);
	aliases->count--;
	memmove(&aliases->items[at], &aliases->items[at + 1],
	    (aliases->count - at) * sizeof(*aliases->items));
}

void
aliases_release(struct aliases *aliases)
{
	for (size_t i = 0; i < aliases->count; i++)
		release(&aliases->items[i]);
	free(aliases->items);
	*aliases = (struct aliases){ 0 };
}

/* Puts the alias's words in the place of the word at `at`. */
static void
replace(struct alias_line *line, size_t at, const struct alias *alias)
{
	size_t after = line->count - at - 1;
	char **words = xcalloc(at + alias->count + after + 1, sizeof(*words));

	memcpy(words, line->words, at * sizeof(*words));
	for (size_t i = 0; i < alias->count; i++)
		words[at + i] = xstrdup(alias->words[i]);
	memcpy(words + at + alias->count, line->words + at + 1,
	    after * sizeof(*words));
	free(line->words[at]);
	free(line->words);
	line->words = words;
	line->count += alias->count - 1;
}

enum status
alias_expand(const struct aliases *aliases, const char *const *words,
    size_t count, struct alias_line *out, struct buf *message)
{
	*out = (struct alias_line){
		.words = xcalloc(count + 1, sizeof(*out->words)),
		.count = count,
	};
	for (size_t i = 0; i < count; i++)
		out->words[i] = xstrdup(words[i]);
	for (unsigned depth = 0;; depth++) {
		size_t at = args_command_at(
		    (const char *const *)out->words, out->count);
		const struct alias *alias =
		    at == out->count ? NULL
				     : alias_find(aliases, out->words[at]);

		if (alias == NULL)
			return STATUS_OK;
		if (depth == ALIAS_DEPTH_MAX) {
			putf(message,
			    "alias `%s' leads to itself, or to too "
			    "many others",
			    alias->name);
			return STATUS_USAGE;
		}
		replace(out, at, alias);
	}
}

void
alias_line_release(struct alias_line *line)
{
	release_words(line->words, line->count);
	*line = (struct alias_line){ 0 };
}
