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
static const char *const provider_words[] = { "gazetteer", "google",
	"google-legacy", "photon", "none", NULL };
static const char *const google_words[] = { "basic", "rich", NULL };
static const char *const limit_words[] = { "refuse", "evict", NULL };
static const char *const engine_words[] = { "none", "sqlite", NULL };
static const char *const durability_words[] = { "async", "sync", NULL };
static const char *const level_words[] = { "debug", "info", "warn", "error",
	NULL };
static const char *const format_words[] = { "logfmt", "json", NULL };

/* One line of the table per kind of setting, so that the table reads as one. */
#define AT(field) offsetof(struct settings, field)
#define COUNT(name, field, min, max, initial, reload, help)              \
	{                                                                \
		name, SETTING_COUNT, AT(field), min, max, initial, NULL, \
		    reload, false, help                                  \
	}
#define SIZE(name, field, min, max, initial, reload, help)              \
	{                                                               \
		name, SETTING_SIZE, AT(field), min, max, initial, NULL, \
		    reload, false, help                                 \
	}
#define DURATION(name, field, min, max, initial, reload, help)              \
	{                                                                   \
		name, SETTING_DURATION, AT(field), min, max, initial, NULL, \
		    reload, false, help                                     \
	}
#define WORD(name, field, words, initial, reload, help)                      \
	{                                                                    \
		name, SETTING_ENUM, AT(field), 0, 0, initial, words, reload, \
		    false, help                                              \
	}
#define WORDS(name, field, words, initial, reload, help)                      \
	{                                                                     \
		name, SETTING_ENUMS, AT(field), 0, 0, initial, words, reload, \
		    false, help                                               \
	}
#define FLAG(name, field, initial, reload, help)                          \
	{                                                                 \
		name, SETTING_BOOL, AT(field), 0, 0, initial, bool_words, \
		    reload, false, help                                   \
	}
#define STRING(name, field, type, initial, reload, help)                   \
	{                                                                  \
		name, type, AT(field), 0, 0, initial, NULL, reload, false, \
		    help                                                   \
	}

