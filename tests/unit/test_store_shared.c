/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store on an engine that several nodes share. The engine is the test's
 * own: rows in memory, and faults on demand.
 */
#include "core.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"
#include "store/store_key.h"

#define S HERD_NS_PER_S
#define ROWS_MAX 8192u
#define PAGE 100u
#define DEADLINE_NS (20u * S)
#define SESSION 0x01000001u

/* --- the engine ----------------------------------------------------------- */

enum fault {
	NO_FAULT,
	GONE,      /* no contact */
	NO_ANSWER, /* writes, and contact is lost before the answer */
	REFUSES,   /* each call, until it is opened again */
	HANGS,     /* a write waits until the store stops */
};

struct row {
	uint8_t key[ENGINE_KEY_LEN];
	char *line;
	struct report report; /* borrows it */
};

/* What all engines of a test share. */
static struct {
	pthread_mutex_t lock;
	enum fault fault;
	_Atomic unsigned opens;
	_Atomic unsigned connects;
	_Atomic unsigned puts;
	unsigned sizes_max;
	unsigned count;
	struct row rows[ROWS_MAX];
} server = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct fake {
	struct engine engine;
	const struct engine_config *config;
};

static int
by_key(const void *a, const void *b)
{
	return memcmp(a, b, ENGINE_KEY_LEN);
}

/* As every engine must: only a newer report replaces a row. Under the lock. */
static void
server_put(const struct report *report)
{
	struct row new_row;
	struct row *row;
	struct buf line;

	store_key(report->client, new_row.key);
	row = bsearch(
	    new_row.key, server.rows, server.count, sizeof(*row), by_key);
	if (row != NULL && report_compare(report, &row->report) <= 0)
		return;
	buf_init(&line, 4096);
	assert_ok(report_format(&line, report));
	new_row.line = strdup(buf_cstr(&line));
	buf_release(&line);
	assert_ok(report_parse(span_from(new_row.line), &new_row.report));
	if (row != NULL) {
		free(row->line);
		*row = new_row;
		return;
	}
	assert_true(server.count < ROWS_MAX);
	server.rows[server.count++] = new_row;
	qsort(server.rows, server.count, sizeof(*row), by_key);
}

static void
server_delete(unsigned at)
{
	free(server.rows[at].line);
	memmove(&server.rows[at], &server.rows[at + 1],
	    (--server.count - at) * sizeof(server.rows[0]));
}

static enum herd_error
fake_fail(struct engine *engine, enum engine_fault fault, const char *what)
{
	engine->fault = fault;
	engine->hint = "do something";
	snprintf(engine->error, sizeof(engine->error), "%s", what);
	return HERD_ESYSTEM;
}

/* Before any call: is it there at all? Under the lock. */
static enum herd_error
fake_judge(struct engine *engine)
{
	if (server.fault == GONE)
		return fake_fail(engine, ENGINE_AWAY, "nobody answers");
	if (server.fault == REFUSES)
		return fake_fail(engine, ENGINE_REFUSED, "wrong password");
	return HERD_OK;
}

static const struct engine_ops fake_ops;

static enum herd_error
fake_open(const struct engine_config *config, struct buf *message,
    struct engine **out)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	(void)message;
	assert_string_equal(config->url_file, "the-address");
	assert_string_equal(config->params, "000000000000abcd");
	fake->engine.ops = &fake_ops;
	fake->config = config;
	pthread_mutex_lock(&server.lock);
	server.opens++;
	pthread_mutex_unlock(&server.lock);
	*out = &fake->engine;
	return HERD_OK;
}

static enum herd_error
fake_connect(struct engine *engine)
{
	enum herd_error error;

	pthread_mutex_lock(&server.lock);
	server.connects++;
	error = fake_judge(engine);
	pthread_mutex_unlock(&server.lock);
	return error;
}

static enum herd_error
fake_load(struct engine *engine, const struct engine_loader *loader,
    struct engine_cursor *cursor)
{
	enum herd_error error;
	unsigned given = 0;

