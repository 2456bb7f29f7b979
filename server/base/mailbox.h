/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages to a thread that runs an event loop: any thread posts, the owner
 * runs them in order. An eventfd wakes the loop once for many messages.
 */
#ifndef HERD_MAILBOX_H
#define HERD_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "herd/compiler.h"
#include "herd/error.h"

struct event_base;
struct event;

/* Embedded in what is sent; the receiver owns it from `run` on. */
struct message {
	struct message *next;
	void (*run)(struct message *message);
};

struct mailbox {
	pthread_mutex_t lock;
	struct message *first;
	struct message **last;
	int fd;
	struct event *event;
	void (*on_wake)(void *arg); /* after the messages; may be NULL */
	void *arg;
};

/* Watches the mailbox in `base`. HERD_ESYSTEM with errno, HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error mailbox_init(struct mailbox *mailbox,
    struct event_base *base, void (*on_wake)(void *arg), void *arg);

/* Runs what is left, then closes. Nobody posts any more. */
void mailbox_release(struct mailbox *mailbox);

/* Any thread. */
void mailbox_post(struct mailbox *mailbox, struct message *message);

/* Wakes the owner without a message; async-signal-safe, never blocks. */
void mailbox_wake(const struct mailbox *mailbox);

#endif
