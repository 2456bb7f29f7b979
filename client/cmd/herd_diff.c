/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herd diff: the clients that nodes disagree on. All nodes hash their tables
 * with one key into the same tree of 64 x 64 x 64 buckets. Only buckets with
 * different hashes are searched and listed. Their clients are asked for once
 * more a moment later, because a report on its way is no difference.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/xbuf.h"
#include "cmd/exam_tables.h"
#include "cmd/store_diff.h"
#include "run/fields.h"

#define HASH_HEX 16u
#define DEPTH 3u          /* digits of a bucket's path */
#define BUCKETS_MOST 500u /* listed; the answer says if there are more */
#define CLIENTS_MOST 1000u
#define SETTLE_NS (300 * HERD_NS_PER_MS)
#define COUNT_MAX 1e15 /* a node that says more is not believed */

/* clang-format off */
#define DIFF_COLUMNS(X) \
	X(DIFF_CLIENT, "client", "CLIENT", VALUE_TEXT, \
	    .traits = COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK) \
	X(DIFF_TIME, "time", "NEWEST TIME", VALUE_TIME, .drop = 2) \
	X(DIFF_HAVE, "newest_on", "NEWEST ON", VALUE_TEXT, .traits = COLUMN_SHRINK, .drop = 3) \
	X(DIFF_STALE, "stale_on", "STALE ON", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(DIFF_MISSING, "missing_on", "MISSING ON", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(DIFF_BEHIND, "behind_s", "BEHIND", VALUE_SECONDS, .drop = 1)
/* clang-format on */

COLUMN_TABLE(columns, DIFF_COLUMNS);

static const struct view herd_diff_view =
    VIEW(columns, .schema = "herd.diff/1", .list = "clients");

struct diff {
	struct run *run;
	const struct target **nodes; /* those that answer */
	size_t node_count;
	size_t silent;
	char key[33];
	char **paths; /* differing nodes of the tree at the present depth */
	size_t path_count;
	size_t path_room;
	char **ids; /* differing clients, as the path of their record */
	size_t id_count;
	size_t id_room;
	bool cut;
	double count; /* clients of the first node */
};

static void
make_key(char key[33])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		memset(bytes, 0x5a, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(key + 2 * i, 3, "%02x", bytes[i]);
}

/* GETs the same path from all nodes that answer. */
static enum status
ask_nodes(struct diff *d, const char *path, struct answers *out)
{
	return ask(d->run, &(struct question){ .path = path }, d->nodes,
	    d->node_count, out);
}

static char *
digest_path(const struct diff *d, const char *path)
{
	char query[sizeof("?key=") + sizeof(d->key)];

	snprintf(query, sizeof(query), "?key=%s", d->key);
	return ask_path(path[0] == '\0' ? "/v1/digest" : "/v1/digest/",
	    span_from(path), query);
}

/* GETs the same part of the digest from all nodes; all must answer. */
static enum status
ask_digest(struct diff *d, const char *path, struct answers *out)
{
	char *url = digest_path(d, path);
	enum status status = ask_nodes(d, url, out);

	free(url);
	if (status == STATUS_OK && answers_status(out) != STATUS_OK)
		status = answers_report(d->run, out);
	return status;
}

static const char *
hash_of(const struct answer *a, size_t digit)
{
	const cJSON *hashes = fields_at(a->json, "hashes");
	const char *text =
	    cJSON_GetStringValue(cJSON_GetArrayItem(hashes, (int)digit));

	return text == NULL ? "" : text;
}

static void
add_path(struct diff *d, const char *parent, char digit)
{
	if (d->path_count == BUCKETS_MOST) {
		d->cut = true;
		return;
	}
	grow_array(d->paths, d->path_count, d->path_room);
	d->paths[d->path_count++] = xasprintf("%s%c", parent, digit);
}

/* Children of `parent` whose hashes are not the same on all nodes. */
static void
compare_children(
    struct diff *d, const char *parent, const struct answers *answers)
{
	for (size_t digit = 0; digit < TABLE_FAN; digit++) {
		const char *first = hash_of(&answers->items[0], digit);

		for (size_t i = 1; i < answers->count; i++) {
			if (strcmp(first, hash_of(&answers->items[i], digit)) !=
			    0) {
				add_path(d, parent, exam_tables_digit(digit));
				break;
			}
		}
	}
}

static enum status
descend(struct diff *d, const char *path)
{
	struct answers answers;
	enum status status = ask_digest(d, path, &answers);

	if (status == STATUS_OK)
		compare_children(d, path, &answers);
	answers_release(&answers);
	return status;
}

/* One level down from all differing nodes of the tree. */
static enum status
next_level(struct diff *d)
{
	char **old = d->paths;
	size_t count = d->path_count;
	enum status status = STATUS_OK;

	d->paths = NULL;
	d->path_count = 0;
	d->path_room = 0;
	for (size_t i = 0; i < count; i++) {
		if (status == STATUS_OK)
			status = descend(d, old[i]);
		free(old[i]);
	}
	free(old);
	return status;
}

/* Nodes that do not answer at all are left out and reported. */
static enum status
compare_roots(struct diff *d)
{
	struct run *run = d->run;
	struct answers answers;
	char *url = digest_path(d, "");
	enum status status = ask_all(run, url, &answers);
	enum status asked;

	free(url);
	if (status != STATUS_OK) {
		answers_release(&answers);
		return status;
	}
	asked = answers_report(run, &answers);
	d->nodes = xcalloc(answers.count, sizeof(*d->nodes));
	answers_each(a, &answers) {
		if (a->status != STATUS_OK) {
			d->silent++;
			continue;
		}
		if (d->node_count == 0)
			d->count =
			    fields_number(a->json, "count", FIELDS_UNKNOWN);
		d->nodes[d->node_count++] = a->target;
	}
	answers_release(&answers);
	return asked == STATUS_PARTIAL ? STATUS_OK : asked;
}

static bool
knows_id(const struct diff *d, const char *id)
{
	for (size_t i = 0; i < d->id_count; i++) {
		if (strcmp(d->ids[i], id) == 0)
			return true;
	}
	return false;
}

static char *
record_path(const cJSON *client)
{
	struct buf id = XBUF;
	char *path;

	(void)fields_client_id(client, &id);
	path = ask_path("/v1/clients/", buf_span(&id), "?removed=1");
	buf_release(&id);
	return path;
}

/* A record as text in which equal ones are equal. */
static char *
content_of(const cJSON *client)
{
	static const char *const keys[] = { "time", "location", "skew",
		"node" };
	struct buf text = XBUF;

	for (size_t i = 0; i < HERD_ARRAY_LEN(keys); i++) {
		const char *value = fields_text(client, keys[i]);

		putf(&text, "%s ", value == NULL ? "-" : value);
	}
	put_text(&text, fields_is(client, "removed") ? "removed" : "");
	return text_take(&text);
}

static const cJSON *
find_client(const cJSON *list, const char *path)
{
	const cJSON *client;

	cJSON_ArrayForEach(client, list) {
		char *other = record_path(client);
		bool same = strcmp(other, path) == 0;

		free(other);
		if (same)
			return client;
	}
	return NULL;
}

static bool
is_equal_everywhere(const struct answers *answers, const char *path)
{
	char *first = NULL;
	bool equal = true;

	for (size_t i = 0; i < answers->count && equal; i++) {
		const cJSON *client = find_client(
		    fields_at(answers->items[i].json, "clients"), path);
		char *content =
		    client == NULL ? xstrdup("") : content_of(client);

		if (first == NULL)
			first = xstrdup(content);
		equal = strcmp(first, content) == 0;
		free(content);
	}
	free(first);
	return equal;
}

/* The clients of a bucket that are not the same on all nodes. */
static void
compare_bucket(struct diff *d, const struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++) {
		const cJSON *client;

		cJSON_ArrayForEach(
		    client, fields_at(answers->items[i].json, "clients")) {
			char *path = record_path(client);

			if (d->id_count == CLIENTS_MOST) {
				d->cut = true;
			} else if (!knows_id(d, path) &&
				   !is_equal_everywhere(answers, path)) {
				grow_array(d->ids, d->id_count, d->id_room);
				d->ids[d->id_count++] = xstrdup(path);
			}
			free(path);
		}
	}
}

static enum status
list_buckets(struct diff *d)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < d->path_count && status == STATUS_OK; i++) {
		struct answers answers;

		status = ask_digest(d, d->paths[i], &answers);
		if (status == STATUS_OK)
			compare_bucket(d, &answers);
		answers_release(&answers);
	}
	return status;
}

