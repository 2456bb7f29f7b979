/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node's status on one screen, for people: a line to each of its parts.
 */
#ifndef HERD_STATUS_SCREEN_H
#define HERD_STATUS_SCREEN_H

#include "run/ask.h"

/* Is the herd file another one than what the node runs with? */
bool status_screen_is_changed(const struct cJSON *json);

/* Writes what nodes have answered to /v1/status. */
void status_screen_draw(struct run *run, const struct answers *answers);

#endif
