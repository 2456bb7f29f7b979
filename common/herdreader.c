/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The top level of a herd file: herd, nodes, links and settings by their
 * groups; and what all parts of the reader use.
 */
#include "herdreader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "herd/text.h"

#define MESSAGE_MAX 512u
/* Keys of the top level or of one group, and the NULL after them. */
#define CANDIDATES_MAX 64u

struct quoted
herdreader_quote(struct span text)
{
	struct quoted quoted;
	size_t shown = text.len, n = 0, i;

	if (shown > QUOTED_BYTES_MAX)
		shown = QUOTED_BYTES_MAX;
	for (i = 0; i < shown; i++)
		n += text_escape_byte(quoted.text + n, text.data[i]);
	memcpy(quoted.text + n, "...", 4);
	if (shown == text.len)
		quoted.text[n] = '\0';
	return quoted;
}

struct file_place
herdreader_place(const struct yamlnode *node)
{
	return (struct file_place){ node->line, node->column };
}

static void note(struct herdreader *reader, enum diagnostic_severity severity,
    struct file_place place, const char *fmt, va_list args) HERD_PRINTF(4, 0);

static void
note(struct herdreader *reader, enum diagnostic_severity severity,
    struct file_place place, const char *fmt, va_list args)
{
	if (reader->error == HERD_OK)
		reader->error = diagnostics_addv(reader->diagnostics, severity,
		    place.line, place.column, fmt, args);
}

void
herdreader_complain(
    struct herdreader *reader, struct file_place place, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(reader, DIAGNOSTIC_ERROR, place, fmt, args);
	va_end(args);
}

void
herdreader_warn(
    struct herdreader *reader, struct file_place place, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(reader, DIAGNOSTIC_WARNING, place, fmt, args);
	va_end(args);
}

const char *
herdreader_suggest(const struct herdreader *reader, struct span word,
    const char *const *candidates)
{
	if (reader->diagnostics->count == reader->diagnostics->max)
		return NULL;
	return text_did_you_mean(word, candidates);
}

/* By text; equal ones by place. */
static int
key_compare(const void *a, const void *b)
{
	const struct yamlnode *key_a = *(struct yamlnode *const *)a;
	const struct yamlnode *key_b = *(struct yamlnode *const *)b;
	int order = span_compare(key_a->text, key_b->text);

	if (order == 0)
		order =
		    (key_a->line > key_b->line) - (key_a->line < key_b->line);
	if (order == 0)
		order = (key_a->column > key_b->column) -
			(key_a->column < key_b->column);
	return order;
}

/* Sorted, so that a file with many keys does not take quadratic time. */
static void
mark_duplicates(
    struct herdreader *reader, struct yamlnode *mapping, const char *what)
{
	struct yamlnode **keys, *key;
	size_t count = 0, first = 0, i;

