/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traccar Client from version 9 on: one location, or an array of them. */
#ifndef HERD_TRACCAR_H
#define HERD_TRACCAR_H

#include "phones/intake.h"

void traccar_read(struct span body, struct intake *intake);

#endif
