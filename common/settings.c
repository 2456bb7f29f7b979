/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/settings.h"

#include <stddef.h>

#include "herd/time.h"

#define KIB UINT64_C(1024)
#define MIB (1024u * KIB)
#define GIB (1024u * MIB)
#define MS HERD_NS_PER_MS
#define SECOND HERD_NS_PER_S
#define HOUR (3600u * SECOND)
#define DAY (24u * HOUR)
/* Ten years: a longer wait is a slip of the pen. */
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
static const char *const limit_words[] = { "refuse", "evict", NULL };
static const char *const engine_words[] = { "none",
#define ENGINE(id, name) #name,
	STORE_ENGINES(ENGINE) NULL
#undef ENGINE
};
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
