/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The nodes that a command is for. It is part of run.h. */
#ifndef HERD_CLIENT_RUN_TARGETS_H
#define HERD_CLIENT_RUN_TARGETS_H

#include "run/run.h"

/*
 * Works out which nodes are meant: --node, or all for herd-wide commands, or
 * the current one.
 */
enum status run_targets(struct run *run);

/* The one node meant. STATUS_USAGE when several are. */
enum status run_one_target(struct run *run, const struct target **out);

/* The node of that name in the herd; says so if there is none. */
enum status run_find_target(
    struct run *run, const char *name, const struct target **out);

/* The node of that name is the only one meant. */
enum status run_use_node(struct run *run, const char *name);

/* "Riley", or "3 nodes"; for messages. */
const char *run_where(struct run *run);

/* The context, or the herd's name, for run_confirm(). */
const char *run_herd_name(const struct run *run);

#endif
