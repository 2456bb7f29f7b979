/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gazetteer's answers against an oracle of their own: every place of a
 * made-up world, its distance by the haversine in long double, all of them
 * sorted. Worlds are at the poles, on the antimeridian, in one point, in one
 * city; questions come with filters and without. A random one prints its seed.
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

#include "input/gazetteer_maker.h"
#include "places/gazetteer_reader.h"
#include "places/question.h"
#include "places/upstream_json.h"

#define EARTH_M 6371008.8L
#define WORLD_MAX 140000u /* more than two blocks of gazetteer_sets.h */
#define CITY 3000u
#define QUESTIONS 400u
#define QUESTIONS_OF_MANY 80u
/* The index measures in 3 mm; a place that near to the circle may be either. */
#define SLACK_M 0.02L

struct spot {
	double lat;
	double lng;
	unsigned type;
	char name[24];
};

struct world {
	struct spot spots[WORLD_MAX];
	unsigned count;
	char path[64];
	struct gazetteer *gazetteer;
	struct gazetteer_reader *reader;
};

static const char *const TYPES[] = { "cafe", "bar", "museum" };
static const char *const WORDS[] = { "Blue", "Café", "Müller", "Star", "Abab",
	"Star Blue", "Blue Star" };

static uint64_t seed;

static double
uniform(double low, double high)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return low +
	       (high - low) *
		   (double)((seed * UINT64_C(2685821657736338717)) >> 11) /
		   9007199254740992.0;
}

static long double
radians(double degrees)
{
	return (long double)degrees * acosl(-1.0L) / 180.0L;
}

/* From that position to the spot. */
static long double
distance_m(double lat, double lng, const struct spot *spot)
{
	long double a = radians(lat);
	long double b = radians(spot->lat);
	long double s = sinl((b - a) / 2);
	long double t = sinl((radians(spot->lng) - radians(lng)) / 2);

	return 2 * EARTH_M *
	       asinl(sqrtl(fminl(1, s * s + cosl(a) * cosl(b) * t * t)));
}

/* Few have the first one; of those that have "abab" few are the second one. */
static const char *
word_of(unsigned i)
{
	if (i % 9999 == 7)
		return "Zyx";
	return i % 211 == 5 ? "Ababab" : WORDS[i / 3 % HERD_ARRAY_LEN(WORDS)];
}

static void
add_spot(struct world *world, double lat, double lng)
{
	struct spot *spot = &world->spots[world->count];

	assert_true(world->count < WORLD_MAX);
	/* As the answer's JSON has it, seven decimals. */
	spot->lat = round(fmax(-90, fmin(90, lat)) * 1e7) / 1e7;
	if (lng > 180)
		lng -= 360;
	if (lng < -180)
		lng += 360;
	spot->lng = round(lng * 1e7) / 1e7;
	spot->type = world->count % HERD_ARRAY_LEN(TYPES);
	snprintf(spot->name, sizeof(spot->name), "%s %u", word_of(world->count),
	    world->count);
	world->count++;
}

/* Most places have nobody, and some as many as others. */
static unsigned
people_of(unsigned i)
{
	return i % 7 == 3 ? i * 37 % 1000 : 0;
}

static void
open_world(struct world *world)
{
	static const struct maker_facts facts = { .made_by = "a test",
		.notice = { "", 0 },
		.source = { "", 0 },
		.zone = { "", 0 } };
	struct gazetteer_maker *maker = malloc(sizeof(*maker));
	struct buf message;
	const char *fault;
	char id[16];

	snprintf(world->path, sizeof(world->path), "/tmp/herd-exact-%ld.sqlite",
	    (long)getpid());
	assert_true(gazetteer_maker_open(maker, world->path, WORLD_MAX));
	for (unsigned i = 0; i < world->count; i++) {
		const struct spot *spot = &world->spots[i];
		struct maker_place place = {
			.id = span_of(
			    id, (size_t)snprintf(id, sizeof(id), "%u", i)),
			.kind = GAZETTEER_KIND_OWN,
			.name = span_from(spot->name),
			.types = span_from(TYPES[spot->type]),
			.hours = span_from(i % 5 == 0 ? "24/7" : ""),
			.population = people_of(i),
			.lat = spot->lat,
			.lng = spot->lng,
		};

		assert_int_equal(
		    gazetteer_maker_add(maker, &place, &fault), MAKER_TAKEN);
	}
	assert_true(gazetteer_maker_finish(maker, &facts));
	gazetteer_maker_release(maker);
	free(maker);
	buf_init(&message, 4096);
	assert_int_equal(
	    gazetteer_open(world->path, "", &message, &world->gazetteer),
	    HERD_OK);
	assert_int_equal(
	    gazetteer_reader_open(world->gazetteer, &world->reader), HERD_OK);
	buf_release(&message);
}

