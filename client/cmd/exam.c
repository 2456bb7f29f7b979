/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/exam.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "run/fields.h"

#define LOOKS 3u           /* at tables: what differs may only be on its way */
#define RESTLESS_PARTS 64u /* of 4096: busy clients have theirs there */
#define LOOK_NS (300 * HERD_NS_PER_MS)
#define COUNT_NS (200 * HERD_NS_PER_MS) /* between two looks at a count */

static const char *const paths[] = {
#define EXAM_PART_PATH(name, path) [name] = (path),
	EXAM_PARTS_LIST(EXAM_PART_PATH)
#undef EXAM_PART_PATH
};

static const struct answer *
answer_of(
    const struct exam *exam, enum exam_part part, const struct target *target)
{
	answers_each(a, &exam->answers[part]) {
		if (a->target == target)
			return a;
	}
	return NULL;
}

/* --- asking ---------------------------------------------------------- */

/* The next question may take this part of the time that is left. */
static void
set_share(struct exam *exam, unsigned parts)
{
	uint64_t left = mono_since(exam->deadline, now_mono());

	if (exam->deadline.ns != NO_DEADLINE.ns)
		exam->run->deadline = mono_add(now_mono(), left / parts + 1);
}

/* Is the node to be asked this? */
typedef bool exam_wants(
    const struct exam *exam, enum exam_part part, const struct target *target);

static bool
wants_all(const struct exam *exam HERD_UNUSED, enum exam_part part HERD_UNUSED,
    const struct target *target HERD_UNUSED)
{
	return true;
}

static bool
is_up(const struct exam *exam, enum exam_part part HERD_UNUSED,
    const struct target *target)
{
	return exam_json(exam, EXAM_STATUS, target) != NULL;
}

/* Has it not yet counted its table, so that a later answer says more? */
static bool
is_counting(
    const struct exam *exam, enum exam_part part, const struct target *target)
{
	const cJSON *json = exam_json(exam, part, target);

	return cJSON_IsNull(fields_at(json, "clients.strange")) ||
	       cJSON_IsNull(fields_at(json, "clients.ahead"));
}

static enum status
ask_path_of(struct exam *exam, const char *path, enum exam_part part,
    exam_wants *wanted, struct answers *out)
{
	struct run *run = exam->run;
	struct question question = { .path = path };
	const struct target **targets =
	    xcalloc(run->target_count + 1, sizeof(*targets));
	size_t count = 0;
	enum status status;

	for (size_t i = 0; i < run->target_count; i++) {
		if (wanted(exam, part, run->targets[i]))
			targets[count++] = run->targets[i];
	}
	status = ask(run, &question, targets, count, out);
	free(targets);
	return status;
}

static enum status
ask_those(struct exam *exam, enum exam_part part, exam_wants *wanted,
    struct answers *out)
{
	return ask_path_of(exam, paths[part], part, wanted, out);
}

/* True when the rest was whole and there is time left after it. */
static bool
rest_within(struct exam *exam, uint64_t ns, enum status *status)
{
	struct run *run = exam->run;

	if (run->deadline.ns != NO_DEADLINE.ns &&
	    mono_since(run->deadline, now_mono()) < 2 * ns)
		return false;
	if (loop_rest(app_loop(run->app), ns) == WAIT_INTERRUPTED)
		*status = STATUS_SIGINT;
	return *status == STATUS_OK;
}

/* Puts good answers in the place of those before. */
static void
replace(struct answers *all, struct answers *again)
{
	answers_each(a, all) {
		answers_each(b, again) {
			struct answer before = *a;

			if (b->target != a->target || b->status != STATUS_OK)
				continue;
			*a = *b;
			*b = before;
		}
	}
}

/* Waits until each node that answers has counted its table. */
static enum status
recount(struct exam *exam)
{
	enum status status = STATUS_OK;

	for (;;) {
		struct answers again;
		size_t counting = 0;

		for (size_t i = 0; i < exam->run->target_count; i++)
			counting += is_counting(
			    exam, EXAM_STATUS, exam->run->targets[i]);
		if (counting == 0 || !rest_within(exam, COUNT_NS, &status))
			return status;
		status = ask_those(exam, EXAM_STATUS, is_counting, &again);
		replace(&exam->answers[EXAM_STATUS], &again);
		answers_release(&again);
		if (status != STATUS_OK)
			return status;
	}
}

