/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Google's legacy Nearby Search, for projects that still have it: its text
 * is what Herd's clients get, cut to the results that were asked for.
 */
#include <stdio.h>

#include "herd/text.h"
#include "places/json_scan.h"
#include "places/upstream.h"
#include "places/upstream_json.h"

/* "&NAME=VALUE", unless there is none. */
static enum herd_error
add_parameter(struct buf *url, const char *name, const char *value)
{
	enum herd_error error;

	if (value[0] == '\0')
		return HERD_OK;
	error = buf_addf(url, "&%s=", name);
	return error != HERD_OK ? error
				: text_to_percent(url, span_from(value));
}

/* Its rankby=distance takes no radius, so that the order stays its own. */
static enum herd_error
add_filter(struct buf *url, const struct places_filter *filter)
{
	enum herd_error error = add_parameter(url, "type", filter->type);

	if (error == HERD_OK)
		error = add_parameter(url, "keyword", filter->keyword);
	if (error == HERD_OK && filter->open_now)
		error = buf_add_text(url, "&opennow");
	return error;
}

static enum herd_error
legacy_ask(const struct upstream_config *config,
    const struct places_question *question, struct upstream_request *request)
{
	char lat[UPSTREAM_DECIMAL_MAX];
	char lng[UPSTREAM_DECIMAL_MAX];
	char radius[UPSTREAM_DECIMAL_MAX];
	enum herd_error error;

	upstream_decimal(location_lat(question->at), lat);
	upstream_decimal(location_lon(question->at), lng);
	upstream_decimal(upstream_radius_m(question), radius);
	error = buf_addf(&request->url,
	    "%s/maps/api/place/nearbysearch/json?location=%s,%s&radius=%s"
	    "&key=",
	    config->base_url, lat, lng, radius);
	if (error == HERD_OK)
		error = text_to_percent(&request->url,
		    span_of(config->key->text, config->key->len));
	if (error == HERD_OK)
		error = add_filter(&request->url, &question->filter);
	return error;
}

/* Where the parts of an answer lie in its text. */
struct layout {
	struct span status; /* .data NULL: there is none */
	bool has_results;
	unsigned results;  /* in the answer */
	unsigned kept;     /* of them, at most what was asked for */
	size_t cut_from;   /* end of the last result that is kept */
	size_t cut_to;     /* end of the last result */
	const char *fault; /* NULL: it can be used */
};

/* The tokens of one value, whose first was `token`. */
static enum json_token
pass_value(struct json_scan *scan, enum json_token token)
{
	unsigned outside = scan->depth;

	if (token != JSON_OBJECT && token != JSON_ARRAY)
		return token;
	outside--;
	while (scan->depth > outside && token != JSON_BAD)
		token = json_scan_next(scan);
	return token;
}

static void
read_results(struct json_scan *scan, unsigned max, struct layout *layout)
{
	enum json_token token = json_scan_next(scan);

	layout->has_results = true;
	layout->cut_from = layout->cut_to = scan->at;
	while (token != JSON_ARRAY_END && token != JSON_BAD) {
		if (token != JSON_OBJECT) {
			layout->fault = "a result is not an object";
			return;
		}
		token = pass_value(scan, token);
		layout->results++;
		layout->cut_to = scan->at;
		if (layout->results <= max) {
			layout->kept = layout->results;
			layout->cut_from = scan->at;
		}
		if (token != JSON_BAD)
			token = json_scan_next(scan);
	}
}

static void
read_member(struct json_scan *scan, unsigned max, struct layout *layout)
{
	struct span key = json_scan_inner(scan);
	enum json_token token = json_scan_next(scan);

	if (span_is(key, "status") && token == JSON_STRING) {
		layout->status = json_scan_inner(scan);
	} else if (span_is(key, "results")) {
		if (token != JSON_ARRAY || layout->has_results)
			layout->fault = "the answer's results are not a list";
		else
			read_results(scan, max, layout);
	} else {
		(void)pass_value(scan, token);
	}
}

