/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gazetteer over the real data: the same places as a scan of all of
 * them, in order, at the poles and the antimeridian too; the look of its
 * answers; which files it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <sqlite3.h>

#include "herd/herdfile.h"
#include "herd/gazetteer_file.h"
#include "places/gazetteer_reader.h"
#include "herd/kd_tree.h"

#define DATA "build/gazetteer.sqlite"
#define GOLDEN "tests/unit/data/places-frankfurt.json"
#define ICONS "https://maps.gstatic.com/mapfiles/place_api/icons/v1/png_71/"
#define QUESTIONS 2000u
/* Points are stored to 3 mm; what is closer than this may change places. */
#define TOLERANCE_M 0.02

struct point {
	double at[3]; /* on the unit sphere */
	char id[24];
};

struct world {
	struct gazetteer *gazetteer;
	struct gazetteer_reader *reader;
	struct point *points;
	size_t count;
	struct buf answer;
};

static void
unit_vector(double lat, double lng, double out[3])
{
	gazetteer_vector(lat, lng, out);
	for (int i = 0; i < 3; i++)
		out[i] /= GAZETTEER_UNIT;
}

static int
load_points(struct world *world)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *read = NULL;

	world->points = calloc(world->gazetteer->rows, sizeof(struct point));
	if (world->points == NULL ||
	    sqlite3_open_v2(DATA, &db, SQLITE_OPEN_READONLY, NULL) !=
		SQLITE_OK ||
	    sqlite3_prepare_v2(db, "SELECT lat, lng, place_id FROM place", -1,
		&read, NULL) != SQLITE_OK)
		return -1;
	while (sqlite3_step(read) == SQLITE_ROW) {
		struct point *point = &world->points[world->count++];

		unit_vector(sqlite3_column_double(read, 0),
		    sqlite3_column_double(read, 1), point->at);
		(void)snprintf(point->id, sizeof(point->id), "%s",
		    (const char *)sqlite3_column_text(read, 2));
	}
	sqlite3_finalize(read);
	sqlite3_close(db);
	return 0;
}

static int
set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct buf message;

	*state = world;
	buf_init(&message, 4096);
	buf_init(&world->answer, PLACES_ANSWER_MAX);
	if (gazetteer_open(DATA, ICONS, &message, &world->gazetteer) !=
	    HERD_OK) {
		fprintf(stderr, SPAN_FMT "\n", SPAN_ARG(buf_span(&message)));
		return -1;
	}
	buf_release(&message);
	if (gazetteer_reader_open(world->gazetteer, &world->reader) != HERD_OK)
		return -1;
	return load_points(world);
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	gazetteer_reader_close(world->reader);
	gazetteer_close(world->gazetteer);
	buf_release(&world->answer);
	free(world->points);
	free(world);
	return 0;
}

static struct answer_facts
ask(struct world *world, double lat, double lng, double radius_m, unsigned max)
{
	struct places_question question = {
		.at = { llround(lat * 1e9), llround(lng * 1e9) },
		.radius_m = radius_m,
		.max = max,
	};
	struct answer_facts facts;
	const char *error = NULL;

	buf_clear(&world->answer);
	if (gazetteer_reader_ask(world->reader, &question, &world->answer,
		&facts, &error) != HERD_OK)
		fail_msg("%s", error);
	return facts;
}

static cJSON *
parse_answer(struct world *world)
{
	const char *end = NULL;
	const char *text = buf_cstr(&world->answer);
	cJSON *json;

	assert_non_null(text);
	json = cJSON_ParseWithOpts(text, &end, 1);
	assert_non_null(json);
	return json;
}

/* --- against brute force ------------------------------------------------- */

static double
distance_m(const double a[3], const double b[3])
{
	double sum = 0;

	for (int i = 0; i < 3; i++)
		sum += (a[i] - b[i]) * (a[i] - b[i]);
	return 2 * 6371008.8 * asin(fmin(1, sqrt(sum) / 2));
}

/* Distances of the `max` nearest within the radius, sorted; how many. */
static unsigned
scan(const struct world *world, const double at[3], double radius_m,
    unsigned max, double found[20])
{
	double limit = 2 * sin(radius_m / (2 * 6371008.8));
	unsigned count = 0;

	for (size_t i = 0; i < world->count; i++) {
		const double *p = world->points[i].at;
		double x = p[0] - at[0];
		double y = p[1] - at[1];
		double z = p[2] - at[2];
		double m;
		unsigned k;

		if (x * x + y * y + z * z > limit * limit)
			continue;
		m = distance_m(p, at);
		if (count == max && m >= found[count - 1])
			continue;
		k = count < max ? count++ : count - 1;
		for (; k > 0 && found[k - 1] > m; k--)
			found[k] = found[k - 1];
		found[k] = m;
	}
	return count;
}

