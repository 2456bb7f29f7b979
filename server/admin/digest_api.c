/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes that show where two tables differ: /v1/digest. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "admin/admin_room.h"
#include "admin/digest_cache.h"
#include "admin/page.h"
#include "admin/route.h"
#include "admin/rows.h"

#define PATH_SEGMENT 2   /* of /v1/digest/PATH */
#define STEP_SLICES 4u   /* of the table, between two looks at the clock */
#define STEP_SLOTS 2048u /* per lock of a shard */
#define KEY_LEN 16u

/* A digest being made, or the clients of some leaves being listed. */
struct digest_job {
	struct digest_path path;
	uint8_t key_bytes[KEY_LEN];
	struct siphash_key key;
	bool has_key; /* the asker gave it */

	struct digest *digest; /* being made; ours until it is kept */
	struct table_cursor cursor;
	bool failed;

	struct page *page;
	uint8_t *leaves; /* a bit per leaf that is wanted */
};

static void
job_free(void *arg)
{
	struct digest_job *job = arg;

	digest_free(job->digest);
	page_free(job->page);
	free(job->leaves);
	free(job);
}

static void
add_path(struct json *json, struct digest_path path)
{
	struct buf text;

	buf_init(&text, DIGEST_DEPTH);
	row_text(json, "path", &text, digest_path_format(&text, path));
}

static void
add_key(struct json *json, const struct digest_job *job)
{
	struct buf text;

	buf_init(&text, 2 * KEY_LEN);
	row_text(json, "key", &text,
	    digest_hex_format(&text, job->key_bytes, KEY_LEN));
}

/* --- hashes ----------------------------------------------------------- */

static void
answer_hashes(struct http_call *call, const struct digest_job *job,
    const struct digest *digest)
{
	const uint64_t *hashes = digest_children(digest, job->path);
	struct json *json = http_call_answer(call);

	add_path(json, job->path);
	json_count(json, "count", digest->size.records);
	add_key(json, job);
	json_array(json, "hashes");
	for (unsigned i = 0; i < DIGEST_FAN; i++) {
		char hex[17];

		snprintf(
		    hex, sizeof(hex), "%016llx", (unsigned long long)hashes[i]);
		json_word(json, NULL, hex);
	}
	json_array_end(json);
	http_call_json(call);
}

static bool
on_record(void *arg, const struct report *report, uint32_t from HERD_UNUSED)
{
	struct digest_job *job = arg;

	job->failed = digest_add(job->digest, report) != HERD_OK;
	return !job->failed;
}

static bool
on_scan_step(struct http_call *call)
{
	struct digest_job *job = call->job;
	bool more = true;

	for (unsigned i = 0; i < STEP_SLICES && more; i++)
		more = table_walk(call->node->table, &job->cursor, STEP_SLOTS,
		    on_record, job);
	if (more)
		return true;
	if (job->failed || job->cursor.skipped) {
		http_call_out_of_memory(call);
	} else {
		answer_hashes(call, job, job->digest);
		digest_cache_keep(call->admin->digests, job->digest);
		job->digest = NULL;
	}
	return false;
}

static void
begin_hashes(struct http_call *call, struct digest_job *job)
{
	const struct digest *kept =
	    digest_cache_find(call->admin->digests, &job->key);

	/* A request for the root comes first and hashes the table again. */
	if (kept != NULL && job->path.depth > 0) {
		answer_hashes(call, job, kept);
		job_free(job);
	} else if (digest_new(&job->key, &job->digest) == HERD_OK) {
		http_call_walk(call, job, job_free, on_scan_step, 0);
	} else {
		job_free(job);
		http_call_out_of_memory(call);
	}
}

/* --- the clients of leaves -------------------------------------------- */

static bool
is_wanted(void *arg, struct span client)
{
	const struct digest_job *job = arg;
	uint32_t leaf = digest_leaf(&job->key, client);

	return (job->leaves[leaf / 8] >> (leaf % 8) & 1) != 0;
}

static void
add_rows(
    struct http_call *call, struct json *json, const struct digest_job *job)
{
	json_array(json, "clients");
	for (unsigned i = 0; i < page_count(job->page); i++) {
		const struct page_row *row = page_row(job->page, i);
		struct digest_path leaf = { DIGEST_DEPTH,
			digest_leaf(&job->key, row->report.client) };

		json_object(json, NULL);
		row_client(json, call->node, &row->report,
		    row_giver(call->node, &row->report, row->from));
		add_path(json, leaf);
		json_object_end(json);
	}
	json_array_end(json);
	page_add_next(json, job->page);
}

