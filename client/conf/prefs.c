/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/prefs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tokens.h"
#include "base/xbuf.h"
#include "herd/herdfile.h"
#include "herd/text.h"
#include "herd/time.h"
#include "out/out.h"
#include "out/width.h"

#define PREFS_FILE_MAX 65536u

static const struct pref table[PREF_COUNT] = {
#define PREF(i, n, ...) { .id = PREF_##i, .name = n, __VA_ARGS__ },
#include "conf/prefs.def"
#undef PREF
};

const struct pref *
pref_table(void)
{
	return table;
}

const struct pref *
pref_find(const char *name)
{
	for (size_t i = 0; i < PREF_COUNT; i++) {
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

const char *
pref_origin_word(enum pref_origin origin)
{
	static const char *const words[] = {
		[ORIGIN_DEFAULT] = "default",
		[ORIGIN_SYSTEM] = "system file",
		[ORIGIN_USER] = "user file",
		[ORIGIN_ENVIRONMENT] = "environment",
		[ORIGIN_FLAG] = "flag",
		[ORIGIN_SESSION] = "session",
		[ORIGIN_LINE] = "flag",
	};

	return words[origin];
}

static void
store(struct prefs *prefs, enum pref_id id, const char *text,
    enum pref_origin origin, const char *where)
{
	struct pref_value *value = &prefs->values[id];
	char *new_text = text == NULL ? NULL : xstrdup(text);
	char *new_where = where == NULL ? NULL : xstrdup(where);

	free(value->text);
	free(value->where);
	*value = (struct pref_value){
		.text = new_text, .origin = origin, .where = new_where
	};
}

void
prefs_init(struct prefs *prefs)
{
	*prefs = (struct prefs){ 0 };
	for (size_t i = 0; i < PREF_COUNT; i++)
		store(
		    prefs, table[i].id, table[i].initial, ORIGIN_DEFAULT, NULL);
}

void
prefs_release(struct prefs *prefs)
{
	for (size_t i = 0; i < PREF_COUNT; i++) {
		free(prefs->values[i].text);
		free(prefs->values[i].where);
	}
}

void
prefs_restore(struct prefs *prefs, enum pref_id id, const struct prefs *before)
{
	const struct pref_value *value = &before->values[id];

	store(prefs, id, value->text, value->origin, value->where);
	prefs->values[id].from_context = value->from_context;
}

void
prefs_copy(struct prefs *out, const struct prefs *from)
{
	*out = (struct prefs){ 0 };
	for (size_t i = 0; i < PREF_COUNT; i++)
		prefs_restore(out, table[i].id, from);
}

void
prefs_unset(struct prefs *prefs, enum pref_id id)
{
	store(prefs, id, table[id].initial, ORIGIN_DEFAULT, NULL);
}

static bool
read_bool(const char *text, bool *out)
{
	*out = tokens_is_among("on yes true 1", span_from(text));
	return *out || tokens_is_among("off no false 0", span_from(text));
}

static void
list_formats(struct buf *message)
{
	for (const struct format *f = format_table(); f->name != NULL; f++)
		putf(message, " %s", f->name);
}

/* Is `text` a value of this setting? Says what is allowed if not. */
static enum status
check_value(const struct pref *pref, const char *text, struct buf *message)
{
	bool flag;
	uint64_t number;
	size_t before = message->len;

	putf(message, "%s: `", pref->name);
	put_clean(message, span_from(text));
	switch (pref->type) {
	case PREF_TEXT: break;
	case PREF_BOOL:
		if (read_bool(text, &flag))
			break;
		put_text(message, "' is not on or off");
		return STATUS_USAGE;
	case PREF_NUMBER:
		if (text_to_u64(span_from(text), 0, UINT32_MAX, &number) ==
		    HERD_OK)
			break;
		put_text(message, "' is not a number");
		return STATUS_USAGE;
	case PREF_DURATION:
		if (duration_parse(span_from(text), &number) == HERD_OK)
			break;
		put_text(message, "' is not a duration like 500ms, 5s, 2m");
		return STATUS_USAGE;
	case PREF_WORDS:
		if (tokens_is_among(pref->words, span_from(text)))
			break;
		putf(message, "' is not one of: %s", pref->words);
		return STATUS_USAGE;
	case PREF_FORMAT:
		if (format_find(text) != NULL)
			break;
		put_text(message, "' is not one of:");
		list_formats(message);
		return STATUS_USAGE;
	}
	buf_truncate(message, before);
	return STATUS_OK;
}

enum status
prefs_set(struct prefs *prefs, enum pref_id id, const char *text,
    enum pref_origin origin, const char *where, struct buf *message)
{
	enum status status = check_value(&table[id], text, message);

	if (status == STATUS_OK && prefs->values[id].origin <= origin)
		store(prefs, id, text, origin, where);
	return status;
}

/* May a context's value replace the present one? */
static bool
yields_to_context(
    const struct prefs *prefs, enum pref_id id, enum pref_origin origin)
{
	const struct pref_value *value = &prefs->values[id];

	if (value->from_context)
		return value->origin <= origin;
	/* A context makes things read-only; it never lifts what is. */
	if (id == PREF_READ_ONLY && prefs_is(prefs, id))
		return false;
	return value->origin < origin ||
	       (value->origin == origin && origin == ORIGIN_DEFAULT);
}

enum status
prefs_set_from_context(struct prefs *prefs, enum pref_id id, const char *text,
    enum pref_origin origin, const char *where, struct buf *message)
{
	enum status status = check_value(&table[id], text, message);

	if (status == STATUS_OK && yields_to_context(prefs, id, origin)) {
		store(prefs, id, text, origin, where);
		prefs->values[id].from_context = true;
	}
	return status;
}

/* The variables that many programs know; the first one that counts decides. */
static enum status
read_usual_colors(struct prefs *prefs, struct buf *message)
{
	static const struct {
		const char *variable;
		bool as_zero; /* it counts when it is 0, or when it is not */
		const char *color;
	} usual[] = {
		{ "NO_COLOR", false, "never" },
		{ "CLICOLOR_FORCE", false, "always" },
		{ "CLICOLOR", true, "never" },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(usual); i++) {
		const char *name = usual[i].variable;
		const char *text = getenv(name);
		bool is_zero;

		if (text == NULL || text[0] == '\0')
			continue;
		is_zero = i > 0 && strcmp(text, "0") == 0;
		if (is_zero == usual[i].as_zero)
			return prefs_set(prefs, PREF_COLOR, usual[i].color,
			    ORIGIN_ENVIRONMENT, name, message);
	}
	return STATUS_OK;
}

enum status
prefs_read_environment(struct prefs *prefs, struct buf *message)
{
	enum status status = read_usual_colors(prefs, message);

	for (size_t i = 0; i < PREF_COUNT && status == STATUS_OK; i++) {
		const char *name = table[i].environment;
		const char *text = name == NULL ? NULL : getenv(name);

		if (text == NULL || text[0] == '\0')
			continue;
		status = prefs_set(prefs, table[i].id, text, ORIGIN_ENVIRONMENT,
		    name, message);
		if (status != STATUS_OK)
			putf(message, " (from %s)", name);
	}
	return status;
}

/* One line of a file. */
struct file_line {
	const char *where; /* FILE:LINE */
	enum pref_origin origin;
	struct aliases *aliases; /* NULL: it is a context's */
};

static enum status
set_from_file(struct prefs *prefs, const struct pref *pref, const char *text,
    const struct file_line *from, struct buf *message)
{
	bool is_context = from->aliases == NULL;
	unsigned wanted = is_context ? PREF_CONTEXTUAL : PREF_SETTABLE;

	if ((pref->traits & (wanted | PREF_CONTEXTUAL)) == 0) {
		putf(message, "%s cannot be set here", pref->name);
		return STATUS_USAGE;
	}
	if (is_context)
		return prefs_set_from_context(
		    prefs, pref->id, text, from->origin, from->where, message);
	return prefs_set(
	    prefs, pref->id, text, from->origin, from->where, message);
}

static enum status
set_alias_from_file(
    const struct tokens *w, const struct file_line *from, struct buf *message)
{
	const char **words = xcalloc(w->count, sizeof(*words));
	enum status status = STATUS_USAGE;

	for (size_t i = 3; i < w->count; i++)
		words[i - 3] = w->words[i].text;
	if (w->count < 4 || strcmp(w->words[2].text, "=") != 0)
		put_text(message, "this is not `alias NAME = COMMAND'");
	else if (w->redirect != REDIRECT_NONE)
		put_text(message, "an alias has no | and >; quote them");
	else
		status = alias_set(from->aliases, w->words[1].text, words,
		    w->count - 3, from->where, message);
	free(words);
	return status;
}

/* One command of a line. */
static enum status
read_command(struct prefs *prefs, const struct tokens *w,
    const struct file_line *from, struct buf *message)
{
	size_t first = strcmp(w->words[0].text, "set") == 0;
	const struct pref *pref = NULL;

	if (from->aliases != NULL && strcmp(w->words[0].text, "alias") == 0)
		return set_alias_from_file(w, from, message);
	if (w->count == first + 2)
		pref = pref_find(w->words[first].text);
	if (pref == NULL || w->redirect != REDIRECT_NONE) {
		put_text(message, "this is not `NAME VALUE' of a "
				  "setting (see `help set')");
		return STATUS_USAGE;
	}
	return set_from_file(
	    prefs, pref, w->words[first + 1].text, from, message);
}

static enum status
read_line(struct prefs *prefs, struct span text, const struct file_line *from,
    struct buf *message)
{
	struct line line;
	enum words_error error = line_split(text, NULL, &line);
	enum status status = STATUS_OK;

	if (error != WORDS_OK) {
		put_text(message, tokens_strerror(error));
		status = STATUS_USAGE;
	}
	for (size_t i = 0; i < line.count && status == STATUS_OK; i++)
		status = read_command(prefs, &line.commands[i], from, message);
	line_release(&line);
	return status;
}

enum status
prefs_read_file(struct prefs *prefs, const char *path, enum pref_origin origin,
    struct aliases *aliases, struct buf *message)
{
	struct buf text;
	struct span rest;
	unsigned number = 0;
	enum status status = STATUS_OK;

	buf_init(&text, PREFS_FILE_MAX);
	if (file_read(path, PREFS_FILE_MAX, &text) != HERD_OK) {
		if (errno != ENOENT && errno != ENOTDIR) {
			putf(message, "cannot read %s: %s", path,
			    file_strerror(errno));
			status = STATUS_LOCAL;
		}
		buf_release(&text);
		return status;
	}
	rest = text_without_bom(buf_span(&text));
	while (rest.len > 0 && status == STATUS_OK) {
		struct span text_line = width_take_line(&rest, 0);
		char *where = xasprintf("%s:%u", path, ++number);
		struct buf why = XBUF;

		if (read_line(prefs, text_line,
			&(struct file_line){ where, origin, aliases },
			&why) != STATUS_OK) {
			putf(message, "%s: %s", where, text_of(&why));
			status = STATUS_LOCAL;
		}
		buf_release(&why);
		free(where);
	}
	buf_release(&text);
	return status;
}

enum status
prefs_read_options(struct prefs *prefs, const struct args *args,
    enum pref_origin origin, struct buf *message)
{
	/* Options that are a setting under another name. */
	static const struct {
		const char *option;
		enum pref_id id;
		const char *value;
	} others[] = {
		{ "json", PREF_OUTPUT, "json" },
		{ "no-header", PREF_HEADER, "off" },
		{ "safe", PREF_SAFE, "on" },
		{ "no-pager", PREF_PAGER, "off" },
		{ "quiet", PREF_QUIET, "on" },
		{ "verbose", PREF_VERBOSE, "on" },
		{ "yes", PREF_YES, "on" },
		{ "read-only", PREF_READ_ONLY, "on" },
		{ "insecure", PREF_INSECURE, "on" },
	};
	enum status status = STATUS_OK;

	for (size_t i = 0; i < args->option_count && status == STATUS_OK; i++) {
		const struct option *option = &args->options[i];
		const char *name = option->flag->name;
		const char *value = option->value;
		const struct pref *pref = pref_find(name);
		char where[64];

		if (!option->global)
			continue;
		for (size_t j = 0; j < HERD_ARRAY_LEN(others); j++) {
			if (strcmp(others[j].option, name) == 0) {
				pref = &table[others[j].id];
				value = others[j].value;
			}
		}
		if (pref == NULL || value == NULL)
			continue;
		snprintf(where, sizeof(where), "--%s", name);
		status =
		    prefs_set(prefs, pref->id, value, origin, where, message);
	}
	return status;
}

const char *
prefs_text(const struct prefs *prefs, enum pref_id id)
{
	return prefs->values[id].text;
}

bool
prefs_is(const struct prefs *prefs, enum pref_id id)
{
	bool value = false;
	const char *text = prefs->values[id].text;

	return text != NULL && read_bool(text, &value) && value;
}

uint64_t
prefs_number(const struct prefs *prefs, enum pref_id id)
{
	uint64_t value = 0;
	const char *text = prefs->values[id].text;

	if (text == NULL ||
	    text_to_u64(span_from(text), 0, UINT32_MAX, &value) != HERD_OK)
		return 0;
	return value;
}

uint64_t
prefs_ns(const struct prefs *prefs, enum pref_id id)
{
	uint64_t value = 0;
	const char *text = prefs->values[id].text;

	if (text == NULL || duration_parse(span_from(text), &value) != HERD_OK)
		return 0;
	return value;
}
