/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every setting of the herd file, as one table: name, type, range, default,
 * whether it applies on reload, help. Parsing, --check-config, `config show`,
 * did-you-mean and herd.yaml(5) read this table. A name with a dot is in a
 * mapping of the file: "log.level" is `log: {level: info}`.
 */
#ifndef HERD_SETTINGS_H
#define HERD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

enum setting_type {
	SETTING_BOOL,     /* bool: yes, no, true, false, on, off */
	SETTING_COUNT,    /* uint64_t */
	SETTING_SIZE,     /* uint64_t bytes: 65536, 64K, 1M, 1G (1024) */
	SETTING_DURATION, /* uint64_t ns; range in ns */
	SETTING_ENUM,     /* unsigned: index into `words` */
	SETTING_ENUMS,    /* struct setting_list: a word or a list of words */
	SETTING_TEXT,     /* char *, never NULL */
	SETTING_PATH,     /* char *, "" = none; %n; relative to the herd file */
	SETTING_ADDRESS,  /* char *, "" or HOST:PORT for address_parse */
	SETTING_GROUPS,   /* char *: "a b, c d"; lists of names in the file */
};

#define SETTING_LIST_MAX 8u
#define SETTING_TEXT_MAX 4096u    /* bytes of a text, path or address */
#define SETTING_GROUPS_MAX 65536u /* bytes of all groups */

struct setting_list {
	unsigned count;
	unsigned items[SETTING_LIST_MAX]; /* indices into `words`, no repeats */
};

enum link_security {
	LINK_SECURITY_AUTO,
	LINK_SECURITY_TLS,
	LINK_SECURITY_NONE
};
enum flood { FLOOD_ALL, FLOOD_SPARSE };
enum at_limit { AT_LIMIT_REFUSE, AT_LIMIT_EVICT };
/*
 * Where reports are kept: (ID, NAME) is the word NAME of store.engine, and
 * engine_NAME of server/store. LOCAL is a file of the node's own, SHARED a
 * server that several nodes write.
 */
#define STORE_ENGINES(LOCAL, SHARED) \
	LOCAL(SQLITE, sqlite) SHARED(POSTGRES, postgres)

enum store_engine {
	STORE_NONE,
#define HERD_STORE_ENGINE(id, name) STORE_##id,
	STORE_ENGINES(HERD_STORE_ENGINE, HERD_STORE_ENGINE)
#undef HERD_STORE_ENGINE
};

/* Is it a server that several nodes write? */
bool store_engine_is_shared(enum store_engine engine);

/* Which reports a node tells a shared store. */
enum store_write { STORE_WRITE_ORIGIN, STORE_WRITE_ALL };
enum durability { DURABILITY_ASYNC, DURABILITY_SYNC };
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };
/*
 * Where places come from, with the words of places.provider. A provider on
 * the network is NETWORK(ID, NAME, WORD, KEY): upstream_NAME of server/places
 * asks and reads. KEY names the owner of its API key, NULL if it needs none.
 */
#define PLACES_PROVIDERS(LOCAL, NETWORK)                                 \
	LOCAL(GAZETTEER, "gazetteer")                                    \
	NETWORK(GOOGLE, google, "google", "Google")                      \
	NETWORK(GOOGLE_LEGACY, google_legacy, "google-legacy", "Google") \
	NETWORK(PHOTON, photon, "photon", NULL)                          \
	LOCAL(NONE, "none")

enum places_kind {
#define HERD_PLACES_KIND(id, ...) PLACES_##id,
	PLACES_PROVIDERS(HERD_PLACES_KIND, HERD_PLACES_KIND)
#undef HERD_PLACES_KIND
};

/* Is it asked over the network? */
bool places_kind_is_remote(enum places_kind kind);
/* Whose API key it needs; NULL: none. */
const char *places_kind_key(enum places_kind kind);

/* Longest places.icon_base. */
#define SETTING_ICON_BASE_MAX 512u

