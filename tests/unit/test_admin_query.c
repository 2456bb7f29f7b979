/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "herd/glob.h"
#include "admin/query.h"
#include "admin/route.h"

static void
test_query_path_is_cut_then_decoded(void **state)
{
	struct query query;

	(void)state;
	assert_int_equal(
	    query_parse(span_from("/v1/clients/a%2Fb%20%ff"), &query), HERD_OK);
	assert_int_equal(query.segment_count, 3);
	assert_true(span_is(query.segments[0], "v1"));
	assert_true(span_is(query.segments[2], "a/b \xff"));
	assert_int_equal(query.param_count, 0);
	query_release(&query);
}

static void
test_query_one_slash_at_the_end_does_not_count(void **state)
{
	struct query query;

	(void)state;
	assert_int_equal(query_parse(span_from("/v1/peers/"), &query), HERD_OK);
	assert_int_equal(query.segment_count, 2);
	query_release(&query);
	assert_int_equal(query_parse(span_from("/v1//peers"), &query), HERD_OK);
	assert_int_equal(query.segment_count, 3);
	query_release(&query);
	assert_int_equal(query_parse(span_from("/"), &query), HERD_OK);
	assert_int_equal(query.segment_count, 0);
	query_release(&query);
}

static void
test_query_plus_is_a_plus(void **state)
{
	struct query query;
	const struct query_param *near;

	(void)state;
	assert_int_equal(
	    query_parse(span_from("/v1/clients?near=+34.0-118.4&km=5"), &query),
	    HERD_OK);
	near = query_find(&query, "near");
	assert_non_null(near);
	assert_true(span_is(near->value, "+34.0-118.4"));
	assert_true(span_is(query_find(&query, "km")->value, "5"));
	assert_null(query_find(&query, "k"));
	query_release(&query);
}

static void
test_query_parameters_keep_every_byte(void **state)
{
	struct query query;

	(void)state;
	assert_int_equal(
	    query_parse(span_from("/x?a%3Db=%26&count&e=&&z=1=2"), &query),
	    HERD_OK);
	assert_int_equal(query.param_count, 4);
	assert_true(span_is(query.params[0].name, "a=b"));
	assert_true(span_is(query.params[0].value, "&"));
	assert_int_equal(query_find(&query, "e")->value.len, 0);
	assert_true(span_is(query_find(&query, "z")->value, "1=2"));
	query_release(&query);
}

static void
test_query_bad_targets_are_refused(void **state)
{
	static const char *const BAD[] = { "", "v1/status", "http://x/", "/%",
		"/%4", "/%zz", "/a?%", "/a?=1", "/a?b=1&b=2", "/a?b=1&%62=2" };
	struct query query;

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(BAD); i++)
		assert_int_equal(
		    query_parse(span_from(BAD[i]), &query), HERD_ESYNTAX);
}

static void
test_query_limits_hold(void **state)
{
	struct query query;
	struct buf target;

	(void)state;
	buf_init(&target, QUERY_TARGET_MAX + 1);
	for (unsigned i = 0; i < QUERY_SEGMENTS_MAX; i++)
		assert_int_equal(buf_add_text(&target, "/a"), HERD_OK);
	assert_int_equal(query_parse(buf_span(&target), &query), HERD_OK);
	query_release(&query);
	assert_int_equal(buf_add_text(&target, "/a"), HERD_OK);
	assert_int_equal(query_parse(buf_span(&target), &query), HERD_ELIMIT);

	buf_clear(&target);
	assert_int_equal(buf_add_text(&target, "/?"), HERD_OK);
	for (unsigned i = 0; i < QUERY_PARAMS_MAX; i++)
		assert_int_equal(buf_addf(&target, "p%u=1&", i), HERD_OK);
	assert_int_equal(query_parse(buf_span(&target), &query), HERD_OK);
	assert_int_equal(query.param_count, QUERY_PARAMS_MAX);
	query_release(&query);
	assert_int_equal(buf_add_text(&target, "q=1"), HERD_OK);
	assert_int_equal(query_parse(buf_span(&target), &query), HERD_ELIMIT);

	buf_clear(&target);
	while (target.len < QUERY_TARGET_MAX)
		assert_int_equal(
		    buf_add_byte(&target, target.len == 0 ? '/' : 'a'),
		    HERD_OK);
	assert_int_equal(query_parse(buf_span(&target), &query), HERD_OK);
	query_release(&query);
	assert_int_equal(buf_add_byte(&target, 'a'), HERD_OK);
	assert_int_equal(query_parse(buf_span(&target), &query), HERD_ELIMIT);
	buf_release(&target);
}

