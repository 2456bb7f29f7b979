/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Overland: a batch of GeoJSON points. Source: its "API",
 * https://github.com/aaronpk/Overland-iOS.
 */
#ifndef HERD_OVERLAND_H
#define HERD_OVERLAND_H

#include "phones/intake.h"

/* What the first point calls its device; no fix is read. */
void overland_claim(struct span body, struct intake *intake);

/* All fixes are of the device that the first one names. */
void overland_read(struct span body, struct intake *intake);

#endif
