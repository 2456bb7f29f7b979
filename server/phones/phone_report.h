/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a phone has sent becomes reports, by the rules of IAMAT. With durability
 * sync the answer waits for the commit.
 */
#ifndef HERD_PHONE_REPORT_H
#define HERD_PHONE_REPORT_H

#include "phones/phone_call.h"

/* Takes the call's fixes as reports of the user's device, and answers. */
void phone_report_take(struct phone_call *call, struct account *account);

/* The call does not wait for a commit any more. */
void phone_report_leave(struct phone_call *call);

/* A commit was published, or the store has failed: answers may go. */
void phone_report_release(struct phones *phones);

/* Refuses those that have waited for a commit longer than they may. */
void phone_report_expire(struct phones *phones, struct mono now);

#endif
