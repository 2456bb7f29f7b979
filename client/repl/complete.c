/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "repl/complete.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "conf/contexts.h"
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

static void
add_list(struct completing *p, const char *words)
{
	while (words != NULL && *words != '\0') {
		size_t len = strcspn(words, " ");
		char *word = xstrndup(words, len);

		add(p, word);
		free(word);
		words += len;
		words += strspn(words, " ");
	}
}

static void
add_nodes(struct completing *p, bool with_all)
{
	struct herd *herd;
	struct buf message = XBUF;

	if (app_herd(p->app, &herd, &message) == STATUS_OK) {
		for (size_t i = 0; i < herd->count; i++)
			add(p, herd->targets[i].name);
	}
	if (with_all)
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

/* In a list with commas the word at the end follows the last one. */
static void
add_columns(struct completing *p)
{
	const struct view *view = p->command == NULL ? NULL : p->command->view;
	const char *comma = strrchr(p->prefix, ',');
	size_t before = comma == NULL ? 0 : (size_t)(comma + 1 - p->prefix);

	for (size_t i = 0; view != NULL && i < view->count; i++) {
		char *word = xasprintf(
		    "%.*s%s", (int)before, p->prefix, view->columns[i].key);

		add(p, word);
		free(word);
	}
}

static void
add_kind(struct completing *p, enum complete_kind kind, const char *words)
{
	char **names;

	p->out->kind = kind;
	switch (kind) {
	case COMPLETE_NONE: return;
	case COMPLETE_WORDS: add_list(p, words); return;
	case COMPLETE_NODE: add_nodes(p, p->flag != NULL); return;
	case COMPLETE_PEER: add_peers(p); return;
	case COMPLETE_CLIENT:
		for (const char *const *id = p->sources->clients;
		     id != NULL && *id != NULL; id++)
			add(p, *id);
		return;
	case COMPLETE_CONTEXT:
		names = contexts_list();
		for (char **name = names; *name != NULL; name++)
			add(p, *name);
		add(p, "none");
		contexts_free(names);
		return;
	case COMPLETE_FILE: p->out->files = true; return;
	case COMPLETE_FORMAT:
		for (const struct format *f = format_table(); f->name != NULL;
		     f++)
			add(p, f->name);
		return;
	case COMPLETE_COMMAND:
		commands_each(c) {
			if (((*c)->traits & COMMAND_HIDDEN) == 0)
				add(p, (*c)->path);
		}
		return;
	case COMPLETE_COLUMN: add_columns(p); return;
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
		p->argument++;
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

void
complete(struct app *app, const char *const *words, size_t count,
    const char *prefix, const struct complete_sources *sources,
    struct completions *out)
{
	struct completing p = {
		.app = app, .prefix = prefix, .sources = sources, .out = out
	};

	*out = (struct completions){ 0 };
	for (size_t i = 0; i < count; i++)
		pass_word(&p, words[i]);
	out->literal = p.literal || p.flag != NULL;
	if (p.flag != NULL) {
		add_kind(&p, p.flag->complete, p.flag->words);
	} else if (!p.literal && add_joined_value(&p)) {
		; /* done */
	} else if (!p.literal &&
		   (args_is_option(prefix) || strcmp(prefix, "-") == 0)) {
		if (p.command != NULL)
			add_flags(&p, p.command->flags);
		add_flags(&p, command_global_flags());
		if (p.command != NULL)
			add_argument(&p);
	} else if (p.command != NULL) {
		add_argument(&p);
	} else {
		add_command_words(&p);
	}
	sort(out);
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
