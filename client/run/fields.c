/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/fields.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"

#define KEY_MAX 64u

/* Most paths are one key of the object. */
static const cJSON *
at_key(const cJSON *object, const char *key)
{
	const cJSON *child;

	cJSON_ArrayForEach(child, object) {
		if (child->string != NULL && child->string[0] == key[0] &&
		    strcmp(child->string, key) == 0)
			return child;
	}
	return NULL;
}

const cJSON *
fields_at(const cJSON *object, const char *path)
{
	char key[KEY_MAX];

	if (strchr(path, '.') == NULL && path[0] != '\0')
		return object == NULL ? NULL : at_key(object, path);
	while (object != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		object = cJSON_GetObjectItemCaseSensitive(object, key);
		path += len;
		path += *path == '.';
	}
	return object;
}

const char *
fields_text(const cJSON *object, const char *path)
{
	return cJSON_GetStringValue(fields_at(object, path));
}

double
fields_number(const cJSON *object, const char *path, double fallback)
{
	const cJSON *item = fields_at(object, path);

	return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool
fields_is(const cJSON *object, const char *path)
{
	return cJSON_IsTrue(fields_at(object, path));
}

bool
fields_says(const cJSON *object, const char *path, const char *word)
{
	const char *text = fields_text(object, path);

	return text != NULL && strcmp(text, word) == 0;
}

bool
fields_client_id(const cJSON *object, struct buf *out)
{
	const char *coded = fields_text(object, "client_b64");
	const char *plain = fields_text(object, "client");

	if (coded != NULL && text_from_base64(out, span_from(coded)) == HERD_OK)
		return true;
	if (plain == NULL)
		return false;
	put_text(out, plain);
	return true;
}

static void
fill_text(struct out *out, size_t column, const cJSON *item)
{
	struct buf text = XBUF;

	if (cJSON_IsString(item)) {
		out_word(out, column, item->valuestring);
		return;
	}
	if (!cJSON_IsNumber(item))
		return;
	put_number(&text, item->valuedouble);
	out_text(out, column, buf_span(&text));
	buf_release(&text);
}

/* The words of a value: of a list with commas, of an object with blanks. */
static void
put_words(struct buf *out, const cJSON *item)
{
	const cJSON *child;
	struct buf words = XBUF;

	if (cJSON_IsString(item)) {
		put_text(out, item->valuestring);
		return;
	}
	cJSON_ArrayForEach(child, item) {
		size_t before = words.len;
		size_t begin;

		if (before > 0)
			put_text(&words, cJSON_IsArray(item) ? ", " : " ");
		begin = words.len;
		put_words(&words, child);
		if (words.len == begin)
			buf_truncate(&words, before);
	}
	put_span(out, buf_span(&words));
	buf_release(&words);
}

#define EXACT_MAX 9007199254740992.0 /* 2^53: above, doubles skip some */

void
fields_write(struct json *json, const char *key, const cJSON *item)
{
	const cJSON *child;

	if ((cJSON_IsObject(item) || cJSON_IsArray(item)) &&
	    json->depth < JSON_DEPTH_MAX) {
		bool object = cJSON_IsObject(item);

		(object ? json_object : json_array)(json, key);
		cJSON_ArrayForEach(child, item)
			fields_write(
			    json, object ? child->string : NULL, child);
		(object ? json_object_end : json_array_end)(json);
	} else if (cJSON_IsString(item)) {
		json_word(json, key, item->valuestring);
	} else if (cJSON_IsNumber(item)) {
		double number = item->valuedouble;

		if (number == trunc(number) && fabs(number) < EXACT_MAX)
			json_integer(json, key, (int64_t)number);
		else
			json_number(json, key, number);
	} else if (cJSON_IsBool(item)) {
		json_bool(json, key, cJSON_IsTrue(item));
	} else {
		json_null(json, key);
	}
}

void
fields_set(struct out *out, size_t column, const cJSON *item, struct span shown)
{
	struct json json;
	struct buf text = XBUF;

	json_begin(&json, &text, JSON_TERMINAL);
	fields_write(&json, NULL, item);
	must(json_end(&json));
	out_json(out, column, buf_span(&text), shown);
	buf_release(&text);
}

/* The nearest whole number that there is: a node may send 1e300. */
static int64_t
whole(double number)
{
	if (number >= (double)INT64_MAX)
		return INT64_MAX;
	return number <= (double)INT64_MIN ? INT64_MIN : (int64_t)number;
}

static void
fill_json(struct out *out, size_t column, const cJSON *item)
{
	struct buf words = XBUF;

	put_words(&words, item);
	fields_set(out, column, item, buf_span(&words));
	buf_release(&words);
}

static void
fill_place(struct out *out, size_t column, const cJSON *object)
{
	const char *text = fields_text(object, "location");
	const cJSON *lat = fields_at(object, "lat");
	const cJSON *lon = fields_at(object, "lon");

	if (cJSON_IsNumber(lat) && cJSON_IsNumber(lon))
		out_place(out, column, span_from(text == NULL ? "" : text),
		    lat->valuedouble, lon->valuedouble);
}

static void
fill_id(struct out *out, size_t column, const cJSON *object)
{
	struct buf id = XBUF;

	if (fields_client_id(object, &id))
		out_text(out, column, buf_span(&id));
	buf_release(&id);
}

static void
fill(struct out *out, size_t column, const cJSON *object)
{
	const struct column *c = &out->view->columns[column];
	const cJSON *item =
	    fields_at(object, c->path == NULL ? c->key : c->path);

	if (item == NULL || cJSON_IsNull(item))
		return;
	if (c->type == VALUE_PLACE) {
		fill_place(out, column, object);
		return;
	}
	if (c->type == VALUE_JSON) {
		fill_json(out, column, item);
		return;
	}
	switch (value_base(c->type)) {
	case BASE_TEXT:
	case BASE_DECIMAL:
		if ((c->traits & COLUMN_ID) != 0)
			fill_id(out, column, object);
		else
			fill_text(out, column, item);
		return;
	case BASE_INTEGER:
		if (c->type == VALUE_BOOL && cJSON_IsBool(item))
			out_bool(out, column, cJSON_IsTrue(item));
		else if (c->type != VALUE_BOOL && cJSON_IsNumber(item))
			out_integer(out, column, whole(item->valuedouble));
		return;
	case BASE_REAL:
		if (cJSON_IsNumber(item))
			out_real(out, column, item->valuedouble);
		return;
	}
}

void
fields_fill_row(struct out *out, const cJSON *object)
{
	const unsigned elsewhere = COLUMN_NODE | COLUMN_ERROR | COLUMN_COMPUTED;

	for (size_t i = 0; i < out->view->count; i++) {
		if ((out->view->columns[i].traits & elsewhere) == 0)
			fill(out, i, object);
	}
}

size_t
fields_column(const struct out *out, const char *key)
{
	size_t column = view_find(out->view, span_from(key));

	assert(column < out->view->count);
	return column;
}

void
fields_set_node(struct out *out, const char *node)
{
	size_t column = out_column(out, COLUMN_NODE);

	if (column < out->view->count)
		out_word(out, column, node);
}

static void
add_row(struct run *run, const struct answer *answer, const cJSON *object,
    fields_row_hook *hook)
{
	fields_set_node(&run->out, answer->target->name);
	fields_fill_row(&run->out, object);
	if (hook != NULL)
		hook(&run->out, answer, object);
	out_row(&run->out);
}

void
fields_rows(struct run *run, const struct answers *answers, const char *list,
    fields_row_hook *hook)
{
	answers_each(answer, answers) {
		const cJSON *items;
		const cJSON *item;

		if (answer->status != STATUS_OK) {
			/* One node that fails is an error, not a table. */
			if (run->all_nodes)
				answer_put_failure(&run->out, answer);
			continue;
		}
		out_raw(&run->out, buf_span(&answer->body));
		if (list == NULL) {
			add_row(run, answer, answer->json, hook);
			continue;
		}
		items = fields_at(answer->json, list);
		cJSON_ArrayForEach(item, items)
			add_row(run, answer, item, hook);
	}
}

static void
count_states(struct run *run, const char *what)
{
	struct buf text = XBUF;

	out_count_states(
	    &run->out, out_column(&run->out, COLUMN_STATE), what, &text);
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
}

enum status
fields_ask(struct run *run, const struct fields_request *request,
    struct answers *answers)
{
	enum status status;

	*answers = (struct answers){ 0 };
	/* First, so that a misspelt column is found before nodes are asked. */
	status = run_targets(run);
	if (status == STATUS_OK)
		status = run_begin(run, request->view == NULL
					    ? run->args->command->view
					    : request->view);
	if (status == STATUS_OK)
		status = ask(run,
		    &(struct question){ .method = request->method,
			.path = request->path,
			.body = request->body },
		    run->targets, run->target_count, answers);
	if (status != STATUS_OK)
		answers_release(answers);
	return status;
}

enum status
fields_run(struct run *run, const struct fields_request *request)
{
	struct answers answers;
	enum status status = fields_ask(run, request, &answers);

	if (status != STATUS_OK)
		return status;
	fields_rows(run, &answers, request->list, request->hook);
	if (request->counts != NULL)
		count_states(run, request->counts);
	return fields_finish(run, &answers);
}

enum status
fields_run_command(struct run *run)
{
	return fields_run(run, run->args->command->request);
}

enum status
fields_run_node(struct run *run)
{
	enum status status = run_use_node(run, run_word(run, 0));

	return status == STATUS_OK ? fields_run_command(run) : status;
}

enum status
fields_report(struct run *run, const struct answers *answers)
{
	enum status status = answers_status(answers);

	/* Without any answer there is no list, not an empty one. */
	if (status == STATUS_OK || status == STATUS_PARTIAL || run->all_nodes)
		out_end(&run->out);
	return answers_report(run, answers);
}

enum status
fields_finish(struct run *run, struct answers *answers)
{
	enum status status = fields_report(run, answers);

	answers_release(answers);
	return status;
}