	pthread_mutex_lock(&server.lock);
	error = fake_judge(engine);
	for (unsigned i = 0; i < server.count && error == HERD_OK; i++) {
		const struct row *row = &server.rows[i];

		if (cursor->begun && by_key(row->key, cursor->key) <= 0)
			continue;
		if (cursor->has_end && by_key(row->key, cursor->end) > 0)
			break;
		error = loader->on_report(loader->arg, &row->report);
		memcpy(cursor->key, row->key, ENGINE_KEY_LEN);
		cursor->begun = true;
		if (++given == PAGE && error == HERD_OK)
			error = HERD_EAGAIN;
	}
	pthread_mutex_unlock(&server.lock);
	return error;
}

static enum herd_error
fake_hang(struct fake *fake)
{
	while (clock_mono().ns < atomic_load(fake->config->stop_at_ns))
		sched_yield();
	return fake_fail(&fake->engine, ENGINE_AWAY, "the node stops");
}

static enum herd_error
fake_put_many(
    struct engine *engine, const struct report *reports, unsigned count)
{
	struct fake *fake = (struct fake *)engine;
	enum herd_error error;
	enum fault fault;

	pthread_mutex_lock(&server.lock);
	fault = server.fault;
	server.puts++;
	if (count > server.sizes_max)
		server.sizes_max = count;
	error = fake_judge(engine);
	for (unsigned i = 0; i < count && error == HERD_OK && fault != HANGS;
	     i++)
		server_put(&reports[i]);
	pthread_mutex_unlock(&server.lock);
	if (fault == HANGS)
		return fake_hang(fake);
	return fault == NO_ANSWER ? fake_fail(engine, ENGINE_AWAY, "no answer")
				  : error;
}

static enum herd_error
fake_count(struct engine *engine, uint64_t *rows, bool *is_estimate)
{
	(void)engine;
	pthread_mutex_lock(&server.lock);
	*rows = server.count;
	pthread_mutex_unlock(&server.lock);
	*is_estimate = true;
	return HERD_OK;
}

static enum herd_error
fake_forget(struct engine *engine, struct span client)
{
	(void)engine;
	(void)client;
	return HERD_OK;
}

static enum herd_error
fake_expire(struct engine *engine, struct wall now, uint64_t cut_ns,
    unsigned max, uint64_t *deleted)
{
	(void)engine;
	assert_true(now.ns > 0);
	*deleted = 0;
	pthread_mutex_lock(&server.lock);
	for (unsigned i = server.count; i-- > 0 && *deleted < max;) {
		if (server.rows[i].report.time_ns >= cut_ns)
			continue;
		server_delete(i);
		++*deleted;
	}
	pthread_mutex_unlock(&server.lock);
	return HERD_OK;
}

static void
fake_describe(struct engine *engine, struct engine_about *out)
{
	(void)engine;
	*out = (struct engine_about){ "Fake 1", "fake@here", 1, false, "" };
}

static void
fake_close(struct engine *engine)
{
	free(engine);
}

static const struct engine_ops fake_ops = {
	.is_shared = true,
	.open = fake_open,
	.connect = fake_connect,
	.load = fake_load,
	.put_many = fake_put_many,
	.count = fake_count,
	.forget = fake_forget,
	.expire = fake_expire,
	.describe = fake_describe,
	.close = fake_close,
};

/* --- a node --------------------------------------------------------------- */

struct probe {
	struct table *table;
	struct timekeeper keeper;
	struct log *log;
	struct store *store;
	struct store_config config;
	_Atomic bool leads;
	_Atomic unsigned calls;
};

static void
on_commit(void *arg)
{
	atomic_fetch_add(&((struct probe *)arg)->calls, 1);
}

static bool
on_leads(void *arg)
{
	return atomic_load(&((struct probe *)arg)->leads);
}

