/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The listening sockets of the admin API, for admin.c and door.c only: a Unix
 * socket whose file permissions decide, and one over TCP that wants a token
 * and whose connections are guests.h's.
 */
#ifndef HERD_ADMIN_DOOR_H
#define HERD_ADMIN_DOOR_H

#include "admin/admin_room.h"

/*
 * Listens at `address`, whose folder is made if only that is missing, and
 * hands requests to door_on_request(). HERD_ERANGE: TCP without a token.
 * HERD_ESYSTEM, HERD_ENOMEM. `message` says what is wrong and what to do.
 */
HERD_MUST_CHECK enum herd_error door_open(struct admin *admin,
    struct admin_door *door, const struct address *address,
    struct buf *message);

/* Stops listening; its connections end. One that is not open is fine. */
void door_close(struct admin_door *door);

/* A request has come in; `arg` is the door. In admin.c. */
void door_on_request(struct evhttp_request *request, void *arg);

#endif
