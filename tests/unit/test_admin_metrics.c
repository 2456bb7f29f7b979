/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herdd(8) has every metric of the node and its links. After a change of the
 * rows, UNIT_UPDATE=1 in the environment writes the section of the page.
 */
#include "page.h"

static const struct {
	const char *name;
	const char *help;
	bool counts;
} METRICS[] = {
#define GAUGE(name, help, value) { #name, help, false },
#define COUNTER(name, help, value) { #name, help, true },
#define LINK_GAUGE GAUGE
#define LINK_COUNTER COUNTER
#define SAMPLES(name, type, help, add) { #name, help, type[0] == 'c' },
#include "admin/metrics_rows.def"
};

static void
test_page_has_every_metric(void **state HERD_UNUSED)
{
	struct buf section;

	buf_init(&section, PAGE_MAX);
	for (size_t i = 0; i < HERD_ARRAY_LEN(METRICS); i++) {
		assert_ok(buf_addf(&section, ".It Sy %s\n", METRICS[i].name));
		page_wrap(&section, METRICS[i].help);
	}
	page_check("man/herdd.8", "metrics", buf_span(&section));
	buf_release(&section);
}

static void
test_names_are_prometheus_own(void **state HERD_UNUSED)
{
	static const char TOTAL[] = "_total";

	for (size_t i = 0; i < HERD_ARRAY_LEN(METRICS); i++) {
		const char *name = METRICS[i].name;
		size_t len = strlen(name);

		assert_true(strncmp(name, "herd_", 5) == 0 ||
			    strncmp(name, "process_", 8) == 0);
		if ((strcmp(name + len - strlen(TOTAL), TOTAL) == 0) !=
		    METRICS[i].counts)
			fail_msg("%s: a counter, and only that, ends with %s",
			    name, TOTAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_has_every_metric),
		cmocka_unit_test(test_names_are_prometheus_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
