/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of settings, made of settings_rows.def. Values are read from text,
 * written as text and compared by the type that the table gives them.
 */
#include "herd/settings.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "herd/address.h"
#include "herd/text.h"
#include "herd/time.h"

#define KIB UINT64_C(1024)
#define MIB (1024u * KIB)
#define GIB (1024u * MIB)
#define MS HERD_NS_PER_MS
#define SECOND HERD_NS_PER_S
#define HOUR (3600u * SECOND)
#define DAY (24u * HOUR)
/* Ten years: a longer wait is a mistake. */
#define LONG_TIME (3650u * DAY)

static const char *const bool_words[] = { "no", "yes", NULL };
static const char *const security_words[] = { "auto", "tls", "none", NULL };
static const char *const provider_words[] = {
#define LOCAL(id, word) word,
#define NETWORK(id, name, word, key) word,
	PLACES_PROVIDERS(LOCAL, NETWORK) NULL
#undef LOCAL
#undef NETWORK
};
static const char *const google_words[] = { "basic", "rich", NULL };
static const char *const flood_words[] = { "all", "sparse", NULL };
static const char *const limit_words[] = { "refuse", "evict", NULL };
static const char *const engine_words[] = { "none",
#define ENGINE(id, name) #name,
	STORE_ENGINES(ENGINE, ENGINE) NULL
#undef ENGINE
};
static const char *const write_words[] = { "origin", "all", NULL };
static const char *const durability_words[] = { "async", "sync", NULL };
static const char *const level_words[] = { "debug", "info", "warn", "error",
	NULL };
static const char *const format_words[] = { "logfmt", "json", NULL };

#define AT_RESTART false
#define ON_RELOAD(apply) true
#define SETTING(field, effect, ...)                         \
	{ .name = #field,                                   \
		.offset = offsetof(struct settings, field), \
		.reloadable = effect,                       \
		__VA_ARGS__ },

static const struct setting table[] = {
#include "herd/settings_rows.def"
};

const struct setting *
settings_table(size_t *count)
{
	*count = HERD_ARRAY_LEN(table);
	return table;
}

const struct setting *
setting_find(struct span name)
{
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(table); i++)
		if (span_is(name, table[i].name))
			return &table[i];
	return NULL;
}

/* --- providers ----------------------------------------------------------- */

static const struct {
	bool remote;
	const char *key;
} providers[] = {
#define LOCAL(id, word) { false, NULL },
#define NETWORK(id, name, word, key) { true, key },
	PLACES_PROVIDERS(LOCAL, NETWORK)
#undef LOCAL
#undef NETWORK
};

bool
places_kind_is_remote(enum places_kind kind)
{
	return providers[kind].remote;
}

const char *
places_kind_key(enum places_kind kind)
{
	return providers[kind].key;
}

/* --- engines ------------------------------------------------------------- */

bool
store_engine_is_shared(enum store_engine engine)
{
	static const bool shared[] = { [STORE_NONE] = false,
#define LOCAL(id, name) [STORE_##id] = false,
#define SHARED(id, name) [STORE_##id] = true,
		STORE_ENGINES(LOCAL, SHARED)
#undef LOCAL
#undef SHARED
	};

	return shared[engine];
}

/* --- values -------------------------------------------------------------- */

#define SHOWN_MAX 64u

static void *
field_of(struct settings *settings, const struct setting *setting)
{
	return (char *)settings + setting->offset;
}

static const void *
field_in(const struct settings *settings, const struct setting *setting)
{
	return (const char *)settings + setting->offset;
}

static const char *
text_in(const struct settings *settings, const struct setting *setting)
{
	return *(char *const *)field_in(settings, setting);
}

static bool
is_text(enum setting_type type)
{
	return type == SETTING_TEXT || type == SETTING_PATH ||
	       type == SETTING_ADDRESS || type == SETTING_GROUPS;
}

/* --- what is allowed ------------------------------------------------------ */

static enum herd_error
add_count(struct buf *out, enum setting_type type, uint64_t value)
{
	static const char suffixes[] = "KMG";
	size_t i = 0;

	if (type == SETTING_DURATION)
		return duration_format(out, value);
	if (type == SETTING_SIZE && value > 0)
		while (i < sizeof(suffixes) - 1u && value % 1024u == 0) {
			value /= 1024u;
			i++;
		}
	if (i > 0)
		return buf_addf(
		    out, "%llu%c", (unsigned long long)value, suffixes[i - 1u]);
	return buf_addf(out, "%llu", (unsigned long long)value);
}

