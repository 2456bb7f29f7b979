/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that nodes know, as rows: pages of the admin API until there are
 * enough.
 */
#ifndef HERD_CLIENT_LIST_H
#define HERD_CLIENT_LIST_H

#include "herd/client_view.h"
#include "run/ask.h"

/* Clients in one page of the admin API; it gives no more at once. */
#define CLIENT_PAGE 1000u

/*
 * The clients of the run's targets as rows. `query` begins with & or is
 * empty; with `can_cut` --limit also limits what is asked for. `write`, if
 * not NULL, replaces out_end().
 */
enum status client_list(struct run *run, const char *query, bool can_cut,
    void (*write)(struct run *run));

/*
 * One page of a node's clients; says what fails. *cursor is where the page
 * begins (NULL: at the first client), then where the next one does (NULL: there
 * is none). *answers is to be released.
 */
enum status client_list_page(struct run *run, const struct target *target,
    const char *query, char **cursor, struct answers *answers);

/* Appends "&near=LOC&km=KM" for a place and a distance as typed. */
enum status client_list_near(
    struct run *run, const char *place, const char *km, struct buf *query);

#endif
