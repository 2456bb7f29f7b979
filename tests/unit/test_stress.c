/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads on one table: clients put, a sweeper evicts, consumers attach, take
 * and detach. Meant for ThreadSanitizer; what each consumer got last must be
 * what the table holds in the end.
 */
#include "core.h"
#include "sim/table_check.h"

#include <pthread.h>
#include <semaphore.h>

#define CLIENTS 400u
#define PUTTERS 3u
#define CONSUMERS 3u
#define PUTS 20000u
#define S HERD_NS_PER_S

struct shared {
	struct table *table;
	uint64_t seed;
	_Atomic bool over; /* nobody puts any more */
};

struct thread {
	struct shared *shared;
	unsigned number;
	pthread_t id;
	struct unit_random random;
	struct outbox outbox;
	_Atomic unsigned wakes;
	uint64_t got[CLIENTS]; /* newest time per client */
	bool back;             /* something older came later */
};

static unsigned
client_of(const struct report *report)
{
	return (unsigned)strtoul(report->client.data + 7, NULL, 10);
}

static void *
run_putter(void *arg)
{
	struct thread *thread = arg;

	for (unsigned i = 0; i < PUTS; i++) {
		unsigned client =
		    (unsigned)unit_below(&thread->random, CLIENTS);
		uint64_t time =
		    (1 + i / 2 + unit_below(&thread->random, 50)) * S;
		struct unit_report made;

		if (unit_below(&thread->random, 20) == 0)
			unit_removal(&made, client, time);
		else
			unit_report(&made, client, time);
		(void)unit_put_at(thread->shared->table, &made.report,
		    i % 3 == 0 ? 0x01000000u + thread->number : FROM_CLIENT, 0);
	}
	return NULL;
}

static bool
on_see(void *arg, const struct report *report, uint32_t from)
{
	struct thread *thread = arg;

	(void)from;
	return client_of(report) < CLIENTS && !thread->back;
}

static void *
run_sweeper(void *arg)
{
	struct thread *thread = arg;
	struct table *table = thread->shared->table;
	struct table_counts counts;

	while (!atomic_load(&thread->shared->over)) {
		struct table_cursor sweep = { 0 };
		struct table_cursor walk = { 0 };

		while (table_sweep(table, &sweep, 16, (struct wall){ 0 }))
			;
		while (table_walk(table, &walk, 16, on_see, thread))
			;
		(void)unit_time_of(
		    table, (unsigned)unit_below(&thread->random, CLIENTS));
		table_count(table, &counts);
	}
	return NULL;
}

static void
on_wake(void *arg)
{
	struct thread *thread = arg;

	atomic_fetch_add(&thread->wakes, 1);
}

static bool
on_give(void *arg, const struct report *report)
{
	struct thread *thread = arg;
	unsigned client = client_of(report);

	if (report->time_ns < thread->got[client])
		thread->back = true;
	thread->got[client] = report->time_ns;
	return true;
}

static void
attach(struct thread *thread)
{
	struct table_cursor cursor = { 0 };

	outbox_init(&thread->outbox, thread->shared->table,
	    0x02000000u + thread->number, on_wake, thread);
	assert_ok(outbox_attach(&thread->outbox));
	while (outbox_owe(&thread->outbox, &cursor, 32, false, unit_all, NULL))
		;
}

static void *
run_consumer(void *arg)
{
	struct thread *thread = arg;
	bool last = false;

	attach(thread);
	while (!last) {
		last = atomic_load(&thread->shared->over);
		if (!last && unit_below(&thread->random, 2000) == 0) {
			outbox_detach(&thread->outbox);
			attach(thread);
		}
		while (outbox_take(&thread->outbox, 7, on_give, thread) > 0)
			;
		(void)outbox_owed(&thread->outbox);
	}
	return NULL;
}

static void
start(struct thread *thread, struct shared *shared, unsigned number,
    void *(*run)(void *))
{
	memset(thread, 0, sizeof(*thread));
	thread->shared = shared;
	thread->number = number;
	thread->random.state = shared->seed + number;
	assert_int_equal(pthread_create(&thread->id, NULL, run, thread), 0);
}

