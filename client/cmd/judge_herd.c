/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/judge_herd.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/graph.h"
#include "run/fields.h"

#define CLOCK_MOST_S 1.0 /* a clock farther from the others is named */

/* --- shape ----------------------------------------------------------- */

static void
find_weak_points(struct findings *f, const struct graph_facts *facts)
{
	const struct herdfile *file = &f->exam->run->herd->file;

	if (facts->parts > 1)
		findings_add(f, FINDING_SHAPE, NULL, NULL,
		    "the links leave nodes that never hear of each other")
		    ->value = (double)facts->parts;
	for (size_t i = 0; i < facts->edges; i++) {
		if (facts->bridge[i])
			(void)findings_add(f, FINDING_BRIDGE, NULL, NULL,
			    "%s-%s", file->nodes[file->links[i].a].name,
			    file->nodes[file->links[i].b].name);
	}
	for (size_t i = 0; i < facts->nodes; i++) {
		if (facts->cut[i])
			(void)findings_add(f, FINDING_CUT, NULL, NULL, "%s",
			    file->nodes[i].name);
	}
}

static void
find_shape(struct findings *f)
{
	const struct herdfile *file = &f->exam->run->herd->file;
	struct graph_edge *edges =
	    xcalloc(file->link_count + 1, sizeof(*edges));
	struct graph_facts facts;

	for (size_t i = 0; i < file->link_count; i++)
		edges[i] =
		    (struct graph_edge){ file->links[i].a, file->links[i].b };
	must(graph_study(file->node_count, edges, file->link_count, &facts));
	f->measured[TOPIC_SHAPE] = (double)facts.parts;
	find_weak_points(f, &facts);
	graph_facts_release(&facts);
	free(edges);
}

/* --- tables ---------------------------------------------------------- */

static void
find_unequal(struct findings *f)
{
	const struct run *run = f->exam->run;
	struct buf names = XBUF;
	size_t unequal = 0;

	for (size_t i = 0; i < run->target_count; i++) {
		const struct target *target = run->targets[i];
		enum table_verdict verdict = exam_table(f->exam, target);
		const cJSON *json = exam_json(f->exam, EXAM_DIGEST, target);

		if (json != NULL && !cJSON_IsArray(fields_at(json, "hashes")))
			findings_miss(f, TOPIC_TABLES, target, "its table",
			    "it lacks its hashes");
		else if (verdict == TABLE_CHANGING)
			findings_lack(f, TOPIC_TABLES);
		else if (verdict == TABLE_OTHER)
			putf(&names, "%s%s", unequal++ == 0 ? "" : ", ",
			    target->name);
	}
	if (unequal > 0)
		findings_add(f, FINDING_TABLES, NULL, NULL,
		    "%zu node%s with another table: %s", unequal,
		    unequal == 1 ? "" : "s", text_of(&names))
		    ->value = (double)unequal;
	buf_release(&names);
}

/* --- clocks ---------------------------------------------------------- */

static void
find_overruled(struct findings *f, const struct answer *a)
{
	double ms = fields_number(a->json, "clock.ahead_ms", FIELDS_UNKNOWN);

	if (fields_at(a->json, "clock.state") == NULL)
		findings_lack(f, TOPIC_OVERRULED);
	if (!fields_says(a->json, "clock.state", "overruled"))
		return;
	if (isnan(ms))
		(void)findings_add(f, FINDING_OVERRULED, a->target, NULL,
		    "%s's clock is overruled", a->target->name);
	else
		(void)findings_add(f, FINDING_OVERRULED, a->target, NULL,
		    "%s is %.1f s %s", a->target->name, fabs(ms) / 1e3,
		    ms < 0 ? "behind" : "ahead");
}

/* A node's clock minus this machine's, less half the round trip; or NaN. */
static double
offset_s(const struct answer *a)
{
	const char *time = fields_text(a->json, "time");
	uint64_t ns;

	if (time == NULL || time_parse(span_from(time), &ns) != HERD_OK)
		return FIELDS_UNKNOWN;
	return ((double)ns - (double)a->came.ns) / 1e9 + a->ms / 2e3;
}

static int
by_size(const void *x, const void *y)
{
	double a = *(const double *)x;
	double b = *(const double *)y;

	return (a > b) - (a < b);
}

/* This machine's clock has a vote when that makes the number odd. */
static double
median(double *offsets, size_t count)
{
	if (count % 2 == 0)
		offsets[count++] = 0;
	qsort(offsets, count, sizeof(*offsets), by_size);
	return offsets[count / 2];
}

static void
find_clock(struct findings *f, const struct answer *a, double middle)
{
	double off = offset_s(a) - middle;

	if (isnan(off))
		findings_lack(f, TOPIC_CLOCKS);
	if (!(fabs(off) > CLOCK_MOST_S + a->ms / 2e3))
		return;
	findings_add(f, FINDING_CLOCK, a->target, NULL,
	    "the clock of %s is %.1f s %s the others'", a->target->name,
	    fabs(off), off < 0 ? "behind" : "ahead of")
	    ->value = fabs(off);
}

