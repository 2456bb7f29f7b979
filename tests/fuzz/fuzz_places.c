/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an upstream of Places answers. The first byte picks the provider, the
 * bound and whether the HTTP status is 200; the rest is the body.
 */
#include <cjson/cJSON.h>

#include "fuzz.h"
#include "places/json_scan.h"
#include "places/upstream.h"

static const enum places_kind KINDS[] = {
#define FUZZ_KIND(id, name, word, key) PLACES_##id,
	PLACES_PROVIDERS(UPSTREAM_NONE, FUZZ_KIND)
};

/* What is accepted is what cJSON accepts; the other way round it is less. */
static void
check_scan(struct span body)
{
	struct buf copy;
	const char *text;
	cJSON *json;

	if (json_scan_check(body) != NULL)
		return;
	if (body.len >= 3 && memcmp(body.data, "\xef\xbb\xbf", 3) == 0)
		body = span_of(body.data + 3, body.len - 3);
	buf_init(&copy, body.len);
	if (buf_add_span(&copy, body) == HERD_OK &&
	    (text = buf_cstr(&copy)) != NULL) {
		assert(strlen(text) == body.len);
		json = cJSON_ParseWithOpts(text, NULL, 1);
		assert(json != NULL);
		cJSON_Delete(json);
	}
	buf_release(&copy);
}

/* A good answer keeps what every answer promises. */
static void
check_answer(struct buf *answer, const struct answer_facts *facts,
    const struct places_question *question)
{
	struct span text = buf_span(answer);
	const char *terminated;
	const cJSON *results;
	cJSON *json;

	assert(text.len > 2 && text.data[text.len - 1] == '}');
	assert(memmem(text.data, text.len, "\n\n", 2) == NULL);
	assert(memchr(text.data, '\r', text.len) == NULL);
	assert(json_scan_check(text) == NULL);
	terminated = buf_cstr(answer);
	if (terminated == NULL)
		return;
	json = cJSON_ParseWithOpts(terminated, NULL, 1);
	results = cJSON_GetObjectItemCaseSensitive(json, "results");
	assert(cJSON_IsArray(results));
	assert((unsigned)cJSON_GetArraySize(results) == facts->results);
	assert(facts->results <= question->max);
	cJSON_Delete(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct places_question question = {
		.at = { 34068930000, -118445127000 },
		.radius_m = 50000,
	};
	struct answer_facts facts;
	enum herd_error error;
	struct buf answer;
	struct span body;
	struct buf why;
	unsigned status;

	if (size == 0 || size > PLACES_ANSWER_MAX)
		return 0;
	question.max = data[0] / 3 % 20 + 1;
	status = data[0] >= 240 ? 403 : 200;
	body = span_of((const char *)data + 1, size - 1);
	check_scan(body);
	buf_init(&answer, PLACES_ANSWER_MAX);
	buf_init(&why, UPSTREAM_WHY_MAX);
	error =
	    upstream_read(upstream_find(KINDS[data[0] % HERD_ARRAY_LEN(KINDS)]),
		&(struct upstream_config){ .icon_base = "https://i/" },
		&question, status, body, &answer, &facts, &why);
	if (error == HERD_OK && answer_is_good(facts.status))
		check_answer(&answer, &facts, &question);
	else
		assert(error != HERD_OK || why.len > 0);
	buf_release(&answer);
	buf_release(&why);
	return 0;
}