static void
read_layout(struct span body, unsigned max, struct layout *layout)
{
	struct json_scan scan;

	*layout = (struct layout){ .fault = json_scan_check(body) };
	if (layout->fault != NULL)
		return;
	json_scan_begin(&scan, body);
	if (json_scan_next(&scan) != JSON_OBJECT) {
		layout->fault = "the answer is not an object";
		return;
	}
	while (layout->fault == NULL && json_scan_next(&scan) == JSON_KEY)
		read_member(&scan, max, layout);
	if (layout->fault == NULL && layout->status.data == NULL)
		layout->fault = "the answer has no status";
	else if (layout->fault == NULL && !layout->has_results)
		layout->fault = "the answer has no results";
}

/*
 * Appends `text` with every run of line ends (and what white space lies
 * between them) squeezed to one line feed. In JSON they all lie between
 * tokens.
 */
static enum herd_error
add_squeezed(struct buf *out, struct span text)
{
	enum herd_error error = HERD_OK;
	size_t start = 0;

	for (size_t i = 0; error == HERD_OK && i < text.len;) {
		size_t next = i;

		if (text.data[i] != '\n' && text.data[i] != '\r') {
			i++;
			continue;
		}
		error = buf_add(out, text.data + start, i - start);
		if (error == HERD_OK)
			error = buf_add_byte(out, '\n');
		for (; i < text.len && text_is_space(text.data[i]); i++) {
			if (text.data[i] == '\n' || text.data[i] == '\r')
				next = i + 1;
		}
		start = i = next;
	}
	return error == HERD_OK
		   ? buf_add(out, text.data + start, text.len - start)
		   : error;
}

static enum herd_error
add_kept(struct buf *json, struct span body, const struct layout *layout)
{
	struct buf whole;
	enum herd_error error;

	buf_init(&whole, PLACES_ANSWER_MAX);
	error = buf_add(&whole, body.data, layout->cut_from);
	if (error == HERD_OK)
		error = buf_add(&whole, body.data + layout->cut_to,
		    body.len - layout->cut_to);
	if (error == HERD_OK)
		error = add_squeezed(json, text_trim(buf_span(&whole)));
	buf_release(&whole);
	return error;
}

/* Appends "STATUS: " and the answer's error_message. */
static enum herd_error
refuse_as_told(struct span body, const struct layout *layout,
    struct answer_facts *facts, struct buf *why)
{
	enum places_status status = PLACES_UNKNOWN_ERROR;
	char text[UPSTREAM_WHY_MAX / 2];
	const char *fault;
	struct span message;
	cJSON *tree = NULL;
	enum herd_error error = upstream_parse(body, &tree, &fault);

	if (error != HERD_OK)
		return error;
	message = member_text(tree, "error_message");
	if (message.data == NULL)
		message = span_from("no reason given");
	if (answer_status_find(layout->status, &status) == HERD_OK)
		(void)snprintf(text, sizeof(text), "%s: %s",
		    answer_status_name(status), message.data);
	else
		(void)snprintf(text, sizeof(text),
		    "the answer's status is not known: %s", message.data);
	cJSON_Delete(tree);
	return upstream_refuse(facts, status, why, text);
}

static enum herd_error
legacy_read(const struct upstream_config *config HERD_UNUSED,
    const struct places_question *question, struct span body, struct buf *json,
    struct answer_facts *facts, struct buf *why)
{
	enum places_status status = PLACES_UNKNOWN_ERROR;
	struct layout layout;

	if (body.len >= 3 && memcmp(body.data, "\xef\xbb\xbf", 3) == 0)
		body = span_of(body.data + 3, body.len - 3);
	read_layout(body, question->max, &layout);
	if (layout.status.data != NULL &&
	    (answer_status_find(layout.status, &status) != HERD_OK ||
		!answer_is_good(status)))
		return refuse_as_told(body, &layout, facts, why);
	if (layout.fault != NULL)
		return upstream_refuse(
		    facts, PLACES_UNKNOWN_ERROR, why, layout.fault);
	facts->results = layout.kept;
	facts->status = status;
	return add_kept(json, body, &layout);
}

const struct upstream upstream_google_legacy = {
	.base_url = "https://maps.googleapis.com",
	.may_cache = false, /* terms of service, 3.2.3 (b) */
	.ask = legacy_ask,
	.read = legacy_read,
};
