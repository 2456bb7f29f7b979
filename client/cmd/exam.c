/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/exam.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "run/fields.h"

#define ROUNDS 4u /* what differs may only be on its way */
#define ROUND_NS (300 * HERD_NS_PER_MS)
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
ask_those(struct exam *exam, enum exam_part part, exam_wants *wanted,
    struct answers *out)
{
	struct run *run = exam->run;
	struct question question = { .path = paths[part] };
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

static bool
all_equal(const struct exam *exam)
{
	for (size_t i = 0; i < exam->run->target_count; i++) {
		enum table_verdict verdict =
		    exam_tables_judge(&exam->tables, i);

		if (verdict == TABLE_OTHER || verdict == TABLE_CHANGING)
			return false;
	}
	return true;
}

/* The last round's answers stay. */
static enum status
ask_digests(struct exam *exam)
{
	const struct run *run = exam->run;
	struct answers *answers = &exam->answers[EXAM_DIGEST];
	enum status status;

	answers_release(answers);
	status = ask_those(exam, EXAM_DIGEST, is_up, answers);
	exam_tables_add(
	    &exam->tables, run->targets, run->target_count, answers);
	return status;
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

static enum status
ask_tables(struct exam *exam)
{
	enum status status = ask_digests(exam);

	for (unsigned i = 1; i < ROUNDS && status == STATUS_OK; i++) {
		if (all_equal(exam) || !rest_within(exam, ROUND_NS, &status))
			break;
		status = ask_digests(exam);
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
	for (size_t i = 0; i < exam->run->target_count; i++) {
		if (exam->run->targets[i] == target)
			return exam_tables_judge(&exam->tables, i);
	}
	return TABLE_UNASKED;
}