static const struct setting table[] = {
	SIZE("max_line", max_line, KIB, 64u * KIB, "64K", false,
	    "Longest line that a client may send; the same on all nodes."),
	COUNT("max_clients", max_clients, 0, 100000000, "10000000", false,
	    "Most clients that the table holds, 0 for no cap; at_limit says what "
	    "happens beyond it; the same on all nodes."),
	DURATION("expire_after", expire_after, 0, LONG_TIME, "0", false,
	    "Age by its own time at which a report is dropped, 0 for never; "
	    "the same on all nodes."),
	COUNT("workers", workers, 0, 64, "0", false,
	    "Threads that serve clients and links, 0 for one per core."),
	DURATION("max_ahead", max_ahead, 0, LONG_TIME, "5m", true,
	    "How far in the future the time of a client's report may lie, 0 "
	    "for any; a wrong time hides later ones for so long."),
	SIZE("max_memory", max_memory, 16u * MIB, 16384u * GIB, "0", true,
	    "Most memory of the table, 0 for a quarter of the machine's and at "
	    "least 256M; at it, new clients and reports that make a known "
	    "client's record larger are refused."),
	WORD("at_limit", at_limit, limit_words, "refuse", true,
	    "What becomes of a new client at max_clients: refuse its report, "
	    "or evict the oldest report of the table."),
	COUNT("max_connections", max_connections, 1, 1000000, "10000", true,
	    "Most client connections at one time, fewer if the process may not "
	    "open so many files; at it, the connection that has been idle "
	    "longest, of the address with the most, is closed for a new one."),
	COUNT("max_connections_per_address", max_connections_per_address, 1,
	    1000000, "1024", true,
	    "Most client connections at one time from one IPv4 address or "
	    "IPv6 /64."),
	DURATION("request_timeout", request_timeout, 10u * MS, HOUR, "10s",
	    true,
	    "Time from the first byte of a request to its end; then what there "
	    "is of it is answered as invalid, and the connection is closed."),
	DURATION("write_timeout", write_timeout, 10u * MS, HOUR, "30s", true,
	    "Time without progress after which a client that does not read "
	    "its replies is dropped."),
	DURATION("idle_timeout", idle_timeout, 0, LONG_TIME, "0", true,
	    "Time without a request after which a client's connection is "
	    "closed, 0 for never."),
	COUNT("request_rate", request_rate, 0, 1000000000, "0", true,
	    "Requests per second that one connection may send, 0 for any."),
	STRING("user", user, SETTING_TEXT, "", false,
	    "User to become after start as root, empty to stay."),
	DURATION("ready_after", ready_after, 0, DAY, "10s", true,
	    "Time without a session with any neighbour after which a node "
	    "that has not met one since its start serves alone: ready, and "
	    "isolated."),
	WORD("link_security", link_security, security_words, "auto", false,
	    "Encryption between nodes: auto is TLS with key_file and "
	    "plaintext on loopback without, tls demands key_file, none is "
	    "plaintext everywhere."),
	STRING("key_file", key_file, SETTING_PATH, "", false,
	    "File of mode 0600 with the herd's pre-shared key, or "
	    "credential:NAME for one that systemd loads."),
	DURATION("link.ping_after", link.ping_after, MS, HOUR, "5s", true,
	    "Silence after which a link is asked for a sign of life."),
	DURATION("link.dead_after", link.dead_after, MS, HOUR, "15s", true,
	    "Silence after which a link is dropped; more than "
	    "link.ping_after."),
	DURATION("link.stall_after", link.stall_after, MS, DAY, "1m", true,
	    "Time without progress, while reports are owed, after which a "
	    "link is dropped."),
	DURATION("link.verify_every", link.verify_every, MS, DAY, "10m", true,
	    "Time between two comparisons of the whole table over a link, "
	    "give or take a fifth."),
	DURATION("link.flush_every", link.flush_every, 0, HERD_NS_PER_S, "20ms",
	    true,
	    "About how long a busy link collects reports before they leave "
	    "together; longer costs less CPU and fewer messages, and what comes "
	    "seldom leaves at once."),
	DURATION("link.redial_max", link.redial_max, MS, HOUR, "5s", true,
	    "Longest wait between two attempts to connect a link."),
	WORDS("places.provider", places.provider, provider_words, "gazetteer",
	    false,
	    "Where places come from; with several, each is asked when the one "
	    "before it fails."),
	STRING("places.data", places.data, SETTING_PATH, "", false,
	    "File of the gazetteer, empty for the one that is installed."),
	STRING("places.key_file", places.key_file, SETTING_PATH, "", false,
	    "File of mode 0600 with the provider's API key, or credential:NAME "
	    "for one that systemd loads."),
	STRING("places.base_url", places.base_url, SETTING_TEXT, "", false,
	    "URL of the provider, empty for its public one."),
	STRING("places.ca_file", places.ca_file, SETTING_PATH, "", false,
	    "File of certificates that the provider is checked against, empty "
	    "for the system's."),
	STRING("places.connect_to", places.connect_to, SETTING_ADDRESS, "",
	    false,
	    "Address to connect to instead of the provider's own; its name is "
	    "still the one that is asked for and checked."),
	STRING("places.user_agent", places.user_agent, SETTING_TEXT, "", false,
	    "User-Agent of requests to the provider, empty for herdd and its "
	    "version."),
	DURATION("places.connect_timeout", places.connect_timeout, MS,
	    60u * SECOND, "3s", false, "Time to connect to the provider."),
	DURATION("places.timeout", places.timeout, MS, 60u * SECOND, "8s",
	    false, "Time for a whole answer of the provider."),
	COUNT("places.max_concurrent", places.max_concurrent, 1, 1000, "16",
	    false, "Most calls to the provider at one time."),
	COUNT("places.max_queued", places.max_queued, 0, 100000, "1000", false,
	    "Most questions that wait for a call."),
	COUNT("places.rate", places.rate, 0, 100000, "0", false,
	    "Calls per second to the provider, 0 for any."),
	FLAG("places.cache", places.cache, "yes", false,
	    "Keep answers for a minute where the provider's terms allow it."),
	WORD("places.google_fields", places.google_fields, google_words,
	    "basic", false,
	    "What to ask of Google: basic, or rich with ratings and opening "
	    "hours, which Google bills higher."),
	WORD("store.engine", store.engine, engine_words, "none", false,
	    "Where reports are kept over a restart."),
	STRING("store.path", store.path, SETTING_PATH, "herd-%n.sqlite", false,
	    "File of the SQLite store, of mode 0600 and on a local disk."),
	WORD("store.durability", store.durability, durability_words, "async",
	    false,
	    "When a client is answered: async at once, sync when its report "
	    "is on disk."),
	WORD("log.level", log.level, level_words, "info", true,
	    "The least important messages that are logged."),
	WORD("log.format", log.format, format_words, "logfmt", false,
	    "How messages are written to standard error."),
	STRING("log.traffic", log.traffic, SETTING_PATH, "", false,
	    "File of mode 0600 that gets every request, reply, and link that "
	    "comes or goes; empty for none."),
	STRING("admin.listen", admin.listen, SETTING_ADDRESS, "", false,
	    "Address of a second admin listener over TCP, empty for none; it "
	    "needs a token file."),
	STRING("admin.token_file", admin.token_file, SETTING_PATH, "", false,
	    "File of mode 0600 with the token that may read and change, or "
	    "credential:NAME for one that systemd loads."),
	STRING("admin.read_token_file", admin.read_token_file, SETTING_PATH, "",
	    false,
	    "File of mode 0600 with the token that may only read, or "
	    "credential:NAME for one that systemd loads."),
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
