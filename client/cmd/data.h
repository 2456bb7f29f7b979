/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the commands that speak the client protocol share.
 */
#ifndef HERD_CLIENT_DATA_H
#define HERD_CLIENT_DATA_H

#include "run/ask.h"
#include "herd/location.h"
#include "run/run.h"

/* Checks a client id. Says what is wrong with it. */
enum status data_read_client(struct run *run, const char *id);

/* A location as typed; appends the protocol's form. Says what is wrong. */
enum status data_read_location(
    struct run *run, const char *typed, struct buf *text, struct location *out);

/*
 * The first answer of an exchange, taken apart. A refusal is said; what is
 * no answer becomes the exchange's failure, to be reported with the others.
 */
enum status data_reply(struct run *run, struct exchange *x, struct reply *out);

/* whatsat.c */
extern const struct view whatsat_view;
enum status whatsat_run(struct run *run);

/* trace.c */
extern const struct argument trace_arguments[];
extern const struct view trace_view;
enum status trace_run(struct run *run);

/* bench.c */
extern const struct argument bench_arguments[];
extern const struct flag bench_flags[];
extern const struct view bench_view;
enum status bench_run(struct run *run);

#endif
