/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening hours as OpenStreetMap writes them: days and times of a week
 * ("Mo-Fr 08:00-18:00; Sa 10:00-14:00; Su off", "24/7"). What goes beyond a
 * week (months, holidays, sunset) is not computed: the answer is then that it
 * is not known. Source: wiki.openstreetmap.org/wiki/Key:opening_hours
 */
#ifndef HERD_OPENING_HOURS_H
#define HERD_OPENING_HOURS_H

#include "herd/span.h"

enum opening_state { OPENING_UNKNOWN, OPENING_CLOSED, OPENING_OPEN };

/* Open all the time: no clock and no time zone is needed to say so. */
bool opening_hours_are_always(struct span text);

/* Local time: weekday 0 is Monday; minute of the day. */
enum opening_state opening_hours_at(
    struct span text, unsigned weekday, unsigned minute);

#endif
