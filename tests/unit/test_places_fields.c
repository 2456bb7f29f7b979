/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What public clients of Google's answers demand of each result, whichever
 * provider it came from, and which places of an upstream become results.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "places/gazetteer_reader.h"
#include "places/question.h"
#include "places/upstream.h"
#include "places/upstream_json.h"

#define ICONS "https://icons.example/"

/*
 * A client and the members without which it raises an error or does not
 * decode. business_status is demanded of what has one: an establishment.
 */
static const struct {
	const char *client;
	const char *members[11];
} DEMANDS[] = {
	{ "Python, attributes of a place",
	    { "geometry.location.lat", "geometry.location.lng", "icon", "name",
		"place_id", "reference", "types", "vicinity" } },
	{ "Swift, Decodable without optionals",
	    { "geometry.location.lat", "geometry.viewport.northeast.lat",
		"geometry.viewport.southwest.lng", "icon", "name", "place_id",
		"reference", "scope", "types", "vicinity" } },
	{ "TypeScript, io-ts",
	    { "geometry.viewport.northeast.lng", "icon",
		"icon_background_color", "icon_mask_base_uri", "name",
		"place_id", "scope", "types", "vicinity" } },
	{ "of an establishment", { "business_status" } },
};

static const cJSON *
find(const cJSON *json, const char *path)
{
	char part[64];

	while (json != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		json = cJSON_GetObjectItemCaseSensitive(json, part);
		path += len + (path[len] == '.');
	}
	return json;
}

static bool
has_type(const cJSON *place, const char *type)
{
	const cJSON *types = find(place, "types");
	const cJSON *each;

	cJSON_ArrayForEach(each, types) {
		if (strcmp(each->valuestring, type) == 0)
			return true;
	}
	return false;
}

static void
check_results(const cJSON *answer)
{
	const cJSON *place;

	cJSON_ArrayForEach(place, find(answer, "results")) {
		for (size_t d = 0; d < HERD_ARRAY_LEN(DEMANDS); d++) {
			if (strcmp(DEMANDS[d].client, "of an establishment") ==
				0 &&
			    !has_type(place, "establishment"))
				continue;
			for (size_t m = 0; DEMANDS[d].members[m] != NULL; m++) {
				const char *path = DEMANDS[d].members[m];

				if (find(place, path) == NULL)
					fail_msg("%s: no %s in %s",
					    DEMANDS[d].client, path,
					    cJSON_Print(place));
			}
		}
		/* What is not known is not invented. */
		assert_null(find(place, "price_level"));
		assert_null(find(place, "rating"));
	}
}

/* Reads an upstream's answer around 0, 0; cJSON_Delete it. */
static cJSON *
read_with(const char *icon_base, enum places_kind kind, const char *body,
    struct answer_facts *facts)
{
	const struct upstream_config config = { .icon_base = icon_base };
	const struct places_question q = { .radius_m = 50000, .max = 20 };
	struct buf json;
	struct buf why;
	cJSON *answer = NULL;

	buf_init(&json, PLACES_ANSWER_MAX);
	buf_init(&why, UPSTREAM_WHY_MAX);
	assert_int_equal(upstream_read(upstream_find(kind), &config, &q, 200,
			     span_from(body), &json, facts, &why),
	    HERD_OK);
	if (answer_is_good(facts->status)) {
		answer = cJSON_ParseWithLength(buf_span(&json).data, json.len);
		assert_non_null(answer);
		check_results(answer);
	} else {
		assert_true(why.len > 0);
	}
	buf_release(&json);
	buf_release(&why);
	return answer;
}

static const char *
text_at(const cJSON *answer, int index, const char *path)
{
	const cJSON *place = cJSON_GetArrayItem(find(answer, "results"), index);
	const cJSON *item = find(place, path);

	if (!cJSON_IsString(item))
		fail_msg("result %d has no text at %s", index, path);
	return item->valuestring;
}

/* --- google --------------------------------------------------------------- */

#define NAMED "\"displayName\":{\"text\":\"Good\"}"
#define GOOD "{\"id\":\"A\"," NAMED ",\"location\":{\"latitude\":0.1}}"

