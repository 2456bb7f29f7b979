/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state that the files of this room share. The phones thread's, unless a
 * comment says otherwise.
 */
#ifndef HERD_PHONES_ROOM_H
#define HERD_PHONES_ROOM_H

#include <netinet/in.h>
#include <sys/queue.h>

#include "base/count.h"
#include "base/mailbox.h"
#include "core/table_walk.h"
#include "net/busiest.h"
#include "net/http_acceptor.h"
#include "net/refusals.h"
#include "phones/accounts.h"
#include "phones/hasher.h"
#include "phones/phones.h"
#include "phones/visitors.h"
#include "places/places.h"

#define PHONES_LOGGED_MAX 256u /* users and reasons */
#define PHONES_LOG_AGAIN_S 60u

TAILQ_HEAD(phone_call_list, phone_call);
TAILQ_HEAD(login_list, login);

/* What a reload replaces, made in the main thread. */
struct phones_config {
	struct accounts *accounts;
	bool has_proxy;
	struct in6_addr proxy; /* an IPv4 address as ::ffff:a.b.c.d */
};

/* Who was logged for which reason. */
struct phones_logged {
	uint64_t hash;
	struct mono until;
};

struct phones {
	struct node *node;
	struct event_base *base;
	struct mailbox mailbox;
	bool has_mailbox;
	pthread_t thread;
	bool has_thread;
	struct address address; /* fixed */
	bool is_local;          /* only this machine reaches it; fixed */
	struct http_acceptor acceptor;
	struct http_limits *limits;
	struct phones_config config;
	/* main thread only: read, not used yet; hash of the text in use */
	struct users_file new_users;
	uint64_t users_hash;
	struct hasher *hasher;
	struct login_list logins;     /* passwords under way */
	struct phone_call_list calls; /* all */
	struct phone_call_list held;  /* that wait for a commit, oldest first */
	struct places_reader *places; /* NULL: no provider */
	struct visitors visitors;
	struct busiest busiest;
	struct event *walk_tick;
	struct table_cursor walk;
	unsigned walk_pause;      /* ticks until the next walk begins */
	struct refusals refusals; /* any thread */
	struct phones_logged logged[PHONES_LOGGED_MAX];
	bool stopping;
	/* Read by any thread. */
	_Atomic uint64_t reports[APP_COUNT];
	_Atomic uint64_t refused[PHONES_REFUSAL_COUNT];
	_Atomic uint64_t faults[INTAKE_FAULT_COUNT];
	_Atomic uint64_t requests;
	_Atomic uint64_t connections;
	_Atomic uint64_t connections_refused;
	_Atomic uint64_t timed_out;
	_Atomic uint64_t users;
	_Atomic uint64_t pending;
};

#endif
