/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "herd/json.h"
#include "places/gazetteer_filter.h"
#include "places/gazetteer_place.h"
#include "places/question.h"

#define EARTH_RADIUS_M 6371008.8

/*
 * A cache of places' texts with one slot for each id's remainder. Most clients
 * are near others: a town's next client gets the texts of the last one.
 */
#define SLOTS 8192u
#define SLOT_BYTES 2048u
#define SLOT_TEXT_MAX (SLOT_BYTES - 2 * sizeof(uint32_t) - sizeof(uint64_t))

/* Longest text of one place, every byte escaped. */
#define PLACE_TEXT_MAX \
	(6u * 8u * GAZETTEER_NAME_MAX + 8u * SETTING_ICON_BASE_MAX)

#define WHY_MAX (PATH_MAX + 512u)

struct kept_place {
	uint32_t id; /* 0 = empty */
	uint32_t len;
	uint64_t minute; /* of its opening_hours; 0 = any */
	char text[SLOT_TEXT_MAX];
};

_Static_assert(
    sizeof(struct kept_place) == SLOT_BYTES, "slots are of one size");

struct gazetteer_reader {
	struct gazetteer *gazetteer;
	sqlite3 *db;
	sqlite3_stmt *read;
	struct kept_place *slots; /* touched only where used */
	struct buf text;          /* of the place that is being written */
	struct kd_search search;
	struct gazetteer_filter filter; /* of the question */
	struct kd_weights people;       /* for a question by prominence */
	struct local_time now;
	uint64_t minute;   /* of `now', since 1970 */
	char why[WHY_MAX]; /* the last failure */
};

enum herd_error
gazetteer_reader_open(
    struct gazetteer *gazetteer, struct gazetteer_reader **out)
{
	struct gazetteer_reader *reader = calloc(1, sizeof(*reader));
	enum herd_error error = HERD_OK;

	if (reader == NULL)
		return HERD_ENOMEM;
	reader->gazetteer = gazetteer_hold(gazetteer);
	buf_init(&reader->text, PLACE_TEXT_MAX);
	reader->slots = calloc(SLOTS, sizeof(*reader->slots));
	if (reader->slots == NULL)
		error = HERD_ENOMEM;
	else if (gazetteer_open_database(gazetteer->path, &reader->db) !=
		     SQLITE_OK ||
		 sqlite3_prepare_v3(reader->db, GAZETTEER_PLACE_READ, -1,
		     SQLITE_PREPARE_PERSISTENT, &reader->read,
		     NULL) != SQLITE_OK)
		error = HERD_ESYSTEM;
	if (error != HERD_OK) {
		gazetteer_reader_close(reader);
		return error;
	}
	*out = reader;
	return HERD_OK;
}

void
gazetteer_reader_close(struct gazetteer_reader *reader)
{
	if (reader == NULL)
		return;
	sqlite3_finalize(reader->read);
	sqlite3_close(reader->db);
	gazetteer_filter_release(&reader->filter);
	gazetteer_close(reader->gazetteer);
	buf_release(&reader->text);
	free(reader->slots);
	free(reader);
}

/* The great circle of radius_m as a chord, squared, in the tree's units. */
static double
chord2_of(double radius_m)
{
	double chord = 2 * sin(radius_m / (2 * EARTH_RADIUS_M));

	return chord * chord * GAZETTEER_UNIT * GAZETTEER_UNIT;
}

static void
begin_search(
    struct gazetteer_reader *reader, const struct places_question *question)
{
	struct kd_search *search = &reader->search;

	gazetteer_vector(
	    location_lat(question->at), location_lon(question->at), search->at);
	search->limit = chord2_of(question->radius_m);
	search->want = question->max;
	search->filter =
	    question_is_filtered(question) ? &reader->filter.kd : NULL;
	search->weights = question->filter.rank == PLACES_RANK_PROMINENCE
			      ? &reader->people
			      : NULL;
	search->count = 0;
}

static void
run_search(struct gazetteer_reader *reader)
{
	kd_tree_search(reader->gazetteer->points,
	    (size_t)reader->gazetteer->rows, &reader->search);
}

/*
 * First those that have people, then the nearest of the others: towns that the
 * filter leaves out would else lead the search about.
 */
static void
find_by_people(
    struct gazetteer_reader *reader, const struct places_question *question)
{
	struct kd_search *search = &reader->search;
	struct kd_found first[REQUEST_BOUND_MAX];
	unsigned count;

	gazetteer_filter_choose(&reader->filter, PEOPLE_SOME);
	run_search(reader);
	count = search->count;
	if (count == question->max)
		return;
	memcpy(first, search->found, count * sizeof(first[0]));
	gazetteer_filter_choose(&reader->filter, PEOPLE_NONE);
	search->weights = NULL;
	search->want = question->max - count;
	run_search(reader);
	memmove(search->found + count, search->found,
	    search->count * sizeof(search->found[0]));
	memcpy(search->found, first, count * sizeof(first[0]));
	search->count += count;
}

