/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells systemd, if it started us: sd_notify(3) without its library. */
#ifndef HERD_NOTIFY_H
#define HERD_NOTIFY_H

#include <stdint.h>

/* One datagram to $NOTIFY_SOCKET, as "READY=1". Without one: nothing. */
void notify(const char *text);

/* How often systemd wants WATCHDOG=1, ns; 0 = never. */
uint64_t notify_watchdog_ns(void);

#endif