static int
setup(void **state)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	probe->table = unit_table(0, 0);
	timekeeper_init(&probe->keeper, 0, clock_mono(), clock_wall());
	assert_ok(log_open(STDERR_FILENO, LOG_ERROR, LOG_LOGFMT, &probe->log));
	log_level_set(probe->log, (enum log_level)(LOG_ERROR + 1));
	probe->config = (struct store_config){
		.engine = STORE_SQLITE,
		.ops = &fake_ops,
		.url_file = "the-address",
		.herd = "herd",
		.node = "Riley",
		.params = 0xabcd,
		.batch = 1000,
		.timeout_ns = 200u * HERD_NS_PER_MS,
		.compare_ns = 3600u * S,
		.table = probe->table,
		.timekeeper = &probe->keeper,
		.log = probe->log,
	};
	server.fault = NO_FAULT;
	server.opens = server.connects = server.puts = server.sizes_max = 0;
	*state = probe;
	return 0;
}

static void
stop(struct probe *probe)
{
	store_close(probe->store);
	probe->store = NULL;
}

static int
teardown(void **state)
{
	struct probe *probe = *state;

	stop(probe);
	table_free(probe->table);
	log_close(probe->log);
	while (server.count > 0)
		server_delete(server.count - 1);
	free(probe);
	return 0;
}

static void
start(struct probe *probe)
{
	const struct store_hooks hooks = { probe, on_commit, on_leads };
	struct buf message;

	buf_init(&message, 4096);
	assert_ok(store_open(&probe->config, &message, &probe->store));
	buf_release(&message);
	assert_ok(store_start(probe->store, &hooks));
}

static void
set_fault(enum fault fault)
{
	pthread_mutex_lock(&server.lock);
	server.fault = fault;
	pthread_mutex_unlock(&server.lock);
}

static unsigned
server_count(void)
{
	unsigned count;

	pthread_mutex_lock(&server.lock);
	count = server.count;
	pthread_mutex_unlock(&server.lock);
	return count;
}

/* The time of the client's row; 0: there is none. */
static uint64_t
server_time(unsigned client)
{
	struct unit_report made;
	uint8_t key[ENGINE_KEY_LEN];
	const struct row *row;
	uint64_t time_ns;

	unit_report(&made, client, S);
	store_key(made.report.client, key);
	pthread_mutex_lock(&server.lock);
	row = bsearch(key, server.rows, server.count, sizeof(*row), by_key);
	time_ns = row == NULL ? 0 : row->report.time_ns;
	pthread_mutex_unlock(&server.lock);
	return time_ns;
}

static void
server_insert(unsigned client, uint64_t time_ns)
{
	struct unit_report made;

	unit_report(&made, client, time_ns);
	pthread_mutex_lock(&server.lock);
	server_put(&made.report);
	pthread_mutex_unlock(&server.lock);
}

static enum put_result
put(struct probe *probe, unsigned client, uint64_t time_ns, uint32_t from)
{
	struct unit_report made;

	unit_report(&made, client, time_ns);
	return unit_put_at(probe->table, &made.report, from, 0);
}

/* The time of the client's record; 0: there is none. */
static uint64_t
held_time(struct probe *probe, unsigned client)
{
	struct unit_report made;
	struct record record;
	uint64_t time_ns = 0;

	unit_report(&made, client, S);
	record_init(&record);
	if (table_get(probe->table, made.report.client, &record) == HERD_OK)
		time_ns = record.report.time_ns;
	record_release(&record);
	return time_ns;
}

/* Waits for what another thread makes true. */
#define await(condition)                                                  \
	do {                                                              \
		struct mono until_ = mono_add(clock_mono(), DEADLINE_NS); \
		while (!(condition)) {                                    \
			assert_true(clock_mono().ns < until_.ns);         \
			sched_yield();                                    \
		}                                                         \
	} while (0)

static struct store_status
look(struct probe *probe)
{
	struct store_status status;

	store_status(probe->store, &status);
	return status;
}

static bool
is_in(struct probe *probe, enum store_state state)
{
	return look(probe).state == state;
}

