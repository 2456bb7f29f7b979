/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OpenMetrics 1.0.0, for those who ask for it: Prometheus' older text format
 * with other names of counters and a last line.
 */
#ifndef HERD_OPEN_METRICS_H
#define HERD_OPEN_METRICS_H

#include "herd/buf.h"

#define OPEN_METRICS_TYPE \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"

/*
 * Does the header Accept (NULL: there is none) ask for OpenMetrics at least as
 * much as for text/plain?
 */
bool open_metrics_is_wanted(const char *accept);

/*
 * Rewrites text of the format 0.0.4, each line of which ends with LF. A counter
 * is known by its name, NAME_total. HERD_ENOMEM, HERD_ELIMIT.
 */
HERD_MUST_CHECK enum herd_error open_metrics_convert(struct buf *text);

#endif