/* Without a cap all consumers end with the table's content. */
static void
check_consumer(struct thread *consumer, uint64_t cap)
{
	assert_false(consumer->back);
	assert_true(outbox_is_empty(&consumer->outbox));
	for (unsigned i = 0; i < CLIENTS; i++) {
		uint64_t held = unit_time_of(consumer->shared->table, i);

		assert_true(
		    held == consumer->got[i] || (cap != 0 && held == 0));
	}
	outbox_detach(&consumer->outbox);
}

static void
stress(uint64_t cap)
{
	struct thread putters[PUTTERS];
	struct thread consumers[CONSUMERS];
	struct thread sweeper;
	struct shared shared = { .table = unit_table(cap, 0),
		.seed = unit_random("stress").state };
	const char *wrong;

	for (unsigned i = 0; i < CONSUMERS; i++)
		start(&consumers[i], &shared, 100 + i, run_consumer);
	start(&sweeper, &shared, 200, run_sweeper);
	for (unsigned i = 0; i < PUTTERS; i++)
		start(&putters[i], &shared, i, run_putter);
	for (unsigned i = 0; i < PUTTERS; i++)
		pthread_join(putters[i].id, NULL);
	atomic_store(&shared.over, true);
	pthread_join(sweeper.id, NULL);
	for (unsigned i = 0; i < CONSUMERS; i++)
		pthread_join(consumers[i].id, NULL);
	wrong = table_check(shared.table);
	if (wrong != NULL)
		fail_msg("%s", wrong);
	for (unsigned i = 0; i < CONSUMERS; i++)
		check_consumer(&consumers[i], cap);
	table_free(shared.table);
}

static void
test_threads_leave_consumers_with_the_table(void **state)
{
	(void)state;
	stress(0);
}

static void
test_threads_at_the_cap_keep_the_table_sound(void **state)
{
	(void)state;
	stress(CLIENTS / 2);
}

/* --- a consumer that waits to be woken ----------------------------------- */

#define ROUNDS 20000u

struct sleeper {
	struct table *table;
	struct outbox outbox;
	sem_t wakes;
	unsigned got;
};

static void
on_sleeper_wake(void *arg)
{
	struct sleeper *sleeper = arg;

	sem_post(&sleeper->wakes);
}

static bool
on_sleeper_give(void *arg, const struct report *report HERD_UNUSED)
{
	struct sleeper *sleeper = arg;

	sleeper->got++;
	return true;
}

static void *
run_lone_putter(void *arg)
{
	struct sleeper *sleeper = arg;

	for (unsigned i = 0; i < ROUNDS; i++)
		(void)unit_put(sleeper->table, i, 1000 * S);
	return NULL;
}

/* If a wake were lost, it would wait for ever. */
static void
test_consumer_that_was_poised_is_woken(void **state)
{
	struct sleeper sleeper = { .table = unit_table(0, 0) };
	pthread_t putter;

	(void)state;
	assert_int_equal(sem_init(&sleeper.wakes, 0, 0), 0);
	outbox_init(
	    &sleeper.outbox, sleeper.table, 0, on_sleeper_wake, &sleeper);
	assert_ok(outbox_attach(&sleeper.outbox));
	assert_int_equal(
	    pthread_create(&putter, NULL, run_lone_putter, &sleeper), 0);
	while (sleeper.got < ROUNDS) {
		outbox_poise(&sleeper.outbox, true);
		while (outbox_take(
			   &sleeper.outbox, 7, on_sleeper_give, &sleeper) > 0)
			;
		outbox_poise(&sleeper.outbox, false);
		if (outbox_is_empty(&sleeper.outbox) && sleeper.got < ROUNDS)
			assert_int_equal(sem_wait(&sleeper.wakes), 0);
	}
	pthread_join(putter, NULL);
	outbox_detach(&sleeper.outbox);
	table_free(sleeper.table);
	sem_destroy(&sleeper.wakes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_leave_consumers_with_the_table),
		cmocka_unit_test(test_threads_at_the_cap_keep_the_table_sound),
		cmocka_unit_test(test_consumer_that_was_poised_is_woken),
	};

	return cmocka_run_group_tests_name("stress", tests, NULL, NULL);
}
