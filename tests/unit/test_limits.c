/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "net/refusals.h"
#include "node/limits.h"

static void
test_connections_leave_a_reserve(void **state HERD_UNUSED)
{
	/* What is wanted, as long as it fits. */
	assert_true(limits_connections(10000, 1u << 20, true) == 10000);
	assert_true(limits_connections(10000, 11024, false) == 10000);
	assert_true(limits_connections(10000, 11023, false) == 9999);
	assert_true(limits_connections(10000, 11024, true) == 10000 - 1378);
	assert_true(limits_connections(10, 512, true) == 10);
	assert_true(limits_connections(10000, 64, false) == 1);
	assert_true(limits_connections(10000, 0, true) == 1);
	assert_true(limits_connections(10000, UINT64_MAX, true) == 10000);
	assert_true(limits_files(10000, false) == 11024);
	/* The own share is left. */
	for (uint64_t files = 128; files < 70000; files += files / 9) {
		uint64_t left = files - limits_phones(files) -
				limits_links(files) - limits_admin(files) -
				limits_connections(1u << 20, files, true);

		assert_true(left >= 64 && left <= 256);
		assert_true(limits_connections(files, limits_files(files, true),
				true) == files);
	}
}

static void
test_memory_is_a_quarter_and_256m_at_least(void **state HERD_UNUSED)
{
	assert_true(limits_memory(0) == UINT64_C(256) << 20);
	assert_true(limits_memory(UINT64_C(1) << 30) == UINT64_C(256) << 20);
	assert_true(limits_memory(UINT64_C(64) << 30) == UINT64_C(16) << 30);
}

static void
test_least_bound_of_neighbours_counts(void **state HERD_UNUSED)
{
	struct node_limits limits = { .max_memory = 1000 };

	assert_true(limits_table_bytes(&limits) == 1000);
	atomic_store(&limits.neighbours_memory, 2000);
	assert_true(limits_table_bytes(&limits) == 1000);
	atomic_store(&limits.neighbours_memory, 400);
	assert_true(limits_table_bytes(&limits) == 400);
	/* It is gone: nothing is known of it any more. */
	atomic_store(&limits.neighbours_memory, 0);
	assert_true(limits_table_bytes(&limits) == 1000);
}

/* --- refusals ------------------------------------------------------------- */

static void
note(struct refusals *refusals, unsigned client, enum refusal why, uint64_t at)
{
	const struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	char id[32];

	snprintf(id, sizeof(id), "client-%u", client);
	refusals_note(
	    refusals, why, span_from(id), client, &peer, (struct wall){ at });
}

static void
test_last_refused_are_kept_once_for_each_reason(void **state HERD_UNUSED)
{
	struct refused list[REFUSED_MAX];
	struct refusals one, two;
	unsigned count = 0;

	refusals_init(&one);
	refusals_init(&two);
	for (unsigned i = 0; i < 3 * REFUSED_MAX; i++)
		note(&one, i, REFUSAL_AHEAD, 1000 + i);
	note(&one, 3 * REFUSED_MAX - 1, REFUSAL_AHEAD, 5000);
	note(&one, 3 * REFUSED_MAX - 1, REFUSAL_MEMORY, 4000);
	note(&two, 7, REFUSAL_CLIENTS, 4500);
	note(&two, 3 * REFUSED_MAX - 1, REFUSAL_AHEAD, 6000);
	note(&two, 3 * REFUSED_MAX - 1, REFUSAL_MEMORY, 3000);
	refusals_merge(&one, list, &count);
	assert_int_equal(count, REFUSED_MAX);
	refusals_merge(&two, list, &count);
	assert_int_equal(count, REFUSED_MAX);
	/* Of one that both have all are counted, and the last is told. */
	assert_true(list[0].at.ns == 6000 && list[0].times == 3);
	assert_true(list[2].at.ns == 4000 && list[2].times == 2);
	assert_int_equal(list[0].why, REFUSAL_AHEAD);
	assert_int_equal(list[1].why, REFUSAL_CLIENTS);
	assert_int_equal(list[2].why, REFUSAL_MEMORY);
	for (unsigned i = 1; i < count; i++)
		assert_true(list[i - 1].at.ns >= list[i].at.ns);
	refusals_release(&one);
	refusals_release(&two);
}

static void
test_long_id_is_kept_in_part(void **state HERD_UNUSED)
{
	const struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	struct refused list[REFUSED_MAX];
	struct refusals refusals;
	unsigned count = 0;
	char id[1000];

	memset(id, 'x', sizeof(id));
	refusals_init(&refusals);
	for (unsigned len = REFUSED_CLIENT_MAX - 1; len < sizeof(id); len++)
		refusals_note(&refusals, REFUSAL_MEMORY, span_of(id, len), len,
		    &peer, (struct wall){ len });
	refusals_merge(&refusals, list, &count);
	assert_int_equal(count, REFUSED_MAX);
	assert_int_equal(list[0].client_len, sizeof(id) - 1);
	assert_int_equal(refused_client(&list[0]).len, REFUSED_CLIENT_MAX);
	refusals_release(&refusals);
}

static void
test_each_reason_has_a_word(void **state HERD_UNUSED)
{
	for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
		assert_true(strlen(refusal_word((enum refusal)i)) > 0);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(refusal_word((enum refusal)i),
			    refusal_word((enum refusal)j));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connections_leave_a_reserve),
		cmocka_unit_test(test_memory_is_a_quarter_and_256m_at_least),
		cmocka_unit_test(test_least_bound_of_neighbours_counts),
		cmocka_unit_test(
		    test_last_refused_are_kept_once_for_each_reason),
		cmocka_unit_test(test_long_id_is_kept_in_part),
		cmocka_unit_test(test_each_reason_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
