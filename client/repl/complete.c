/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "repl/complete.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "conf/contexts.h"
#include "conf/herd_users.h"
#include "out/out.h"

#define COMPLETIONS_MAX 5000u

/* The place of the line's end in the grammar. */
struct completing {
	struct app *app;
	const char *prefix;
	const struct complete_sources *sources;
	struct completions *out;
	const struct command *command;
	const char *words[2]; /* of the command so far */
	size_t word_count;
	const char *given;       /* the command's first argument, or NULL */
	size_t argument;         /* index of the argument at the end */
	const struct flag *flag; /* whose value is at the end, or NULL */
	const char *node;        /* that --node named, or NULL */
	bool literal;
};

static void
add_item(struct completing *p, const char *word, bool is_argument)
{
	struct completions *out = p->out;

	if (strncmp(word, p->prefix, strlen(p->prefix)) != 0 ||
	    out->count >= COMPLETIONS_MAX)
		return;
	grow_array(out->items, out->count, out->room);
	out->items[out->count++] = (struct completion){ .word = xstrdup(word),
		.is_argument = is_argument };
}

static void
add(struct completing *p, const char *word)
{
	add_item(p, word, true);
}

/* A word after what precedes it in the word at the end: `Riley,Be'. */
static void
add_after(struct completing *p, size_t before, const char *word)
{
	char *whole = xasprintf("%.*s%s", (int)before, p->prefix, word);

	add(p, whole);
	free(whole);
}

/* In a list with commas the word at the end follows the last one. */
static size_t
after_comma(const struct completing *p)
{
	const char *comma = strrchr(p->prefix, ',');

	return comma == NULL ? 0 : (size_t)(comma + 1 - p->prefix);
}

/* Does the option at the end take several values with commas? */
static bool
is_list(const struct completing *p)
{
	return p->flag != NULL && p->flag->value != NULL &&
	       strcmp(p->flag->value, "LIST") == 0;
}

static void
add_words_after(struct completing *p, size_t before, const char *words)
{
	while (words != NULL && *words != '\0') {
		size_t len = strcspn(words, " ");
		char *word = xstrndup(words, len);

		add_after(p, before, word);
		free(word);
		words += len;
		words += strspn(words, " ");
	}
}

static void
add_list(struct completing *p, const char *words)
{
	add_words_after(p, is_list(p) ? after_comma(p) : 0, words);
}

/* `in_list`: several with commas, or all. */
static void
add_nodes(struct completing *p, bool in_list)
{
	size_t before = in_list ? after_comma(p) : 0;
	struct herd *herd;
	struct buf message = XBUF;

	if (app_herd(p->app, &herd, &message) == STATUS_OK) {
		for (size_t i = 0; i < herd->count; i++)
			add_after(p, before, herd->targets[i].name);
	}
	if (in_list && before == 0)
		add(p, "all");
	buf_release(&message);
}

/* Index in the herd file of the node that the line is for, or node_count. */
static size_t
node_asked(struct completing *p, const struct herd *herd)
{
	const struct target *target = app_current(p->app);
	const char *name = p->node;
	size_t node;

	if (name == NULL && target != NULL)
		name = target->name;
	if (name == NULL ||
	    herdfile_find(&herd->file, span_from(name), &node) != HERD_OK)
		return herd->file.node_count;
	return node;
}

/* The neighbours of the node that is asked; all nodes if that is not clear. */
static void
add_peers(struct completing *p)
{
	const struct herdfile *file;
	struct herd *herd;
	struct buf message = XBUF;
	size_t node, peer;

	if (app_herd(p->app, &herd, &message) == STATUS_OK) {
		file = &herd->file;
		node = node_asked(p, herd);
		if (node == file->node_count)
			add_nodes(p, false);
		for (size_t i = 0; i < file->link_count; i++) {
			if (herdfile_link_peer(
				file, &file->links[i], node, &peer) == HERD_OK)
				add(p, file->nodes[peer].name);
		}
	}
	buf_release(&message);
}

static const struct view *
view_of(const struct completing *p)
{
	return p->command == NULL ? NULL : p->command->view;
}

static void
add_keys_after(struct completing *p, size_t before)
{
	const struct view *view = view_of(p);

	for (size_t i = 0; view != NULL && i < view->count; i++)
		add_after(p, before, view->columns[i].key);
}

