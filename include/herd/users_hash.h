/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Passwords as crypt(3) keeps them. Both functions are slow on purpose (tens
 * of milliseconds and some megabytes): no event loop may call them.
 */
#ifndef HERD_USERS_HASH_H
#define HERD_USERS_HASH_H

#include <stdbool.h>

#include "herd/buf.h"

#define USERS_PASSWORD_MAX 256u

/* 1 to USERS_PASSWORD_MAX bytes, no NUL and no control among them. */
bool users_hash_takes(struct span password);

/* Appends a new hash, by libcrypt's best method. HERD_ESYSTEM with errno. */
HERD_MUST_CHECK enum herd_error users_hash_make(
    struct span password, struct buf *out);

/* Is it that password? False also for a hash of an unknown method. */
bool users_hash_fits(struct span hash, struct span password);

#endif