/* --- one client, asked for again ------------------------------------------ */

static void
add_name(struct buf *list, const char *name)
{
	putf(list, "%s%s", list->len > 0 ? "," : "", name);
}

struct newest {
	const cJSON *json;
	uint64_t ns;
	char *content;
};

static void
find_newest(const struct answers *answers, struct newest *out)
{
	*out = (struct newest){ 0 };
	for (size_t i = 0; i < answers->count; i++) {
		const cJSON *json = answers->items[i].json;
		const char *time = fields_text(json, "time");
		uint64_t ns;

		if (time == NULL || time_parse(span_from(time), &ns) != HERD_OK)
			continue;
		if (out->json == NULL || ns > out->ns) {
			out->json = json;
			out->ns = ns;
		}
	}
	out->content = out->json == NULL ? xstrdup("") : content_of(out->json);
}

static void
write_row(struct diff *d, const struct newest *newest, struct buf lists[3],
    double behind)
{
	struct out *out = &d->run->out;
	struct buf id = XBUF;

	if (fields_client_id(newest->json, &id))
		out_text(out, DIFF_CLIENT, buf_span(&id));
	buf_release(&id);
	out_word(out, DIFF_TIME, fields_text(newest->json, "time"));
	for (size_t i = 0; i < 3; i++) {
		if (lists[i].len > 0)
			out_text(out, DIFF_HAVE + i, buf_span(&lists[i]));
	}
	if (lists[1].len > 0)
		out_real(out, DIFF_BEHIND, behind);
	out_row(out);
}

