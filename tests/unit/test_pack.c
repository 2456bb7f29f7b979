/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packing is exact for every text that a report may hold. */
#include "core.h"

#include "core/pack.h"

static void
assert_round_trip(const struct report *report)
{
	size_t size = pack_size(report);
	size_t scratch_size;
	struct report back = *report;
	uint8_t *blob = malloc(size);
	char *scratch;

	assert_non_null(blob);
	pack_write(report, blob);
	scratch_size = pack_scratch(size, report->client.len);
	scratch = malloc(scratch_size == 0 ? 1 : scratch_size);
	assert_non_null(scratch);
	back.client = back.location = back.time = back.skew = span_of("", 0);
	pack_read(blob, size, report->client.len, scratch, &back);
	assert_true(span_equal(back.client, report->client));
	assert_true(span_equal(back.location, report->location));
	assert_true(span_equal(back.time, report->time));
	assert_true(span_equal(back.skew, report->skew));
	free(scratch);
	free(blob);
}

static void
test_pack_usual_report_fits_a_slot(void **state)
{
	struct unit_report made;

	(void)state;
	unit_report(&made, 1, 1600000000 * HERD_NS_PER_S + 123456789);
	made.report.client = span_of("kiwi-0000001.ucla.edu", 20);
	assert_round_trip(&made.report);
	assert_true(pack_size(&made.report) <= 55);
}

static void
test_pack_every_character_and_length(void **state)
{
	static const char alphabet[] = "0123456789+-.";
	struct unit_random random = unit_random("pack");
	char text[3][400];

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		size_t most = round % 100 == 0 ? 400 : 40;
		size_t len[3];
		struct report report = { .client = span_from("kiwi") };

		for (unsigned i = 0; i < 3; i++) {
			len[i] = unit_below(&random, most);
			for (size_t j = 0; j < len[i]; j++)
				text[i][j] = alphabet[unit_below(
				    &random, sizeof(alphabet) - 1)];
		}
		report.location = span_of(text[0], len[0]);
		report.time = span_of(text[1], len[1]);
		report.skew = span_of(text[2], len[2]);
		assert_round_trip(&report);
	}
}

static void
test_pack_removal_has_empty_texts(void **state)
{
	struct unit_report made;

	(void)state;
	unit_removal(&made, 1, 5 * HERD_NS_PER_S);
	assert_round_trip(&made.report);
}

/* A client id may hold any byte; it is not packed. */
static void
test_pack_keeps_any_client_id(void **state)
{
	struct unit_report made;
	char id[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(id); i++)
		id[i] = (char)i;
	unit_report(&made, 1, 5 * HERD_NS_PER_S);
	for (size_t len = 1; len <= sizeof(id); len++) {
		made.report.client = span_of(id + sizeof(id) - len, len);
		assert_round_trip(&made.report);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack_usual_report_fits_a_slot),
		cmocka_unit_test(test_pack_every_character_and_length),
		cmocka_unit_test(test_pack_removal_has_empty_texts),
		cmocka_unit_test(test_pack_keeps_any_client_id),
	};

	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
