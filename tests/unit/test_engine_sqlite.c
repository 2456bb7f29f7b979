/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include <unistd.h>

#include "store/engine.h"

#define ROWS 1000u
#define SLICE 64u

struct place {
	char folder[64];
	char path[100];
	struct engine *engine;
	uint64_t loaded;
	bool keeps_odd; /* the answer of is_held() */
	uint64_t asked;
	char last[32]; /* the client that was asked for last */
};

static enum herd_error
on_report(void *arg, const struct report *report HERD_UNUSED)
{
	((struct place *)arg)->loaded++;
	return HERD_OK;
}

static void
open_engine(struct place *place)
{
	static const _Atomic uint64_t never = UINT64_MAX;
	const struct engine_config config = { .path = place->path,
		.herd = "test",
		.node = "Riley",
		.params = "",
		.stop_at_ns = &never };
	const struct engine_loader loader = { place, on_report, NULL, NULL };
	struct engine_cursor cursor = { .begun = false };
	struct buf message;

	buf_init(&message, 4096);
	place->loaded = 0;
	assert_int_equal(
	    engine_sqlite.open(&config, &message, &place->engine), HERD_OK);
	assert_int_equal(
	    engine_sqlite.load(place->engine, &loader, &cursor), HERD_OK);
	buf_release(&message);
}

static int
set_up(void **state)
{
	static struct place place;

	place = (struct place){ .folder = "/tmp/herd-unit-XXXXXX" };
	assert_non_null(mkdtemp(place.folder));
	(void)snprintf(
	    place.path, sizeof(place.path), "%s/store", place.folder);
	open_engine(&place);
	*state = &place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	engine_sqlite.close(place->engine);
	(void)unlink(place->path);
	(void)rmdir(place->folder);
	return 0;
}

/* Clients c0000 and on, with reports of that time, in one transaction. */
static void
put(struct place *place, unsigned first, unsigned count, unsigned time)
{
	char lines[SLICE][80];
	struct report reports[SLICE];

	assert_true(count <= SLICE);
	for (unsigned i = 0; i < count; i++) {
		int len = snprintf(lines[i], sizeof(lines[i]),
		    "AT Riley +0.000000001 c%04u +1+1 %u", first + i, time);

		assert_int_equal(
		    report_parse(span_of(lines[i], (size_t)len), &reports[i]),
		    HERD_OK);
	}
	assert_int_equal(
	    engine_sqlite.put_many(place->engine, reports, count), HERD_OK);
}

static uint64_t
count(const struct place *place)
{
	bool is_estimate = false;
	uint64_t rows = 0;

	assert_int_equal(
	    engine_sqlite.count(place->engine, &rows, &is_estimate), HERD_OK);
	assert_false(is_estimate);
	return rows;
}

static bool
is_held(void *arg, struct span client)
{
	struct place *place = arg;

	assert_true(client.len == 5);
	place->asked++;
	memcpy(place->last, client.data, client.len);
	return place->keeps_odd && (client.data[client.len - 1] - '0') % 2 == 1;
}

/* One slice. */
static enum herd_error
prune(struct place *place, uint64_t *deleted)
{
	uint64_t now = 0;
	enum herd_error error =
	    engine_sqlite.prune(place->engine, is_held, place, SLICE, &now);

	*deleted += now;
	return error;
}

static void
fill(struct place *place)
{
	for (unsigned at = 0; at < ROWS; at += 50)
		put(place, at, 50, 1000);
}

static void
test_count_is_kept(void **state)
{
	struct place *place = *state;

	assert_int_equal(count(place), 0);
	put(place, 0, 10, 1000);
	assert_int_equal(count(place), 10);
	/* Five of them are new. */
	put(place, 5, 10, 2000);
	assert_int_equal(count(place), 15);
	for (int twice = 0; twice < 2; twice++)
		assert_int_equal(
		    engine_sqlite.forget(place->engine, span_of("c0003", 5)),
		    HERD_OK);
	assert_int_equal(count(place), 14);
	engine_sqlite.close(place->engine);
	open_engine(place);
	assert_int_equal(place->loaded, 14);
	assert_int_equal(count(place), 14);
}

static void
test_prune_looks_at_a_slice(void **state)
{
	struct place *place = *state;
	uint64_t deleted = 0;

	fill(place);
	place->keeps_odd = true;
	for (unsigned slice = 1; slice <= ROWS / SLICE; slice++) {
		assert_int_equal(prune(place, &deleted), HERD_EAGAIN);
		assert_int_equal(place->asked, slice * SLICE);
		assert_int_equal(deleted, slice * SLICE / 2);
		assert_int_equal(count(place), ROWS - deleted);
	}
	assert_int_equal(prune(place, &deleted), HERD_OK);
	assert_int_equal(place->asked, ROWS);
	assert_string_equal(place->last, "c0999");
	assert_int_equal(count(place), ROWS / 2);
	/* The next walk begins again. */
	place->keeps_odd = false;
	while (prune(place, &deleted) == HERD_EAGAIN)
		;
	assert_int_equal(deleted, ROWS);
	assert_int_equal(count(place), 0);
}

static void
test_rows_may_come_between_slices(void **state)
{
	struct place *place = *state;
	uint64_t deleted = 0;

	fill(place);
	assert_int_equal(prune(place, &deleted), HERD_EAGAIN);
	put(place, 0, 10, 2000);    /* the walk has passed them */
	put(place, ROWS, 10, 2000); /* it has not */
	while (prune(place, &deleted) == HERD_EAGAIN)
		;
	assert_int_equal(deleted, ROWS + 10);
	assert_int_equal(count(place), 10);
	engine_sqlite.close(place->engine);
	open_engine(place);
	assert_int_equal(place->loaded, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_count_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_prune_looks_at_a_slice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_rows_may_come_between_slices, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
