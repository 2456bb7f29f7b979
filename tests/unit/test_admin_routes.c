/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every route of the admin API is whole and is in herdd(8) with its line.
 * After a change, UNIT_UPDATE=1 in the environment writes the section of the
 * page.
 */
#include "listed.h"
#include "page.h"

#include "admin/route.h"

static void
test_each_route_is_whole(void **state HERD_UNUSED)
{
	size_t count;
	const struct route *all = route_all(&count);

	for (size_t i = 0; i < count; i++) {
		const struct route *route = &all[i];
		bool reads =
		    route->method == ROUTE_GET || route->method == ROUTE_HEAD;
		bool writes = route->access == ROUTE_WRITE;

		if (route->path[0] != '/' || route->help[0] == '\0' ||
		    writes == reads || (route->verb[0] != '\0') != writes)
			fail_msg("the row of %s is not whole", route->path);
	}
}

static void
test_each_handler_has_a_row(void **state HERD_UNUSED)
{
	static const char *const names[] = {
#define OPEN(method, path, serve, help) &#serve[sizeof("serve_") - 1],
#define READ(method, path, serve, ...) OPEN(method, path, serve, )
#define WRITE(method, path, serve, ...) OPEN(method, path, serve, )
#include "admin/route_rows.def"
	};

	listed_check("server/admin/*.c", "\nserve_", names,
	    HERD_ARRAY_LEN(names), "server/admin/route_rows.def");
}

static void
add_line(struct buf *out, const struct route *route)
{
	struct buf line;

	assert_ok(buf_addf(
	    out, ".It %s %s\n", route_method_word(route->method), route->path));
	buf_init(&line, 1000);
	assert_ok(buf_add_text(&line, route->help));
	if (route->params[0] != '\0')
		assert_ok(buf_addf(&line, "; takes %s", route->params));
	if (route->access == ROUTE_OPEN)
		assert_ok(buf_add_text(&line, "; without a token"));
	page_wrap(out, buf_cstr(&line));
	buf_release(&line);
}

static void
test_page_has_every_route(void **state HERD_UNUSED)
{
	size_t count;
	const struct route *all = route_all(&count);
	struct buf section;

	buf_init(&section, PAGE_MAX);
	for (size_t i = 0; i < count; i++)
		add_line(&section, &all[i]);
	page_check("man/herdd.8", "routes", buf_span(&section));
	buf_release(&section);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_route_is_whole),
		cmocka_unit_test(test_each_handler_has_a_row),
		cmocka_unit_test(test_page_has_every_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