static void
test_query_values_are_read_by_kind(void **state)
{
	struct query query;
	uint64_t count = 7;
	bool flag;

	(void)state;
	assert_int_equal(
	    query_parse(
		span_from("/x?a&b=0&c=maybe&n=10&m=x&big=1001"), &query),
	    HERD_OK);
	assert_int_equal(query_flag(&query, "a", &flag), HERD_OK);
	assert_true(flag);
	assert_int_equal(query_flag(&query, "b", &flag), HERD_OK);
	assert_false(flag);
	assert_int_equal(query_flag(&query, "absent", &flag), HERD_OK);
	assert_false(flag);
	assert_int_equal(query_flag(&query, "c", &flag), HERD_ESYNTAX);
	assert_int_equal(
	    query_count(&query, "absent", 1, 1000, &count), HERD_OK);
	assert_int_equal(count, 7);
	assert_int_equal(query_count(&query, "n", 1, 1000, &count), HERD_OK);
	assert_int_equal(count, 10);
	assert_int_equal(
	    query_count(&query, "m", 1, 1000, &count), HERD_ESYNTAX);
	assert_int_equal(
	    query_count(&query, "big", 1, 1000, &count), HERD_ERANGE);
	assert_null(query_unknown(&query, "a b c n m big"));
	assert_true(span_is(query_unknown(&query, "a c n m big")->name, "b"));
	assert_non_null(query_unknown(&query, NULL));
	query_release(&query);
}

/* --- routes ------------------------------------------------------------- */

static const char *
route_of(const char *target, enum route_method method, bool *known)
{
	const struct route *route;
	struct query query;

	assert_int_equal(query_parse(span_from(target), &query), HERD_OK);
	route = route_find(&query, method, known);
	query_release(&query);
	return route == NULL ? NULL : route->path;
}

static void
test_routes_path_and_method_decide(void **state)
{
	bool known;

	(void)state;
	assert_string_equal(
	    route_of("/v1/clients/x", ROUTE_DELETE, &known), "/v1/clients/*");
	assert_string_equal(
	    route_of("/v1/clients/", ROUTE_GET, &known), "/v1/clients");
	assert_string_equal(route_of("/v1/peers/B/enable", ROUTE_POST, &known),
	    "/v1/peers/*/enable");
	assert_null(route_of("/v1/peers/B/enable", ROUTE_GET, &known));
	assert_true(known);
	assert_null(route_of("/v1/peers/B/paint", ROUTE_POST, &known));
	assert_false(known);
	assert_null(route_of("/", ROUTE_GET, &known));
	assert_null(route_of("/v1/clients//", ROUTE_GET, &known));
	assert_false(known);
}

static void
test_routes_allow_names_every_method(void **state)
{
	char allow[ROUTE_ALLOW_MAX];
	struct query query;

	(void)state;
	assert_int_equal(
	    query_parse(span_from("/v1/clients/x"), &query), HERD_OK);
	route_allow(&query, allow);
	assert_string_equal(allow, "GET, DELETE");
	query_release(&query);
}

/* --- globs -------------------------------------------------------------- */