/* --- contact -------------------------------------------------------------- */

static void
test_reports_wait_for_contact(void **state)
{
	struct probe *probe = *state;

	server.fault = GONE;
	start(probe);
	assert_int_equal(put(probe, 1, S, FROM_CLIENT), PUT_ACCEPTED);
	assert_int_equal(put(probe, 2, S, FROM_CLIENT), PUT_ACCEPTED);
	assert_int_equal(put(probe, 1, 2 * S, FROM_CLIENT), PUT_ACCEPTED);
	await(look(probe).retries >= 2);
	assert_int_equal(look(probe).state, STORE_AWAY);
	assert_string_equal(look(probe).error, "nobody answers");
	assert_int_equal(look(probe).lag, 2);
	assert_int_equal(server_count(), 0);
	set_fault(NO_FAULT);
	await(server_count() == 2 && is_in(probe, STORE_OK));
	assert_int_equal(server_time(1), 2 * S);
	assert_string_equal(look(probe).about.server, "Fake 1");
	await(look(probe).lag == 0);
}

static void
test_a_batch_without_answer_is_written_again(void **state)
{
	struct probe *probe = *state;
	const struct commit *commit;
	struct unit_report made;
	struct put_info ticket;

	probe->config.sync = true;
	start(probe);
	commit = store_commit(probe->store);
	await(is_in(probe, STORE_OK));
	set_fault(NO_ANSWER);
	unit_report(&made, 1, S);
	assert_int_equal(
	    table_put(probe->table, &made.report, FROM_CLIENT,
		(struct wall){ 0 }, store_outbox(probe->store), &ticket),
	    PUT_ACCEPTED);
	await(look(probe).retries >= 2);
	/* It is there, and nobody may know. */
	assert_int_equal(server_count(), 1);
	assert_false(commit_covers(commit, &ticket));
	assert_int_equal(look(probe).lag, 1);
	set_fault(NO_FAULT);
	await(commit_covers(commit, &ticket));
	assert_int_equal(server_count(), 1);
	assert_int_equal(look(probe).committed, 1);
}

static void
test_a_refusal_is_final_until_a_retry(void **state)
{
	struct probe *probe = *state;
	unsigned connects;

	server.fault = REFUSES;
	start(probe);
	await(is_in(probe, STORE_REFUSED));
	assert_string_equal(look(probe).error, "wrong password");
	connects = server.connects;
	set_fault(NO_FAULT);
	/* The thread looks around and does not try. */
	for (unsigned i = 1; i <= 100; i++)
		assert_int_equal(put(probe, i, S, FROM_CLIENT), PUT_ACCEPTED);
	assert_int_equal(server.connects, connects);
	assert_int_equal(server_count(), 0);
	assert_true(store_retry(probe->store));
	await(server_count() == 100);
	assert_int_equal(server.opens, 2);
	await(is_in(probe, STORE_OK));
}

static void
test_batches_have_their_size(void **state)
{
	struct probe *probe = *state;

	probe->config.batch = 7;
	server.fault = GONE;
	start(probe);
	for (unsigned i = 1; i <= 100; i++)
		assert_int_equal(put(probe, i, S, FROM_CLIENT), PUT_ACCEPTED);
	set_fault(NO_FAULT);
	await(server_count() == 100);
	assert_in_range(server.sizes_max, 1, 7);
}

/* --- loading -------------------------------------------------------------- */

static void
test_rows_come_late_and_the_newest_wins(void **state)
{
	struct probe *probe = *state;
	const unsigned count = 5 * PAGE / 2;
	struct store_hindrance hindrance;
	struct table_counts counts;

	for (unsigned i = 1; i <= count; i++)
		server_insert(i, 2 * S);
	server.fault = GONE;
	probe->config.require = true;
	start(probe);
	store_hindrance(probe->store, &hindrance);
	assert_true(hindrance.loads);
	assert_int_equal(put(probe, 1, 3 * S, FROM_CLIENT), PUT_ACCEPTED);
	assert_int_equal(put(probe, 2, S, FROM_CLIENT), PUT_ACCEPTED);
	set_fault(NO_FAULT);
	await(is_in(probe, STORE_OK));
	store_hindrance(probe->store, &hindrance);
	assert_false(hindrance.loads);
	table_count(probe->table, &counts);
	assert_int_equal(counts.records, count);
	assert_int_equal(look(probe).loaded, count);
	await(server_time(1) == 3 * S);
	assert_int_equal(held_time(probe, 2), 2 * S);
	assert_int_equal(server_time(2), 2 * S);
}

