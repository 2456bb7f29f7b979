/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a phone gets: each app the answer that it wants, and those who ask with
 * /whatsat and /where what they may see.
 */
#ifndef HERD_PHONE_ANSWER_H
#define HERD_PHONE_ANSWER_H

#include "phones/phone_call.h"

/*
 * The message is done with, used or not: 200 as the app wants it. A query gets
 * 400 with a reason if it had no fix.
 */
void phone_answer_taken(struct phone_call *call);

/* Answers /whatsat or /where. */
void phone_answer_reader(struct phone_call *call, struct account *account);

/* The call does not wait for places any more. */
void phone_answer_leave(struct phone_call *call);

#endif