/* What is below the node of that path, or the whole with "". */
static enum status
ask_digest(struct exam *exam, const char *path, struct answers *out)
{
	const char *key = strchr(paths[EXAM_DIGEST], '?');
	char *url = ask_path("/v1/digest/", span_from(path), key);
	enum status status =
	    ask_path_of(exam, path[0] == '\0' ? paths[EXAM_DIGEST] : url,
		EXAM_DIGEST, is_up, out);

	free(url);
	return status;
}

/* One look at all tables; its answers stay until the next one. */
static enum status
look_at_tables(struct exam *exam)
{
	struct answers *answers = &exam->answers[EXAM_DIGEST];
	enum status status;

	answers_release(answers);
	status = ask_digest(exam, "", answers);
	exam_tables_look(&exam->tables);
	exam_tables_add(&exam->tables, 0, exam->run->targets, answers);
	return status;
}

static bool
is_decided(const struct exam_tables *tables)
{
	return !exam_tables_have(tables, TABLE_OTHER) &&
	       !exam_tables_have(tables, TABLE_CHANGING);
}

/* One level further down, where the hashes are of less and so rest longer. */
static enum status
look_closer(struct exam *exam)
{
	enum status status = look_at_tables(exam);

	exam_tables_look(&exam->parts_of_tables);
	for (size_t i = 0; i < TABLE_FAN && status == STATUS_OK; i++) {
		const char path[] = { exam_tables_digit(i), '\0' };
		struct answers below;

		if (!exam_tables_differ(&exam->answers[EXAM_DIGEST], i)) {
			exam_tables_add_equal(
			    &exam->parts_of_tables, i * TABLE_FAN);
			continue;
		}
		status = ask_digest(exam, path, &below);
		exam_tables_add(&exam->parts_of_tables, i * TABLE_FAN,
		    exam->run->targets, &below);
		answers_release(&below);
	}
	return status;
}

static enum status
ask_tables(struct exam *exam)
{
	size_t count = exam->run->target_count;
	enum status status;

	exam_tables_begin(&exam->tables, count, TABLE_FAN, 0);
	status = look_at_tables(exam);
	for (unsigned i = 1; i < LOOKS && status == STATUS_OK; i++) {
		if (is_decided(&exam->tables) ||
		    !rest_within(exam, LOOK_NS, &status))
			return status;
		status = look_at_tables(exam);
	}
	if (!exam_tables_have(&exam->tables, TABLE_CHANGING))
		return status;
	exam_tables_begin(&exam->parts_of_tables, count,
	    (size_t)TABLE_FAN * TABLE_FAN, RESTLESS_PARTS);
	for (unsigned i = 0; i < LOOKS && status == STATUS_OK; i++) {
		if (!rest_within(exam, LOOK_NS, &status))
			break;
		status = look_closer(exam);
		if (is_decided(&exam->parts_of_tables))
			break;
	}
	return status;
}

/* A single link's answer has its history, which the list of links lacks. */
static enum status
ask_history(struct exam *exam, const struct target *target, const char *peer)
{
	struct answers *all = &exam->restless;
	char *path = ask_path("/v1/peers/", span_from(peer), "");
	struct question question = { .path = path };
	struct answers one;
	enum status status = ask(exam->run, &question, &target, 1, &one);

	free(path);
	all->items =
	    xrealloc(all->items, (all->count + 1) * sizeof(*all->items));
	all->items[all->count++] = one.items[0];
	free(one.items);
	return status;
}

static enum status
ask_restless(struct exam *exam)
{
	enum status status = STATUS_OK;

	answers_each(a, &exam->answers[EXAM_PEERS]) {
		const cJSON *link;

		cJSON_ArrayForEach(link, fields_at(a->json, "peers")) {
			const char *peer = fields_text(link, "peer");
			double ended = fields_number(
			    link, "last_error_s", EXAM_RESTLESS_S);

			if (status == STATUS_OK && peer != NULL &&
			    fields_number(link, "connects", 0) >=
				EXAM_RESTLESS_TIMES &&
			    ended < EXAM_RESTLESS_S &&
			    exam->restless.count < EXAM_RESTLESS_MAX)
				status = ask_history(exam, a->target, peer);
		}
	}
	return status;
}

