/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of nodes and their numbers. */
#include "core.h"

static struct span
name_of(unsigned number, char text[32])
{
	snprintf(text, 32, "node-%u", number);
	return span_from(text);
}

static void
test_names_are_stored_once(void **state)
{
	struct names names;
	uint16_t first;
	uint16_t again;
	uint16_t other;

	(void)state;
	assert_ok(names_init(&names));
	assert_ok(names_intern(&names, span_from("Riley"), &first));
	assert_ok(names_intern(&names, span_from("Jaquez"), &other));
	assert_ok(names_intern(&names, span_from("Riley"), &again));
	assert_int_equal(first, again);
	assert_int_not_equal(first, other);
	assert_span(names_text(&names, first), "Riley");
	assert_span(names_text(&names, other), "Jaquez");
	names_release(&names);
}

static void
test_names_hold_the_longest(void **state)
{
	struct names names;
	char text[REPORT_ORIGIN_MAX];
	uint16_t id;

	(void)state;
	memset(text, 'n', sizeof(text));
	assert_ok(names_init(&names));
	assert_ok(names_intern(&names, span_of(text, sizeof(text)), &id));
	assert_true(
	    span_equal(names_text(&names, id), span_of(text, sizeof(text))));
	names_release(&names);
}

/* All 65,536, then no more; those that exist are found still. */
static void
test_names_end_at_their_limit(void **state)
{
	struct names names;
	char text[32];
	uint16_t id;

	(void)state;
	assert_ok(names_init(&names));
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		assert_ok(names_intern(&names, name_of(i, text), &id));
		assert_int_equal(id, i);
	}
	assert_int_equal(
	    names_intern(&names, span_from("one-more"), &id), HERD_ELIMIT);
	for (unsigned i = 0; i < NAMES_MAX; i += 97) {
		assert_ok(names_intern(&names, name_of(i, text), &id));
		assert_int_equal(id, i);
		assert_span(names_text(&names, id), text);
	}
	names_release(&names);
}

static void
test_name_cache_agrees_with_names(void **state)
{
	struct unit_random random = unit_random("name_cache");
	struct name_cache cache = { { 0 } };
	struct names names;

	(void)state;
	assert_ok(names_init(&names));
	for (unsigned i = 0; i < 20000; i++) {
		char text[32];
		struct span name =
		    name_of((unsigned)unit_below(&random, 500), text);
		uint16_t cached;
		uint16_t id;

		assert_ok(name_cache_intern(&cache, &names, name, &cached));
		assert_ok(names_intern(&names, name, &id));
		assert_int_equal(cached, id);
	}
	names_release(&names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_stored_once),
		cmocka_unit_test(test_names_hold_the_longest),
		cmocka_unit_test(test_names_end_at_their_limit),
		cmocka_unit_test(test_name_cache_agrees_with_names),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