static double
result_distance_m(const cJSON *result, const double at[3])
{
	const cJSON *geometry = cJSON_GetObjectItem(result, "geometry");
	const cJSON *location = cJSON_GetObjectItem(geometry, "location");
	double place[3];

	unit_vector(cJSON_GetObjectItem(location, "lat")->valuedouble,
	    cJSON_GetObjectItem(location, "lng")->valuedouble, place);
	return distance_m(place, at);
}

static void
compare(
    struct world *world, double lat, double lng, double radius_m, unsigned max)
{
	struct answer_facts facts = ask(world, lat, lng, radius_m, max);
	cJSON *json = parse_answer(world);
	const cJSON *results = cJSON_GetObjectItem(json, "results");
	double expected[20];
	double at[3];
	unsigned count;
	unsigned got = 0;
	const cJSON *result;

	unit_vector(lat, lng, at);
	count = scan(world, at, radius_m, max, expected);
	cJSON_ArrayForEach(result, results) {
		double m = result_distance_m(result, at);

		if (got >= count) /* one more on the very edge is fine */
			assert_true(fabs(m - radius_m) < TOLERANCE_M);
		else if (fabs(m - expected[got]) > TOLERANCE_M)
			fail_msg("%.9f,%.9f r %.3f max %u: result %u is %.3f "
				 "m away, not %.3f",
			    lat, lng, radius_m, max, got, m, expected[got]);
		got++;
	}
	if (got < count)
		assert_true(fabs(expected[got] - radius_m) < TOLERANCE_M);
	assert_int_equal(facts.results, got);
	assert_int_equal(
	    facts.status, got > 0 ? PLACES_OK : PLACES_ZERO_RESULTS);
	assert_string_equal(cJSON_GetObjectItem(json, "status")->valuestring,
	    got > 0 ? "OK" : "ZERO_RESULTS");
	assert_null(memmem(
	    buf_span(&world->answer).data, world->answer.len, "\n\n", 2));
	cJSON_Delete(json);
}

static double
uniform(unsigned short seed[3], double low, double high)
{
	return low + erand48(seed) * (high - low);
}

/* Near a real place, anywhere, or where coordinates are peculiar. */
static void
pick(
    const struct world *world, unsigned short seed[3], double *lat, double *lng)
{
	static const double odd[][2] = {
		{ 90, 0 },
		{ 90, 180 },
		{ -90, 0 },
		{ -90, -180 },
		{ 0, 180 },
		{ 0, -180 },
		{ -17, 180 },
		{ -17, -180 },
		{ -16.8, 179.99 },
		{ -16.8, -179.99 },
		{ 66.5, 180 },
		{ 64.7, -180 },
		{ 0, 0 },
		{ 89.99999, 90 },
		{ -89.99999, -90 },
		{ 51.48, 0 },
	};
	size_t i;

	switch ((int)uniform(seed, 0, 4)) {
	case 0:
		*lat = asin(uniform(seed, -1, 1)) * 180 / M_PI;
		*lng = uniform(seed, -180, 180);
		break;
	case 1:
		i = (size_t)uniform(seed, 0, HERD_ARRAY_LEN(odd));
		*lat = odd[i][0];
		*lng = odd[i][1];
		break;
	default:
		i = (size_t)uniform(seed, 0, (double)world->count);
		*lat = asin(world->points[i].at[2]) * 180 / M_PI;
		*lng = atan2(world->points[i].at[1], world->points[i].at[0]) *
		       180 / M_PI;
		*lat = fmin(90, fmax(-90, *lat + uniform(seed, -.2, .2)));
		*lng = fmin(180, fmax(-180, *lng + uniform(seed, -.2, .2)));
		break;
	}
	*lat = round(*lat * 1e9) / 1e9;
	*lng = round(*lng * 1e9) / 1e9;
}

static void
test_search_equals_brute_force(void **state)
{
	struct world *world = *state;
	unsigned short seed[3] = { 0x330e, 0, 0 };
	unsigned start = (unsigned)time(NULL);
	const char *again = getenv("SEED");

	if (again != NULL)
		start = (unsigned)strtoul(again, NULL, 10);
	seed[1] = (unsigned short)start;
	seed[2] = (unsigned short)(start >> 16);
	print_message("SEED=%u\n", start);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		double lat;
		double lng;

		pick(world, seed, &lat, &lng);
		compare(world, lat, lng,
		    fmin(50000, pow(10, uniform(seed, 0, 4.7))),
		    1 + (unsigned)uniform(seed, 0, 20));
	}
}

