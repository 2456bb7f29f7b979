/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many questions a second the gazetteer answers, whole JSON included:
 *     bench_gazetteer DATA SECONDS THREADS RADIUS_KM MAX [any|places [FILTERS]]
 * Questions are asked at places of the data (where people are), or with
 * "any" anywhere on the sphere. A line of the file FILTERS is a filter that is
 * measured for so many seconds: type, keyword, "open" and rank, each of which
 * may be empty, with tabs between them.
 */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sqlite3.h>

#include "places/gazetteer_reader.h"
#include "places/question.h"

#define ICONS "https://maps.gstatic.com/mapfiles/place_api/icons/v1/png_71/"
#define THREADS_MAX 64u
#define LAST 4096u /* questions of which p99 is told */

struct point {
	double lat;
	double lng;
};

struct bench {
	struct gazetteer *gazetteer;
	struct point *points; /* NULL: anywhere */
	size_t count;
	double seconds;
	double radius_m;
	unsigned max;
	struct places_question filter; /* its filter alone */
};

struct worker {
	const struct bench *bench;
	pthread_t thread;
	uint64_t state;
	uint64_t asked;
	uint64_t results;
	uint64_t bytes;
	double cpu_s;
	double last[LAST]; /* seconds, of the last questions */
};

static double
clock_s(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* xorshift64*: the same questions in every run. */
static double
uniform(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (double)((*state * UINT64_C(2685821657736338717)) >> 11) /
	       9007199254740992.0;
}

static struct point
pick(const struct bench *bench, uint64_t *state)
{
	double u = uniform(state);

	if (bench->points != NULL)
		return bench->points[(size_t)(u * (double)bench->count)];
	return (struct point){ asin(2 * u - 1) * 180 / M_PI,
		uniform(state) * 360 - 180 };
}

/* One question; its time in seconds. */
static double
ask_one(
    struct worker *worker, struct gazetteer_reader *reader, struct buf *answer)
{
	const struct bench *bench = worker->bench;
	struct point point = pick(bench, &worker->state);
	struct places_question question = {
		.at = { llround(point.lat * 1e9), llround(point.lng * 1e9) },
		.radius_m = bench->radius_m,
		.max = bench->max,
		.filter = bench->filter.filter,
	};
	double began = clock_s(CLOCK_MONOTONIC);
	struct answer_facts facts;
	const char *error;

	buf_clear(answer);
	if (gazetteer_reader_ask(reader, &question, answer, &facts, &error) !=
	    HERD_OK) {
		fprintf(stderr, "%s\n", error);
		exit(EXIT_FAILURE);
	}
	worker->results += facts.results;
	worker->bytes += answer->len;
	return clock_s(CLOCK_MONOTONIC) - began;
}

static void *
run_worker(void *arg)
{
	struct worker *worker = arg;
	const struct bench *bench = worker->bench;
	struct gazetteer_reader *reader = NULL;
	struct buf answer;
	double end;

	if (gazetteer_reader_open(bench->gazetteer, &reader) != HERD_OK)
		return NULL;
	buf_init(&answer, PLACES_ANSWER_MAX);
	/* The first question with a filter reads the names. */
	(void)ask_one(worker, reader, &answer);
	worker->results = worker->bytes = 0;
	worker->cpu_s = -clock_s(CLOCK_THREAD_CPUTIME_ID);
	end = clock_s(CLOCK_MONOTONIC) + bench->seconds;
	while ((worker->asked & 63) != 0 || clock_s(CLOCK_MONOTONIC) < end) {
		worker->last[worker->asked % LAST] =
		    ask_one(worker, reader, &answer);
		worker->asked++;
	}
	worker->cpu_s += clock_s(CLOCK_THREAD_CPUTIME_ID);
	buf_release(&answer);
	gazetteer_reader_close(reader);
	return NULL;
}

static void
load_points(struct bench *bench, const char *path)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *read = NULL;

	bench->points = calloc(bench->gazetteer->rows, sizeof(struct point));
	if (bench->points == NULL ||
	    sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) !=
		SQLITE_OK ||
	    sqlite3_prepare_v2(
		db, "SELECT lat, lng FROM place", -1, &read, NULL) != SQLITE_OK)
		exit(EXIT_FAILURE);
	while (bench->count < bench->gazetteer->rows &&
	       sqlite3_step(read) == SQLITE_ROW)
		bench->points[bench->count++] =
		    (struct point){ sqlite3_column_double(read, 0),
			    sqlite3_column_double(read, 1) };
	sqlite3_finalize(read);
	sqlite3_close(db);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of one worker's last questions. */
