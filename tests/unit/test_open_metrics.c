/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "admin/open_metrics.h"

static void
test_accept_decides(void **state HERD_UNUSED)
{
	static const struct {
		const char *accept;
		bool wanted;
	} CASES[] = {
		{ NULL, false },
		{ "", false },
		{ "*/*", false },
		{ "text/plain", false },
		{ "application/openmetrics-text", true },
		{ "Application/OpenMetrics-Text; version=1.0.0", true },
		{ "application/openmetrics-textual", false },
		{ "application/openmetrics-text;q=0", false },
		{ "application/openmetrics-text;q=nan", false },
		{ "application/openmetrics-text;q=1e300", false },
		{ "application/openmetrics-text; q=", false },
		{ "application/openmetrics-text;q=0.0000000000001", false },
		{ "text/plain, application/openmetrics-text;q=0.9", false },
		{ "text/plain;q=0.9, application/openmetrics-text", true },
		{ ",;,=;;q=,application/openmetrics-text", true },
		/* As Prometheus asks. */
		{ "application/openmetrics-text;version=1.0.0,"
		  "application/openmetrics-text;version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		    true },
		{ "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", false },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(CASES); i++) {
		if (open_metrics_is_wanted(CASES[i].accept) != CASES[i].wanted)
			fail_msg("Accept: %s", CASES[i].accept);
	}
}

static void
test_counters_lose_their_end_in_what_is_told(void **state HERD_UNUSED)
{
	struct buf text;

	buf_init(&text, 4096);
	assert_ok(buf_add_text(&text,
	    "# HELP a_total All that_total.\n# TYPE a_total counter\n"
	    "a_total{x=\"# TYPE b_total\"} 1\n"
	    "# HELP b A gauge.\n# TYPE b gauge\nb 2\n"
	    "# TYPE _total counter\n"));
	assert_ok(open_metrics_convert(&text));
	assert_string_equal(buf_cstr(&text),
	    "# HELP a All that_total.\n# TYPE a counter\n"
	    "a_total{x=\"# TYPE b_total\"} 1\n"
	    "# HELP b A gauge.\n# TYPE b gauge\nb 2\n"
	    "# TYPE _total counter\n# EOF\n");
	buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept_decides),
		cmocka_unit_test(test_counters_lose_their_end_in_what_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