static void
test_search_at_the_poles_and_antimeridian_equals_brute_force(void **state)
{
	struct world *world = *state;
	static const double lats[] = { -90, -89.9, -77.85, -17.7, -16.8, 0,
		52.8, 65, 71, 89.9, 90 };
	static const double lngs[] = { -180, -179.99, -179, 0, 166.66, 178.5,
		179.99, 180 };

	for (size_t i = 0; i < HERD_ARRAY_LEN(lats); i++) {
		for (size_t k = 0; k < HERD_ARRAY_LEN(lngs); k++)
			compare(world, lats[i], lngs[k], 50000, 20);
	}
}

/* --- limits and look ----------------------------------------------------- */

static void
test_bound_is_kept_at_every_value(void **state)
{
	struct world *world = *state;

	for (unsigned max = 1; max <= 20; max++)
		assert_int_equal(
		    ask(world, 50.11, 8.68, 50000, max).results, max);
}

static void
test_tiny_radius_finds_only_what_is_there(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, -89.999999, 0, 0.05, 20).results, 0);
	assert_int_equal(ask(world, -90, 0, 0.1, 20).results, 1);
	assert_int_equal(ask(world, -90, 137, 0.1, 20).results, 1);
	assert_int_equal(
	    ask(world, 0, -140, 50000, 20).status, PLACES_ZERO_RESULTS);
}

/* The pole's viewport ends at the pole; the antimeridian's goes across. */
static void
test_viewports_stay_on_the_globe(void **state)
{
	struct world *world = *state;
	static const double places[][2] = { { -90, 0 }, { -16.8, 179.99 },
		{ -16.8, -179.99 }, { 78.2, 15.6 }, { -77.85, 166.67 } };

	for (size_t i = 0; i < HERD_ARRAY_LEN(places); i++) {
		const cJSON *result;
		cJSON *json;

		ask(world, places[i][0], places[i][1], 50000, 20);
		json = parse_answer(world);
		cJSON_ArrayForEach(
		    result, cJSON_GetObjectItem(json, "results")) {
			const cJSON *point;
			const cJSON *view = cJSON_GetObjectItem(
			    cJSON_GetObjectItem(result, "geometry"),
			    "viewport");

			cJSON_ArrayForEach(point, view) {
				assert_true(
				    fabs(cJSON_GetObjectItem(point, "lat")
					     ->valuedouble) <= 90);
				assert_true(
				    fabs(cJSON_GetObjectItem(point, "lng")
					     ->valuedouble) <= 180);
			}
		}
		cJSON_Delete(json);
	}
}

static void
test_answer_looks_like_googles(void **state)
{
	struct world *world = *state;
	struct buf golden;

	buf_init(&golden, 65536);
	assert_int_equal(file_read(GOLDEN, 65536, &golden), HERD_OK);
	ask(world, 50.0525, 8.570, 6000, 6);
	if (!span_equal(buf_span(&golden), buf_span(&world->answer)))
		fail_msg("not as in " GOLDEN ":\n" SPAN_FMT,
		    SPAN_ARG(buf_span(&world->answer)));
	buf_release(&golden);
}

static void
test_answer_beyond_its_room_changes_nothing(void **state)
{
	struct world *world = *state;
	struct places_question question = {
		.at = { 50110000000, 8680000000 },
		.radius_m = 50000,
		.max = 20,
	};
	struct answer_facts facts;
	const char *error = NULL;
	struct buf small;

	buf_init(&small, 2000);
	assert_int_equal(buf_add_text(&small, "before"), HERD_OK);
	assert_int_equal(gazetteer_reader_ask(
			     world->reader, &question, &small, &facts, &error),
	    HERD_ELIMIT);
	assert_true(span_is(buf_span(&small), "before"));
	assert_non_null(error);
	buf_release(&small);
}