/* Writes a row if the client still differs. */
static void
compare_records(struct diff *d, const struct answers *answers)
{
	struct newest newest;
	struct buf lists[3]; /* newest, stale, missing */
	double behind = 0;

	for (size_t i = 0; i < 3; i++)
		buf_init(&lists[i], XBUF_MAX);
	find_newest(answers, &newest);
	answers_each(a, answers) {
		uint64_t ns = 0;
		char *content;

		if (a->json == NULL) {
			add_name(&lists[2], a->target->name);
			continue;
		}
		content = content_of(a->json);
		if (strcmp(content, newest.content) == 0) {
			add_name(&lists[0], a->target->name);
		} else {
			const char *time = fields_text(a->json, "time");

			add_name(&lists[1], a->target->name);
			if (time != NULL &&
			    time_parse(span_from(time), &ns) == HERD_OK &&
			    (double)(newest.ns - ns) / 1e9 > behind)
				behind = (double)(newest.ns - ns) / 1e9;
		}
		free(content);
	}
	if (newest.json != NULL && lists[1].len + lists[2].len > 0)
		write_row(d, &newest, lists, behind);
	free(newest.content);
	for (size_t i = 0; i < 3; i++)
		buf_release(&lists[i]);
}

static enum status
look_again(struct diff *d)
{
	enum status status = STATUS_OK;

	if (d->id_count > 0 &&
	    loop_rest(app_loop(d->run->app), SETTLE_NS) == WAIT_INTERRUPTED)
		return STATUS_SIGINT;
	for (size_t i = 0; i < d->id_count && status == STATUS_OK; i++) {
		struct answers answers;

		run_renew_deadline(d->run);
		status = ask_nodes(d, d->ids[i], &answers);
		if (status == STATUS_OK)
			compare_records(d, &answers);
		answers_release(&answers);
	}
	return status;
}

/* --- the command ----------------------------------------------------- */

static enum status
find_differences(struct diff *d)
{
	enum status status = compare_roots(d);

	/* The root is the empty path, then a digit with each level. */
	if (status == STATUS_OK) {
		d->paths = xcalloc(1, sizeof(*d->paths));
		d->paths[0] = xstrdup("");
		d->path_count = 1;
		d->path_room = 1;
	}
	for (size_t level = 0; level < DEPTH && status == STATUS_OK &&
			       d->node_count > 1 && d->path_count > 0;
	     level++) {
		run_renew_deadline(d->run);
		status = next_level(d);
	}
	if (status == STATUS_OK && d->node_count > 1)
		status = list_buckets(d);
	return status == STATUS_OK ? look_again(d) : status;
}

static enum status
write_diff(struct diff *d)
{
	struct run *run = d->run;
	size_t differing = run->out.count;
	struct buf text = XBUF;

	if (differing == 0) {
		putf(&text, "tables are equal: %zu node%s, ", d->node_count,
		    d->node_count == 1 ? "" : "s");
		if (fabs(d->count) < COUNT_MAX)
			put_grouped(&text, (int64_t)d->count);
		else
			put_text(&text, "an unknown number of");
		put_text(&text,
		    d->count > 1 || d->count < 1 ? " clients" : " client");
	} else {
		putf(&text, "%s%zu client%s on %zu nodes",
		    d->cut ? "at least " : "", differing,
		    differing == 1 ? " differs" : "s differ", d->node_count);
	}
	if (d->silent > 0)
		putf(&text, "; %zu unreachable", d->silent);
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
	out_member_bool(&run->out, "equal", differing == 0);
	out_member_bool(&run->out, "complete", !d->cut && d->silent == 0);
	out_end(&run->out);
	if (differing > 0)
		return STATUS_NEGATIVE;
	return d->silent > 0 ? STATUS_PARTIAL : STATUS_OK;
}

static enum status
herd_diff_run(struct run *run)
{
	struct diff d = { .run = run };
	enum status status;

	if (run_flag(run, "store") != NULL)
		return store_diff(run);
	status = run_begin(run, &herd_diff_view);

	make_key(d.key);
	if (status == STATUS_OK)
		status = find_differences(&d);
	if (status == STATUS_OK)
		status = write_diff(&d);
	for (size_t i = 0; i < d.path_count; i++)
		free(d.paths[i]);
	for (size_t i = 0; i < d.id_count; i++)
		free(d.ids[i]);
	free(d.paths);
	free(d.ids);
	free(d.nodes);
	return status;
}

const struct command cmd_herd_diff = {
	.path = "herd diff",
	.summary = "list the clients that nodes disagree on",
	.help = "Tables are compared by a tree of hashes; reports on their way "
		"are not counted. With --store each node compares its table "
		"with the store that nodes share: MISSING and STALE are "
		"reports that the store lacks or has older, UNKNOWN and NEWER "
		"are rows that the node lacks or has older; nothing is "
		"changed, and what is younger than a minute is left out. The "
		"exit status is 1 when something differs.",
	.group = GROUP_HERD,
	.flags = FLAGS(FLAG("store", .help = "compare with the shared store")),
	.view = &herd_diff_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = herd_diff_run,
	.example = "herd diff",
};
