/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands for the herd as a whole that have a file of their own.
 */
#ifndef HERD_CLIENT_HERDWIDE_H
#define HERD_CLIENT_HERDWIDE_H

#include "run/ask.h"
#include "run/run.h"

/* diff.c */
extern const struct view diff_view;
enum status diff_run(struct run *run);

/* herdcheck.c */
extern const struct view herdcheck_view;
enum status herdcheck_run(struct run *run);
/*
 * Of answers to /v1/status: the nodes that judge by their neighbours' clocks
 * because their own is wrong, added to `list`; returns how many.
 */
size_t list_overruled(const struct answers *answers, struct buf *list);

/* nagios.c */
extern const struct argument nagios_arguments[];
enum status nagios_run(struct run *run);

#endif
