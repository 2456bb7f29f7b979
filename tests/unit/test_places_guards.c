/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What guards Places and its upstreams, on a clock of its own: the
 * breaker, the rate, the cache, the key's mask, and the strict JSON reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/rate.h"
#include "places/answer.h"
#include "places/api_key.h"
#include "places/breaker.h"
#include "places/cache.h"
#include "places/json_scan.h"
#include "places/question.h"
#include "places/upstream.h"

static struct mono
at_s(double s)
{
	return (struct mono){ (uint64_t)((1000 + s) * 1e9) };
}

/* --- breaker ------------------------------------------------------------- */

/* The bits of `calls`, the first call highest: 1 = failed. */
static void
feed(struct breaker *breaker, const char *calls)
{
	for (; *calls != '\0'; calls++) {
		assert_true(breaker_allows(breaker, at_s(0)));
		breaker_done(breaker, *calls == '.', at_s(0));
	}
}

static void
test_breaker_opens_at_half_of_twenty(void **state HERD_UNUSED)
{
	struct breaker breaker;

	breaker_init(&breaker);
	feed(&breaker, "xxxxxxxxxxxxxxxxxxx"); /* 19 are too few to tell */
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	breaker_done(&breaker, true, at_s(0));
	assert_int_equal(breaker.state, BREAKER_OPEN);
	breaker_init(&breaker);
	feed(&breaker, "xxxxxxxxx..........."); /* 9 of 20 */
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	feed(&breaker, "........."); /* the old ones leave */
	feed(&breaker, "xxxxxxxxx");
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	feed(&breaker, "x");
	assert_int_equal(breaker.state, BREAKER_OPEN);
}