static enum herd_error
add_words(struct buf *out, const char *const *words)
{
	enum herd_error error = HERD_OK;
	size_t i;

	assert(words != NULL);
	for (i = 0; words[i] != NULL && error == HERD_OK; i++)
		error = buf_addf(out, "%s%s",
		    i == 0                  ? ""
		    : words[i + 1u] == NULL ? " or "
					    : ", ",
		    words[i]);
	return error;
}

enum herd_error
setting_allowed(const struct setting *setting, struct buf *out)
{
	enum herd_error error = HERD_OK;

	switch (setting->type) {
	case SETTING_BOOL: return buf_add_text(out, "yes or no");
	case SETTING_ENUM: return add_words(out, setting->words);
	case SETTING_ENUMS:
		error = buf_add_text(out, "one or a list of ");
		return error != HERD_OK ? error
					: add_words(out, setting->words);
	case SETTING_TEXT:
		return buf_add_text(out, "text without control characters");
	case SETTING_PATH:
		return buf_add_text(
		    out, "a path, in which %n is the node's name and %% is %");
	case SETTING_ADDRESS: return buf_add_text(out, "HOST:PORT");
	case SETTING_GROUPS:
		return buf_add_text(out,
		    "a list of lists of names such as [[jane, john], [ann, "
		    "bob]]");
	case SETTING_COUNT:
		error = buf_add_text(out, "a whole number from ");
		break;
	case SETTING_SIZE:
		error = buf_add_text(out, "a size such as 8K from ");
		break;
	case SETTING_DURATION:
		error =
		    buf_add_text(out, "a time such as 1m30s or 200ms from ");
		break;
	}
	if (error == HERD_OK)
		error = add_count(out, setting->type, setting->min);
	if (error == HERD_OK)
		error = buf_add_text(out, " to ");
	if (error == HERD_OK)
		error = add_count(out, setting->type, setting->max);
	/* A default outside of the range means something else. */
	if (error == HERD_OK && setting->min > 0 &&
	    strcmp(setting->initial, "0") == 0)
		error = buf_add_text(out, ", or 0");
	return error;
}

/* "expected yes or no, not `yse`, did you mean `yes`?" */
static enum herd_error
explain(const struct setting *setting, struct span text, struct buf *message)
{
	const char *near = NULL;
	enum herd_error error;

	if (setting->words != NULL)
		near = text_did_you_mean(text, setting->words);
	error = buf_add_text(message, "expected ");
	if (error == HERD_OK)
		error = setting_allowed(setting, message);
	if (error == HERD_OK)
		error = buf_add_text(message, ", not `");
	if (error == HERD_OK)
		error = text_escape(message, text, SHOWN_MAX);
	if (error == HERD_OK)
		error = buf_add_byte(message, '`');
	if (error == HERD_OK && near != NULL)
		error = buf_addf(message, ", did you mean `%s`?", near);
	return error;
}

/* --- from text ------------------------------------------------------------ */

static enum herd_error
bool_parse(struct span text, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "yes", true }, { "no", false }, { "true", true },
		{ "false", false }, { "on", true }, { "off", false } };
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(words); i++)
		if (span_is(text, words[i].word)) {
			*out = words[i].value;
			return HERD_OK;
		}
	return HERD_ESYNTAX;
}

static enum herd_error
word_parse(struct span text, const char *const *words, unsigned *out)
{
	unsigned i;

	for (i = 0; words[i] != NULL; i++)
		if (span_is(text, words[i])) {
			*out = i;
			return HERD_OK;
		}
	return HERD_ESYNTAX;
}

/* digits, or digits and K, M or G (1024, 1024^2, 1024^3). */
static enum herd_error
size_parse(struct span text, uint64_t *out)
{
	uint64_t value, scale = 1;
	enum herd_error error;

	if (text.len > 0) {
		switch (text.data[text.len - 1u]) {
		case 'K': scale = 1u << 10; break;
		case 'M': scale = 1u << 20; break;
		case 'G': scale = 1u << 30; break;
		default: break;
		}
		text.len -= scale > 1;
	}
	error = text_to_u64(text, 0, UINT64_MAX / scale, &value);
	if (error == HERD_OK)
		*out = value * scale;
	return error;
}