/* --- which reports are written -------------------------------------------- */

static void
test_the_origin_alone_writes(void **state)
{
	struct probe *probe = *state;

	start(probe);
	assert_int_equal(put(probe, 1, S, SESSION), PUT_ACCEPTED);
	assert_int_equal(put(probe, 2, S, FROM_CLIENT), PUT_ACCEPTED);
	await(server_time(2) == S);
	assert_int_equal(server_count(), 1);
	stop(probe);
	assert_int_equal(server_count(), 1);
}

static void
test_all_writes_what_it_learns(void **state)
{
	struct probe *probe = *state;

	server_insert(3, S);
	probe->config.write = STORE_WRITE_ALL;
	start(probe);
	await(is_in(probe, STORE_OK));
	assert_int_equal(put(probe, 1, S, SESSION), PUT_ACCEPTED);
	assert_int_equal(put(probe, 2, S, FROM_CLIENT), PUT_ACCEPTED);
	await(server_count() == 3);
	await(look(probe).committed == 2);
}

/* --- replies that wait ---------------------------------------------------- */

static uint64_t
waits_since(struct probe *probe)
{
	struct store_hindrance hindrance;

	store_hindrance(probe->store, &hindrance);
	return hindrance.since_ns;
}

static void
test_a_stalled_store_says_since_when(void **state)
{
	struct probe *probe = *state;
	uint64_t before;

	probe->config.sync = true;
	server.fault = GONE;
	start(probe);
	assert_int_equal(
	    store_patience_ns(probe->store), probe->config.timeout_ns);
	/* It was never met: for ever. */
	await(waits_since(probe) == 1);
	set_fault(NO_FAULT);
	await(waits_since(probe) == 0);
	await(is_in(probe, STORE_OK));
	set_fault(GONE);
	before = clock_mono().ns;
	assert_int_equal(put(probe, 1, S, FROM_CLIENT), PUT_ACCEPTED);
	await(waits_since(probe) >= before);
	await(look(probe).retries >= 3);
	/* Not since the last attempt, but since the first. */
	before = waits_since(probe);
	await(look(probe).retries >= 5);
	assert_int_equal(waits_since(probe), before);
	set_fault(NO_FAULT);
	await(waits_since(probe) == 0);
	assert_int_equal(server_time(1), S);
}

static void
test_nobody_waits_for_an_async_store(void **state)
{
	struct probe *probe = *state;

	server.fault = GONE;
	start(probe);
	await(look(probe).retries >= 2);
	assert_int_equal(waits_since(probe), 0);
	assert_int_equal(store_patience_ns(probe->store), 0);
	assert_null(store_outbox(probe->store));
}

static void
test_a_stop_leaves_what_cannot_be_written(void **state)
{
	struct probe *probe = *state;

	start(probe);
	await(is_in(probe, STORE_OK));
	set_fault(HANGS);
	assert_int_equal(put(probe, 1, S, FROM_CLIENT), PUT_ACCEPTED);
	await(server.puts > 0);
	stop(probe); /* ends */
	assert_int_equal(server_count(), 0);
}