static void
close_world(struct world *world)
{
	gazetteer_reader_close(world->reader);
	gazetteer_close(world->gazetteer);
	(void)unlink(world->path);
	free(world);
}

static bool
spot_fits(const struct world *world, unsigned i,
    const struct places_question *question)
{
	const struct spot *spot = &world->spots[i];
	struct span type = span_from(TYPES[spot->type]);

	return question_fits(question, &type, 1, span_from(spot->name)) &&
	       (!question->filter.open_now || i % 5 == 0);
}

/* What the oracle knows of a place. */
struct fact {
	unsigned people; /* 0 if the order is by distance */
	long double m;
};

static int
compare(const void *a, const void *b)
{
	const struct fact *x = a;
	const struct fact *y = b;

	if (x->people != y->people)
		return x->people < y->people ? 1 : -1;
	return (x->m > y->m) - (x->m < y->m);
}

static void
check(struct world *world, double lat, double lng,
    struct places_question *question)
{
	static struct fact all[WORLD_MAX];
	bool by_people = question->filter.rank == PLACES_RANK_PROMINENCE;
	struct answer_facts facts;
	const char *error = NULL;
	const cJSON *place;
	const long double radius = (long double)question->radius_m;
	unsigned near = 0, sure = 0, k = 0;
	struct buf answer;
	cJSON *json;

	question->at =
	    (struct location){ llround(lat * 1e9), llround(lng * 1e9) };
	for (unsigned i = 0; i < world->count; i++) {
		long double m;

		if (!spot_fits(world, i, question))
			continue;
		m = distance_m(lat, lng, &world->spots[i]);
		if (m > radius + SLACK_M)
			continue;
		sure += m < radius - SLACK_M;
		all[near++] = (struct fact){ by_people ? people_of(i) : 0, m };
	}
	/* One that is in or out changes the places of all after it. */
	if (by_people && sure < near)
		return;
	qsort(all, near, sizeof(all[0]), compare);
	buf_init(&answer, PLACES_ANSWER_MAX);
	assert_int_equal(gazetteer_reader_ask(
			     world->reader, question, &answer, &facts, &error),
	    HERD_OK);
	assert_true(facts.results <= question->max && facts.results <= near);
	assert_true(facts.results == question->max || facts.results >= sure);
	json = cJSON_ParseWithLength(buf_span(&answer).data, answer.len);
	cJSON_ArrayForEach(
	    place, cJSON_GetObjectItemCaseSensitive(json, "results")) {
		unsigned id = (unsigned)strtoul(
		    cJSON_GetStringValue(
			cJSON_GetObjectItemCaseSensitive(place, "place_id")),
		    NULL, 10);
		const struct spot *spot = &world->spots[id];
		long double m = distance_m(lat, lng, spot);

		assert_true(spot_fits(world, id, question));
		/* The k-th of the answer is as far as the k-th of all. */
		if (by_people)
			assert_int_equal(people_of(id), all[k].people);
		if (fabsl(m - all[k].m) > SLACK_M)
			fail_msg("at %.7f,%.7f radius %g: result %u is %Lf m, "
				 "should be %Lf m",
			    lat, lng, question->radius_m, k, m, all[k].m);
		k++;
	}
	assert_int_equal(k, facts.results);
	cJSON_Delete(json);
	buf_release(&answer);
}

