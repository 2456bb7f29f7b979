/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which clients a request means: its parameters prefix, glob, near with km, and
 * where (herd/filter.h); and in what order: sort.
 */
#ifndef HERD_ADMIN_SELECTION_H
#define HERD_ADMIN_SELECTION_H

#include "admin/http_call.h"
#include "admin/page.h"

/* The names, for route_rows.def. */
#define SELECTION_PARAMS "prefix glob near km where"

struct selection {
	struct client_scene scene;
	struct filter *where; /* or NULL */
	struct page_filter filter;
};

/*
 * Reads the parameters; `filter.limit` stays 0. The selection borrows the
 * call's query. Release it in any case. False: a parameter is wrong or there is
 * no memory, and the call is answered.
 */
bool selection_read(struct selection *selection, struct http_call *call);
void selection_release(struct selection *selection);

/* Is every client meant? */
bool selection_is_all(const struct selection *selection);

#endif
