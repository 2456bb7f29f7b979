/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event streams. Each watcher owns an outbox of the table, so a slow
 * reader gets each client's newest report once, in the order in which
 * clients became due. Other events wait in a short queue. A "missed" line
 * says how much a slow reader did not get.
 */
#ifndef HERD_WATCH_LIST_H
#define HERD_WATCH_LIST_H

#include "admin/http_call.h"

#define WATCHERS_MAX 8u /* each takes a bit of the table's 64 */
#define WATCHER_QUEUE_MAX 65536u
#define WATCHER_TURN_RECORDS 64u
#define WATCHER_TURN_FILTERED 1024u /* most of them do not match */
#define WATCHER_PAUSE_MS 10         /* reports are gathered for so long */
#define WATCHER_PLACES_MS 1000      /* between two looks at places */

#define WATCH_TYPES(X)            \
	X(WATCH_REPORT, "report") \
	X(WATCH_LINK, "link")     \
	X(WATCH_PLACES, "places") \
	X(WATCH_ADMIN, "admin")

enum watch_type {
#define HERD_WATCH_TYPE(id, word) id,
	WATCH_TYPES(HERD_WATCH_TYPE)
#undef HERD_WATCH_TYPE
};

struct admin;
struct watch_list;

HERD_MUST_CHECK enum herd_error watch_list_open(
    struct admin *admin, struct watch_list **out);
/* All streams have ended. NULL is fine. */
void watch_list_close(struct watch_list *watchers);

/* Something may be owed: called when the admin's mailbox was woken. */
void watch_list_wake(struct watch_list *watchers);

/* Tells the streams of a state change through the API. */
void watch_list_on_admin(struct watch_list *watchers, const char *verb,
    const char *target, const char *who);

#endif