/* The values. Texts belong to the struct. */
struct settings {
	/* the herd's agreement: equal on all nodes, hashed into `params` */
	uint64_t max_line;     /* bytes of a client line */
	uint64_t max_clients;  /* records in the table, 0 = no cap */
	uint64_t expire_after; /* ns, 0 = never */
	/* this node */
	uint64_t workers;     /* threads, 0 = one per core */
	uint64_t max_ahead;   /* ns, 0 = off */
	uint64_t max_memory;  /* bytes, 0 = by the machine's memory */
	unsigned flood;       /* enum flood */
	unsigned at_limit;    /* enum at_limit */
	uint64_t ready_after; /* ns */
	uint64_t max_connections;
	uint64_t max_connections_per_address;
	uint64_t request_timeout; /* ns from a request's first byte to its LF */
	uint64_t write_timeout;   /* ns without progress */
	uint64_t idle_timeout;    /* ns without a request, 0 = off */
	uint64_t request_rate;    /* requests/s per connection, 0 = off */
	char *user;               /* drop privileges to, "" = stay */
	unsigned link_security;   /* enum link_security */
	char *key_file;           /* the herd's pre-shared key */
	char *ca_file;            /* of certificates that nodes show */
	struct {
		uint64_t ping_after;   /* ns between PINGs */
		uint64_t dead_after;   /* ns of silence */
		uint64_t stall_after;  /* ns with debt and no progress */
		uint64_t verify_every; /* ns, +-20 % */
		uint64_t flush_every;  /* ns, about; 0 = at once */
		uint64_t redial_max;   /* ns, ceiling of the backoff */
		uint64_t rest_after;   /* ns that eager links must be up */
	} link;
	struct {
		struct setting_list provider; /* enum places_kind */
		char *data;
		char *icon_base;
		char *key_file;
		char *base_url;
		char *ca_file;
		char *connect_to;
		char *user_agent;
		uint64_t connect_timeout;
		uint64_t timeout;
		uint64_t max_concurrent;
		uint64_t max_queued;
		uint64_t rate; /* calls/s to the upstream, 0 = no limit */
		bool cache;
		unsigned google_fields; /* 0 basic, 1 rich */
	} places;
	struct {
		unsigned engine;     /* enum store_engine */
		char *path;          /* local engines: file; %n */
		unsigned durability; /* enum durability */
		/* shared engines */
		char *url_file;
		unsigned write; /* enum store_write */
		uint64_t batch;
		uint64_t timeout; /* ns */
		bool require;
		uint64_t history; /* ns, 0 = none */
	} store;
	struct {
		unsigned level;  /* enum log_level */
		unsigned format; /* enum log_format */
		char *traffic;   /* file; %n; "" = off */
	} log;
	struct {
		char *listen; /* TCP address, "" = Unix socket only; %n no */
		char *token_file; /* read and write */
		char *read_token_file;
		char *tls_cert; /* "" = no TLS */
		char *tls_key;
		char *client_ca; /* "" = no certificates of callers */
		char *group;     /* of the socket, "" = none */
		bool plaintext;  /* beyond loopback */
	} admin;
	struct {
		char *tls_cert; /* "" = no TLS */
		char *tls_key;
		char *client_ca; /* "" = no certificates of clients */
		bool bind_ids;
	} clients;
	struct {
		char *users_file; /* "" only without a listener */
		char *tls_cert;   /* "" = no TLS */
		char *tls_key;
		char *friends;     /* groups of users */
		char *trust_proxy; /* a numeric address, "" = none */
		uint64_t rate;     /* requests/s, 0 = any */
	} http;
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset; /* of the value in struct settings */
	uint64_t min;  /* COUNT, SIZE, DURATION */
	uint64_t max;
	/* Default, as one writes it in the file; allowed beside the range. */
	const char *initial;
	const char *const *words; /* BOOL, ENUM, ENUMS: ends with NULL */
	bool reloadable;          /* applies on reload, else at restart */
	bool secret;      /* never shown: a path to a secret is not one */
	const char *help; /* one sentence, for herd.yaml(5) */
};

/* The table, in the order in which people read it; *count entries. */
const struct setting *settings_table(size_t *count);

/* NULL when there is none of that dotted name. */
const struct setting *setting_find(struct span name);

/* All defaults. HERD_ENOMEM leaves nothing allocated. */
HERD_MUST_CHECK enum herd_error settings_init(struct settings *settings);
void settings_release(struct settings *settings);

/*
 * Reads one value, as the file has it, into its field; a list setting gets one
 * more word or group, or several with commas between them. On HERD_ESYNTAX,
 * HERD_ERANGE, HERD_ELIMIT or HERD_EEXIST (a word that the list has) *message,
 * if not NULL, gets a sentence with what is allowed.
 */
HERD_MUST_CHECK enum herd_error setting_set(struct settings *settings,
    const struct setting *setting, struct span text, struct buf *message);

/* Empties a list setting, so that setting_set begins a new list. */
void setting_clear(struct settings *settings, const struct setting *setting);

/* Appends the value as setting_set reads it (an empty text is nothing). */
HERD_MUST_CHECK enum herd_error setting_get(const struct settings *settings,
    const struct setting *setting, struct buf *out);

/* Appends what may be written: "a whole number from 0 to 64". */
HERD_MUST_CHECK enum herd_error setting_allowed(
    const struct setting *setting, struct buf *out);

bool setting_equal(const struct setting *setting, const struct settings *a,
    const struct settings *b);

#endif
