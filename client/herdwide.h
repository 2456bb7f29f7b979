/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands for the herd as a whole that have a file of their own.
 */
#ifndef HERD_CLIENT_HERDWIDE_H
#define HERD_CLIENT_HERDWIDE_H

#include "run.h"

/* diff.c */
extern const struct view diff_view;
enum status diff_run(struct run *run);

/* herdcheck.c */
extern const struct view herdcheck_view;
enum status herdcheck_run(struct run *run);

/* nagios.c */
extern const struct argument nagios_arguments[];
enum status nagios_run(struct run *run);

#endif