static void
test_breaker_lets_one_try_after_its_time(void **state HERD_UNUSED)
{
	struct breaker breaker;

	breaker_init(&breaker);
	feed(&breaker, "xxxxxxxxxxxxxxxxxxxx");
	assert_false(breaker_allows(&breaker, at_s(9.999)));
	assert_true(breaker_allows(&breaker, at_s(10)));
	assert_int_equal(breaker.state, BREAKER_PROBING);
	assert_false(breaker_allows(&breaker, at_s(10)));
	breaker_done(&breaker, false, at_s(11));
	assert_false(breaker_allows(&breaker, at_s(20.9)));
	assert_true(breaker_allows(&breaker, at_s(21)));
	breaker_done(&breaker, true, at_s(22));
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	feed(&breaker, "xxxxxxxxxxxxxxxxxxx"); /* the window is new */
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void
test_breaker_ignores_calls_from_before_it_opened(void **state HERD_UNUSED)
{
	struct breaker breaker;

	breaker_init(&breaker);
	feed(&breaker, "xxxxxxxxxxxxxxxxxxxx");
	breaker_done(&breaker, true, at_s(1));
	assert_int_equal(breaker.state, BREAKER_OPEN);
}

/* A try that was not made leaves the next one to try. */
static void
test_breaker_forgotten_try_can_be_made_again(void **state HERD_UNUSED)
{
	struct breaker breaker;

	breaker_init(&breaker);
	feed(&breaker, "xxxxxxxxxxxxxxxxxxxx");
	assert_true(breaker_allows(&breaker, at_s(10)));
	breaker_forget(&breaker, at_s(10));
	assert_true(breaker_allows(&breaker, at_s(10)));
	assert_string_equal(breaker_state_name(breaker.state), "trying");
}

/* --- cache --------------------------------------------------------------- */

static struct places_question
question(int64_t lat_nd)
{
	return (struct places_question){
		.at = { lat_nd, 5 }, .radius_m = 1000, .max = 3
	};
}

static void
keep(struct cache *cache, int64_t lat_nd, double s, const char *text,
    enum places_status status)
{
	struct places_question q = question(lat_nd);
	struct answer_facts facts = { .status = status, .results = 3 };

	cache_keep(cache, &q, at_s(s), span_from(text), &facts);
}

static void
assert_found(struct cache *cache, int64_t lat_nd, double s,
    enum cache_finding expected, const char *text)
{
	struct places_question q = question(lat_nd);
	struct answer_facts facts = { .status = PLACES_UNKNOWN_ERROR };
	struct buf out;

	buf_init(&out, 1u << 20);
	assert_int_equal(
	    cache_find(cache, &q, at_s(s), &out, &facts), expected);
	assert_true(span_is(buf_span(&out), text));
	buf_release(&out);
}

static void
test_cache_ages_from_fresh_to_stale_to_nothing(void **state HERD_UNUSED)
{
	struct cache *cache = NULL;

	assert_int_equal(cache_open(&cache), HERD_OK);
	assert_found(cache, 1, 0, CACHE_NOTHING, "");
	keep(cache, 1, 0, "answer", PLACES_OK);
	assert_found(cache, 1, 0, CACHE_FRESH, "answer");
	assert_found(cache, 2, 0, CACHE_NOTHING, "");
	assert_found(cache, 1, 59.9, CACHE_FRESH, "answer");
	assert_found(cache, 1, 60, CACHE_STALE, "answer");
	assert_found(cache, 1, 359.9, CACHE_STALE, "answer");
	assert_found(cache, 1, 360, CACHE_NOTHING, "");
	cache_close(cache);
}

static void
test_cache_remembers_a_failure_for_a_moment(void **state HERD_UNUSED)
{
	struct cache *cache = NULL;

	assert_int_equal(cache_open(&cache), HERD_OK);
	keep(cache, 1, 0, "why", PLACES_UNKNOWN_ERROR);
	assert_found(cache, 1, 4.9, CACHE_FAILURE, "why");
	assert_found(cache, 1, 5, CACHE_NOTHING, "");
	keep(cache, 1, 6, "answer", PLACES_ZERO_RESULTS);
	assert_found(cache, 1, 6, CACHE_FRESH, "answer");
	cache_close(cache);
}

/* Stale, but the upstream failed just now: give it without asking. */
static void
test_cache_serves_stale_answers_while_the_upstream_fails(
    void **state HERD_UNUSED)
{
	struct cache *cache = NULL;

	assert_int_equal(cache_open(&cache), HERD_OK);
	keep(cache, 1, 0, "answer", PLACES_OK);
	keep(cache, 1, 100, "why", PLACES_UNKNOWN_ERROR);
	assert_found(cache, 1, 100, CACHE_FRESH, "answer");
	assert_found(cache, 1, 105, CACHE_STALE, "answer");
	keep(cache, 1, 400, "why", PLACES_UNKNOWN_ERROR);
	assert_found(cache, 1, 400, CACHE_FAILURE, "why");
	keep(cache, 1, 401, "new", PLACES_OK);
	assert_found(cache, 1, 401, CACHE_FRESH, "new");
	assert_found(cache, 1, 470, CACHE_STALE, "new");
	cache_close(cache);
}

static void
test_cache_is_bounded_in_entries_and_drops_the_unused(void **state HERD_UNUSED)
{
	struct cache *cache = NULL;
	size_t entries;
	size_t bytes;

	assert_int_equal(cache_open(&cache), HERD_OK);
	for (unsigned i = 0; i < CACHE_ENTRIES_MAX; i++)
		keep(cache, i, 0, "answer", PLACES_OK);
	assert_found(cache, 0, 0, CACHE_FRESH, "answer"); /* used */
	keep(cache, CACHE_ENTRIES_MAX, 0, "answer", PLACES_OK);
	cache_size(cache, &entries, &bytes);
	assert_int_equal(entries, CACHE_ENTRIES_MAX);
	assert_found(cache, 0, 0, CACHE_FRESH, "answer");
	assert_found(cache, 1, 0, CACHE_NOTHING, "");
	assert_int_equal(cache_flush(cache), CACHE_ENTRIES_MAX);
	cache_size(cache, &entries, &bytes);
	assert_int_equal(entries, 0);
	assert_int_equal(bytes, 0);
	cache_close(cache);
}

static void
test_cache_is_bounded_in_bytes(void **state HERD_UNUSED)
{
	size_t len = PLACES_ANSWER_MAX - 1;
	char *text = malloc(len + 1);
	struct cache *cache = NULL;
	size_t entries;
	size_t bytes;

	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	assert_int_equal(cache_open(&cache), HERD_OK);
	for (int64_t i = 0; i < 40; i++) {
		keep(cache, i, 0, text, PLACES_OK);
		cache_size(cache, &entries, &bytes);
		assert_true(bytes <= CACHE_BYTES_MAX);
	}
	assert_int_equal(entries, 15);
	assert_found(cache, 39, 0, CACHE_FRESH, text);
	keep(cache, 39, 1, "small", PLACES_OK);
	cache_size(cache, &entries, &bytes);
	assert_true(bytes < 15u << 20);
	cache_close(cache);
	free(text);
}

static void
test_questions_differ_in_every_field(void **state HERD_UNUSED)
{
#define ASKED(lat, lng, radius, number, ...)                           \
	{                                                              \
		.at = { lat, lng }, .radius_m = radius, .max = number, \
		.filter = {                                            \
			__VA_ARGS__                                    \
		}                                                      \
	}
	const struct places_question base =
	    ASKED(1, 2, 1000, 3, .type = "a", .keyword = "b");
	const struct places_question others[] = {
		ASKED(2, 2, 1000, 3, .type = "a", .keyword = "b"),
		ASKED(1, 3, 1000, 3, .type = "a", .keyword = "b"),
		ASKED(2, 1, 1000, 3, .type = "a", .keyword = "b"),
		ASKED(1, 2, 1000.0000001, 3, .type = "a", .keyword = "b"),
		ASKED(1, 2, 1000, 4, .type = "a", .keyword = "b"),
		ASKED(1, 2, 1000, 3, .type = "", .keyword = "b"),
		ASKED(1, 2, 1000, 3, .type = "a", .keyword = ""),
		ASKED(1, 2, 1000, 3, .type = "b", .keyword = "a"),
		ASKED(1, 2, 1000, 3, .type = "a", .keyword = "b",
		    .open_now = true),
		ASKED(1, 2, 1000, 3, .type = "a", .keyword = "b",
		    .rank = PLACES_RANK_DISTANCE),
	};

	assert_true(question_equal(&base, &base));
	for (size_t i = 0; i < HERD_ARRAY_LEN(others); i++) {
		assert_false(question_equal(&base, &others[i]));
		assert_true(question_hash(&base) != question_hash(&others[i]));
	}
}

/* --- the key ------------------------------------------------------------- */

static void
assert_masked(const char *word, const char *text, const char *expected)
{
	struct api_key key = { .len = strlen(word) };
	struct buf out;

	memcpy(key.text, word, key.len + 1);
	buf_init(&out, 4096);
	assert_int_equal(api_key_mask(&key, span_from(text), &out), HERD_OK);
	assert_true(span_is(buf_span(&out), expected));
	buf_release(&out);
}

static void
test_mask_replaces_every_key(void **state HERD_UNUSED)
{
	assert_masked("abc", "", "");
	assert_masked("abc", "ab", "ab");
	assert_masked("abc", "abc", API_KEY_MASK);
	assert_masked(
	    "abc", "xabcabcyabab", "x" API_KEY_MASK API_KEY_MASK "yabab");
	assert_masked("", "no key, nothing to mask", "no key, nothing to mask");
}

/* --- JSON ---------------------------------------------------------------- */

static void
test_scan_takes_json_and_nothing_else(void **state HERD_UNUSED)
{
	static const char *const good[] = { "0", "-0", "1.5e+10", "\"\"", "[]",
		"{}", " [ 1 , 2 ] \r\n\t", "true", "false", "null",
		"{\"a\":{\"b\":[{}]},\"c\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
		"\"\\ud83c\\udf5c\"", "\xef\xbb\xbf{}", "\"\xc3\xa9\"" };
	static const char *const bad[] = { "", " ", "[", "{", "]", "}", "[1,]",
		"[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}",
		"{\"a\" 1}", "01", "1.", ".5", "+1", "1e", "--1", "0x1", "nan",
		"Infinity", "tru", "truex", "nullnull", "\"", "\"\\x\"",
		"\"\\u12\"", "\"\\u0000\"", "\"\\ud83c\"", "\"\\udf5c\"",
		"\"\\ud83cx\"", "\"\\ud83c\\n\"", "\"\\ud83c\\ud83c\"",
		"\"\n\"", "\"\x01\"", "[] []", "{}{}", "1 2", "/* */1", "'a'",
		"\"\xff\"", "\"\xc3\"", "[}", "{]", "{\"a\":1]", "[1}" };

	for (size_t i = 0; i < HERD_ARRAY_LEN(good); i++) {
		const char *why = json_scan_check(span_from(good[i]));

		if (why != NULL)
			fail_msg("%s: %s", good[i], why);
	}
	for (size_t i = 0; i < HERD_ARRAY_LEN(bad); i++) {
		if (json_scan_check(span_from(bad[i])) == NULL)
			fail_msg("%s was taken", bad[i]);
	}
	assert_non_null(json_scan_check(span_of("[]\0", 3)));
}

static void
fill(char *text, size_t count, char c)
{
	memset(text, c, count);
	text[count] = '\0';
}

static void
test_scan_keeps_its_limits(void **state HERD_UNUSED)
{
	static char text[4 * JSON_SCAN_VALUES_MAX];

	fill(text, JSON_SCAN_DEPTH_MAX, '[');
	fill(text + JSON_SCAN_DEPTH_MAX, JSON_SCAN_DEPTH_MAX, ']');
	assert_null(json_scan_check(span_from(text)));
	fill(text, JSON_SCAN_DEPTH_MAX + 1, '[');
	fill(text + JSON_SCAN_DEPTH_MAX + 1, JSON_SCAN_DEPTH_MAX + 1, ']');
	assert_string_equal(
	    json_scan_check(span_from(text)), "nested too deeply");
	fill(text, JSON_SCAN_NUMBER_MAX, '1');
	assert_null(json_scan_check(span_from(text)));
	fill(text, JSON_SCAN_NUMBER_MAX + 1, '1');
	assert_string_equal(
	    json_scan_check(span_from(text)), "too long a number");
	for (size_t extra = 0; extra < 2; extra++) {
		size_t count = JSON_SCAN_VALUES_MAX - 1 + extra;

		text[0] = '[';
		for (size_t i = 0; i < count; i++) {
			text[1 + 2 * i] = '0';
			text[2 + 2 * i] = ',';
		}
		text[2 * count] = ']';
		text[2 * count + 1] = '\0';
		assert_int_equal(
		    json_scan_check(span_from(text)) == NULL, extra == 0);
	}
}

/* Cut anywhere, a text is not JSON: nothing half is ever taken. */
static void
test_scan_refuses_every_prefix(void **state HERD_UNUSED)
{
	static const char text[] = "{\"a\":[1,-2.5e3,true,null,\"\\u00e9\"],"
				   "\"b\":{\"c\":\"d\"}}";

	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_non_null(json_scan_check(span_of(text, len)));
	assert_null(json_scan_check(span_of(text, sizeof(text) - 1)));
}

/* --- requests ------------------------------------------------------------ */

static void
test_decimals_have_no_exponent(void **state HERD_UNUSED)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 50000, "50000" },
		{ 34.06893, "34.06893" },
		{ -118.445127, "-118.445127" },
		{ 1e-9, "0.000000001" },
		{ 1e-10, "0" },
		{ 100, "100" },
		{ -180, "-180" },
		{ 0.0005, "0.0005" },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		char text[UPSTREAM_DECIMAL_MAX];

		upstream_decimal(cases[i].value, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void
test_legacy_request_escapes_the_key(void **state HERD_UNUSED)
{
	const struct upstream *legacy = upstream_find(PLACES_GOOGLE_LEGACY);
	struct api_key key = { "a&b=c#d%", 8 };
	struct upstream_config config = { .base_url = "https://x",
		.key = &key };
	struct places_question q = {
		.at = { 1500000000, -2000000000 }, .radius_m = 250.5, .max = 3
	};
	struct upstream_request request;

	upstream_request_init(&request);
	assert_int_equal(legacy->ask(&config, &q, &request), HERD_OK);
	assert_true(span_is(buf_span(&request.url),
	    "https://x/maps/api/place/nearbysearch/json?location=1.5,-2"
	    "&radius=250.5&key=a%26b%3Dc%23d%25"));
	upstream_request_release(&request);
}

/* The providers that can take a filter get it. */
static void
test_filter_reaches_each_upstream(void **state HERD_UNUSED)
{
	static const struct {
		enum places_kind kind;
		const char *parts[3]; /* of URL and body */
	} cases[] = {
		{ PLACES_GOOGLE,
		    { "\"includedTypes\":[\"cafe\"]", "\"DISTANCE\"",
			"\"maxResultCount\":20" } },
		{ PLACES_GOOGLE_LEGACY,
		    { "&type=cafe", "&keyword=gr%C3%BCn", "&opennow" } },
		{ PLACES_PHOTON, { "&osm_tag=amenity", "limit=50", "lat=1" } },
	};
	struct api_key key = { "k", 1 };
	struct upstream_config config = { .base_url = "https://x",
		.key = &key };
	struct places_question q = {
		.at = { 1000000000, 0 }, .radius_m = 100, .max = 3
	};
	struct upstream_request request;

	assert_null(question_set_filter(&q, span_from("cafe"),
	    span_from("green"), true, span_from("distance")));
	memcpy(q.filter.keyword, "gr\xc3\xbcn", 6);
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		upstream_request_init(&request);
		assert_int_equal(
		    upstream_find(cases[i].kind)->ask(&config, &q, &request),
		    HERD_OK);
		for (size_t p = 0; p < HERD_ARRAY_LEN(cases[i].parts); p++)
			assert_true(strstr(buf_cstr(&request.url),
					cases[i].parts[p]) != NULL ||
				    strstr(buf_cstr(&request.body),
					cases[i].parts[p]) != NULL);
		assert_null(strstr(buf_cstr(&request.url), "=shop"));
		upstream_request_release(&request);
	}
}