static void
find_clocks(struct findings *f)
{
	const struct answers *status = &f->exam->answers[EXAM_STATUS];
	double *offsets = xcalloc(status->count + 1, sizeof(*offsets));
	double low = (double)INFINITY;
	double high = -(double)INFINITY;
	size_t count = 0;
	double middle;

	answers_each(a, status) {
		double off = offset_s(a);

		if (isnan(off))
			continue;
		offsets[count++] = off;
		low = fmin(low, off);
		high = fmax(high, off);
	}
	if (count > 0)
		f->measured[TOPIC_CLOCKS] = round((high - low) * 1e3) / 1e3;
	middle = median(offsets, count);
	answers_each(a, status) {
		if (a->status == STATUS_OK)
			find_clock(f, a, middle);
	}
	free(offsets);
}

/* --- reports --------------------------------------------------------- */

/* Appends the names that a node gives, up to the few that it lists. */
static void
put_names(struct buf *out, const cJSON *names)
{
	const cJSON *name;
	const char *comma = "";

	cJSON_ArrayForEach(name, names) {
		if (cJSON_IsString(name))
			putf(out, "%s%s", comma, name->valuestring);
		comma = ", ";
	}
}

/* The node with the largest number at `path`, if any has one above 0. */
static const struct answer *
most_of(struct findings *f, const char *path, enum topic topic, double *most)
{
	const struct answer *found = NULL;

	*most = 0;
	answers_each(a, &f->exam->answers[EXAM_STATUS]) {
		double count = fields_number(a->json, path, FIELDS_UNKNOWN);

		if (a->status == STATUS_OK && isnan(count))
			findings_lack(f, topic);
		if (!(count > *most))
			continue;
		*most = count;
		found = a;
	}
	return found;
}

static void
find_strange(struct findings *f)
{
	struct buf names = XBUF;
	double most;
	const struct answer *a =
	    most_of(f, "clients.strange", TOPIC_ORIGINS, &most);

	if (a == NULL)
		return;
	put_names(&names, fields_at(a->json, "clients.strange_origins"));
	findings_add(f, FINDING_ORIGIN, a->target, NULL, "%s holds %.0f of %s",
	    a->target->name, most, text_of(&names))
	    ->value = most;
	buf_release(&names);
}

static void
find_ahead(struct findings *f)
{
	double most;
	const struct answer *a =
	    most_of(f, "clients.ahead", TOPIC_AHEAD, &most);

	if (a != NULL)
		findings_add(f, FINDING_AHEAD, a->target, NULL,
		    "%s holds %.0f report%s with a time ahead of now",
		    a->target->name, most, most == 1 ? "" : "s")
		    ->value = most;
}

/* --- what should be the same ----------------------------------------- */

/* Of how many nodes is the text at `path` this one? */
static size_t
count_saying(const struct findings *f, const char *path, const char *text)
{
	size_t count = 0;

	answers_each(a, &f->exam->answers[EXAM_STATUS])
		count += fields_says(a->json, path, text);
	return count;
}

/* What most nodes say; NULL: none says anything. */
static const char *
usual(const struct findings *f, const char *path)
{
	const char *found = NULL;
	size_t most = 0;

	answers_each(a, &f->exam->answers[EXAM_STATUS]) {
		const char *text = fields_text(a->json, path);
		size_t count = text == NULL ? 0 : count_saying(f, path, text);

		if (count <= most)
			continue;
		most = count;
		found = text;
	}
	return found;
}

static void
find_unlike(struct findings *f, const char *path, const char *want,
    enum finding_id id, const char *what)
{
	answers_each(a, &f->exam->answers[EXAM_STATUS]) {
		const char *text = fields_text(a->json, path);

		if (a->status == STATUS_OK && text == NULL)
			findings_lack(f, finding_row(id)->topic);
		if (text == NULL || want == NULL || strcmp(text, want) == 0)
			continue;
		(void)findings_add(f, id, a->target, NULL,
		    "%s has %s %s, not %s", a->target->name, what, text, want);
	}
}

/* --- settings -------------------------------------------------------- */

static const cJSON *
setting_of(const cJSON *config, const char *name)
{
	const cJSON *setting;

	cJSON_ArrayForEach(setting, fields_at(config, "settings")) {
		if (fields_says(setting, "name", name))
			return fields_at(setting, "value");
	}
	return NULL;
}

/* The index of the value that most have, the first of the largest group. */
static size_t
find_usual(const cJSON *const *values, size_t count)
{
	size_t found = count;
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t like = 0;

		for (size_t j = 0; j < count && values[i] != NULL; j++)
			like += cJSON_Compare(values[i], values[j], true) != 0;
		if (like <= most)
			continue;
		most = like;
		found = i;
	}
	return found;
}