static void
test_glob_matches_as_people_expect(void **state)
{
	static const struct {
		const char *pattern;
		const char *text;
		bool matches;
	} CASES[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "abc", true },
		{ "a*", "abc", true },
		{ "*c", "abc", true },
		{ "a*c", "abc", true },
		{ "a*b", "abc", false },
		{ "?", "", false },
		{ "?", "a", true },
		{ "a?c", "abc", true },
		{ "*.ucla.edu", "kiwi.cs.ucla.edu", true },
		{ "*.ucla.edu", "kiwi.cs.ucla.edux", false },
		{ "*a*b*c*", "xxaxxbxxcxx", true },
		{ "*ab", "aab", true },
		{ "a**b", "ab", true },
		{ "[a]", "a", true },
		{ "[a]", "[a]", false },
		{ "[a-c]x", "bx", true },
		{ "[a-c]x", "dx", false },
		{ "[!a-c]", "d", true },
		{ "[!a-c]", "b", false },
		{ "[a-]", "-", true },
		{ "[]a]", "]", true },
		{ "[a", "[a", true },
		{ "[", "[", true },
		{ "a[", "a[", true },
		{ "*[0-9]", "bus-7", true },
		{ "*[0-9]z", "bus-7", false },
		{ "\\*", "*", true },
		{ "\\*", "a", false },
		{ "\\[a]", "[a]", true },
		{ "a\\", "a\\", true },
		{ "*", "*", true },
		{ "a", "*", false },
	};

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(CASES); i++)
		assert_int_equal(glob_matches(span_from(CASES[i].pattern),
				     span_from(CASES[i].text)),
		    CASES[i].matches);
}

static void
test_glob_prefix_is_what_all_texts_begin_with(void **state)
{
	(void)state;
	assert_true(span_is(glob_prefix(span_from("bus-*")), "bus-"));
	assert_true(span_is(glob_prefix(span_from("b[u]s")), "b"));
	assert_true(span_is(glob_prefix(span_from("b\\*s")), "b"));
	assert_true(span_is(glob_prefix(span_from("kiwi")), "kiwi"));
	assert_int_equal(glob_prefix(span_from("*")).len, 0);
	assert_int_equal(glob_prefix(span_from("")).len, 0);
}

static void
test_glob_many_stars_end_soon(void **state)
{
	char pattern[201];
	char text[4001];

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	memset(text, 'a', 4000);
	text[3999] = 'b';
	assert_false(glob_matches(span_of(pattern, 200), span_of(text, 4000)));
}

/* Elements that would be tried at each byte; the time limit of tests sees it.
 */
static void
test_glob_long_texts_match_as_short_ones(void **state)
{
	static const struct {
		const char
		    *unit; /* again and again, as long as there is room */
		const char *end;
	} CASES[] = {
		{ "a", "b*" },
		{ "a?", "b*" },
		{ "[a-c]", "b*" },
		{ "[", "b*" },
		{ "\\a", "*" },
	};
	static char text[60000];
	char pattern[GLOB_MAX];

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(CASES); i++) {
		size_t unit = strlen(CASES[i].unit);
		size_t end = strlen(CASES[i].end);
		size_t len = 0;
		struct span glob;

		memset(text, CASES[i].unit[0] == '[' && unit == 1 ? '[' : 'a',
		    sizeof(text));
		for (pattern[len++] = '*'; len + unit + end <= GLOB_MAX;
		     len += unit)
			memcpy(pattern + len, CASES[i].unit, unit);
		memcpy(pattern + len, CASES[i].end, end);
		glob = span_of(pattern, len + end);
		for (unsigned j = 0; j < 200; j++)
			assert_int_equal(
			    glob_matches(glob, span_of(text, sizeof(text))),
			    end == 1);
		text[sizeof(text) - 1] = 'b';
		assert_true(glob_matches(glob, span_of(text, sizeof(text))));
	}
	assert_false(glob_matches(
	    span_of(text, GLOB_MAX + 1), span_of(text, GLOB_MAX + 1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_path_is_cut_then_decoded),
		cmocka_unit_test(
		    test_query_one_slash_at_the_end_does_not_count),
		cmocka_unit_test(test_query_plus_is_a_plus),
		cmocka_unit_test(test_query_parameters_keep_every_byte),
		cmocka_unit_test(test_query_bad_targets_are_refused),
		cmocka_unit_test(test_query_limits_hold),
		cmocka_unit_test(test_query_values_are_read_by_kind),
		cmocka_unit_test(test_routes_path_and_method_decide),
		cmocka_unit_test(test_routes_allow_names_every_method),
		cmocka_unit_test(test_glob_matches_as_people_expect),
		cmocka_unit_test(test_glob_long_texts_match_as_short_ones),
		cmocka_unit_test(test_glob_prefix_is_what_all_texts_begin_with),
		cmocka_unit_test(test_glob_many_stars_end_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
