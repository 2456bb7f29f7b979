/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim: runs seeds, in several processes, and says which of them failed.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/mutant.h"
#include "herd/text.h"
#include "sim/sim.h"

#define JOBS_MAX 64u
#define FAILURES_SHOWN 10u

struct options {
	uint64_t first;
	uint64_t last;
	unsigned jobs;
	unsigned nodes;
	bool trace;
	bool stop_early;
};

/* Shared by the processes. */
struct progress {
	_Atomic uint64_t next; /* seed that nobody runs yet */
	_Atomic uint64_t passed;
	_Atomic uint64_t failed;
	_Atomic uint64_t events;
	_Atomic uint64_t least_failed;
	_Atomic uint64_t running[JOBS_MAX]; /* seed + 1, 0 = none */
};

static void
note_failure(const struct options *options, struct progress *progress,
    uint64_t seed, const char *why)
{
	uint64_t least = atomic_load(&progress->least_failed);

	while (seed < least && !atomic_compare_exchange_weak(
				   &progress->least_failed, &least, seed))
		;
	if (atomic_fetch_add(&progress->failed, 1) < FAILURES_SHOWN)
		printf("seed %llu: %s\n", (unsigned long long)seed, why);
	fflush(stdout);
	if (options->stop_early)
		atomic_store(&progress->next, UINT64_MAX / 2);
}

static void
run_job(const struct options *options, struct progress *progress, unsigned job)
{
	for (;;) {
		uint64_t seed = atomic_fetch_add(&progress->next, 1);
		struct world world;

		if (seed > options->last)
			break;
		atomic_store(&progress->running[job], seed + 1);
		mutant_world = &world;
		if (world_run(&world, seed, options->nodes, options->trace))
			atomic_fetch_add(&progress->passed, 1);
		else
			note_failure(options, progress, seed, world.failure);
		atomic_fetch_add(&progress->events, world.events);
		world_release(&world);
	}
	atomic_store(&progress->running[job], 0);
}

static pid_t
start_job(
    const struct options *options, struct progress *progress, unsigned job)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_job(options, progress, job);
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

/* A process that dies (an assertion) is a failed seed; another goes on. */
static void
run_jobs(const struct options *options, struct progress *progress)
{
	pid_t pids[JOBS_MAX] = { 0 };
	unsigned left = options->jobs;

	for (unsigned i = 0; i < options->jobs; i++)
		pids[i] = start_job(options, progress, i);
	while (left > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);
		unsigned job = 0;
		char why[64];

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			break;
		while (job < options->jobs && pids[job] != pid)
			job++;
		if (job == options->jobs)
			continue;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
			left--;
			continue;
		}
		snprintf(
		    why, sizeof(why), "the process died, status %d", status);
		note_failure(options, progress,
		    atomic_load(&progress->running[job]) - 1, why);
		pids[job] = start_job(options, progress, job);
	}
}

