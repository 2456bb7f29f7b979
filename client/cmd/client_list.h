/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that nodes know, as rows. The nodes choose: by --where, a glob, a
 * place; and they send what is wanted only, as it is found.
 */
#ifndef HERD_CLIENT_LIST_H
#define HERD_CLIENT_LIST_H

#include "base/xbuf.h"
#include "herd/client_view.h"
#include "run/ask.h"

/* `--where` and the words of a command, as parameters of /v1/clients. */
struct client_query {
	struct buf text; /* each begins with & */
	bool near;       /* sorted by distance then */
	bool has_where;
};

#define CLIENT_QUERY ((struct client_query){ .text = XBUF })

/*
 * A GLOB; one without * ? [ \ is what ids begin with, or, if `exact`, a whole
 * id. NULL adds nothing.
 */
void client_query_glob(
    struct client_query *query, const char *glob, bool exact);

/* A place and a distance as typed. STATUS_USAGE: said. */
enum status client_query_near(struct run *run, struct client_query *query,
    const char *place, const char *km);

/*
 * --where, which must be one of client_view. The nodes apply it, and not the
 * answer, so that a node that is silent stays to be seen. A second call does
 * nothing. STATUS_USAGE: said.
 */
enum status client_query_where(struct run *run, struct client_query *query);

/* Is no client left out? */
bool client_query_is_all(const struct client_query *query);

void client_query_release(struct client_query *query);

/*
 * The clients of the run's targets as rows, with --where, --sort and --limit.
 * They are written as they come unless they have to be sorted. `write`, if not
 * NULL, replaces out_end() and gets all rows.
 */
enum status client_list(struct run *run, struct client_query *query,
    void (*write)(struct run *run));

/*
 * Calls visit(arg, ...) for each client of the run's targets, whatever their
 * number, with removals if they are wanted; and on_pause(arg), if not NULL,
 * when those that have come are through. Says what fails.
 */
typedef void client_list_visit(
    void *arg, const struct cJSON *client, struct span line);
enum status client_list_each(struct run *run, const struct client_query *query,
    bool removals, client_list_visit *visit, void (*on_pause)(void *arg),
    void *arg);

#endif
