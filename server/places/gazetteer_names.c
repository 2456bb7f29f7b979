/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_names.h"

#include <assert.h>
#include <stdlib.h>

#include "herd/siphash.h"

/* Names and hours of 50 million places are 4 GB at most. */
#define TEXT_MAX UINT32_MAX

struct span
gazetteer_names_name(const struct gazetteer_names *names, size_t index)
{
	return span_from(names->text + names->starts[index]);
}

struct span
gazetteer_names_hours(const struct gazetteer_names *names, uint32_t hours)
{
	return span_from(names->text + names->hours_starts[hours]);
}

/* --- reading -------------------------------------------------------------- */

/* The chunks of the tree one after the other, each with its NULs. */
static enum herd_error
read_text(sqlite3 *db, struct buf *text)
{
	sqlite3_stmt *row = NULL;
	enum herd_error error = HERD_ESYSTEM;
	int step = SQLITE_ERROR;

	if (sqlite3_prepare_v2(db, "SELECT names FROM tree ORDER BY id", -1,
		&row, NULL) == SQLITE_OK)
		error = HERD_OK;
	while (error == HERD_OK && (step = sqlite3_step(row)) == SQLITE_ROW)
		error = buf_add(text, sqlite3_column_blob(row, 0),
		    (size_t)sqlite3_column_bytes(row, 0));
	sqlite3_finalize(row);
	if (error == HERD_OK && step != SQLITE_DONE)
		error = HERD_ESYSTEM;
	return error;
}

/* What is read, as it grows. */
struct names_reading {
	struct gazetteer_names *names;
	struct span rest;  /* of the file's text */
	size_t len;        /* of names->text */
	uint32_t *slots;   /* which hours + 1, by their hash; 0 = free */
	size_t slot_count; /* a power of 2, more than there are hours */
	struct siphash_key key;
};

/* False: the NUL at its end is missing. */
static bool
next_text(struct names_reading *reading, struct span *out)
{
	const struct span *rest = &reading->rest;
	const char *end =
	    rest->len > 0 ? memchr(rest->data, '\0', rest->len) : NULL;

	if (end == NULL)
		return false;
	*out = span_cut(&reading->rest, '\0');
	return true;
}

/* Copies it and its NUL; returns where it begins. */
static uint32_t
keep_text(struct names_reading *reading, struct span text)
{
	size_t start = reading->len;

	memcpy(reading->names->text + start, text.data, text.len);
	reading->names->text[start + text.len] = '\0';
	reading->len += text.len + 1;
	return (uint32_t)start;
}

/* The number of these hours, which may be new. */
static uint32_t
number_hours(struct names_reading *reading, struct span hours)
{
	struct gazetteer_names *names = reading->names;
	size_t mask = reading->slot_count - 1;
	size_t at = siphash(&reading->key, hours.data, hours.len) & mask;

	while (reading->slots[at] != 0 &&
	       !span_equal(
		   gazetteer_names_hours(names, reading->slots[at] - 1), hours))
		at = (at + 1) & mask;
	if (reading->slots[at] == 0) {
		names->hours_starts[names->hours_count++] =
		    keep_text(reading, hours);
		reading->slots[at] = (uint32_t)names->hours_count;
	}
	return reading->slots[at] - 1;
}

/* False: the file has more or fewer places. */
static bool
take_places(struct names_reading *reading)
{
	struct gazetteer_names *names = reading->names;

	(void)number_hours(reading, span_of("", 0));
	for (size_t i = 0; i < names->rows; i++) {
		struct span name;
		struct span hours;

		if (!next_text(reading, &name) || !next_text(reading, &hours))
			return false;
		names->starts[i] = keep_text(reading, name);
		names->hours[i] = number_hours(reading, hours);
	}
	return reading->rest.len == 0;
}

static bool
make_room(struct names_reading *reading)
{
	struct gazetteer_names *names = reading->names;

	/* gazetteer_open() has looked. */
	assert(names->rows >= 1 && names->rows <= GAZETTEER_ROWS_MAX);
	reading->slot_count = 2;
	while (reading->slot_count <= names->rows + 1)
		reading->slot_count *= 2;
	reading->slots = calloc(reading->slot_count, sizeof(uint32_t));
	names->text = malloc(reading->rest.len + 1);
	names->starts = calloc(names->rows, sizeof(*names->starts));
	names->hours = calloc(names->rows, sizeof(*names->hours));
	names->hours_starts =
	    calloc(names->rows + 1, sizeof(*names->hours_starts));
	return reading->slots != NULL && names->text != NULL &&
	       names->starts != NULL && names->hours != NULL &&
	       names->hours_starts != NULL;
}

