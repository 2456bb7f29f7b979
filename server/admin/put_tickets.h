/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tickets of many reports that an operator put into the table: with durability
 * sync, the answer waits until the store has all of them.
 */
#ifndef HERD_PUT_TICKETS_H
#define HERD_PUT_TICKETS_H

#include "admin/http_call.h"
#include "core/table.h"

struct put_tickets {
	uint64_t appended[TABLE_SHARDS]; /* of the last that must be awaited */
	bool awaited[TABLE_SHARDS];
	struct mono since; /* the first of them was put */
};

/*
 * table_put() of a report of this node's operator, with its ticket. An expired
 * report is judged by the node's trusted clock.
 */
enum put_result put_tickets_put(struct put_tickets *tickets, struct node *node,
    const struct report *report);

/*
 * Puts the removal of a report that is held. It floods like any report and
 * loses to a later report of the client. It has the time of the report that it
 * removes and wins by its kind. The time of this node's clock would keep the
 * client out if that clock is ahead. *removal borrows `held` and the node.
 */
enum put_result put_tickets_remove(struct put_tickets *tickets,
    struct node *node, const struct report *held, struct report *removal);

/* Has the store failed? Then the call is answered so, and nothing is put. */
bool put_tickets_refuse(struct http_call *call);

/*
 * A step of http_call_walk(): waits for the tickets, then calls `answer`, or
 * answers that the store has failed. From now on the call has such steps only.
 */
bool put_tickets_step(struct http_call *call, const struct put_tickets *tickets,
    void (*answer)(struct http_call *call));

#endif
