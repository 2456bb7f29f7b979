/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One node: what its rooms share. main builds it, the rooms borrow it. Each
 * member says who may touch it.
 */
#ifndef HERD_NODE_H
#define HERD_NODE_H

#include <stdatomic.h>

#include "core/session.h"
#include "herd/herdfile.h"
#include "base/log.h"
#include "places/places.h"

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
	_Atomic uint64_t max_memory; /* bytes of the table; never 0 */
	/* The least max_memory of live neighbours, 0 = none is known. */
	_Atomic uint64_t neighbours_memory;
	_Atomic bool refuse_at_cap;
};

/* Settings of links; main thread only: each reload hands the links a copy. */
struct node_timings {
	uint64_t ping_after_ns;
	uint64_t dead_after_ns;
	uint64_t stall_after_ns;
	uint64_t verify_every_ns;
	uint64_t flush_every_ns;
	uint64_t redial_max_ns;
};

enum node_state { NODE_STARTING, NODE_RUNNING, NODE_DRAINING, NODE_STOPPING };

struct event_base;
struct traffic;
struct links;
struct workers;
struct store;

struct node {
	const char *name;      /* fixed */
	const char *herd;      /* its name; fixed, whatever a reload says */
	const char *file_path; /* herd file, absolute; fixed */
	const char *base_dir;  /* its folder; fixed */
	struct log *log;       /* any thread */
	struct table *table;   /* any thread */
	struct board board;    /* any thread */
	struct timekeeper timekeeper; /* links thread judges, any reads */
	struct session_node sessions; /* links thread; fixed but for timings */
	uint64_t max_line;            /* fixed */
	struct node_limits limits;    /* any thread */
	_Atomic unsigned state;       /* enum node_state; any thread */
	struct places *places;        /* any thread; NULL: provider none */
	struct traffic *traffic;      /* any thread; NULL: off */
	struct workers *workers;      /* any thread, by its functions */
	struct links *links;          /* any thread, by its functions */
	struct store *store;          /* any thread; NULL: none */
	struct mono started;          /* fixed */

	/* main thread only */
	struct event_base *base;
	struct herdfile file; /* as read last */
	struct herdfile boot; /* as at start; what only a restart changes */
	struct wall file_loaded;
	struct node_timings timings; /* as set by the settings */
	struct {
		enum herd_error (*apply)(void *arg); /* NULL: nobody's */
		void *arg;
	} on_reload; /* see reload.h */
	size_t self; /* index of this node in `file` */
	size_t boot_self;
};

#endif