/* Gives back what hours that are alike do not need. */
static void
shrink(const struct names_reading *reading)
{
	struct gazetteer_names *names = reading->names;
	char *text = realloc(names->text, reading->len);
	uint32_t *starts = realloc(names->hours_starts,
	    names->hours_count * sizeof(*names->hours_starts));

	if (text != NULL)
		names->text = text;
	if (starts != NULL)
		names->hours_starts = starts;
}

static enum herd_error
take_text(struct gazetteer_names *names, const struct gazetteer *gazetteer,
    struct span text)
{
	struct names_reading reading = { .names = names,
		.rest = text,
		.key = { gazetteer->bytes, gazetteer->made_ns } };
	enum herd_error error = HERD_ENOMEM;

	if (make_room(&reading))
		error = take_places(&reading) ? HERD_OK : HERD_ESYSTEM;
	if (error == HERD_OK)
		shrink(&reading);
	free(reading.slots);
	return error;
}

static enum herd_error
read_people(struct gazetteer_names *names, sqlite3 *db)
{
	sqlite3_stmt *row = NULL;
	size_t count = 0;

	names->people = calloc(names->rows, sizeof(*names->people));
	names->peaks = calloc(names->rows, sizeof(*names->peaks));
	names->peopled = calloc(names->rows / GAZETTEER_BLOCK + 1,
	    GAZETTEER_BLOCK / 64 * sizeof(*names->peopled));
	if (names->people == NULL || names->peaks == NULL ||
	    names->peopled == NULL)
		return HERD_ENOMEM;
	if (sqlite3_prepare_v2(db, "SELECT population FROM place ORDER BY id",
		-1, &row, NULL) != SQLITE_OK)
		return HERD_ESYSTEM;
	for (; count < names->rows && sqlite3_step(row) == SQLITE_ROW;
	     count++) {
		int64_t people = sqlite3_column_int64(row, 0);

		people = people < 0 ? 0 : people;
		names->people[count] =
		    people < UINT32_MAX ? (uint32_t)people : UINT32_MAX;
		names->peopled[count / 64] |= (uint64_t)(people > 0)
					      << count % 64;
	}
	sqlite3_finalize(row);
	kd_tree_peaks(names->people, count, names->peaks);
	return count == names->rows ? HERD_OK : HERD_ESYSTEM;
}

/* What the sets are made of. */
struct names_source {
	const struct gazetteer *gazetteer;
	const struct gazetteer_names *names;
};

static struct span
name_of(const void *arg, size_t index)
{
	const struct names_source *source = arg;

	return gazetteer_names_name(source->names, index);
}

static size_t
types_of(const void *arg, size_t index, const struct span **types)
{
	const struct names_source *source = arg;
	const struct gazetteer_list *list =
	    gazetteer_list_of(source->gazetteer, index);

	*types = list->types;
	return list->count;
}

static enum herd_error
make_sets(struct gazetteer_names *names, const struct gazetteer *gazetteer)
{
	struct names_source arg = { gazetteer, names };
	struct gazetteer_source source = { names->rows, name_of, types_of,
		&arg };

	return gazetteer_sets_make(&source, &names->sets);
}

static enum herd_error
read_names(const struct gazetteer *gazetteer, sqlite3 *db,
    struct gazetteer_names **out)
{
	struct gazetteer_names *names = calloc(1, sizeof(*names));
	struct buf text;
	enum herd_error error;

	if (names == NULL)
		return HERD_ENOMEM;
	names->rows = (size_t)gazetteer->rows;
	buf_init(&text, TEXT_MAX);
	error = read_text(db, &text);
	if (error == HERD_OK)
		error = take_text(names, gazetteer, buf_span(&text));
	buf_release(&text);
	if (error == HERD_OK)
		error = read_people(names, db);
	if (error == HERD_OK)
		error = make_sets(names, gazetteer);
	if (error != HERD_OK) {
		gazetteer_names_free(names);
		return error;
	}
	*out = names;
	return HERD_OK;
}

enum herd_error
gazetteer_names_find(struct gazetteer *gazetteer, sqlite3 *db,
    const struct gazetteer_names **out)
{
	enum herd_error error = HERD_OK;

	pthread_mutex_lock(&gazetteer->names_lock);
	if (gazetteer->names == NULL)
		error = read_names(gazetteer, db, &gazetteer->names);
	*out = gazetteer->names;
	pthread_mutex_unlock(&gazetteer->names_lock);
	return error;
}

void
gazetteer_names_free(struct gazetteer_names *names)
{
	if (names == NULL)
		return;
	gazetteer_sets_free(names->sets);
	free(names->people);
	free(names->peaks);
	free(names->peopled);
	free(names->hours_starts);
	free(names->hours);
	free(names->starts);
	free(names->text);
	free(names);
}