static void
test_a_stop_writes_what_can_be(void **state)
{
	struct probe *probe = *state;

	server.fault = GONE;
	start(probe);
	assert_int_equal(put(probe, 1, S, FROM_CLIENT), PUT_ACCEPTED);
	await(look(probe).retries >= 1);
	probe->config.timeout_ns = DEADLINE_NS;
	set_fault(NO_FAULT);
	await(server_count() == 1 || look(probe).retries > 0);
	await(is_in(probe, STORE_OK));
	assert_int_equal(put(probe, 2, S, FROM_CLIENT), PUT_ACCEPTED);
	stop(probe);
	assert_int_equal(server_count(), 2);
}

/* --- the comparison ------------------------------------------------------- */

/* Rows and records that differ in each way, among many that do not. */
static void
make_differences(struct probe *probe, unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		assert_int_equal(put(probe, i, 5 * S, SESSION), PUT_ACCEPTED);
		if (i % 4 != 0)
			server_insert(i, 5 * S);
	}
	assert_int_equal(put(probe, 1, 6 * S, SESSION), PUT_ACCEPTED);
	server_insert(2, 7 * S);
	server_insert(count + 1, 5 * S);
}

static void
test_differences_are_counted_and_stay(void **state)
{
	struct probe *probe = *state;
	const unsigned count = 2000;
	struct store_differences found;

	start(probe);
	await(is_in(probe, STORE_OK));
	make_differences(probe, count);
	/* The engine's own are not settled: their time has not passed. */
	assert_int_equal(
	    put(probe, count + 2, clock_wall().ns, SESSION), PUT_ACCEPTED);
	assert_true(store_ask_differences(probe->store));
	await(look(probe).found.number == 1);
	found = look(probe).found;
	assert_int_equal(found.rows, count / 4 * 3 + 1);
	assert_int_equal(found.missing, count / 4);
	assert_int_equal(found.stale, 1);
	assert_int_equal(found.newer, 1);
	assert_int_equal(found.unknown, 1);
	assert_int_equal(server_count(), count / 4 * 3 + 1);
	assert_int_equal(held_time(probe, 2), 5 * S);
	assert_int_equal(look(probe).repaired, 0);
}

static void
test_the_node_that_leads_mends_both_sides(void **state)
{
	struct probe *probe = *state;
	const unsigned count = 2000;

	server.fault = GONE;
	start(probe);
	make_differences(probe, count);
	stop(probe);
	/* Rows and records met nowhere: this node lost its outbox. */
	probe->config.compare_ns = HERD_NS_PER_MS;
	atomic_store(&probe->leads, true);
	set_fault(NO_FAULT);
	start(probe);
	await(server_count() == count + 1);
	await(server_time(1) == 6 * S);
	assert_int_equal(held_time(probe, 2), 7 * S);
	assert_int_equal(held_time(probe, count + 1), 5 * S);
	/* Later ones find nothing. */
	await(look(probe).repaired >= count / 4 + 1);
	{
		uint64_t number = look(probe).found.number;
		struct store_differences found;

		await(look(probe).found.number >= number + 3);
		found = look(probe).found;
		assert_int_equal(
		    found.missing + found.stale + found.newer + found.unknown,
		    0);
	}
}

static void
test_a_node_that_does_not_lead_compares_nothing(void **state)
{
	struct probe *probe = *state;

	probe->config.compare_ns = HERD_NS_PER_MS;
	start(probe);
	await(is_in(probe, STORE_OK));
	assert_int_equal(put(probe, 1, S, SESSION), PUT_ACCEPTED);
	/* A comparison that was asked for ends after others had their turn. */
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(store_ask_differences(probe->store));
		await(look(probe).found.number == i);
	}
	assert_int_equal(server_count(), 0);
}

static void
test_what_is_lost_on_the_way_is_compared_again(void **state)
{
	struct probe *probe = *state;

	start(probe);
	await(is_in(probe, STORE_OK));
	make_differences(probe, 500);
	set_fault(GONE);
	assert_true(store_ask_differences(probe->store));
	await(is_in(probe, STORE_AWAY));
	set_fault(NO_FAULT);
	await(look(probe).found.number == 1);
	assert_int_equal(look(probe).found.missing, 125);
}

/* --- expiry --------------------------------------------------------------- */