static enum herd_error
number_parse(const struct setting *setting, struct span text, uint64_t *out)
{
	uint64_t value;
	enum herd_error error;

	if (setting->type == SETTING_DURATION)
		error = duration_parse(text, &value);
	else if (setting->type == SETTING_SIZE)
		error = size_parse(text, &value);
	else
		error = text_to_u64(text, 0, UINT64_MAX, &value);
	if (error != HERD_OK)
		return error;
	if ((value < setting->min || value > setting->max) &&
	    !span_is(text, setting->initial))
		return HERD_ERANGE;
	*out = value;
	return HERD_OK;
}

/* Adds the words of "google, gazetteer" or of one word; whole or not at all. */
static enum herd_error
list_parse(
    struct span text, const char *const *words, struct setting_list *list)
{
	struct setting_list grown = *list;
	const char *comma;
	struct span word;
	unsigned item, i;
	enum herd_error error;

	do {
		comma = text.len == 0 ? NULL : memchr(text.data, ',', text.len);
		word = text;
		if (comma != NULL) {
			word.len = (size_t)(comma - text.data);
			text = span_of(comma + 1, text.len - word.len - 1u);
		}
		error = word_parse(text_trim(word), words, &item);
		if (error != HERD_OK)
			return error;
		for (i = 0; i < grown.count; i++)
			if (grown.items[i] == item)
				return HERD_EEXIST;
		if (grown.count == SETTING_LIST_MAX)
			return HERD_ELIMIT;
		grown.items[grown.count++] = item;
	} while (comma != NULL);
	*list = grown;
	return HERD_OK;
}

static bool
text_is_clean(struct span text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
			return false;
	return text.len <= SETTING_TEXT_MAX;
}

/* Each % is followed by n or %. */
static bool
path_is_valid(struct span text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.data[i] == '%') {
			i++;
			if (i == text.len ||
			    (text.data[i] != 'n' && text.data[i] != '%'))
				return false;
		}
	return true;
}

static bool
address_is_valid(struct span text)
{
	struct address address;

	return text.len == 0 || (address_parse(text, &address) == HERD_OK &&
				    address.kind == ADDRESS_TCP);
}

/* Replaces *out, which may be NULL. */
static enum herd_error
text_copy(struct span text, char **out)
{
	char *copy = malloc(text.len + 1u);

	if (copy == NULL)
		return HERD_ENOMEM;
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	free(*out);
	*out = copy;
	return HERD_OK;
}

static enum herd_error
text_parse(const struct setting *setting, struct span text, char **out)
{
	if (!text_is_clean(text) ||
	    (setting->type == SETTING_PATH && !path_is_valid(text)) ||
	    (setting->type == SETTING_ADDRESS && !address_is_valid(text)))
		return HERD_ESYNTAX;
	return text_copy(text, out);
}

/* Appends the names of one group with one space between. HERD_ESYNTAX. */
static enum herd_error
group_add(struct buf *out, struct span group)
{
	enum herd_error error = HERD_OK;
	unsigned names = 0;

	while (group.len > 0 && error == HERD_OK) {
		struct span name = span_cut(&group, ' ');

		if (name.len == 0)
			continue;
		if (memchr(name.data, '/', name.len) != NULL ||
		    memchr(name.data, ':', name.len) != NULL)
			return HERD_ESYNTAX;
		if (names++ > 0)
			error = buf_add_byte(out, ' ');
		if (error == HERD_OK)
			error = buf_add_span(out, name);
	}
	return error == HERD_OK && names == 0 ? HERD_ESYNTAX : error;
}

/* "jane john, ann bob": adds these groups to those that are there. */
static enum herd_error
groups_parse(struct span text, char **groups)
{
	struct buf grown;
	enum herd_error error = HERD_OK;

	if (!text_is_clean(text))
		return HERD_ESYNTAX;
	buf_init(&grown, SETTING_GROUPS_MAX);
	if (*groups != NULL)
		error = buf_add_text(&grown, *groups);
	while (text.len > 0 && error == HERD_OK) {
		struct span group = span_cut(&text, ',');

		if (grown.len > 0)
			error = buf_add_text(&grown, ", ");
		if (error == HERD_OK)
			error = group_add(&grown, group);
	}
	if (error == HERD_OK)
		error = text_copy(buf_span(&grown), groups);
	buf_release(&grown);
	return error;
}

