/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the commands for the table of clients share.
 */
#ifndef HERD_TABLE_FAMILY_H
#define HERD_TABLE_FAMILY_H

#include "run/run.h"

/* Clients in one page of the admin API; it gives no more at once. */
#define TABLE_PAGE 1000u

/* Gives "/v1/clients/ID", percent-encoded, and `query` behind it. */
char *table_client_path(const char *id, const char *query);

/* client_list.c */
extern const struct view client_list_view;
enum status client_run_ls(struct run *run);
enum status client_run_near(struct run *run);

/*
 * The clients of the run's targets as rows. `query` begins with & or is
 * empty; with `can_cut` --limit also limits what is asked for. `write`, if
 * not NULL, replaces out_end().
 */
enum status client_list(struct run *run, const char *query, bool can_cut,
    void (*write)(struct run *run));

/* Appends "&near=LOC&km=KM" for a place and a distance as typed. */
enum status client_near_query(
    struct run *run, const char *place, const char *km, struct buf *query);

/* client_show.c */
extern const struct view client_show_view;
enum status client_run_show(struct run *run);

/* transfer.c */
extern const struct view transfer_view;
enum status transfer_export(struct run *run);
enum status transfer_import(struct run *run);

#endif