	keys = malloc((mapping->count + 1u) * sizeof(*keys));
	if (keys == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	for (key = mapping->first; key != NULL; key = key->next->next)
		keys[count++] = key;
	qsort(keys, count, sizeof(*keys), key_compare);
	for (i = 1; i < count; i++) {
		if (!span_equal(keys[i]->text, keys[first]->text)) {
			first = i;
			continue;
		}
		keys[i]->duplicate = true;
		if (keys[i]->kind == YAMLNODE_TEXT)
			herdreader_complain(reader, herdreader_place(keys[i]),
			    "duplicate %s `%s`, first on line %u", what,
			    herdreader_quote(keys[i]->text).text,
			    keys[first]->line);
	}
	free(keys);
}

bool
herdreader_mapping(struct herdreader *reader, struct yamlnode *node,
    const char *name, const char *what)
{
	const struct yamlnode *key;

	if (node->kind != YAMLNODE_MAPPING) {
		if (!yamlnode_is_null(node))
			herdreader_complain(reader, herdreader_place(node),
			    "`%s` takes a mapping, not %s", name,
			    yamlnode_kind_name(node));
		return false;
	}
	mark_duplicates(reader, node, what);
	for (key = node->first; key != NULL; key = key->next->next)
		if (key->kind != YAMLNODE_TEXT)
			herdreader_complain(reader, herdreader_place(key),
			    "a key must be a word, not %s",
			    yamlnode_kind_name(key));
	return true;
}

/* --- settings ------------------------------------------------------------- */

static void
complain_of_value(struct herdreader *reader, const struct setting *setting,
    const struct yamlnode *value)
{
	struct buf allowed;
	const char *text;

	buf_init(&allowed, MESSAGE_MAX);
	if (setting_allowed(setting, &allowed) != HERD_OK ||
	    (text = buf_cstr(&allowed)) == NULL)
		reader->error = HERD_ENOMEM;
	else if (yamlnode_is_null(value))
		herdreader_complain(reader, herdreader_place(value),
		    "`%s` has no value: expected %s", setting->name, text);
	else
		herdreader_complain(reader, herdreader_place(value),
		    "`%s`: expected %s, not %s", setting->name, text,
		    yamlnode_kind_name(value));
	buf_release(&allowed);
}

static void
set(struct herdreader *reader, const struct setting *setting,
    const struct yamlnode *value)
{
	const char *text;
	struct buf message;
	enum herd_error error;

	buf_init(&message, MESSAGE_MAX);
	error = setting_set(
	    &reader->file->settings, setting, value->text, &message);
	if (error == HERD_ENOMEM ||
	    (error != HERD_OK && (text = buf_cstr(&message)) == NULL))
		reader->error = HERD_ENOMEM;
	else if (error != HERD_OK)
		herdreader_complain(reader, herdreader_place(value), "`%s`: %s",
		    setting->name, text);
	buf_release(&message);
}

/* `traffic: off` would make a file of that name. */
static bool
means_none(const struct setting *setting, const struct yamlnode *value)
{
	static const char *const words[] = { "no", "off", "false", "none" };
	size_t i;

	if (setting->type != SETTING_PATH || !value->plain)
		return false;
	for (i = 0; i < HERD_ARRAY_LEN(words); i++)
		if (span_is(value->text, words[i]))
			return true;
	return false;
}

static bool
may_be_empty(const struct setting *setting)
{
	return setting->type == SETTING_TEXT || setting->type == SETTING_PATH ||
	       setting->type == SETTING_ADDRESS ||
	       setting->type == SETTING_GROUPS;
}

/* [jane, john] */
static void
set_group(struct herdreader *reader, const struct setting *setting,
    const struct yamlnode *list)
{
	struct yamlnode joined = *list;
	const struct yamlnode *name;
	enum herd_error error = HERD_OK;
	struct buf names;

	buf_init(&names, SETTING_GROUPS_MAX);
	for (name = list->first; name != NULL && error == HERD_OK;
	     name = name->next) {
		if (name->kind != YAMLNODE_TEXT ||
		    span_find(name->text, ' ') != NULL ||
		    span_find(name->text, ',') != NULL) {
			complain_of_value(reader, setting, name);
			break;
		}
		error = buf_add_span(&names, name->text);
		if (error == HERD_OK)
			error = buf_add_byte(&names, ' ');
	}
	joined.text = buf_span(&names);
	if (error == HERD_ENOMEM)
		reader->error = error;
	else if (name == NULL || error != HERD_OK)
		set(reader, setting, &joined);
	buf_release(&names);
}

static bool
is_list(const struct setting *setting)
{
	return setting->type == SETTING_ENUMS ||
	       setting->type == SETTING_GROUPS;
}

static void
set_item(struct herdreader *reader, const struct setting *setting,
    const struct yamlnode *item)
{
	if (setting->type == SETTING_GROUPS && item->kind == YAMLNODE_LIST &&
	    item->count > 0)
		set_group(reader, setting, item);
	else if (setting->type == SETTING_ENUMS && item->kind == YAMLNODE_TEXT)
		set(reader, setting, item);
	else
		complain_of_value(reader, setting, item);
}

static void
read_setting(struct herdreader *reader, const struct setting *setting,
    const struct yamlnode *value)
{
	static const struct yamlnode nothing = { .kind = YAMLNODE_TEXT };
	const struct yamlnode *item;
	size_t count;
	size_t index = (size_t)(setting - settings_table(&count));

	reader->settings[index] = herdreader_place(value);
	if (value->kind == YAMLNODE_LIST && is_list(setting) &&
	    (value->count > 0 || setting->type == SETTING_GROUPS)) {
		setting_clear(&reader->file->settings, setting);
		for (item = value->first; item != NULL; item = item->next)
			set_item(reader, setting, item);
	} else if (yamlnode_is_null(value) && may_be_empty(setting)) {
		set(reader, setting, &nothing);
	} else if (value->kind != YAMLNODE_TEXT || yamlnode_is_null(value)) {
		complain_of_value(reader, setting, value);
	} else if (means_none(setting, value)) {
		herdreader_complain(reader, herdreader_place(value),
		    "`%s` takes a path: leave it out, or write \"\" for none",
		    setting->name);
	} else {
		setting_clear(&reader->file->settings, setting);
		set(reader, setting, value);
	}
}

/* The part of "log.level" before its dot; all of it without one. */
static struct span
group_of(const struct setting *setting)
{
	struct span name = span_from(setting->name);
	const char *dot = memchr(name.data, '.', name.len);

	if (dot != NULL)
		name.len = (size_t)(dot - name.data);
	return name;
}

static bool
is_group(struct span name)
{
	size_t count, i;
	const struct setting *table = settings_table(&count);

	for (i = 0; i < count; i++)
		if (strchr(table[i].name, '.') != NULL &&
		    span_equal(group_of(&table[i]), name))
			return true;
	return false;
}

static const struct setting *
find_in_group(struct span group, struct span key)
{
	size_t count, i;
	const struct setting *table = settings_table(&count);

	for (i = 0; i < count; i++)
		if (strchr(table[i].name, '.') != NULL &&
		    span_equal(group_of(&table[i]), group) &&
		    span_is(key, table[i].name + group.len + 1u))
			return &table[i];
	return NULL;
}

static void
unknown_in_group(
    struct herdreader *reader, struct span group, const struct yamlnode *key)
{
	const char *candidates[CANDIDATES_MAX], *near;
	size_t count, n = 0, i;
	const struct setting *table = settings_table(&count);

