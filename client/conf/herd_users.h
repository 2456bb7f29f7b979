/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The users file that a herd file names (http.users_file): who may report over
 * HTTP.
 */
#ifndef HERD_HERD_USERS_H
#define HERD_HERD_USERS_H

#include "conf/herd.h"
#include "herd/users_file.h"

/*
 * Gives the path of the herd's users file as the node `node` reads it. NULL:
 * `message` says why there is none.
 */
char *herd_users_path(
    const struct herd *herd, const char *node, struct buf *message);

/* Reads it. STATUS_LOCAL: `message` says what is wrong. */
enum status herd_users_read(
    const char *path, struct users_file *out, struct buf *message);

#endif
