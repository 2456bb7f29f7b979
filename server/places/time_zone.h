/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A zone of the machine's time zone database (TZif, RFC 8536), which the C
 * library can only read for the process as a whole.
 */
#ifndef HERD_PLACES_TIME_ZONE_H
#define HERD_PLACES_TIME_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

/* Longest file. */
#define TIME_ZONE_MAX 65536u
/* Where Debian has them. */
#define TIME_ZONE_FOLDER "/usr/share/zoneinfo"

/*
 * Reads the zone's file. HERD_ENOTFOUND: there is no such zone; HERD_ESYNTAX:
 * its file is none.
 */
HERD_MUST_CHECK enum herd_error time_zone_read(
    const char *name, struct buf *out);

/*
 * Seconds east of UTC at that time. False: the file does not say, because the
 * time is after its last change and the zone goes on changing.
 */
bool time_zone_offset(struct span zone, int64_t seconds, int32_t *out);

#endif