	for (i = 0; i < count; i++)
		if (strchr(table[i].name, '.') != NULL &&
		    span_equal(group_of(&table[i]), group)) {
			assert(n < CANDIDATES_MAX - 1u);
			candidates[n++] = table[i].name + group.len + 1u;
		}
	candidates[n] = NULL;
	near = herdreader_suggest(reader, key->text, candidates);
	if (near != NULL)
		herdreader_complain(reader, herdreader_place(key),
		    "unknown setting `" SPAN_FMT ".%s`, did you mean `" SPAN_FMT
		    ".%s`?",
		    SPAN_ARG(group), herdreader_quote(key->text).text,
		    SPAN_ARG(group), near);
	else
		herdreader_complain(reader, herdreader_place(key),
		    "unknown setting `" SPAN_FMT ".%s`", SPAN_ARG(group),
		    herdreader_quote(key->text).text);
}

static void
read_group(struct herdreader *reader, struct span group, struct yamlnode *value)
{
	const struct setting *setting;
	const struct yamlnode *key;

	if (!herdreader_mapping(
		reader, value, herdreader_quote(group).text, "key"))
		return;
	for (key = value->first; key != NULL; key = key->next->next) {
		if (key->kind != YAMLNODE_TEXT || key->duplicate)
			continue;
		setting = find_in_group(group, key->text);
		if (setting == NULL)
			unknown_in_group(reader, group, key);
		else
			read_setting(reader, setting, key->next);
	}
}

/* --- the top level -------------------------------------------------------- */

static void
read_herd(struct herdreader *reader, struct yamlnode *value)
{
	if (value->kind != YAMLNODE_TEXT || !node_name_is_valid(value->text)) {
		herdreader_complain(reader, herdreader_place(value),
		    "`herd` takes the herd's name: 1 to %u letters, digits, "
		    "'.', '_' or '-'",
		    REPORT_ORIGIN_MAX);
		return;
	}
	reader->file->herd = strndup(value->text.data, value->text.len);
	if (reader->file->herd == NULL)
		reader->error = HERD_ENOMEM;
}

static void
read_links(struct herdreader *reader, struct yamlnode *value)
{
	reader->links = herdreader_place(value);
	herdreader_links(reader, value);
}

/* Read in this order, wherever they are: links name nodes. */
static const struct part {
	const char *key;
	void (*read)(struct herdreader *, struct yamlnode *);
	const char *missing; /* complaint, NULL when it may be */
} parts[] = {
	{ "herd", read_herd,
	    "`herd` is missing: the herd's name, such as `herd: ucla`" },
	{ "nodes", herdreader_nodes,
	    "`nodes` is missing: each node's name with its addresses" },
	{ "links", read_links, NULL },
};

static bool
is_part(struct span key)
{
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(parts); i++)
		if (span_is(key, parts[i].key))
			return true;
	return false;
}