/* The clock has been trusted for long. */
static void
trust_clock(struct probe *probe)
{
	struct timekeeper *keeper = &probe->keeper;

	keeper->hold_ns = 1;
	atomic_store(&keeper->settled, 1);
	atomic_store(&keeper->expiry_ns, atomic_load(&keeper->judged_ns));
	atomic_store(&keeper->state, TIME_BACKED);
}

static void
test_old_rows_go_by_a_clock_that_is_trusted(void **state)
{
	struct probe *probe = *state;

	probe->config.expire_after_ns = 3600u * S;
	timekeeper_init(&probe->keeper, 3600u * S, clock_mono(), clock_wall());
	server_insert(1, S);
	server_insert(2, clock_wall().ns);
	atomic_store(&probe->leads, true);
	start(probe);
	await(is_in(probe, STORE_OK));
	store_ask_rows(probe->store);
	await(look(probe).counts == 1);
	/* Nothing is known of the clock yet. */
	assert_int_equal(server_count(), 2);
	assert_true(look(probe).is_estimate);
	trust_clock(probe);
	store_ask_rows(probe->store);
	await(server_count() == 1);
	await(look(probe).expired == 1);
	assert_int_not_equal(server_time(2), 0);
}

static void
test_rows_below_a_full_table_go(void **state)
{
	struct probe *probe = *state;

	table_free(probe->table);
	probe->table = unit_table(3, 0);
	probe->config.table = probe->table;
	trust_clock(probe);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(
		    put(probe, i, (10 + i) * S, SESSION), PUT_ACCEPTED);
	server_insert(4, 10 * S);
	server_insert(1, 11 * S);
	atomic_store(&probe->leads, true);
	start(probe);
	await(look(probe).expired == 1);
	assert_int_equal(server_time(4), 0);
	assert_int_equal(server_time(1), 11 * S);
	assert_int_equal(held_time(probe, 4), 0);
}

/* --- a store of the node's own -------------------------------------------- */

/* More rows than one slice looks at, and a table that has no room for most. */
static void
test_own_rows_that_nobody_holds_go(void **state)
{
	struct probe *probe = *state;
	const unsigned rows = 3 * STORE_PRUNE_SLICE;
	const unsigned held = 100;
	char folder[] = "/tmp/herd-unit-XXXXXX";
	char path[sizeof(folder) + 8];

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/store", folder);
	probe->config.ops = NULL;
	probe->config.path = path;
	start(probe);
	for (unsigned i = 0; i < rows; i++)
		assert_int_equal(put(probe, i, S, FROM_CLIENT), PUT_ACCEPTED);
	await(look(probe).committed == rows);
	stop(probe);
	table_free(probe->table);
	probe->table = probe->config.table = unit_table(held, 0);
	start(probe);
	trust_clock(probe);
	await((store_ask_rows(probe->store), look(probe).rows == held));
	assert_int_equal(look(probe).loaded, rows);
	stop(probe);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_reports_wait_for_contact),
		TEST(test_a_batch_without_answer_is_written_again),
		TEST(test_a_refusal_is_final_until_a_retry),
		TEST(test_batches_have_their_size),
		TEST(test_rows_come_late_and_the_newest_wins),
		TEST(test_the_origin_alone_writes),
		TEST(test_all_writes_what_it_learns),
		TEST(test_a_stalled_store_says_since_when),
		TEST(test_nobody_waits_for_an_async_store),
		TEST(test_a_stop_leaves_what_cannot_be_written),
		TEST(test_a_stop_writes_what_can_be),
		TEST(test_differences_are_counted_and_stay),
		TEST(test_the_node_that_leads_mends_both_sides),
		TEST(test_a_node_that_does_not_lead_compares_nothing),
		TEST(test_what_is_lost_on_the_way_is_compared_again),
		TEST(test_old_rows_go_by_a_clock_that_is_trusted),
		TEST(test_rows_below_a_full_table_go),
		TEST(test_own_rows_that_nobody_holds_go),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