/* Google refuses a request for one of the types that only answers have. */
static void
test_google_is_not_asked_for_types_of_answers_alone(void **state HERD_UNUSED)
{
	static const char *const types[] = { "establishment", "food",
		"place_of_worship", "sublocality_level_1" };
	struct api_key key = { "k", 1 };
	struct upstream_config config = { .base_url = "https://x",
		.key = &key };
	struct span none = span_from("");

	for (size_t i = 0; i < HERD_ARRAY_LEN(types); i++) {
		struct places_question q = { .radius_m = 100, .max = 3 };
		struct upstream_request request;

		assert_null(question_set_filter(
		    &q, span_from(types[i]), none, false, none));
		upstream_request_init(&request);
		assert_int_equal(
		    upstream_find(PLACES_GOOGLE)->ask(&config, &q, &request),
		    HERD_OK);
		assert_null(strstr(buf_cstr(&request.body), "includedTypes"));
		assert_non_null(
		    strstr(buf_cstr(&request.body), "\"maxResultCount\":20"));
		upstream_request_release(&request);
	}
}

static void
test_blanks_around_a_keyword_do_not_count(void **state HERD_UNUSED)
{
	struct places_question q = { .max = 1 };
	struct span none = span_from("");

	assert_null(question_set_filter(
	    &q, none, span_from(" Caf\xc3\xa9 Bean\t"), false, none));
	assert_string_equal(q.filter.keyword, "cafe bean");
	assert_null(
	    question_set_filter(&q, none, span_from("  "), false, none));
	assert_false(question_is_filtered(&q));
}