/* Questions around the places, of all radii and numbers and filters. */
static void
ask_around(struct world *world)
{
	/* "Abab" is in all sets of "ababab" and does not fit. */
	static const char *const keywords[] = { "", "cafe", "MULLER", "star 1",
		"x", "zyx", "e", "7", "ababab", "bab 12", "star blue 1", "qq",
		"star star" };
	unsigned questions =
	    world->count > CITY ? QUESTIONS_OF_MANY : QUESTIONS;

	open_world(world);
	for (unsigned i = 0; i < questions; i++) {
		const struct spot *near =
		    &world->spots[(unsigned)uniform(0, world->count)];
		struct places_question question = {
			.radius_m = pow(10, uniform(-1, 4.69)),
			.max = (unsigned)uniform(1, 20.99),
			.filter.rank = i % 4 == 2 ? PLACES_RANK_PROMINENCE
						  : PLACES_RANK_USUAL,
		};
		double by =
		    uniform(0, 1) < 0.3 ? 0 : pow(10, uniform(-6, -0.5));
		double lng = near->lng + by * uniform(-1, 1);

		if (i % 2 != 0)
			assert_null(question_set_filter(&question,
			    span_from(i % 3 == 0 ? TYPES[i % 9 / 3] : ""),
			    span_from(keywords[i % HERD_ARRAY_LEN(keywords)]),
			    i % 7 == 1,
			    span_from(i % 4 == 1 ? "prominence" : "")));
		check(world,
		    fmax(-90, fmin(90, near->lat + by * uniform(-1, 1))),
		    lng > 180    ? lng - 360
		    : lng < -180 ? lng + 360
				 : lng,
		    &question);
	}
	close_world(world);
}

static struct world *
new_world(void)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	return world;
}

static void
test_poles_are_no_special_place(void **state HERD_UNUSED)
{
	for (int pole = -1; pole <= 1; pole += 2) {
		struct world *world = new_world();

		add_spot(world, pole * 90, 0);
		add_spot(world, pole * 90, 123);
		for (unsigned i = 0; i < 1000; i++)
			add_spot(world,
			    pole * (90 - pow(10, uniform(-6, -0.3))),
			    uniform(-180, 180));
		ask_around(world);
	}
}

static void
test_antimeridian_is_no_special_place(void **state HERD_UNUSED)
{
	struct world *world = new_world();

	for (unsigned i = 0; i < 1500; i++)
		add_spot(world, uniform(-0.5, 0.5) + (i % 3 - 1.0) * 60,
		    180 + pow(10, uniform(-6, -0.3)) * uniform(-1, 1));
	ask_around(world);
}

static void
test_three_hundred_places_in_one_point(void **state HERD_UNUSED)
{
	struct world *world = new_world();

	for (unsigned i = 0; i < 300; i++)
		add_spot(world, 34.06893, -118.445127);
	for (unsigned i = 0; i < 300; i++)
		add_spot(world, 34.06893 + uniform(-0.01, 0.01),
		    -118.445127 + uniform(-0.01, 0.01));
	ask_around(world);
}

static void
test_city_and_a_single_place(void **state HERD_UNUSED)
{
	struct world *world = new_world();

	for (unsigned i = 0; i < CITY; i++)
		add_spot(world, 51.5 + uniform(-0.3, 0.3) * uniform(0, 1),
		    -0.1 + uniform(-0.4, 0.4) * uniform(0, 1));
	ask_around(world);
	world = new_world();
	add_spot(world, 0, 0);
	ask_around(world);
}

/* Blocks of the index, sets with a bit for each place and sets that share. */
static void
test_city_of_many_places(void **state HERD_UNUSED)
{
	struct world *world = new_world();

	for (unsigned i = 0; i < WORLD_MAX; i++)
		add_spot(world, 51.5 + uniform(-0.3, 0.3) * uniform(0, 1),
		    -0.1 + uniform(-0.4, 0.4) * uniform(0, 1));
	ask_around(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poles_are_no_special_place),
		cmocka_unit_test(test_antimeridian_is_no_special_place),
		cmocka_unit_test(test_three_hundred_places_in_one_point),
		cmocka_unit_test(test_city_and_a_single_place),
		cmocka_unit_test(test_city_of_many_places),
	};
	const char *given = getenv("UNIT_SEED");

	seed = given != NULL ? strtoull(given, NULL, 10)
			     : (uint64_t)time(NULL) * 2654435761u + 1;
	printf("exact: UNIT_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
