/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One node: what its modules share, and its state. herdd.c builds it, the
 * modules borrow it. The comment of a member names the threads that may touch
 * it.
 */
#ifndef HERD_NODE_H
#define HERD_NODE_H

#include <stdatomic.h>

#include "base/certificate.h"
#include "base/log.h"
#include "core/session.h"
#include "herd/herdfile.h"

/* Settings that threads read while a reload may change them. */
struct node_limits {
	_Atomic uint64_t max_ahead_ns;
	_Atomic uint64_t ready_after_ns;
	_Atomic uint64_t request_timeout_ns;
	_Atomic uint64_t write_timeout_ns;
	_Atomic uint64_t idle_timeout_ns; /* 0 = off */
	_Atomic uint64_t request_rate;
	_Atomic uint64_t max_connections; /* what the descriptors allow */
	_Atomic uint64_t max_per_address;
	_Atomic uint64_t max_memory;   /* bytes of the table; never 0 */
	_Atomic uint64_t memory_bound; /* of the process, 0 = none */
	/* The least max_memory of live neighbours, 0 = none is known. */
	_Atomic uint64_t neighbours_memory;
	_Atomic bool refuse_at_cap;
	_Atomic bool bind_ids;      /* to the names of clients' certificates */
	_Atomic uint64_t http_rate; /* 0 = any */
};

/* Settings of links; main thread only: each reload hands the links a copy. */
struct node_timings {
	uint64_t ping_after_ns;
	uint64_t dead_after_ns;
	uint64_t stall_after_ns;
	uint64_t verify_every_ns;
	uint64_t flush_every_ns;
	uint64_t redial_max_ns;
	uint64_t rest_after_ns;
	bool sparse; /* links that are not eager rest */
};

/* A listener's TLS. */
struct node_tls {
	const char
	    *cert; /* files by the settings, of node->file; main thread */
	const char *key;
	const char *client_ca;
	struct certificate_slot
	    slot; /* and what was read of them; any thread */
};

enum node_state { NODE_STARTING, NODE_RUNNING, NODE_DRAINING, NODE_STOPPING };
#define NODE_STATES 4u

/* What the links know of the neighbours; the links thread writes. */
struct node_company {
	_Atomic bool has_links; /* that are enabled */
	_Atomic bool met_one;   /* a link was SYNCED since the start */
	/* No SYNCED neighbour has a lesser name: one of those that do what
	 * only some of a herd need to do. */
	_Atomic bool leads;
	/* Since when no session lives; 0: one does. Clock: clock_mono(). */
	_Atomic uint64_t alone_since_ns;
};

/* What the store knows of replies that wait for it; its thread writes. */
struct node_waits {
	_Atomic uint64_t patience_ns; /* 0: replies may wait for ever */
	/* Since when they wait; 0: none does. Clock: clock_mono(). */
	_Atomic uint64_t since_ns;
	_Atomic bool loads; /* what must be loaded before all else is not */
};

/* Called after each change of the state, in the thread that made it. */
typedef void node_on_state(void *arg, enum node_state state);

#define RELOAD_FILES_MAX 4u

struct event_base;
struct phones;
struct places;
struct traffic;
struct peering;
struct reload_files;
struct worker_pool;
struct store;

struct node {
	const char *name;             /* fixed */
	const char *herd;             /* its name; fixed, also after a reload */
	const char *file_path;        /* herd file, absolute; fixed */
	const char *base_dir;         /* its folder; fixed */
	struct log *log;              /* any thread */
	struct table *table;          /* any thread */
	struct board board;           /* any thread */
	struct timekeeper timekeeper; /* links thread judges, any reads */
	struct session_node sessions; /* links thread; fixed but for timings */
	uint64_t max_line;            /* fixed */
	struct node_limits limits;    /* any thread */
	struct node_tls clients_tls;
	struct node_tls admin_tls;
	struct node_tls http_tls;
	_Atomic unsigned state;      /* node_state(), node_set_state() */
	struct node_company company; /* any thread reads */
	_Atomic bool store_lost;     /* node_lose_store() */
	struct node_waits waits;     /* any thread reads */
	node_on_state *on_state;     /* fixed before the node runs */
	void *on_state_arg;
	struct places *places;       /* any thread; NULL: provider none */
	struct traffic *traffic;     /* any thread; NULL: off */
	struct worker_pool *workers; /* any thread, by its functions */
	struct peering *peering;     /* any thread, by its functions */
	struct phones *phones;       /* any thread; NULL: no listener */
	struct store *store;         /* any thread; NULL: none */
	struct mono started;         /* fixed */
	struct wall started_wall;    /* fixed */

	/* main thread only */
	struct event_base *base;
	struct herdfile file; /* as read last */
	struct herdfile boot; /* as at start; what only a restart changes */
	struct wall file_loaded;
	struct node_timings timings; /* as set by the settings */
	const char *admin_group;     /* of node->file */
	const char *http_friends;    /* these two too */
	const char *http_proxy;
	bool admin_plaintext; /* what the herd file's check allowed */
	struct {
		enum herd_error (*apply)(void *arg); /* NULL: nobody's */
		void *arg;
	} on_reload; /* see reload.h */
	struct {
		const struct reload_files *files;
		void *arg;
	} reload_files[RELOAD_FILES_MAX];
	unsigned reload_files_count;
	struct {
		void (*run)(void *arg); /* NULL: nobody's */
		void *arg;
	} on_reloaded;
	size_t self; /* index of this node in `file` */
	size_t boot_self;
};

/* Any thread. */
enum node_state node_state(const struct node *node);

/*
 * The one way to change the state. False: the node has that state already, or
 * it may not follow the present one (a node that stops does not run again).
 * Any thread.
 */
bool node_set_state(struct node *node, enum node_state state);

/*
 * The node serves clients, or drains if its store is lost. True if it did not
 * serve before. Any thread.
 */
bool node_run(struct node *node);

/*
 * Refuses new clients and is not ready; or serves again, unless the store is
 * lost. `who` is for the log.
 */
void node_drain(struct node *node, bool drain, const char *who);

/*
 * The store has failed and answers would wait for it: no client is served
 * until a restart. Any thread.
 */
void node_lose_store(struct node *node);

/* Ends the main loop; then herdd closes. */
void node_stop(struct node *node, const char *who);

/*
 * "starting", "ready", "syncing", "loading" (of the store), "stalled" (replies
 * wait too long for the store), "draining" or "stopping", as the admin API
 * names it. Any thread.
 */
const char *node_state_word(const struct node *node);

/*
 * The node serves clients, and no link is enabled, or one was SYNCED since the
 * start, or the node is isolated; and the store does not hinder it. Any thread.
 */
bool node_is_ready(const struct node *node);

/* No session with any neighbour for ready_after: it serves alone. Any thread.
 */
bool node_is_isolated(const struct node *node);

#endif
