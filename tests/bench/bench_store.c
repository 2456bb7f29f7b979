/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an engine of the store costs this process, without a herd around it:
 *     bench_store sqlite FILE ROWS BATCH ROUNDS
 *     bench_store postgres URL_FILE ROWS BATCH ROUNDS
 * Writes ROWS clients ROUNDS times, each time with newer reports, then loads
 * them. One line of JSON: rows and CPU time of writing, seconds of loading.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/engine.h"

#define LINE_MAX 160u

struct bench {
	struct engine *engine;
	unsigned rows;
	unsigned batch;
	unsigned rounds;
	char (*lines)[LINE_MAX];
	struct report *reports;
	uint64_t loaded;
};

static uint64_t
cpu_ns(void)
{
	return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void
stop(const struct bench *bench, const char *what)
{
	fprintf(stderr, "bench_store: %s: %s\n", what,
	    bench->engine == NULL ? "" : bench->engine->error);
	exit(1);
}

/* Clients in no order, as they report. */
static void
make_batch(struct bench *bench, unsigned round, unsigned from)
{
	for (unsigned i = 0; i < bench->batch; i++) {
		unsigned client =
		    (unsigned)((uint64_t)(from + i) * 7919u % bench->rows);
		int len = snprintf(bench->lines[i], LINE_MAX,
		    "AT Riley +0.263873386 vehicle-%08u.example "
		    "+34.%06u-118.445127 %u.%09u",
		    client, client % 1000000u, 1700000000u + round, i);

		if (report_parse(span_of(bench->lines[i], (size_t)len),
			&bench->reports[i]) != HERD_OK)
			stop(bench, "report_parse");
	}
}

static void
write_round(struct bench *bench, unsigned round)
{
	uint64_t cpu = 0;
	uint64_t took = 0;

	for (unsigned from = 0; from < bench->rows; from += bench->batch) {
		uint64_t began = clock_mono().ns;
		uint64_t before;

		make_batch(bench, round, from);
		took -= clock_mono().ns - began;
		before = cpu_ns();
		if (bench->engine->ops->put_many(
			bench->engine, bench->reports, bench->batch) != HERD_OK)
			stop(bench, "put_many");
		cpu += cpu_ns() - before;
		took += clock_mono().ns - began;
	}
	printf("%s{\"cpu_us\": %.3f, \"rows_s\": %.0f}",
	    round == 0 ? "{\"rounds\": [" : ", ",
	    (double)cpu / 1000 / bench->rows,
	    bench->rows / ((double)took / 1e9));
}

static enum herd_error
on_report(void *arg, const struct report *report HERD_UNUSED)
{
	struct bench *bench = arg;

	bench->loaded++;
	return HERD_OK;
}

static void
load(struct bench *bench)
{
	const struct engine_loader loader = { bench, on_report, NULL, NULL };
	struct engine_cursor cursor = { .begun = false };
	uint64_t began = clock_mono().ns;
	uint64_t cpu = cpu_ns();
	enum herd_error error;

	do
		error =
		    bench->engine->ops->load(bench->engine, &loader, &cursor);
	while (error == HERD_EAGAIN);
	if (error != HERD_OK || bench->loaded != bench->rows)
		stop(bench, "load");
	printf("], \"load_s\": %.3f, \"load_cpu_us\": %.3f, \"rows\": %u}\n",
	    (double)(clock_mono().ns - began) / 1e9,
	    (double)(cpu_ns() - cpu) / 1000 / bench->rows, bench->rows);
}

int
main(int argc, char **argv)
{
	static const _Atomic uint64_t never = UINT64_MAX;
	bool is_shared = argc == 6 && strcmp(argv[1], "postgres") == 0;
	const struct engine_ops *ops =
	    is_shared ? &engine_postgres : &engine_sqlite;
	struct bench bench = { .engine = NULL };
	struct engine_config config = { .sync = true,
		.herd = "bench",
		.node = "Riley",
		.params = "bench",
		.stop_at_ns = &never,
		.timeout_ns = 60 * HERD_NS_PER_S };
	struct engine_cursor cursor = { .begun = false };
	struct engine_loader loader = { &bench, on_report, NULL, NULL };
	struct buf message;

	if (argc != 6) {
		fputs("usage: bench_store ENGINE FILE ROWS BATCH ROUNDS\n",
		    stderr);
		return 2;
	}
	config.path = argv[2];
	config.url_file = argv[2];
	bench.rows = (unsigned)strtoul(argv[3], NULL, 10);
	bench.batch = config.batch = (unsigned)strtoul(argv[4], NULL, 10);
	bench.rounds = (unsigned)strtoul(argv[5], NULL, 10);
	bench.lines = calloc(bench.batch, sizeof(*bench.lines));
	bench.reports = calloc(bench.batch, sizeof(*bench.reports));
	buf_init(&message, 4096);
	if (ops->open(&config, &message, &bench.engine) != HERD_OK ||
	    (is_shared && ops->connect(bench.engine) != HERD_OK) ||
	    (!is_shared &&
		ops->load(bench.engine, &loader, &cursor) != HERD_OK))
		stop(&bench, buf_cstr(&message));
	bench.loaded = 0;
	for (unsigned round = 0; round < bench.rounds; round++)
		write_round(&bench, round);
	load(&bench);
	ops->close(bench.engine);
	buf_release(&message);
	free(bench.lines);
	free(bench.reports);
	return 0;
}