static void
read_part(
    struct herdreader *reader, struct yamlnode *root, const struct part *part)
{
	struct yamlnode *key;

	for (key = root->first; key != NULL; key = key->next->next)
		if (key->kind == YAMLNODE_TEXT && !key->duplicate &&
		    span_is(key->text, part->key)) {
			part->read(reader, key->next);
			return;
		}
	if (part->missing != NULL)
		herdreader_complain(
		    reader, herdreader_place(root), "%s", part->missing);
}

/* The keys of the top level, without repeats; ends with NULL. */
static void
top_candidates(const char *candidates[CANDIDATES_MAX])
{
	/* Groups have no text of their own to point to. */
	static const char *const groups[] = { "link", "places", "store", "log",
		"admin", "http" };
	size_t count, n = 0, i;
	const struct setting *table = settings_table(&count);

	for (i = 0; i < HERD_ARRAY_LEN(parts); i++)
		candidates[n++] = parts[i].key;
	for (i = 0; i < HERD_ARRAY_LEN(groups); i++) {
		assert(is_group(span_from(groups[i])));
		candidates[n++] = groups[i];
	}
	for (i = 0; i < count; i++)
		if (strchr(table[i].name, '.') == NULL) {
			assert(n < CANDIDATES_MAX - 1u);
			candidates[n++] = table[i].name;
		}
	candidates[n] = NULL;
}

/* The last part of a setting whose group was forgotten: `level` of log. */
static const struct setting *
find_by_leaf(struct span leaf)
{
	size_t count, i;
	const struct setting *table = settings_table(&count);
	const char *dot;

	for (i = 0; i < count; i++) {
		dot = strchr(table[i].name, '.');
		if (dot != NULL && span_is(leaf, dot + 1))
			return &table[i];
	}
	return NULL;
}