static void
test_filters_that_are_wrong_are_refused(void **state HERD_UNUSED)
{
	struct places_question q = { .max = 1 };
	char word[PLACES_KEYWORD_MAX + 2];
	struct span none = span_from("");

	memset(word, 'a', sizeof(word));
	assert_non_null(
	    question_set_filter(&q, span_from("Cafe"), none, false, none));
	assert_non_null(question_set_filter(
	    &q, span_of(word, PLACES_TYPE_MAX + 1), none, false, none));
	assert_non_null(question_set_filter(
	    &q, none, span_of(word, PLACES_KEYWORD_MAX + 1), false, none));
	assert_non_null(
	    question_set_filter(&q, none, span_from("\xff"), false, none));
	assert_non_null(
	    question_set_filter(&q, none, span_of("a\0b", 3), false, none));
	assert_non_null(
	    question_set_filter(&q, none, none, false, span_from("best")));
	assert_null(question_set_filter(&q, none, none, false, none));
	assert_false(question_is_filtered(&q));
}

/* --- answers ------------------------------------------------------------- */

static const struct upstream_config CONFIG = {
	.icon_base = "https://icons.example/",
};

static const char *
read_answer(enum places_kind kind, struct location at, const char *body,
    struct buf *json)
{
	const struct places_question q = {
		.at = at, .radius_m = 50000, .max = 20
	};
	struct answer_facts facts;
	struct buf why;