static void
test_google_leaves_out_and_counts_what_lacks_something(void **state HERD_UNUSED)
{
	static const char *const lacking[] = {
		"{\"id\":\"B\"," NAMED "}",
		"{\"id\":\"B\",\"location\":{\"latitude\":0.1}}",
		"{" NAMED ",\"location\":{\"latitude\":0.1}}",
		"{\"id\":\"\"," NAMED ",\"location\":{}}",
		"{\"id\":\"B\"," NAMED ",\"location\":{\"latitude\":\"0.1\"}}",
		"{\"id\":\"B\"," NAMED ",\"location\":{\"latitude\":91}}",
		"{\"id\":\"B\",\"displayName\":{\"text\":\"\"},\"location\":{}}",
		"{\"id\":\"B\",\"displayName\":7,\"location\":{}}",
		"null",
		"[]",
		"7",
	};
	char body[512];
	struct answer_facts facts;
	cJSON *answer;

	for (size_t i = 0; i < HERD_ARRAY_LEN(lacking); i++) {
		snprintf(body, sizeof(body), "{\"places\":[%s," GOOD ",%s]}",
		    lacking[i], lacking[i]);
		answer = read_with(ICONS, PLACES_GOOGLE, body, &facts);
		assert_int_equal(facts.status, PLACES_OK);
		assert_int_equal(facts.results, 1);
		assert_int_equal(facts.left_out, 2);
		assert_string_equal(text_at(answer, 0, "name"), "Good");
		cJSON_Delete(answer);
		/* An answer that has nothing else is no answer. */
		snprintf(body, sizeof(body), "{\"places\":[%s]}", lacking[i]);
		assert_null(read_with(ICONS, PLACES_GOOGLE, body, &facts));
		assert_int_equal(facts.status, PLACES_UNKNOWN_ERROR);
	}
}

/* ProtoJSON leaves out what is 0: the equator, Greenwich. */
static void
test_google_place_at_zero_is_a_place(void **state HERD_UNUSED)
{
	static const char body[] =
	    "{\"places\":[{\"id\":\"A\"," NAMED ",\"location\":{}},"
	    "{\"id\":\"B\"," NAMED ",\"location\":{\"longitude\":0.2}}]}";
	struct answer_facts facts;
	cJSON *answer = read_with(ICONS, PLACES_GOOGLE, body, &facts);

	assert_int_equal(facts.results, 2);
	assert_int_equal(facts.left_out, 0);
	cJSON_Delete(answer);
}

static void
test_google_vicinity_is_the_best_address(void **state HERD_UNUSED)
{
	static const char body[] =
	    "{\"places\":[{\"id\":\"A\"," NAMED ",\"location\":{},"
	    "\"formattedAddress\":\"long\",\"shortFormattedAddress\":"
	    "\"short\"},{\"id\":\"B\"," NAMED ",\"location\":{},"
	    "\"formattedAddress\":\"08680, Peru\"},"
	    "{\"id\":\"C\"," NAMED ",\"location\":{}}]}";
	struct answer_facts facts;
	cJSON *answer = read_with(ICONS, PLACES_GOOGLE, body, &facts);

	assert_string_equal(text_at(answer, 0, "vicinity"), "short");
	assert_string_equal(text_at(answer, 1, "vicinity"), "08680, Peru");
	assert_string_equal(text_at(answer, 2, "vicinity"), "Good");
	cJSON_Delete(answer);
}

static void
test_google_icon_of_its_own_counts(void **state HERD_UNUSED)
{
	static const char body[] =
	    "{\"places\":[{\"id\":\"A\"," NAMED ",\"location\":{},"
	    "\"types\":[\"cafe\",\"establishment\"],\"businessStatus\":"
	    "\"OPERATIONAL\",\"iconMaskBaseUri\":"
	    "\"https://g.example/cafe_pinlet\",\"iconBackgroundColor\":"
	    "\"#123456\"},{\"id\":\"B\"," NAMED ",\"location\":{},"
	    "\"types\":[\"unheard_of\"]}]}";
	struct answer_facts facts;
	cJSON *answer = read_with(ICONS, PLACES_GOOGLE, body, &facts);

	assert_string_equal(text_at(answer, 0, "icon"), ICONS "cafe-71.png");
	assert_string_equal(text_at(answer, 0, "icon_mask_base_uri"),
	    "https://g.example/cafe_pinlet");
	assert_string_equal(
	    text_at(answer, 0, "icon_background_color"), "#123456");
	assert_string_equal(text_at(answer, 1, "icon"), ICONS "geocode-71.png");
	assert_string_equal(
	    text_at(answer, 1, "icon_mask_base_uri"), ICONS "geocode-71");
	cJSON_Delete(answer);
}