static void
find_best(
    struct gazetteer_reader *reader, const struct places_question *question)
{
	const struct kd_search *search = &reader->search;

	begin_search(reader, question);
	if (search->filter != NULL && !reader->filter.has_lists)
		return;
	if (search->filter != NULL && search->weights != NULL)
		find_by_people(reader, question);
	else
		run_search(reader);
}

/* The text of a place, from its slot or from the file. */
static enum herd_error
add_place(struct gazetteer_reader *reader, uint32_t id, struct json *json)
{
	const struct gazetteer *gazetteer = reader->gazetteer;
	struct kept_place *slot = &reader->slots[id % SLOTS];
	struct span text;
	bool depends_on_now;
	enum herd_error error;

	if (slot->id == id &&
	    (slot->minute == 0 || slot->minute == reader->minute)) {
		json_member(json, span_of(slot->text, slot->len));
		return HERD_OK;
	}
	buf_clear(&reader->text);
	error = gazetteer_place_write(reader->read, gazetteer, id - 1,
	    &reader->now, &depends_on_now, &reader->text);
	if (error != HERD_OK)
		return error;
	text = buf_span(&reader->text);
	json_member(json, text);
	if (text.len <= SLOT_TEXT_MAX) {
		memcpy(slot->text, text.data, text.len);
		slot->len = (uint32_t)text.len;
		slot->minute = depends_on_now ? reader->minute : 0;
		slot->id = id;
	}
	return HERD_OK;
}

static enum herd_error
add_places(struct gazetteer_reader *reader, struct json *json)
{
	const struct kd_search *search = &reader->search;
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; error == HERD_OK && i < search->count; i++)
		error = add_place(
		    reader, (uint32_t)search->found[i].index + 1, json);
	return error;
}

static enum herd_error
add_answer(struct gazetteer_reader *reader, struct buf *answer,
    struct answer_facts *facts)
{
	const struct gazetteer *gazetteer = reader->gazetteer;
	struct json json;
	enum herd_error error;
	enum herd_error written;

	facts->results = reader->search.count;
	facts->status = facts->results > 0 ? PLACES_OK : PLACES_ZERO_RESULTS;
	json_begin(&json, answer, JSON_GOOGLE);
	json_object(&json, NULL);
	json_texts(&json, "html_attributions", gazetteer->lines,
	    gazetteer->line_count);
	json_array(&json, "results");
	error = add_places(reader, &json);
	json_array_end(&json);
	json_text(
	    &json, "status", span_from(answer_status_name(facts->status)));
	json_object_end(&json);
	written = json_end(&json);
	return error != HERD_OK ? error : written;
}

/* SQLite reports no error for a row that only the tree has. */
static const char *
explain(struct gazetteer_reader *reader, enum herd_error error)
{
	int code = sqlite3_errcode(reader->db);
	bool fails =
	    code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE;

	if (error != HERD_ESYSTEM)
		return herd_strerror(error);
	(void)snprintf(reader->why, sizeof(reader->why),
	    "%s: damaged: %s; make it again with mkgazetteer(1) and restart",
	    reader->gazetteer->path,
	    fails ? sqlite3_errmsg(reader->db) : "a place is not there");
	return reader->why;
}

static enum herd_error
prepare(struct gazetteer_reader *reader, const struct places_question *question)
{
	struct wall now = clock_wall();
	uint64_t minute = now.ns / HERD_NS_PER_S / 60;
	const struct gazetteer_names *names = NULL;
	enum herd_error error;
	bool is_filtered;

	if (minute != reader->minute)
		reader->now = gazetteer_filter_time(reader->gazetteer, now);
	reader->minute = minute;
	is_filtered = question_is_filtered(question);
	if (!is_filtered && question->filter.rank != PLACES_RANK_PROMINENCE)
		return HERD_OK;
	error = gazetteer_names_find(reader->gazetteer, reader->db, &names);
	if (error == HERD_OK)
		reader->people =
		    (struct kd_weights){ names->people, names->peaks };
	if (error == HERD_OK && is_filtered)
		error =
		    gazetteer_filter_begin(&reader->filter, reader->gazetteer,
			names, &question->filter, minute, &reader->now);
	return error;
}

enum herd_error
gazetteer_reader_ask(struct gazetteer_reader *reader,
    const struct places_question *question, struct buf *answer,
    struct answer_facts *facts, const char **error)
{
	size_t start = answer->len;
	enum herd_error result;

	result = prepare(reader, question);
	if (result == HERD_OK) {
		find_best(reader, question);
		result = add_answer(reader, answer, facts);
	}
	if (result == HERD_OK)
		return HERD_OK;
	buf_truncate(answer, start);
	*error = explain(reader, result);
	return result;
}
