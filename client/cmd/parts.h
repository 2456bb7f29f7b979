/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is the herd split now? The parts are worked out from the links that live, as
 * their ends say it, not from those that the herd file has.
 */
#ifndef HERD_PARTS_H
#define HERD_PARTS_H

#include "run/ask.h"

struct parts {
	size_t count; /* parts with a node that answers */
	/*
	 * Parts that may be one, because nobody could be asked about a link
	 * between them, are counted as one in `count`; this is false then.
	 */
	bool certain;
	bool known;       /* false: no herd file, or no node answered */
	struct buf names; /* "Riley, Jaquez | Bernard" if count > 1 */
};

/* `status` are answers to /v1/status. Gives *out; release it. */
void parts_find(
    const struct run *run, const struct answers *status, struct parts *out);
void parts_release(struct parts *parts);

/*
 * Answers to /v1/status as rows; the column "split" has the parts if there are
 * several.
 */
void parts_rows(
    struct run *run, const struct answers *status, struct parts *parts);

/*
 * As parts_find() with the nodes that `status` lacks asked as well, for a
 * moment: a silent one is not waited for.
 */
enum status parts_ask(
    struct run *run, const struct answers *status, struct parts *out);

#endif