/* A key; after one that is complete, the ways to sort by it, too. */
static void
add_sort_keys(struct completing *p)
{
	const struct view *view = view_of(p);
	size_t before = after_comma(p);
	struct span item = span_from(p->prefix + before);
	size_t column;

	add_keys_after(p, before);
	item.len = strcspn(item.data, ":");
	column = view == NULL ? 0 : view_find(view, item);
	if (view == NULL || column == view->count)
		return;
	before += item.len;
	add_after(p, before, ":asc");
	add_after(p, before, ":desc");
}

/* What an expression has before its last word. */
enum before_word {
	BEFORE_BEGIN,    /* a column or `not' comes next */
	BEFORE_COLUMN,   /* an operator */
	BEFORE_OPERATOR, /* a value */
	BEFORE_VALUE,    /* `and', `or' */
};

static enum before_word
before_last(const char *text, size_t len)
{
	static const char gaps[] = " ()=!<>~";
	enum before_word state = BEFORE_BEGIN;
	size_t at = 0;

	while (at < len) {
		size_t word = strcspn(text + at, gaps);

		word = word < len - at ? word : len - at;
		if (word == 0) {
			if (memchr("=!<>~", text[at], 5) != NULL)
				state = BEFORE_OPERATOR;
			at++;
			continue;
		}
		if (tokens_is_among("and or not", span_of(text + at, word)))
			state = BEFORE_BEGIN;
		else
			state = state == BEFORE_BEGIN ? BEFORE_COLUMN
						      : BEFORE_VALUE;
		at += word;
	}
	return state;
}

static void
add_expression(struct completing *p)
{
	size_t before = strlen(p->prefix);

	while (
	    before > 0 && memchr(" ()=!<>~", p->prefix[before - 1], 8) == NULL)
		before--;
	p->out->goes_on = true;
	switch (before_last(p->prefix, before)) {
	case BEFORE_BEGIN:
		add_keys_after(p, before);
		if (before > 0)
			add_after(p, before, "not");
		return;
	case BEFORE_COLUMN:
		add_words_after(p, before, "= != < <= > >= ~");
		return;
	case BEFORE_OPERATOR: return;
	case BEFORE_VALUE: add_words_after(p, before, "and or"); return;
	}
}

/* After a brace that is open, the columns. */
static void
add_fields(struct completing *p)
{
	const struct view *view = view_of(p);
	const char *open = strrchr(p->prefix, '{');

	if (open == NULL || strchr(open, '}') != NULL)
		return;
	p->out->goes_on = true;
	for (size_t i = 0; view != NULL && i < view->count; i++) {
		char *field = xasprintf("%s}", view->columns[i].key);

		add_after(p, (size_t)(open + 1 - p->prefix), field);
		free(field);
	}
}

/* The formats, as -o takes them. */
static void
add_formats(struct completing *p)
{
	for (const struct format *f = format_table(); f->name != NULL; f++)
		add(p, f->name);
}

static void
add_aliases(struct completing *p)
{
	const struct aliases *aliases = p->sources->aliases;

	for (size_t i = 0; aliases != NULL && i < aliases->count; i++)
		add(p, aliases->items[i].name);
}

/* Values of the setting that is named before them. */
static void
add_values(struct completing *p)
{
	const struct pref *pref = p->given == NULL ? NULL : pref_find(p->given);

	if (pref == NULL)
		return;
	switch (pref->type) {
	case PREF_BOOL: add_list(p, "on off"); return;
	case PREF_WORDS: add_list(p, pref->words); return;
	case PREF_FORMAT: add_formats(p); return;
	case PREF_NUMBER:
	case PREF_DURATION: return;
	case PREF_TEXT: break;
	}
	if (pref->id == PREF_NODE)
		add_nodes(p, true);
	if (pref->id == PREF_PAGER)
		add_list(p, "auto off");
	p->out->files = (pref->traits & PREF_PATH) != 0;
}

