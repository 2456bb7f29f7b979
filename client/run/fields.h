/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON of the admin API into rows: each column of a view says where its
 * value is. A value that is missing or of another type stays unknown.
 */
#ifndef HERD_FIELDS_H
#define HERD_FIELDS_H

#include <math.h>

#include "run/ask.h"

struct cJSON;

/* The value at "peers.total" in an object, or NULL. */
const struct cJSON *fields_at(const struct cJSON *object, const char *path);

/* A number that nobody said: isnan(). */
#define FIELDS_UNKNOWN ((double)NAN)

/* NULL, `fallback`, false when it is not there or not of that type. */
const char *fields_text(const struct cJSON *object, const char *path);
double fields_number(
    const struct cJSON *object, const char *path, double fallback);
bool fields_is(const struct cJSON *object, const char *path);

/* Is the text at `path` this word? */
bool fields_says(
    const struct cJSON *object, const char *path, const char *word);

/*
 * A client's id as bytes: "client_b64" decoded if it is there, else "client".
 * Appends to `out`; false when there is none.
 */
bool fields_client_id(const struct cJSON *object, struct buf *out);

/*
 * Writes the value as it was read: numbers above 2^53 as near as doubles are,
 * and what lies deeper than JSON_DEPTH_MAX as null.
 */
void fields_write(struct json *json, const char *key, const struct cJSON *item);

/* Sets the columns of the current row that the answer may have. */
void fields_fill_row(struct out *out, const struct cJSON *object);

/* Sets a column of type JSON; people read `shown`. */
void fields_set(struct out *out, size_t column, const struct cJSON *item,
    struct span shown);

/* Index of the view's column of that key; there is one. */
size_t fields_column(const struct out *out, const char *key);

/* Sets the column of trait COLUMN_NODE. */
void fields_set_node(struct out *out, const char *node);

/* May set computed columns of a row; called after fields_fill_row(). */
typedef void fields_row_hook(
    struct out *out, const struct answer *answer, const struct cJSON *object);

/*
 * Adds a row for each element of the list `list` in each answer (for the
 * answer itself if `list` is NULL), and one for each failure. `-o raw` gets
 * the bodies. `hook` may be NULL.
 */
void fields_rows(struct run *run, const struct answers *answers,
    const char *list, fields_row_hook *hook);

struct fields_request {
	const char *method; /* NULL: GET */
	const char *path;
	const char *body;        /* or NULL */
	const struct view *view; /* NULL: the command's */
	const char *list;        /* as for fields_rows() */
	fields_row_hook *hook;
	const char *counts; /* "node": the footer counts their states */
};

/*
 * Asks all of the run's targets and begins the answer. After a failure *answers
 * is empty.
 */
enum status fields_ask(struct run *run, const struct fields_request *request,
    struct answers *answers);

/* A command's request. */
/* clang-format off */
#define REQUEST(...) (&(const struct fields_request){ __VA_ARGS__ })
/* clang-format on */

/* Asks one thing and has the answers as rows. */
enum status fields_run(struct run *run, const struct fields_request *request);

/*
 * Run functions: for a command that is its request, and for one that asks the
 * node that its first argument names.
 */
enum status fields_run_command(struct run *run);
enum status fields_run_node(struct run *run);

/*
 * out_end() and answers_report(): the status of such a command. _finish()
 * releases the answers as well.
 */
enum status fields_report(struct run *run, const struct answers *answers);
enum status fields_finish(struct run *run, struct answers *answers);

#endif