static void
unknown_at_top(struct herdreader *reader, const struct yamlnode *key)
{
	const char *candidates[CANDIDATES_MAX], *near;
	const struct setting *dotted = setting_find(key->text);

	if (dotted == NULL)
		dotted = find_by_leaf(key->text);
	if (dotted != NULL) {
		struct span group = group_of(dotted);

		herdreader_complain(reader, herdreader_place(key),
		    "unknown setting `%s`, did you mean `" SPAN_FMT
		    ": {%s: ...}`?",
		    herdreader_quote(key->text).text, SPAN_ARG(group),
		    dotted->name + group.len + 1u);
		return;
	}
	top_candidates(candidates);
	near = herdreader_suggest(reader, key->text, candidates);
	if (near != NULL)
		herdreader_complain(reader, herdreader_place(key),
		    "unknown setting `%s`, did you mean `%s`?",
		    herdreader_quote(key->text).text, near);
	else
		herdreader_complain(reader, herdreader_place(key),
		    "unknown setting `%s`", herdreader_quote(key->text).text);
}

static void
read_settings(struct herdreader *reader, struct yamlnode *root)
{
	const struct setting *setting;
	struct yamlnode *key;

	for (key = root->first; key != NULL; key = key->next->next) {
		if (key->kind != YAMLNODE_TEXT || key->duplicate ||
		    is_part(key->text))
			continue;
		setting = setting_find(key->text);
		if (setting != NULL && strchr(setting->name, '.') == NULL)
			read_setting(reader, setting, key->next);
		else if (is_group(key->text))
			read_group(reader, key->text, key->next);
		else
			unknown_at_top(reader, key);
	}
}

static void
read_root(struct herdreader *reader, struct yamlnode *root)
{
	static const struct file_place start = { 1, 1 };
	size_t i;

	if (root == NULL || yamlnode_is_null(root)) {
		herdreader_complain(reader, start,
		    "the file is empty: a herd file names at least `herd` and "
		    "`nodes`");
		return;
	}
	if (root->kind != YAMLNODE_MAPPING) {
		herdreader_complain(reader, herdreader_place(root),
		    "a herd file is a mapping (`herd: NAME` and so on), not "
		    "%s",
		    yamlnode_kind_name(root));
		return;
	}
	(void)herdreader_mapping(reader, root, "", "key");
	/* Links need the nodes' index, which lack of memory may have left out.
	 */
	for (i = 0; i < HERD_ARRAY_LEN(parts) && reader->error == HERD_OK; i++)
		read_part(reader, root, &parts[i]);
	if (reader->error == HERD_OK)
		read_settings(reader, root);
	if (reader->error == HERD_OK)
		herdreader_check(reader);
}

static enum herd_error
read_text(struct herdreader *reader, struct span text)
{
	struct yamltree tree;
	enum herd_error error;
	size_t count;

	if (text.len > HERDFILE_BYTES_MAX) {
		error = diagnostics_add(reader->diagnostics, DIAGNOSTIC_ERROR,
		    0, 0, "larger than %u bytes", HERDFILE_BYTES_MAX);
		return error != HERD_OK ? error : HERD_ESYNTAX;
	}
	(void)settings_table(&count);
	reader->settings = calloc(count, sizeof(*reader->settings));
	if (reader->settings == NULL)
		return HERD_ENOMEM;
	error = yamltree_parse(text, reader->diagnostics, &tree);
	if (error != HERD_OK)
		return error;
	read_root(reader, tree.root);
	yamltree_release(&tree);
	if (reader->error != HERD_OK)
		return reader->error;
	return reader->diagnostics->errors > 0 ? HERD_ESYNTAX : HERD_OK;
}

enum herd_error
herdfile_parse(
    struct span text, struct herdfile *file, struct diagnostics *diagnostics)
{
	struct herdfile result = { 0 };
	struct herdreader reader = { .file = &result,
		.diagnostics = diagnostics };
	enum herd_error error;

	error = settings_init(&result.settings);
	if (error != HERD_OK)
		return error;
	error = read_text(&reader, text);
	diagnostics_sort(diagnostics);
	free(reader.settings);
	free(reader.by_name);
	free(reader.names);
	result.hash = herdfile_hash(text);
	if (error == HERD_OK)
		*file = result;
	else
		herdfile_release(&result);
	return error;
}