/* The texts that a reader keeps are those that a new one writes. */
static void
test_kept_texts_are_as_good_as_new(void **state)
{
	struct world *world = *state;
	unsigned short seed[3] = { 0x330e, 4, 5 };
	struct buf first;

	buf_init(&first, PLACES_ANSWER_MAX);
	for (unsigned i = 0; i < 300; i++) {
		struct gazetteer_reader *kept = world->reader;
		double lat;
		double lng;

		pick(world, seed, &lat, &lng);
		ask(world, lat, lng, 50000, 20);
		ask(world, lat, lng, 50000, 20);
		assert_int_equal(buf_set(&first, buf_span(&world->answer).data,
				     world->answer.len),
		    HERD_OK);
		assert_int_equal(
		    gazetteer_reader_open(world->gazetteer, &world->reader),
		    HERD_OK);
		ask(world, lat, lng, 50000, 20);
		assert_true(
		    span_equal(buf_span(&first), buf_span(&world->answer)));
		gazetteer_reader_close(world->reader);
		world->reader = kept;
	}
	buf_release(&first);
}

/* --- the tree ------------------------------------------------------------ */

#define CLOUD_MAX 200u

/* Few coordinates, so that many points are equal and many equally far. */
static void
make_cloud(unsigned short seed[3], struct kd_point *points, size_t count,
    int32_t width)
{
	for (size_t i = 0; i < count; i++) {
		for (int axis = 0; axis < 3; axis++)
			points[i].at[axis] =
			    (int32_t)uniform(seed, -width, width);
		points[i].tag = (uint32_t)i;
	}
}

static double
square_distance(const struct kd_point *point, const double at[3])
{
	double sum = 0;

	for (int axis = 0; axis < 3; axis++)
		sum +=
		    (point->at[axis] - at[axis]) * (point->at[axis] - at[axis]);
	return sum;
}

/* The search's answer is the scan's, ties in the order of the array. */
static void
check_cloud(
    const struct kd_point *points, size_t count, struct kd_search search)
{
	double limit = search.limit;
	unsigned expected = 0;

	kd_tree_search(points, count, &search);
	for (size_t i = 0; i < count; i++)
		expected += square_distance(&points[i], search.at) <= limit;
	assert_int_equal(
	    search.count, expected < search.want ? expected : search.want);
	for (unsigned k = 0; k < search.count; k++) {
		const struct kd_found *place = &search.found[k];
		unsigned before = 0;

		assert_true(place->chord2 ==
			    square_distance(&points[place->index], search.at));
		for (size_t i = 0; i < count; i++) {
			double d = square_distance(&points[i], search.at);

			before += d < place->chord2 ||
				  (d == place->chord2 && i < place->index);
		}
		assert_int_equal(before, k);
	}
}

static void
test_tree_search_equals_a_scan_of_any_cloud(void **state HERD_UNUSED)
{
	static const int32_t widths[] = { 1, 3, 10, 1000, 1000000 };
	static struct kd_point points[CLOUD_MAX];
	unsigned short seed[3] = { 0x330e, 1, 2 };
	uint32_t order[CLOUD_MAX];

	for (unsigned i = 0; i < 3000; i++) {
		size_t count = i % CLOUD_MAX;
		int32_t width = widths[i % HERD_ARRAY_LEN(widths)];
		struct kd_search search = { .want = 1 + i % REQUEST_BOUND_MAX };
		bool seen[CLOUD_MAX] = { false };

		make_cloud(seed, points, count, width);
		kd_tree_build(points, count, order);
		for (size_t k = 0; k < count; k++) {
			assert_false(seen[order[k]]);
			seen[order[k]] = true;
		}
		for (int axis = 0; axis < 3; axis++)
			search.at[axis] = round(uniform(seed, -width, width));
		search.limit = pow(uniform(seed, 0, 2) * width, 2);
		check_cloud(points, count, search);
	}
}

/* A damaged file must not make the search leave the array. */
static void
test_tree_search_survives_a_senseless_tree(void **state HERD_UNUSED)
{
	static struct kd_point points[CLOUD_MAX];
	unsigned short seed[3] = { 0x330e, 2, 3 };

	for (unsigned i = 0; i < 300; i++) {
		struct kd_search search = { .limit = 1e30, .want = 20 };

		make_cloud(seed, points, CLOUD_MAX, INT32_MAX);
		for (size_t k = 0; k < CLOUD_MAX; k++)
			points[k].tag = (uint32_t)uniform(seed, 0, 4e9);
		kd_tree_search(points, CLOUD_MAX, &search);
		assert_int_equal(search.count, 20);
		for (unsigned k = 0; k < search.count; k++)
			assert_true(search.found[k].index < CLOUD_MAX);
	}
}

/* --- files --------------------------------------------------------------- */