static void
test_empty_icon_base_turns_icons_off(void **state HERD_UNUSED)
{
	const struct upstream_config config = { .icon_base = "" };
	const struct places_question q = { .radius_m = 50000, .max = 20 };
	struct answer_facts facts;
	struct buf json;
	struct buf why;

	buf_init(&json, PLACES_ANSWER_MAX);
	buf_init(&why, UPSTREAM_WHY_MAX);
	assert_int_equal(
	    upstream_read(upstream_find(PLACES_GOOGLE), &config, &q, 200,
		span_from("{\"places\":[" GOOD "]}"), &json, &facts, &why),
	    HERD_OK);
	assert_int_equal(facts.results, 1);
	assert_null(strstr(buf_cstr(&json), "\"icon"));
	buf_release(&json);
	buf_release(&why);
}

/* --- photon --------------------------------------------------------------- */

#define FEATURE(id, properties)                                          \
	"{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\","        \
	"\"coordinates\":[0.1,0.1]},\"properties\":{\"osm_type\":\"N\"," \
	"\"osm_id\":" id "," properties "}}"
#define HOUSE(id, country)                                                  \
	FEATURE(id, "\"osm_key\":\"tourism\",\"osm_value\":\"attraction\"," \
		    "\"housenumber\":\"4\",\"street\":\"Plaza\",\"city\":"  \
		    "\"Town\",\"countrycode\":\"" country "\"")

static void
test_photon_number_goes_where_the_country_has_it(void **state HERD_UNUSED)
{
	static const char body[] = "{\"features\":[" HOUSE("1", "US") "," HOUSE(
	    "2", "DE") "," HOUSE("3", "FR") "," HOUSE("4", "") "]}";
	struct answer_facts facts;
	cJSON *answer = read_with(ICONS, PLACES_PHOTON, body, &facts);

	assert_int_equal(facts.results, 4);
	assert_string_equal(text_at(answer, 0, "vicinity"), "4 Plaza, Town");
	assert_string_equal(text_at(answer, 0, "name"), "4 Plaza");
	assert_string_equal(text_at(answer, 1, "vicinity"), "Plaza 4, Town");
	assert_string_equal(text_at(answer, 2, "vicinity"), "4 Plaza, Town");
	assert_string_equal(text_at(answer, 3, "vicinity"), "Plaza 4, Town");
	cJSON_Delete(answer);
}

static void
test_photon_gives_only_what_is_a_place(void **state HERD_UNUSED)
{
#define TAGGED(id, key, value)                                       \
	FEATURE(id, "\"osm_key\":\"" key "\",\"osm_value\":\"" value \
		    "\",\"name\":\"" key "-" value "\"")
	static const char body[] = "{\"features\":[" TAGGED("1", "highway",
	    "residential") "," TAGGED("2", "place", "house") "," TAGGED("3",
	    "amenity", "cafe") "," TAGGED("4", "highway",
	    "bus_stop") "," TAGGED("5", "building", "yes") "," TAGGED("6",
	    "railway", "rail") "," TAGGED("7", "natural", "peak") "]}";
	struct answer_facts facts;
	cJSON *answer = read_with(ICONS, PLACES_PHOTON, body, &facts);

	assert_int_equal(facts.results, 3);
	assert_int_equal(facts.left_out, 0);
	assert_string_equal(text_at(answer, 0, "name"), "amenity-cafe");
	assert_string_equal(
	    text_at(answer, 0, "business_status"), "OPERATIONAL");
	assert_string_equal(text_at(answer, 1, "name"), "highway-bus_stop");
	assert_string_equal(text_at(answer, 2, "name"), "natural-peak");
	cJSON_Delete(answer);
}

