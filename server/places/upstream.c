/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/upstream.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "places/question.h"
#include "places/upstream_json.h"

static const struct upstream *const UPSTREAMS[] = {
#define UPSTREAM_ENTRY(id, name, word, key) [PLACES_##id] = &upstream_##name,
	PLACES_PROVIDERS(UPSTREAM_NONE, UPSTREAM_ENTRY)
#undef UPSTREAM_ENTRY
};

const struct upstream *
upstream_find(enum places_kind kind)
{
	return kind < HERD_ARRAY_LEN(UPSTREAMS) ? UPSTREAMS[kind] : NULL;
}

void
upstream_request_init(struct upstream_request *request)
{
	buf_init(&request->url, UPSTREAM_URL_MAX);
	buf_init(&request->body, UPSTREAM_BODY_MAX);
	for (unsigned i = 0; i < UPSTREAM_HEADERS_MAX; i++)
		buf_init(&request->headers[i], UPSTREAM_HEADER_MAX);
	request->header_count = 0;
}

/* A key may lie in any of them. */
static void
wipe(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->cap);
	buf_release(buf);
}

void
upstream_request_release(struct upstream_request *request)
{
	wipe(&request->url);
	wipe(&request->body);
	for (unsigned i = 0; i < UPSTREAM_HEADERS_MAX; i++)
		wipe(&request->headers[i]);
	request->header_count = 0;
}

enum herd_error
upstream_request_header(
    struct upstream_request *request, const char *name, const char *value)
{
	assert(request->header_count < UPSTREAM_HEADERS_MAX);
	return buf_addf(
	    &request->headers[request->header_count++], "%s: %s", name, value);
}

double
upstream_radius_m(const struct places_question *question)
{
	return fmax(question->radius_m, UPSTREAM_RADIUS_MIN_M);
}

unsigned
upstream_max(const struct places_question *question, unsigned most)
{
	return question_is_filtered(question) ? most : question->max;
}

void
upstream_decimal(double value, char out[UPSTREAM_DECIMAL_MAX])
{
	int len = snprintf(out, UPSTREAM_DECIMAL_MAX, "%.9f", value);

	assert(len > 0 && (unsigned)len < UPSTREAM_DECIMAL_MAX);
	while (out[len - 1] == '0')
		len--;
	if (out[len - 1] == '.')
		len--;
	out[len] = '\0';
}

/* Statuses of HTTP that say more than that the upstream failed. */
static const struct {
	unsigned http;
	enum places_status status;
} STATUSES[] = {
	{ 400, PLACES_INVALID_REQUEST },
	{ 401, PLACES_REQUEST_DENIED },
	{ 403, PLACES_REQUEST_DENIED },
	{ 429, PLACES_OVER_QUERY_LIMIT },
};

static enum places_status
status_of(unsigned http_status)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(STATUSES); i++) {
		if (STATUSES[i].http == http_status)
			return STATUSES[i].status;
	}
	return PLACES_UNKNOWN_ERROR;
}

/* Appends "HTTP 403: " and the upstream's message, if there is one. */
static enum herd_error
read_failure(unsigned http_status, struct span body, struct answer_facts *facts,
    struct buf *why)
{
	const char *no_json;
	cJSON *json = NULL;
	struct span message = { NULL, 0 };
	char text[UPSTREAM_WHY_MAX / 2];
	enum herd_error error = upstream_parse(body, &json, &no_json);

	if (error == HERD_ENOMEM)
		return error;
	if (json != NULL)
		message = member_text(member_object(json, "error"), "message");
	if (message.data == NULL && json != NULL)
		message = member_text(json, "message");
	if (http_status >= 300 && http_status <= 399)
		(void)snprintf(text, sizeof(text),
		    "HTTP %u, a redirect; those are not followed", http_status);
	else if (message.data != NULL)
		(void)snprintf(text, sizeof(text), "HTTP %u: %s", http_status,
		    message.data);
	else
		(void)snprintf(text, sizeof(text), "HTTP %u", http_status);
	cJSON_Delete(json);
	return upstream_refuse(facts, status_of(http_status), why, text);
}

enum herd_error
upstream_read(const struct upstream *upstream,
    const struct upstream_config *config,
    const struct places_question *question, unsigned http_status,
    struct span body, struct buf *json, struct answer_facts *facts,
    struct buf *why)
{
	if (http_status != 200)
		return read_failure(http_status, body, facts, why);
	return upstream->read(config, question, body, json, facts, why);
}