enum herd_error
setting_set(struct settings *settings, const struct setting *setting,
    struct span text, struct buf *message)
{
	void *field = field_of(settings, setting);
	enum herd_error error = HERD_ESYNTAX;

	switch (setting->type) {
	case SETTING_BOOL: error = bool_parse(text, field); break;
	case SETTING_COUNT:
	case SETTING_SIZE:
	case SETTING_DURATION:
		error = number_parse(setting, text, field);
		break;
	case SETTING_ENUM:
		error = word_parse(text, setting->words, field);
		break;
	case SETTING_ENUMS:
		error = list_parse(text, setting->words, field);
		break;
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_ADDRESS: error = text_parse(setting, text, field); break;
	case SETTING_GROUPS: error = groups_parse(text, field); break;
	}
	if (error == HERD_OK || error == HERD_ENOMEM || message == NULL)
		return error;
	if (error == HERD_EEXIST) {
		error = buf_addf(
		    message, "`" SPAN_FMT "` is named twice", SPAN_ARG(text));
		return error != HERD_OK ? error : HERD_EEXIST;
	}
	if (explain(setting, text, message) == HERD_ENOMEM)
		return HERD_ENOMEM;
	return error;
}

void
setting_clear(struct settings *settings, const struct setting *setting)
{
	void *field = field_of(settings, setting);

	if (setting->type == SETTING_ENUMS)
		*(struct setting_list *)field = (struct setting_list){ 0 };
	else if (setting->type == SETTING_GROUPS)
		**(char **)field = '\0';
}

/* --- to text ------------------------------------------------------------- */

static enum herd_error
list_get(
    const struct setting_list *list, const char *const *words, struct buf *out)
{
	enum herd_error error = HERD_OK;
	unsigned i;

	for (i = 0; i < list->count && error == HERD_OK; i++)
		error = buf_addf(
		    out, "%s%s", i == 0 ? "" : ", ", words[list->items[i]]);
	return error;
}

enum herd_error
setting_get(const struct settings *settings, const struct setting *setting,
    struct buf *out)
{
	const void *field = field_in(settings, setting);

	switch (setting->type) {
	case SETTING_BOOL:
		return buf_add_text(out, *(const bool *)field ? "yes" : "no");
	case SETTING_COUNT:
	case SETTING_SIZE:
	case SETTING_DURATION:
		return add_count(out, setting->type, *(const uint64_t *)field);
	case SETTING_ENUM:
		return buf_add_text(
		    out, setting->words[*(const unsigned *)field]);
	case SETTING_ENUMS: return list_get(field, setting->words, out);
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_ADDRESS:
	case SETTING_GROUPS:
		return buf_add_text(out, text_in(settings, setting));
	}
	return HERD_ESYNTAX;
}

static bool
list_equal(const struct setting_list *a, const struct setting_list *b)
{
	return a->count == b->count &&
	       memcmp(a->items, b->items, a->count * sizeof(a->items[0])) == 0;
}

bool
setting_equal(const struct setting *setting, const struct settings *a,
    const struct settings *b)
{
	const void *in_a = field_in(a, setting), *in_b = field_in(b, setting);

	switch (setting->type) {
	case SETTING_BOOL: return *(const bool *)in_a == *(const bool *)in_b;
	case SETTING_COUNT:
	case SETTING_SIZE:
	case SETTING_DURATION:
		return *(const uint64_t *)in_a == *(const uint64_t *)in_b;
	case SETTING_ENUM:
		return *(const unsigned *)in_a == *(const unsigned *)in_b;
	case SETTING_ENUMS: return list_equal(in_a, in_b);
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_ADDRESS:
	case SETTING_GROUPS:
		return strcmp(text_in(a, setting), text_in(b, setting)) == 0;
	}
	return false;
}

/* --- all of them --------------------------------------------------------- */

enum herd_error
settings_init(struct settings *settings)
{
	enum herd_error error;
	size_t i;

	*settings = (struct settings){ 0 };
	for (i = 0; i < HERD_ARRAY_LEN(table); i++) {
		error = setting_set(
		    settings, &table[i], span_from(table[i].initial), NULL);
		if (error != HERD_OK) {
			assert(error == HERD_ENOMEM);
			settings_release(settings);
			return error;
		}
	}
	return HERD_OK;
}

void
settings_release(struct settings *settings)
{
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(table); i++)
		if (is_text(table[i].type))
			free(*(char **)field_of(settings, &table[i]));
	*settings = (struct settings){ 0 };
}
