/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `--watch`: a command again and again. A terminal is redrawn in place, a
 * pipe gets one answer below the other.
 */
#ifndef HERD_CLIENT_WATCH_H
#define HERD_CLIENT_WATCH_H

#include "base/loop.h"
#include "out/sink.h"

struct run;

struct watch_options {
	struct run *run; /* its rounds, and what it shows */
	uint64_t every_ns;
	uint64_t count; /* rounds, 0 = until stopped */
};

/* One answer into `sink`, which holds it in memory. */
typedef enum status watch_round(void *arg, struct sink *sink);

/*
 * The status of the last round. q on a terminal ends it at once, and so does
 * Ctrl-C: STATUS_SIGINT where the loop catches it. Answers that come late on a
 * terminal are drawn when they come.
 */
enum status watch_run(const struct watch_options *options, struct sink *out,
    watch_round *round, void *arg);

#endif