static enum status
ask_peers(struct exam *exam)
{
	enum status status =
	    ask_those(exam, EXAM_PEERS, is_up, &exam->answers[EXAM_PEERS]);

	return status == STATUS_OK ? ask_restless(exam) : status;
}

static enum status
ask_part(struct exam *exam, enum exam_part part)
{
	if (part == EXAM_DIGEST)
		return ask_tables(exam);
	if (part == EXAM_PEERS)
		return ask_peers(exam);
	return ask_those(exam, part, is_up, &exam->answers[part]);
}

enum status
exam_begin(struct run *run, unsigned parts, bool counts, struct exam *out)
{
	enum status status = run_targets(run);
	unsigned left = counts;

	*out = (struct exam){ .run = run,
		.parts = parts | EXAM_BIT(EXAM_STATUS),
		.deadline = run->deadline };
	for (unsigned part = EXAM_STATUS + 1; part < EXAM_PARTS; part++)
		left += (parts >> part) & 1;
	/* A silent node is so by this question: half of the time is for it. */
	set_share(out, left > 0 ? 2 : 1);
	if (status == STATUS_OK)
		status = ask_those(
		    out, EXAM_STATUS, wants_all, &out->answers[EXAM_STATUS]);
	if (status == STATUS_OK && counts) {
		set_share(out, left--);
		status = recount(out);
	}
	for (unsigned part = EXAM_STATUS + 1; part < EXAM_PARTS; part++) {
		if (status != STATUS_OK || (parts & EXAM_BIT(part)) == 0)
			continue;
		set_share(out, left--);
		status = ask_part(out, part);
	}
	run->deadline = out->deadline;
	return status;
}

void
exam_release(struct exam *exam)
{
	for (unsigned part = 0; part < EXAM_PARTS; part++)
		answers_release(&exam->answers[part]);
	answers_release(&exam->restless);
	exam_tables_release(&exam->tables);
	exam_tables_release(&exam->parts_of_tables);
}

/* --- reading --------------------------------------------------------- */

void
exam_raw(const struct exam *exam)
{
	answers_each(a, &exam->answers[EXAM_STATUS]) {
		if (a->status == STATUS_OK)
			out_raw(&exam->run->out, buf_span(&a->body));
	}
}

const cJSON *
exam_json(
    const struct exam *exam, enum exam_part part, const struct target *target)
{
	const struct answer *a = answer_of(exam, part, target);

	return a != NULL && a->status == STATUS_OK ? a->json : NULL;
}

bool
exam_is_unknown_route(
    const struct exam *exam, enum exam_part part, const struct target *target)
{
	const struct answer *a = answer_of(exam, part, target);

	return a != NULL && a->status != STATUS_OK && a->http == 404;
}

const char *
exam_why_not(
    const struct exam *exam, enum exam_part part, const struct target *target)
{
	const struct answer *a = answer_of(exam, part, target);

	if (a == NULL)
		a = answer_of(exam, EXAM_STATUS, target);
	return a == NULL || a->message == NULL ? "not asked" : a->message;
}

size_t
exam_list_silent(const struct exam *exam, enum exam_part part, struct buf *list)
{
	const struct run *run = exam->run;
	size_t count = 0;

	for (size_t i = 0; i < run->target_count; i++) {
		if (exam_json(exam, part, run->targets[i]) != NULL)
			continue;
		putf(list, "%s%s", count++ == 0 ? "" : ", ",
		    run->targets[i]->name);
	}
	return count;
}

enum table_verdict
exam_table(const struct exam *exam, const struct target *target)
{
	enum table_verdict verdict = TABLE_UNASKED;
	enum table_verdict closer = TABLE_UNASKED;

	for (size_t i = 0; i < exam->run->target_count; i++) {
		if (exam->run->targets[i] != target)
			continue;
		verdict = exam_tables_judge(&exam->tables, i);
		closer = exam_tables_judge(&exam->parts_of_tables, i);
	}
	return verdict == TABLE_CHANGING && closer != TABLE_UNASKED ? closer
								    : verdict;
}
