/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OwnTracks in HTTP mode: one message, or an array of them. Source: the app's
 * JSON format, https://owntracks.org/booklet/tech/json/.
 */
#ifndef HERD_OWNTRACKS_H
#define HERD_OWNTRACKS_H

#include "phones/intake.h"

/* Messages that have no place, and an empty body, add nothing. */
void owntracks_read(struct span body, struct intake *intake);

#endif
