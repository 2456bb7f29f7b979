/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands that watch and have a file of their own.
 */
#ifndef HERD_CLIENT_WATCHING_H
#define HERD_CLIENT_WATCHING_H

#include "run/run.h"

/* top.c */
extern const struct argument top_arguments[];
extern const struct view top_view;
enum status top_run(struct run *run);

/* map.c */
extern const struct flag map_flags[];
enum status map_run(struct run *run);

#endif