	buf_init(json, PLACES_ANSWER_MAX);
	buf_init(&why, UPSTREAM_WHY_MAX);
	assert_int_equal(upstream_read(upstream_find(kind), &CONFIG, &q, 200,
			     span_from(body), json, &facts, &why),
	    HERD_OK);
	assert_int_equal(facts.status, PLACES_OK);
	buf_release(&why);
	return buf_cstr(json);
}

#define AT_ZERO "\"location\":{\"latitude\":0,\"longitude\":0}"

/* html_attributions is HTML, and the upstream's names are anybody's. */
static void
test_credits_are_links_of_escaped_text(void **state HERD_UNUSED)
{
	static const char body[] =
	    "{\"places\":[{\"id\":\"a\",\"displayName\":{\"text\":\"A\"}," AT_ZERO
	    ",\"photos\":[{\"name\":\"p\","
	    "\"authorAttributions\":[{\"uri\":\"//x.example/?a=1&b=\\\"\","
	    "\"displayName\":\"Ann <b>&\"}]},"
	    "{\"name\":\"q\",\"authorAttributions\":[{\"uri\":"
	    "\"javascript:alert(1)\",\"displayName\":\"Eve\"}]}],"
	    "\"attributions\":[{\"provider\":\"A & B\",\"providerUri\":"
	    "\"https://ab.example/\"},{\"provider\":\"Plain\"}]},"
	    "{\"id\":\"b\",\"displayName\":{\"text\":\"B\"}," AT_ZERO
	    ",\"attributions\":["
	    "{\"provider\":\"Plain\"},{\"providerUri\":\"https://no.name/\"}"
	    "]}]}";
	struct buf json;
	const char *text =
	    read_answer(PLACES_GOOGLE, (struct location){ 0, 0 }, body, &json);

	assert_non_null(strstr(text,
	    "{\n   \"html_attributions\" : [\n"
	    "      \"\\u003ca href=\\\"https://ab.example/\\\"\\u003e"
	    "A &amp; B\\u003c/a\\u003e\",\n"
	    "      \"Plain\"\n   ],\n"));
	assert_non_null(strstr(text,
	    "\"\\u003ca href=\\\"//x.example/?a=1&amp;b=&quot;\\\"\\u003e"
	    "Ann &lt;b&gt;&amp;\\u003c/a\\u003e\""));
	assert_non_null(strstr(text, "\"html_attributions\" : [ \"Eve\" ]"));
	buf_release(&json);
}

