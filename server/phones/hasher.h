/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads that check passwords: crypt(3) takes tens of milliseconds, and no
 * loop may wait for it. Their queue is bounded.
 */
#ifndef HERD_HASHER_H
#define HERD_HASHER_H

#include "base/mailbox.h"
#include "herd/users_file.h"
#include "herd/users_hash.h"

#define HASHER_THREADS 2u
#define HASHER_QUEUE_MAX 64u

struct hasher;

/* One password to check. After hasher_submit() it comes back as a message. */
struct hash_job {
	struct message message; /* `run` is the caller's */
	struct hash_job *next;
	char hash[USERS_HASH_MAX];
	size_t hash_len;
	char password[USERS_PASSWORD_MAX];
	size_t password_len;
	bool fits; /* the result; the password is wiped by then */
};

/* Answers go to `mailbox`. HERD_ENOMEM, HERD_ESYSTEM. */
HERD_MUST_CHECK enum herd_error hasher_open(
    struct mailbox *mailbox, struct hasher **out);

/*
 * Ends the threads. Jobs that were not begun are sent back as wrong. NULL is
 * fine.
 */
void hasher_close(struct hasher *hasher);

/* Takes the job; false: the queue is full, and the job stays the caller's. */
bool hasher_submit(struct hasher *hasher, struct hash_job *job);

/* Jobs that wait or are at work. Any thread. */
unsigned hasher_waiting(const struct hasher *hasher);

#endif