static void
test_photon_leaves_out_and_counts_what_lacks_something(void **state HERD_UNUSED)
{
	static const char body[] =
	    "{\"features\":[{\"properties\":{\"osm_type\":\"N\",\"osm_id\":9,"
	    "\"name\":\"nowhere\"}},null,{\"geometry\":{\"coordinates\":"
	    "[0,0]},\"properties\":{\"name\":\"no id\"}}," FEATURE("1",
		"\"osm_key\":\"shop\",\"osm_value\":\"books\"") "," FEATURE("2",
		"\"name\":\"Good\"") "]}";
	struct answer_facts facts;
	cJSON *answer = read_with(ICONS, PLACES_PHOTON, body, &facts);

	assert_int_equal(facts.results, 1);
	assert_int_equal(facts.left_out, 4);
	cJSON_Delete(answer);
}

/* --- filters ---------------------------------------------------------------
 */

static void
test_filter_leaves_what_fits(void **state HERD_UNUSED)
{
#define TYPED(id, name, type, open)                                   \
	"{\"id\":\"" id "\",\"displayName\":{\"text\":\"" name        \
	"\"},\"location\":{},\"types\":[\"" type "\"],"               \
	"\"businessStatus\":\"OPERATIONAL\",\"currentOpeningHours\":" \
	"{\"openNow\":" open "}}"
	static const char body[] = "{\"places\":[" TYPED(
	    "1", "Blue Caf\xc3\xa9", "cafe", "true") "," TYPED("2", "Blue Bar",
	    "bar", "true") "," TYPED("3", "Blue Cafe", "cafe",
	    "false") "," TYPED("4", "Red", "cafe", "true") "]}";
	const struct upstream_config config = { .icon_base = ICONS };
	struct places_question q = { .radius_m = 50000, .max = 20 };
	struct answer_facts facts;
	struct buf json;
	struct buf why;

	assert_null(question_set_filter(
	    &q, span_from("cafe"), span_from("CAFE"), true, span_from("")));
	buf_init(&json, PLACES_ANSWER_MAX);
	buf_init(&why, UPSTREAM_WHY_MAX);
	assert_int_equal(upstream_read(upstream_find(PLACES_GOOGLE), &config,
			     &q, 200, span_from(body), &json, &facts, &why),
	    HERD_OK);
	assert_int_equal(facts.results, 1);
	assert_int_equal(facts.left_out, 0);
	assert_non_null(strstr(buf_cstr(&json), "\"place_id\" : \"1\""));
	buf_release(&json);
	buf_release(&why);
}

/* --- gazetteer ------------------------------------------------------------ */

static void
test_gazetteer_results_have_all_that_clients_demand(void **state HERD_UNUSED)
{
	const struct places_question q = {
		.at = { 50110000000, 8680000000 }, .radius_m = 50000, .max = 20
	};
	struct gazetteer *gazetteer = NULL;
	struct gazetteer_reader *reader = NULL;
	struct answer_facts facts;
	const char *error = NULL;
	struct buf text;
	cJSON *answer;

	buf_init(&text, PLACES_ANSWER_MAX);
	assert_int_equal(
	    gazetteer_open("build/gazetteer.sqlite", ICONS, &text, &gazetteer),
	    HERD_OK);
	assert_int_equal(gazetteer_reader_open(gazetteer, &reader), HERD_OK);
	assert_int_equal(
	    gazetteer_reader_ask(reader, &q, &text, &facts, &error), HERD_OK);
	assert_int_equal(facts.results, 20);
	answer = cJSON_ParseWithLength(buf_span(&text).data, text.len);
	check_results(answer);
	cJSON_Delete(answer);
	gazetteer_reader_close(reader);
	gazetteer_close(gazetteer);
	buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_google_leaves_out_and_counts_what_lacks_something),
		cmocka_unit_test(test_google_place_at_zero_is_a_place),
		cmocka_unit_test(test_google_vicinity_is_the_best_address),
		cmocka_unit_test(test_google_icon_of_its_own_counts),
		cmocka_unit_test(test_empty_icon_base_turns_icons_off),
		cmocka_unit_test(
		    test_photon_number_goes_where_the_country_has_it),
		cmocka_unit_test(test_photon_gives_only_what_is_a_place),
		cmocka_unit_test(
		    test_photon_leaves_out_and_counts_what_lacks_something),
		cmocka_unit_test(test_filter_leaves_what_fits),
		cmocka_unit_test(
		    test_gazetteer_results_have_all_that_clients_demand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