/* Makes `path` a copy of the data with `sql` done to it. */
static void
make_variant(const char *path, const char *sql)
{
	sqlite3 *from = NULL;
	sqlite3 *to = NULL;
	sqlite3_backup *backup;

	(void)unlink(path);
	assert_int_equal(sqlite3_open(DATA, &from), SQLITE_OK);
	assert_int_equal(sqlite3_open(path, &to), SQLITE_OK);
	backup = sqlite3_backup_init(to, "main", from, "main");
	assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
	assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
	assert_int_equal(sqlite3_exec(to, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(to);
	sqlite3_close(from);
}

static void
assert_refused(const char *path, enum herd_error expected, const char *why)
{
	struct gazetteer *gazetteer = NULL;
	struct buf message;

	buf_init(&message, 4096);
	assert_int_equal(
	    gazetteer_open(path, ICONS, &message, &gazetteer), expected);
	assert_null(gazetteer);
	if (memmem(buf_span(&message).data, message.len, why, strlen(why)) ==
	    NULL)
		fail_msg(SPAN_FMT " does not say: %s",
		    SPAN_ARG(buf_span(&message)), why);
	assert_non_null(
	    memmem(buf_span(&message).data, message.len, path, strlen(path)));
	buf_release(&message);
}

static void
test_wrong_files_are_refused_by_name(void **state HERD_UNUSED)
{
	static const struct {
		const char *sql;
		const char *why;
	} variants[] = {
		{ "PRAGMA application_id = 1", "not a gazetteer of Herd" },
		{ "PRAGMA user_version = 0", "older Herd" },
		{ "PRAGMA user_version = 99", "newer Herd" },
		{ "DELETE FROM place WHERE id > 100", "it is damaged" },
		{ "UPDATE meta SET value = x'ff' WHERE key = 'notice'",
		    "it is damaged" },
		{ "DELETE FROM meta", "it is damaged" },
		{ "DELETE FROM tree", "it is damaged" },
		{ "UPDATE tree SET points = x'00'", "it is damaged" },
	};
	char folder[] = "/tmp/herd-gazetteer-XXXXXX";
	char path[64];
	FILE *file;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/a b%%?#.sqlite", folder);
	assert_refused(path, HERD_ESYSTEM, "No such file");
	assert_refused(folder, HERD_ESYSTEM, "not a regular file");
	for (size_t i = 0; i < HERD_ARRAY_LEN(variants); i++) {
		make_variant(path, variants[i].sql);
		assert_refused(path, HERD_ESYNTAX, variants[i].why);
	}
	make_variant(path, "");
	assert_int_equal(truncate(path, 1u << 20), 0);
	assert_refused(path, HERD_ESYNTAX, "cut off or damaged");
	assert_int_equal(truncate(path, 0), 0);
	assert_refused(path, HERD_ESYNTAX, "not a gazetteer of Herd");
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("Not a database at all.\n", file);
	assert_int_equal(fclose(file), 0);
	assert_refused(path, HERD_ESYNTAX, "not a gazetteer of Herd");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void
test_locate_takes_the_setting_or_says_where_it_looked(void **state HERD_UNUSED)
{
	struct buf path;
	struct buf message;

	buf_init(&path, 4096);
	buf_init(&message, 8192);
	assert_int_equal(gazetteer_locate("data/%n.sqlite", "Riley", "/srv",
			     &path, &message),
	    HERD_OK);
	assert_true(span_is(buf_span(&path), "/srv/data/Riley.sqlite"));
	buf_clear(&path);
	/* A test program lies deeper than the build's data file. */
	assert_int_equal(gazetteer_locate("", "Riley", "/srv", &path, &message),
	    HERD_ENOTFOUND);
	assert_non_null(memmem(buf_span(&message).data, message.len,
	    "/share/herd/gazetteer.sqlite", 28));
	buf_release(&path);
	buf_release(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search_equals_brute_force),
		cmocka_unit_test(
		    test_search_at_the_poles_and_antimeridian_equals_brute_force),
		cmocka_unit_test(test_bound_is_kept_at_every_value),
		cmocka_unit_test(test_tiny_radius_finds_only_what_is_there),
		cmocka_unit_test(test_viewports_stay_on_the_globe),
		cmocka_unit_test(test_answer_looks_like_googles),
		cmocka_unit_test(test_answer_beyond_its_room_changes_nothing),
		cmocka_unit_test(test_kept_texts_are_as_good_as_new),
		cmocka_unit_test(test_tree_search_equals_a_scan_of_any_cloud),
		cmocka_unit_test(test_tree_search_survives_a_senseless_tree),
		cmocka_unit_test(test_wrong_files_are_refused_by_name),
		cmocka_unit_test(
		    test_locate_takes_the_setting_or_says_where_it_looked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