/* Of the herd's users file on this machine, if this user may read it. */
static void
add_users(struct completing *p)
{
	struct users_file file = { 0 };
	const struct target *target;
	struct herd *herd;
	struct buf message = XBUF;
	char *path = NULL;

	if (app_herd(p->app, &herd, &message) == STATUS_OK) {
		target = app_current(p->app);
		path = herd_users_path(herd, target->name, &message);
	}
	if (path != NULL)
		(void)herd_users_read(path, &file, &message);
	for (size_t i = 0; i < file.count; i++) {
		char *name = xstrndup(
		    file.entries[i].name.data, file.entries[i].name.len);

		add(p, name);
		free(name);
	}
	users_file_release(&file);
	free(path);
	buf_release(&message);
}

static void
add_names(struct completing *p, const char *const *names)
{
	for (; names != NULL && *names != NULL; names++)
		add(p, *names);
}

static void add_command_words(struct completing *p);

/* `help client <Tab>': what `client <Tab>' has. */
static void
add_commands(struct completing *p)
{
	struct completing inner = *p;

	inner.word_count = p->given == NULL ? 0 : 1;
	inner.words[0] = p->given;
	if (p->argument < 2)
		add_command_words(&inner);
}

static void
add_kind(struct completing *p, enum complete_kind kind, const char *words)
{
	const struct complete_sources *sources = p->sources;
	char **names;

	p->out->kind = kind;
	switch (kind) {
	case COMPLETE_NONE: return;
	case COMPLETE_WORDS: add_list(p, words); return;
	case COMPLETE_NODE: add_nodes(p, p->flag != NULL); return;
	case COMPLETE_PEER: add_peers(p); return;
	case COMPLETE_CLIENT:
		if (sources->clients != NULL)
			add_names(p, sources->clients(sources->arg, p->prefix));
		return;
	case COMPLETE_METRIC:
		if (sources->metrics != NULL)
			add_names(p, sources->metrics(sources->arg));
		return;
	case COMPLETE_ALIAS: add_aliases(p); return;
	case COMPLETE_USER: add_users(p); return;
	case COMPLETE_CONTEXT:
		names = contexts_list();
		for (char **name = names; *name != NULL; name++)
			add(p, *name);
		add(p, "none");
		contexts_free(names);
		return;
	case COMPLETE_FILE: p->out->files = true; return;
	case COMPLETE_FORMAT: add_formats(p); return;
	case COMPLETE_COMMAND: add_commands(p); return;
	case COMPLETE_COLUMN: add_keys_after(p, after_comma(p)); return;
	case COMPLETE_SORT: add_sort_keys(p); return;
	case COMPLETE_WHERE: add_expression(p); return;
	case COMPLETE_TEMPLATE: add_fields(p); return;
	case COMPLETE_VALUE: add_values(p); return;
	case COMPLETE_SETTING:
		for (size_t i = 0; i < PREF_COUNT; i++) {
			if ((pref_table()[i].traits & PREF_SETTABLE) != 0)
				add(p, pref_table()[i].name);
		}
		return;
	}
}

static void
add_flags(struct completing *p, const struct flag *flags)
{
	for (; flags != NULL && flags->name != NULL; flags++) {
		char *word = xasprintf("--%s", flags->name);

		add_item(p, word, false);
		free(word);
	}
}

/* First words, or the second ones of a group. */
static void
add_command_words(struct completing *p)
{
	if (p->word_count == 0)
		add_aliases(p);
	commands_each(c) {
		const char *path = (*c)->path;
		size_t len = strcspn(path, " ");
		char *first;

		if (((*c)->traits & COMMAND_HIDDEN) != 0)
			continue;
		if (p->word_count == 1) {
			if (command_is_in(*c, p->words[0]))
				add(p, path + len + 1);
			continue;
		}
		first = xstrndup(path, len);
		add(p, first);
		free(first);
	}
}

/* One word before the end. */
static void
pass_word(struct completing *p, const char *word)
{
	size_t used;

	if (p->flag != NULL) {
		if (strcmp(p->flag->name, "node") == 0)
			p->node = word;
		p->flag = NULL; /* it was the value */
		return;
	}
	if (!p->literal && strcmp(word, "--") == 0) {
		p->literal = true;
		return;
	}
	if (!p->literal && args_is_option(word)) {
		const struct flag *flag = args_find_flag(p->command, word);
		bool has_value = word[1] == '-' ? strchr(word, '=') != NULL
						: word[2] != '\0';

		if (flag != NULL && flag->value != NULL &&
		    !flag->value_optional && !has_value)
			p->flag = flag;
		return;
	}
	if (p->command != NULL) {
		if (p->argument++ == 0)
			p->given = word;
		return;
	}
	if (p->word_count < 2)
		p->words[p->word_count++] = word;
	if (p->word_count == 1 && command_is_group(word))
		return;
	p->command = command_match(p->words, p->word_count, &used);
	if (p->command != NULL && (p->command->traits & COMMAND_VERBATIM) != 0)
		p->literal = true;
}

