/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the commands for nodes and links share, and those that have a file
 * of their own.
 */
#ifndef HERD_NODE_FAMILY_H
#define HERD_NODE_FAMILY_H

#include "run/run.h"

/* The node of that name is the run's only target. */
enum status node_use_named(struct run *run, const char *name);

/* The context, or the herd's name: for questions before something breaks. */
const char *node_herd_name(const struct run *run);

/* Appends "3 nodes: 2 ready, 1 unreachable", counted over a column. */
void node_count_states(
    const struct out *out, size_t column, const char *what, struct buf *text);

/* status_screen.c */
extern const struct view status_view;
enum status status_run(struct run *run);

/* peer.c */
extern const struct view peer_view;
extern const struct view peer_record;
enum status peer_run_ls(struct run *run);
enum status peer_run_show(struct run *run);
enum status peer_run_enable(struct run *run);
enum status peer_run_disable(struct run *run);
enum status peer_run_reconnect(struct run *run);

/* graph.c */
extern const struct view graph_view;
enum status graph_run(struct run *run);

#endif
