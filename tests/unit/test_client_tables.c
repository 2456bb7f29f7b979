/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables judged by their digests: what differs, and what only changes. */
#include "unit.h"

#include <cjson/cJSON.h>

#include "cmd/exam_tables.h"

#define NODES 3u

static const struct target target_rows[NODES] = {
	{ .name = "A" },
	{ .name = "B" },
	{ .name = "C" },
};
static const struct target *const targets[NODES] = { &target_rows[0],
	&target_rows[1], &target_rows[2] };

/* One look: the first hash of each node, the others are the same. NULL: none.
 */
static void
look(struct exam_tables *tables, const char *a, const char *b, const char *c)
{
	const char *const first[NODES] = { a, b, c };
	struct answer items[NODES] = { 0 };
	struct answers answers = { items, NODES };

	for (size_t i = 0; i < NODES; i++) {
		cJSON *list;

		items[i].target = targets[i];
		items[i].status = first[i] == NULL ? STATUS_TIMEOUT : STATUS_OK;
		if (first[i] == NULL)
			continue;
		items[i].json = cJSON_CreateObject();
		list = cJSON_AddArrayToObject(items[i].json, "hashes");
		for (size_t hash = 0; hash < TABLE_FAN; hash++)
			cJSON_AddItemToArray(list,
			    cJSON_CreateString(hash == 0 ? first[i] : "same"));
	}
	exam_tables_look(tables);
	exam_tables_add(tables, 0, targets, &answers);
	for (size_t i = 0; i < NODES; i++)
		cJSON_Delete(items[i].json);
}

static void
assert_verdicts(const struct exam_tables *tables, enum table_verdict a,
    enum table_verdict b, enum table_verdict c)
{
	assert_int_equal(exam_tables_judge(tables, 0), a);
	assert_int_equal(exam_tables_judge(tables, 1), b);
	assert_int_equal(exam_tables_judge(tables, 2), c);
}

static void
test_a_difference_that_stays_is_one(void **state HERD_UNUSED)
{
	struct exam_tables tables = { 0 };

	exam_tables_begin(&tables, NODES, TABLE_FAN, 0);
	look(&tables, "x", "x", "y");
	assert_verdicts(&tables, TABLE_EQUAL, TABLE_EQUAL, TABLE_CHANGING);
	look(&tables, "x", "x", "y");
	assert_verdicts(&tables, TABLE_EQUAL, TABLE_EQUAL, TABLE_OTHER);
	assert_true(exam_tables_have(&tables, TABLE_OTHER));
	exam_tables_release(&tables);
}

/* It hears nothing, or nobody hears it. */
static void
test_one_side_that_stands_still_is_a_difference(void **state HERD_UNUSED)
{
	struct exam_tables tables = { 0 };

	exam_tables_begin(&tables, NODES, TABLE_FAN, 0);
	look(&tables, "1", "1", "old");
	look(&tables, "2", "2", "old");
	assert_verdicts(&tables, TABLE_EQUAL, TABLE_EQUAL, TABLE_OTHER);
	exam_tables_release(&tables);
	exam_tables_begin(&tables, NODES, TABLE_FAN, 0);
	look(&tables, "old", "old", "1");
	look(&tables, "old", "old", "2");
	assert_verdicts(&tables, TABLE_EQUAL, TABLE_EQUAL, TABLE_OTHER);
	exam_tables_release(&tables);
}

static void
test_reports_on_their_way_are_no_difference(void **state HERD_UNUSED)
{
	struct exam_tables tables = { 0 };

	exam_tables_begin(&tables, NODES, TABLE_FAN, 0);
	look(&tables, "1", "1", "0");
	look(&tables, "3", "3", "2");
	assert_verdicts(&tables, TABLE_EQUAL, TABLE_EQUAL, TABLE_CHANGING);
	look(&tables, "4", "4", "4");
	assert_verdicts(&tables, TABLE_EQUAL, TABLE_EQUAL, TABLE_EQUAL);
	look(&tables, "5", "5", "4"); /* once equal is equal */
	assert_verdicts(&tables, TABLE_EQUAL, TABLE_EQUAL, TABLE_EQUAL);
	exam_tables_release(&tables);
	exam_tables_begin(&tables, NODES, TABLE_FAN, 1); /* one busy client */
	look(&tables, "1", "1", "0");
	look(&tables, "3", "3", "2");
	assert_verdicts(&tables, TABLE_EQUAL, TABLE_EQUAL, TABLE_EQUAL);
	exam_tables_release(&tables);
}

static void
test_a_silent_node_is_not_judged(void **state HERD_UNUSED)
{
	struct exam_tables tables = { 0 };

	exam_tables_begin(&tables, NODES, TABLE_FAN, 0);
	look(&tables, "x", "x", "x");
	look(&tables, "x", NULL, "x");
	assert_verdicts(&tables, TABLE_EQUAL, TABLE_UNASKED, TABLE_EQUAL);
	exam_tables_release(&tables);
	assert_int_equal(exam_tables_judge(&tables, 0), TABLE_UNASKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_difference_that_stays_is_one),
		cmocka_unit_test(
		    test_one_side_that_stands_still_is_a_difference),
		cmocka_unit_test(test_reports_on_their_way_are_no_difference),
		cmocka_unit_test(test_a_silent_node_is_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