static bool
on_page_step(struct http_call *call)
{
	struct digest_job *job = call->job;
	struct json *json;
	bool more;
	enum herd_error error =
	    page_walk(job->page, call->node->table, STEP_SLICES, &more);

	if (error == HERD_OK && more)
		return true;
	if (error != HERD_OK) {
		http_call_out_of_memory(call);
	} else {
		json = http_call_answer(call);
		add_path(json, job->path);
		add_key(json, job);
		add_rows(call, json, job);
		http_call_json(call);
	}
	return false;
}

static void
begin_leaves(struct http_call *call, struct digest_job *job)
{
	const struct query_param *after = query_find(&call->query, "after");
	const struct page_filter filter = {
		.order = PAGE_TABLE,
		.prefix = { "", 0 },
		.limit = PAGE_LIMIT_MAX,
		.removals = true,
		.wanted = is_wanted,
		.wanted_arg = job,
	};
	enum herd_error error = page_new(
	    &filter, after == NULL ? span_of("", 0) : after->value, &job->page);

	if (error == HERD_OK) {
		http_call_walk(call, job, job_free, on_page_step, 0);
		return;
	}
	job_free(job);
	if (error == HERD_ESYNTAX)
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "after is the `next` of a page of the same leaves",
		    "that is not a cursor");
	else
		http_call_out_of_memory(call);
}

/* --- the question ----------------------------------------------------- */

static bool
mark_leaf(struct digest_job *job, struct span text)
{
	struct digest_path path;

	if (digest_path_parse(text, DIGEST_DEPTH, &path) != HERD_OK ||
	    path.depth != DIGEST_DEPTH)
		return false;
	job->leaves[path.index / 8] |= (uint8_t)(1u << (path.index % 8));
	return true;
}

/* "AAA,AAB,...", all of depth 3. */
static bool
mark_leaves(struct digest_job *job, struct span text)
{
	while (text.len > 0) {
		if (!mark_leaf(job, span_cut(&text, ',')))
			return false;
	}
	return true;
}

static const char *
read_key(const struct query *query, struct digest_job *job)
{
	const struct query_param *key = query_find(query, "key");

	job->has_key = key != NULL;
	if (key == NULL) {
		if (getrandom(job->key_bytes, KEY_LEN, 0) != (ssize_t)KEY_LEN)
			return "there is no randomness";
	} else if (digest_hex_parse(key->value, job->key_bytes, KEY_LEN) !=
		   HERD_OK) {
		return "key is 32 digits of lower-case hex";
	}
	job->key = siphash_key(job->key_bytes);
	return NULL;
}

/* Returns what is wrong, or NULL. */
static const char *
read_question(struct http_call *call, struct digest_job *job)
{
	const struct query *query = &call->query;
	const struct query_param *leaves = query_find(query, "leaves");
	struct span path = span_from("-");
	const char *fault = read_key(query, job);

	if (fault != NULL)
		return fault;
	if (query->segment_count > PATH_SEGMENT)
		path = query->segments[PATH_SEGMENT];
	if (digest_path_parse(path, DIGEST_DEPTH, &job->path) != HERD_OK)
		return "the path is - or 1 to 3 digits of base64, / as %2F";
	if (job->path.depth < DIGEST_DEPTH && leaves == NULL)
		return NULL;
	job->leaves = calloc(DIGEST_LEAVES / 8, 1);
	if (job->leaves == NULL)
		return "out of memory";
	if (!job->has_key)
		return "leaves depend on the key: give key=";
	if (leaves != NULL && !mark_leaves(job, leaves->value))
		return "leaves are paths of 3 digits with commas between";
	if (job->path.depth == DIGEST_DEPTH && !mark_leaf(job, path))
		return "the path is not a leaf";
	return NULL;
}

void
serve_digest(struct http_call *call)
{
	struct digest_job *job = calloc(1, sizeof(*job));
	const char *fault;

	if (job == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	fault = read_question(call, job);
	if (fault != NULL) {
		job_free(job);
		http_call_fail(call, ADMIN_BAD_REQUEST, fault,
		    "a part of the question is wrong");
	} else if (job->leaves != NULL) {
		begin_leaves(call, job);
	} else {
		begin_hashes(call, job);
	}
}
