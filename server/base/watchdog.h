/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thread that looks at the watches of all loops. A turn that lasts too long
 * is logged with the callback's name and counted, and systemd is told that the
 * node lives only while no loop is stuck.
 */
#ifndef HERD_WATCHDOG_H
#define HERD_WATCHDOG_H

#include "base/log.h"

struct watchdog;

/* Gives *out. `log` is borrowed. HERD_ENOMEM, HERD_ESYSTEM (errno). */
HERD_MUST_CHECK enum herd_error watchdog_open(
    struct log *log, struct watchdog **out);

/* NULL is fine. */
void watchdog_close(struct watchdog *watchdog);

#endif
