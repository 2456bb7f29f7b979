/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a user's friends are. The table has no index by user: a walk over it,
 * slice by slice, finds the devices of each user, so that those which report
 * to other nodes are known too.
 */
#ifndef HERD_FRIENDS_H
#define HERD_FRIENDS_H

#include "core/record.h"
#include "herd/json.h"
#include "phones/phones_room.h"

#define FRIENDS_SHOWN_MAX 100u   /* in one answer */
#define FRIENDS_LOOKED_MAX 1024u /* devices that are looked up for it */
#define FRIENDS_TICK_MS 50u
#define FRIENDS_SLOTS 512u /* of the table at one time, under a lock */
#define FRIENDS_SLICES 8u  /* in one tick */
#define FRIENDS_PAUSE_TICKS 40u

/* Goes on with the walk; called every FRIENDS_TICK_MS. */
void friends_walk(struct phones *phones);

/*
 * Adds an array of the user's friends, newest first, in the form of OwnTracks,
 * to a document that has just begun. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error friends_write(
    struct phones *phones, struct account *account, struct buf *out);

/* The newest report of the user's devices. HERD_ENOTFOUND, HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error friends_newest(
    struct phones *phones, struct account *account, struct record *out);

/* The report of a device. HERD_ENOTFOUND, HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error friends_report(struct phones *phones,
    struct span user, struct span device, struct record *out);

/* Adds "lat" and "lon", as numbers. */
void friends_add_location(struct json *json, struct span location);

#endif
