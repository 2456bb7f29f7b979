/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many questions a second the gazetteer answers, whole JSON included:
 *     bench_gazetteer DATA SECONDS THREADS RADIUS_KM MAX [any]
 * Questions are asked at places of the data (where people are), or with
 * "any" anywhere on the sphere.
 */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sqlite3.h>

#include "places/gazetteer_reader.h"

#define ICONS "https://maps.gstatic.com/mapfiles/place_api/icons/v1/png_71/"
#define THREADS_MAX 64u

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
};

struct worker {
	const struct bench *bench;
	pthread_t thread;
	uint64_t state;
	uint64_t asked;
	uint64_t results;
	uint64_t bytes;
	double cpu_s;
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

static void *
run_worker(void *arg)
{
	struct worker *worker = arg;
	const struct bench *bench = worker->bench;
	double end = clock_s(CLOCK_MONOTONIC) + bench->seconds;
	struct gazetteer_reader *reader = NULL;
	struct buf answer;

	if (gazetteer_reader_open(bench->gazetteer, &reader) != HERD_OK)
		return NULL;
	buf_init(&answer, PLACES_ANSWER_MAX);
	while ((worker->asked & 63) != 0 || clock_s(CLOCK_MONOTONIC) < end) {
		struct point point = pick(bench, &worker->state);
		struct places_question question = {
			.at = { llround(point.lat * 1e9),
			    llround(point.lng * 1e9) },
			.radius_m = bench->radius_m,
			.max = bench->max,
		};
		struct answer_facts facts;
		const char *error;

		buf_clear(&answer);
		if (gazetteer_reader_ask(reader, &question, &answer, &facts,
			&error) != HERD_OK) {
			fprintf(stderr, "%s\n", error);
			break;
		}
		worker->asked++;
		worker->results += facts.results;
		worker->bytes += answer.len;
	}
	worker->cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
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

static void
run_all(const struct bench *bench, unsigned threads)
{
	struct worker workers[THREADS_MAX] = { 0 };
	struct worker sum = { 0 };
	double start = clock_s(CLOCK_MONOTONIC);
	double took;

	for (unsigned i = 0; i < threads; i++) {
		workers[i].bench = bench;
		workers[i].state = 88172645463325252u + i;
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
	printf("%.0f searches/s, %.2f us of CPU each, %.1f results,"
	       " %.0f bytes of JSON\n",
	    (double)sum.asked / took, sum.cpu_s / (double)sum.asked * 1e6,
	    (double)sum.results / (double)sum.asked,
	    (double)sum.bytes / (double)sum.asked);
}

int
main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct gazetteer *gazetteer = NULL;
	unsigned threads;
	struct buf message;

	if (argc < 6) {
		fputs("usage: bench_gazetteer DATA SECONDS THREADS RADIUS_KM"
		      " MAX [any]\n",
		    stderr);
		return 2;
	}
	buf_init(&message, 4096);
	if (gazetteer_open(argv[1], ICONS, &message, &gazetteer) != HERD_OK) {
		fprintf(stderr, SPAN_FMT "\n", SPAN_ARG(buf_span(&message)));
		buf_release(&message);
		return EXIT_FAILURE;
	}
	bench.gazetteer = gazetteer;
	bench.seconds = strtod(argv[2], NULL);
	threads = (unsigned)strtoul(argv[3], NULL, 10);
	bench.radius_m = strtod(argv[4], NULL) * 1000;
	bench.max = (unsigned)strtoul(argv[5], NULL, 10);
	if (argc == 6)
		load_points(&bench, argv[1]);
	run_all(&bench, threads < THREADS_MAX ? threads : THREADS_MAX);
	free(bench.points);
	gazetteer_close(gazetteer);
	buf_release(&message);
	return EXIT_SUCCESS;
}