/* Where the upstream has no viewport, ours stays on the globe. */
static void
test_viewport_of_a_place_stays_on_the_globe(void **state HERD_UNUSED)
{
	static const char google[] =
	    "{\"places\":[{\"id\":\"a\",\"displayName\":{\"text\":\"A\"},"
	    "\"location\":"
	    "{\"latitude\":89.9995,\"longitude\":179.9995}}]}";
	static const char photon[] =
	    "{\"features\":[{\"geometry\":{\"coordinates\":[-179.9995,"
	    "-89.9995]},\"properties\":{\"osm_type\":\"N\",\"osm_id\":1,"
	    "\"name\":\"x\"}}]}";
	const struct location north = { 90000000000, 180000000000 };
	const struct location south = { -90000000000, 180000000000 };
	struct buf json;
	const char *text = read_answer(PLACES_GOOGLE, north, google, &json);

	assert_non_null(
	    strstr(text, "\"northeast\" : {\n"
			 "                  \"lat\" : 90,\n"
			 "                  \"lng\" : -179.99915011\n"));
	buf_release(&json);
	text = read_answer(PLACES_PHOTON, south, photon, &json);
	assert_non_null(
	    strstr(text, "\"southwest\" : {\n"
			 "                  \"lat\" : -90,\n"
			 "                  \"lng\" : 179.99915011\n"));
	buf_release(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_breaker_opens_at_half_of_twenty),
		cmocka_unit_test(test_breaker_lets_one_try_after_its_time),
		cmocka_unit_test(
		    test_breaker_ignores_calls_from_before_it_opened),
		cmocka_unit_test(test_breaker_forgotten_try_can_be_made_again),
		cmocka_unit_test(
		    test_cache_ages_from_fresh_to_stale_to_nothing),
		cmocka_unit_test(test_cache_remembers_a_failure_for_a_moment),
		cmocka_unit_test(
		    test_cache_serves_stale_answers_while_the_upstream_fails),
		cmocka_unit_test(
		    test_cache_is_bounded_in_entries_and_drops_the_unused),
		cmocka_unit_test(test_cache_is_bounded_in_bytes),
		cmocka_unit_test(test_questions_differ_in_every_field),
		cmocka_unit_test(test_mask_replaces_every_key),
		cmocka_unit_test(test_scan_takes_json_and_nothing_else),
		cmocka_unit_test(test_scan_keeps_its_limits),
		cmocka_unit_test(test_scan_refuses_every_prefix),
		cmocka_unit_test(test_decimals_have_no_exponent),
		cmocka_unit_test(test_legacy_request_escapes_the_key),
		cmocka_unit_test(test_filter_reaches_each_upstream),
		cmocka_unit_test(test_filters_that_are_wrong_are_refused),
		cmocka_unit_test(
		    test_google_is_not_asked_for_types_of_answers_alone),
		cmocka_unit_test(test_blanks_around_a_keyword_do_not_count),
		cmocka_unit_test(test_credits_are_links_of_escaped_text),
		cmocka_unit_test(test_viewport_of_a_place_stays_on_the_globe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