static void
add_argument(struct completing *p)
{
	const struct argument *a = p->command->args;
	size_t i = p->argument;

	for (; a != NULL && a->name != NULL; a++) {
		if (i == 0 || a->repeats) {
			add_kind(p, a->complete, a->words);
			return;
		}
		i--;
	}
}

/* --output=js: the value is part of the word. */
static bool
add_joined_value(struct completing *p)
{
	const char *equals = strchr(p->prefix, '=');
	const struct flag *flag;
	struct completions inner = { 0 };
	struct completing value = *p;

	if (strncmp(p->prefix, "--", 2) != 0 || equals == NULL)
		return false;
	flag = args_find_flag(p->command, p->prefix);
	if (flag == NULL || flag->value == NULL)
		return true;
	value.prefix = equals + 1;
	value.out = &inner;
	value.flag = flag;
	add_kind(&value, flag->complete, flag->words);
	for (size_t i = 0; i < inner.count; i++) {
		char *word = xasprintf("%.*s%s", (int)(equals + 1 - p->prefix),
		    p->prefix, inner.items[i].word);

		add_item(p, word, false);
		free(word);
	}
	p->out->files = inner.files;
	p->out->goes_on = inner.goes_on;
	completions_release(&inner);
	return true;
}

static int
by_text(const void *a, const void *b)
{
	const struct completion *left = a;
	const struct completion *right = b;
	int order = strcmp(left->word, right->word);

	return order != 0 ? order : left->is_argument - right->is_argument;
}

/* In order, each once. */
static void
sort(struct completions *out)
{
	size_t kept = 0;

	if (out->count > 1)
		qsort(out->items, out->count, sizeof(*out->items), by_text);
	for (size_t i = 0; i < out->count; i++) {
		if (kept > 0 &&
		    by_text(&out->items[kept - 1], &out->items[i]) == 0)
			free(out->items[i].word);
		else
			out->items[kept++] = out->items[i];
	}
	out->count = kept;
}

static void
complete_line(struct completing *p, const char *const *words, size_t count)
{
	/* What an alias means is a line of its own. */
	if (count >= 3 && strcmp(words[0], "alias") == 0 &&
	    strcmp(words[2], "=") == 0) {
		words += 3;
		count -= 3;
	}
	for (size_t i = 0; i < count; i++)
		pass_word(p, words[i]);
	p->out->literal = p->literal || p->flag != NULL;
	if (p->flag != NULL) {
		add_kind(p, p->flag->complete, p->flag->words);
	} else if (!p->literal && add_joined_value(p)) {
		; /* done */
	} else if (!p->literal &&
		   (args_is_option(p->prefix) || strcmp(p->prefix, "-") == 0)) {
		if (p->command != NULL)
			add_flags(p, p->command->flags);
		add_flags(p, command_global_flags());
		if (p->command != NULL)
			add_argument(p);
	} else if (p->command != NULL) {
		add_argument(p);
	} else {
		add_command_words(p);
	}
}

void
complete(struct app *app, const char *const *words, size_t count,
    const char *prefix, const struct complete_sources *sources,
    struct completions *out)
{
	struct completing p = {
		.app = app, .prefix = prefix, .sources = sources, .out = out
	};
	struct alias_line line;
	struct buf why = XBUF;

	*out = (struct completions){ 0 };
	if (alias_expand(sources->aliases, words, count, &line, &why) ==
	    STATUS_OK)
		complete_line(&p, (const char *const *)line.words, line.count);
	sort(out);
	alias_line_release(&line);
	buf_release(&why);
}

bool
completion_wants_dashes(
    const struct completions *completions, const struct completion *item)
{
	return item->is_argument && !completions->literal &&
	       args_is_option(item->word);
}

void
completions_release(struct completions *completions)
{
	for (size_t i = 0; i < completions->count; i++)
		free(completions->items[i].word);
	free(completions->items);
	*completions = (struct completions){ 0 };
}