/* Appends `name` to the list of each node whose value is not the usual one. */
static void
note_odd(const cJSON *const *values, size_t count, const char *name,
    struct buf *lists)
{
	size_t usual_at = find_usual(values, count);

	for (size_t i = 0; i < count; i++) {
		if (values[i] != NULL &&
		    !cJSON_Compare(values[i], values[usual_at], true))
			putf(&lists[i], "%s%s", lists[i].len > 0 ? ", " : "",
			    name);
	}
}

/* Each setting that the first node that answered has; and the links. */
static void
compare_settings(
    const struct answers *answers, const cJSON **values, struct buf *lists)
{
	const cJSON *first = NULL;
	const cJSON *setting;

	for (size_t i = answers->count; i-- > 0;) {
		const cJSON *json = answers->items[i].json;

		first = json != NULL ? json : first;
		values[i] = fields_at(json, "links");
	}
	note_odd(values, answers->count, "links", lists);
	cJSON_ArrayForEach(setting, fields_at(first, "settings")) {
		const char *name = fields_text(setting, "name");

		if (name == NULL)
			continue;
		for (size_t i = 0; i < answers->count; i++)
			values[i] = setting_of(answers->items[i].json, name);
		note_odd(values, answers->count, name, lists);
	}
}

/* --- keys ------------------------------------------------------------ */

static const cJSON *
ring_of(const cJSON *config, const char *name)
{
	const cJSON *ring;

	cJSON_ArrayForEach(ring, fields_at(config, "keys")) {
		if (fields_says(ring, "name", name))
			return fields_at(ring, "fingerprints");
	}
	return NULL;
}

/* A file whose name has %n is meant to be another at each node. */
static bool
is_shared(const cJSON *config, const char *name)
{
	const cJSON *path = setting_of(config, name);

	return strcmp(name, "key_file") == 0 || !cJSON_IsString(path) ||
	       strstr(path->valuestring, "%n") == NULL;
}

/* The words of each key file, by their fingerprints. */
static void
compare_keys(
    const struct answers *answers, const cJSON **values, struct buf *lists)
{
	static const char *const names[] = { "key_file", "admin.token_file",
		"admin.read_token_file" };

	for (size_t n = 0; n < HERD_ARRAY_LEN(names); n++) {
		for (size_t i = 0; i < answers->count; i++) {
			const cJSON *json = answers->items[i].json;

			values[i] = is_shared(json, names[n])
					? ring_of(json, names[n])
					: NULL;
		}
		note_odd(values, answers->count, names[n], lists);
	}
}

typedef void compare_function(
    const struct answers *answers, const cJSON **values, struct buf *lists);

/* A finding for each node that differs, with the list of what it is in. */
static void
find_odd(struct findings *f, compare_function *compare, enum finding_id id,
    const char *what)
{
	const struct answers *answers = &f->exam->answers[EXAM_CONFIG];
	const cJSON **values = xcalloc(answers->count + 1, sizeof(*values));
	struct buf *lists = xcalloc(answers->count + 1, sizeof(*lists));

	for (size_t i = 0; i < answers->count; i++)
		buf_init(&lists[i], XBUF_MAX);
	compare(answers, values, lists);
	for (size_t i = 0; i < answers->count; i++) {
		const struct target *target = answers->items[i].target;

		if (lists[i].len > 0)
			(void)findings_add(f, id, target, NULL,
			    "%s differs from the others in %s%s", target->name,
			    what, text_of(&lists[i]));
		buf_release(&lists[i]);
	}
	free(lists);
	free(values);
}

static void
find_unlike_keys(struct findings *f)
{
	const struct answers *answers = &f->exam->answers[EXAM_CONFIG];

	answers_each(a, answers) {
		if (a->status == STATUS_OK &&
		    !cJSON_IsArray(fields_at(a->json, "keys")))
			findings_lack(f, TOPIC_KEYS);
	}
	find_odd(f, compare_keys, FINDING_KEYS, "the words of ");
}

void
judge_herd(struct findings *findings)
{
	const struct exam *exam = findings->exam;
	const struct herd *herd = exam->run->herd;

	if (herd->has_file)
		find_shape(findings);
	find_unequal(findings);
	find_unlike(findings, "herd",
	    herd->name != NULL ? herd->name : usual(findings, "herd"),
	    FINDING_OTHER_HERD, "the herd");
	find_unlike(findings, "version", usual(findings, "version"),
	    FINDING_VERSION, "the version");
	answers_each(a, &exam->answers[EXAM_STATUS]) {
		if (a->status == STATUS_OK)
			find_overruled(findings, a);
	}
	find_clocks(findings);
	find_ahead(findings);
	find_strange(findings);
	find_odd(findings, compare_settings, FINDING_CONFIG, "");
	find_unlike_keys(findings);
}