static double
p99_us(struct worker *worker)
{
	size_t count = worker->asked < LAST ? worker->asked : LAST;

	qsort(worker->last, count, sizeof(double), compare);
	return worker->last[count * 99 / 100] * 1e6;
}

static void
run_all(const struct bench *bench, unsigned threads)
{
	static struct worker workers[THREADS_MAX];
	struct worker sum = { 0 };
	double start = clock_s(CLOCK_MONOTONIC);
	double took;

	for (unsigned i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .bench = bench,
			.state = 88172645463325252u + i };
		if (pthread_create(
			&workers[i].thread, NULL, run_worker, &workers[i]) != 0)
			exit(EXIT_FAILURE);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		sum.asked += workers[i].asked;
		sum.results += workers[i].results;
		sum.bytes += workers[i].bytes;
		sum.cpu_s += workers[i].cpu_s;
	}
	took = clock_s(CLOCK_MONOTONIC) - start;
	if (sum.asked == 0)
		exit(EXIT_FAILURE);
	printf("%.0f searches/s, %.2f us of CPU each, p99 %.0f us, %.1f "
	       "results, %.0f bytes of JSON\n",
	    (double)sum.asked / took, sum.cpu_s / (double)sum.asked * 1e6,
	    p99_us(&workers[0]), (double)sum.results / (double)sum.asked,
	    (double)sum.bytes / (double)sum.asked);
}

/* Without its newline; a line is type, keyword, "open", rank. */
static bool
set_filter(struct bench *bench, char *line)
{
	struct span rest = span_of(line, strcspn(line, "\n"));
	struct span type = span_cut(&rest, '\t');
	struct span keyword = span_cut(&rest, '\t');
	struct span open = span_cut(&rest, '\t');

	return question_set_filter(
		   &bench->filter, type, keyword, open.len > 0, rest) == NULL;
}

/* One line of output for each of the file. */
static bool
run_filters(struct bench *bench, const char *path, unsigned threads)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	bool is_good = file != NULL;

	while (is_good && getline(&line, &size, file) > 0) {
		is_good = set_filter(bench, line);
		if (is_good)
			run_all(bench, threads);
		(void)fflush(stdout);
	}
	free(line);
	if (file != NULL)
		(void)fclose(file);
	return is_good;
}

static int
usage(void)
{
	fputs("usage: bench_gazetteer DATA SECONDS THREADS RADIUS_KM"
	      " MAX [any|places [FILTERS]]\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	struct bench bench = { 0 };
	unsigned threads;
	struct buf message;
	int status = EXIT_SUCCESS;

	if (argc < 6)
		return usage();
	buf_init(&message, 4096);
	if (gazetteer_open(argv[1], ICONS, &message, &bench.gazetteer) !=
	    HERD_OK) {
		fprintf(stderr, SPAN_FMT "\n", SPAN_ARG(buf_span(&message)));
		buf_release(&message);
		return EXIT_FAILURE;
	}
	bench.seconds = strtod(argv[2], NULL);
	threads = (unsigned)strtoul(argv[3], NULL, 10);
	threads = threads < THREADS_MAX ? threads : THREADS_MAX;
	bench.radius_m = strtod(argv[4], NULL) * 1000;
	bench.max = (unsigned)strtoul(argv[5], NULL, 10);
	if (argc == 6 || argv[6][0] != 'a')
		load_points(&bench, argv[1]);
	if (argc <= 7)
		run_all(&bench, threads);
	else if (!run_filters(&bench, argv[7], threads))
		status = usage();
	free(bench.points);
	gazetteer_close(bench.gazetteer);
	buf_release(&message);
	return status;
}
