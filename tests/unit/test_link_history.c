/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/link_history.h"

static struct wall
at(uint64_t second)
{
	return (struct wall){ second * HERD_NS_PER_S };
}

static void
test_history_is_empty_at_first(void **state)
{
	struct link_history history = { 0 };
	struct link_change out[LINK_CHANGES_MAX];

	(void)state;
	assert_int_equal(link_history_copy(&history, out), 0);
}

static void
test_history_has_the_oldest_first(void **state)
{
	struct link_history history = { 0 };
	struct link_change out[LINK_CHANGES_MAX];

	(void)state;
	link_history_note(&history, LINK_WAITING, "", at(1));
	link_history_note(&history, LINK_COMPARING, "", at(2));
	link_history_note(&history, LINK_BACKOFF, "reset", at(3));
	assert_int_equal(link_history_copy(&history, out), 3);
	assert_int_equal(out[0].state, LINK_WAITING);
	assert_string_equal(out[0].error, "");
	assert_int_equal(out[2].state, LINK_BACKOFF);
	assert_string_equal(out[2].error, "reset");
	assert_int_equal(out[2].at.ns, at(3).ns);
	assert_int_equal(out[2].last.ns, at(3).ns);
	assert_int_equal(out[2].times, 1);
}

/* A peer that stays away must not push out when and why it went. */
static void
test_history_counts_what_repeats(void **state)
{
	struct link_history history = { 0 };
	struct link_change out[LINK_CHANGES_MAX];

	(void)state;
	link_history_note(&history, LINK_SYNCED, "", at(1));
	link_history_note(&history, LINK_BACKOFF, "reset", at(10));
	for (unsigned i = 0; i < 1000; i++) {
		link_history_note(&history, LINK_CONNECTING, "", at(11 + i));
		link_history_note(&history, LINK_HANDSHAKE, "", at(11 + i));
		link_history_note(
		    &history, LINK_BACKOFF, "refused", at(11 + i));
	}
	assert_int_equal(link_history_copy(&history, out), 3);
	assert_int_equal(out[1].times, 1);
	assert_string_equal(out[2].error, "refused");
	assert_int_equal(out[2].times, 1000);
	assert_int_equal(out[2].at.ns, at(11).ns);
	assert_int_equal(out[2].last.ns, at(1010).ns);
}

static void
test_history_keeps_the_newest_of_too_many(void **state)
{
	struct link_history history = { 0 };
	struct link_change out[LINK_CHANGES_MAX];
	char error[32];

	(void)state;
	for (unsigned i = 0; i < 3 * LINK_CHANGES_MAX + 5; i++) {
		unsigned kept =
		    i + 1 < LINK_CHANGES_MAX ? i + 1 : LINK_CHANGES_MAX;

		snprintf(error, sizeof(error), "error %u", i);
		link_history_note(&history, LINK_BACKOFF, error, at(i));
		assert_int_equal(link_history_copy(&history, out), kept);
		assert_string_equal(out[kept - 1].error, error);
		assert_int_equal(out[0].at.ns, at(i + 1 - kept).ns);
	}
}

static void
test_history_cuts_a_long_error(void **state)
{
	struct link_history history = { 0 };
	struct link_change out[LINK_CHANGES_MAX];
	char error[SESSION_ERROR_MAX + 50];

	(void)state;
	memset(error, 'x', sizeof(error) - 1);
	error[sizeof(error) - 1] = '\0';
	link_history_note(&history, LINK_REFUSED, error, at(1));
	assert_int_equal(link_history_copy(&history, out), 1);
	assert_int_equal(strlen(out[0].error), SESSION_ERROR_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_history_is_empty_at_first),
		cmocka_unit_test(test_history_has_the_oldest_first),
		cmocka_unit_test(test_history_counts_what_repeats),
		cmocka_unit_test(test_history_keeps_the_newest_of_too_many),
		cmocka_unit_test(test_history_cuts_a_long_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