static struct progress *
progress_new(void)
{
	struct progress *progress = mmap(NULL, sizeof(*progress),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (progress == MAP_FAILED) {
		perror("sim: mmap");
		exit(2);
	}
	return progress;
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Runs the seeds of the options; the number of the least that failed. */
static uint64_t
run(const struct options *options, bool quiet)
{
	struct progress *progress = progress_new();
	double start = seconds();
	uint64_t least;
	uint64_t failed;
	uint64_t passed;

	atomic_store(&progress->next, options->first);
	atomic_store(&progress->least_failed, UINT64_MAX);
	if (options->jobs == 1 && options->trace)
		run_job(options, progress, 0);
	else
		run_jobs(options, progress);
	least = atomic_load(&progress->least_failed);
	failed = atomic_load(&progress->failed);
	passed = atomic_load(&progress->passed);
	if (!quiet) {
		double took = seconds() - start;

		printf("sim: %.1f s, %.0f seeds/s, %.0f events per seed\n",
		    took, (double)(passed + failed) / took,
		    (double)atomic_load(&progress->events) /
			(double)(passed + failed));
		printf("%llu passed, %llu failed\n", (unsigned long long)passed,
		    (unsigned long long)failed);
	}
	munmap(progress, sizeof(*progress));
	return least;
}

/* --- mutants ------------------------------------------------------------- */

static int
run_mutants(struct options options)
{
	unsigned caught = 0;

	if (!MUTANT_BUILD) {
		fputs("sim: this build has no mutants; see `make mutants`\n",
		    stderr);
		return 2;
	}
	options.stop_early = true;
	for (unsigned i = 0; i < MUTANT_COUNT; i++) {
		uint64_t least;

		mutant_on = (enum mutant)i;
		printf("%s: %s\n", MUTANTS[i].name, MUTANTS[i].text);
		least = run(&options, true);
		if (least == UINT64_MAX) {
			printf("  SURVIVES %llu seeds\n",
			    (unsigned long long)options.last - options.first +
				1);
			continue;
		}
		printf("  caught by seed %llu\n", (unsigned long long)least);
		caught++;
	}
	printf("%u passed, %u failed\n", caught, MUTANT_COUNT - caught);
	return caught == MUTANT_COUNT ? 0 : 1;
}

static bool
set_mutant(const char *name)
{
	for (unsigned i = 0; MUTANT_BUILD && i < MUTANT_COUNT; i++) {
		if (strcmp(MUTANTS[i].name, name) == 0) {
			mutant_on = (enum mutant)i;
			return true;
		}
	}
	return false;
}

/* --- options ------------------------------------------------------------- */

static void
usage(void)
{
	puts("usage: sim [--seed N | --seeds A..B] [--jobs N] [--nodes N]\n"
	     "           [--trace] [--mutant NAME | --mutants | --cost]\n"
	     "A seed is a run; --trace shows it step by step.");
}

static bool
parse_number(const char *text, uint64_t max, uint64_t *out)
{
	return text_to_u64(span_from(text), 0, max, out) == HERD_OK;
}

static bool
parse_range(const char *text, struct options *options)
{
	const char *dots = strstr(text, "..");

	return dots != NULL &&
	       text_to_u64(span_of(text, (size_t)(dots - text)), 0,
		   UINT64_MAX / 4, &options->first) == HERD_OK &&
	       parse_number(dots + 2, UINT64_MAX / 4, &options->last);
}

static const struct option OPTIONS[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "seeds", required_argument, NULL, 'r' },
	{ "jobs", required_argument, NULL, 'j' },
	{ "nodes", required_argument, NULL, 'n' },
	{ "trace", no_argument, NULL, 't' },
	{ "cost", no_argument, NULL, 'c' },
	{ "mutant", required_argument, NULL, 'm' },
	{ "mutants", no_argument, NULL, 'M' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int
main(int argc, char **argv)
{
	struct options options = { .first = 1, .last = 1000, .jobs = 1 };
	bool mutants = false;
	bool cost = false;
	uint64_t number = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		bool fine = true;

		switch (option) {
		case 's':
			fine = parse_number(
			    optarg, UINT64_MAX / 4, &options.first);
			options.last = options.first;
			break;
		case 'r': fine = parse_range(optarg, &options); break;
		case 'j':
			fine = parse_number(optarg, JOBS_MAX, &number) &&
			       number > 0;
			options.jobs = (unsigned)number;
			break;
		case 'n':
			fine = parse_number(optarg, 4096, &number);
			options.nodes = (unsigned)number;
			break;
		case 't': options.trace = true; break;
		case 'm': fine = set_mutant(optarg); break;
		case 'M': mutants = true; break;
		case 'c': cost = true; break;
		case 'h': usage(); return 0;
		default: fine = false; break;
		}
		if (!fine) {
			usage();
			return 2;
		}
	}
	if (mutants)
		return run_mutants(options);
	if (cost) {
		bool fine = cost_of_five() && cost_of_flooding();

		printf("%d passed, %d failed\n", fine, !fine);
		return fine ? 0 : 1;
	}
	return run(&options, false) == UINT64_MAX ? 0 : 1;
}
