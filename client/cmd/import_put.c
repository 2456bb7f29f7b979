/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sender of an exact import: POST /v1/clients, with origin and skew as they
 * were and removals. Lines go in batches, a few of which are under way at once.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/import_job.h"
#include "herd/report.h"
#include "herd/text.h"
#include "run/fields.h"

/* A node takes bodies of up to 256 KiB. */
#define BATCH_BYTES ((size_t)200 << 10)
#define BATCHES 4u
/* Lines of which an answer names each that is wrong. */
#define FAULTS_NAMED 20u

/* A line of a batch. */
struct put_line {
	struct import_place at;
	size_t from; /* in the batch's text */
	size_t len;  /* with its LF */
	size_t reject_from;
	size_t reject_len;
};

struct put_batch {
	struct import_job *job;
	struct admin_call *call; /* NULL: it is not under way */
	struct buf text;
	struct buf rejects;
	struct put_line *lines;
	size_t count;
	size_t room;
	size_t begin; /* lines that are asked now: [begin .. end) */
	size_t end;
	size_t step;
};

struct import_putting {
	struct admin_client *admin;
	struct put_batch batches[BATCHES];
	struct put_batch *open; /* that lines are added to; or NULL */
};

static void post(struct put_batch *batch);

static void
clear_batch(struct put_batch *batch)
{
	buf_clear(&batch->text);
	buf_clear(&batch->rejects);
	batch->count = 0;
}

/* The line that the answer calls `number', counted from 1; or NULL. */
static const struct put_line *
line_of(const struct put_batch *batch, double number)
{
	if (!(number >= 1 && number <= (double)(batch->end - batch->begin)))
		return NULL;
	return &batch->lines[batch->begin + (size_t)number - 1];
}

static void
name_fault(const struct put_batch *batch, const cJSON *fault)
{
	struct import_job *job = batch->job;
	const struct put_line *line =
	    line_of(batch, fields_number(fault, "line", 0));
	const char *why = fields_text(fault, "why");
	struct report report = { 0 };
	struct buf text = XBUF;
	struct buf head = XBUF;

	if (line == NULL)
		return;
	(void)!report_parse(
	    span_of(buf_span(&batch->text).data + line->from, line->len - 1),
	    &report);
	putf(&text, "refused: %s", why == NULL ? "no reason given" : why);
	import_faults_say(&job->faults, STATUS_REFUSED, line->at, report.client,
	    text_of(&text));
	import_reader_reject_head(&job->reader, &head);
	if (line->reject_len > 0)
		import_faults_reject(&job->faults, buf_span(&head),
		    span_of(buf_span(&batch->rejects).data + line->reject_from,
			line->reject_len));
	buf_release(&text);
	buf_release(&head);
}

/* The answer's count; -1: there is none, or none that can be. */
static int64_t
count_of(const struct put_batch *batch, const cJSON *json, const char *key)
{
	double count = fields_number(json, key, -1);

	if (!(count >= 0 && count <= (double)(batch->end - batch->begin)))
		return -1;
	return (int64_t)count;
}

/* False: the answer names too few; the lines are asked again in parts. */
static bool
account(struct put_batch *batch, const cJSON *json)
{
	struct import_job *job = batch->job;
	size_t asked = batch->end - batch->begin;
	int64_t new = count_of(batch, json, "put");
	int64_t stale = count_of(batch, json, "stale");
	int64_t refused = count_of(batch, json, "refused");
	const cJSON *faults = fields_at(json, "faults");
	const cJSON *fault;

	if (new < 0 || stale < 0 || refused < 0 ||
	    new + stale + refused != (int64_t)asked) {
		import_job_close(job, STATUS_REPLY,
		    "its answer does not account for what it was given");
		return true;
	}
	if (refused > cJSON_GetArraySize(faults) && asked > FAULTS_NAMED) {
		batch->step = FAULTS_NAMED;
		batch->end = batch->begin + batch->step;
		return false;
	}
	job->counts.taken += new + stale;
	job->counts.stale += stale;
	job->counts.refused += refused;
	cJSON_ArrayForEach(fault, faults) {
		name_fault(batch, fault);
	}
	return true;
}

static void
on_done(void *arg, const struct admin_answer *answer)
{
	struct put_batch *batch = arg;
	struct import_job *job = batch->job;
	cJSON *json = NULL;

	batch->call = NULL;
	if (answer->status != STATUS_OK) {
		import_job_close(job, answer->status, answer->message);
	} else {
		json =
		    cJSON_ParseWithLength(answer->body.data, answer->body.len);
		if (account(batch, json)) {
			batch->begin = batch->end;
			batch->end += batch->step;
		}
		cJSON_Delete(json);
	}
	run_renew_deadline(job->run);
	if (batch->end > batch->count)
		batch->end = batch->count;
	if (job->closed || batch->begin == batch->count)
		clear_batch(batch);
	else
		post(batch);
}

static const struct admin_events events = { NULL, on_done };

static void
post(struct put_batch *batch)
{
	struct import_job *job = batch->job;
	struct import_putting *p = job->state;
	const struct put_line *last = &batch->lines[batch->end - 1];
	size_t from = batch->lines[batch->begin].from;
	char *body = xstrndup(
	    buf_span(&batch->text).data + from, last->from + last->len - from);
	struct admin_request request = {
		.method = "POST",
		.path = "/v1/clients",
		.body = body,
		.type = "Content-Type: text/plain",
		.timeout_ns = prefs_ns(&job->run->prefs, PREF_TIMEOUT),
	};
	struct buf why = XBUF;
	enum status status = ask_prepare(job->run, job->target, &request, &why);

	if (status == STATUS_OK)
		batch->call =
		    admin_client_start(p->admin, &request, &events, batch);
	else
		import_job_close(job, status, text_of(&why));
	buf_release(&why);
	free(body);
}

static void
begin(struct import_job *job)
{
	struct import_putting *p = xcalloc(1, sizeof(*p));

	job->state = p;
	for (size_t i = 0; i < BATCHES; i++) {
		p->batches[i].job = job;
		buf_init(&p->batches[i].text, XBUF_MAX);
		buf_init(&p->batches[i].rejects, XBUF_MAX);
	}
	if (app_admin(job->run->app, &p->admin, &job->run->message) ==
	    STATUS_OK)
		return;
	import_job_close(job, STATUS_LOCAL, text_of(&job->run->message));
	buf_clear(&job->run->message);
}

static void
push(struct import_job *job)
{
	struct import_putting *p = job->state;
	struct put_batch *batch = p->open;

	p->open = NULL;
	if (batch == NULL || job->closed)
		return;
	batch->begin = 0;
	batch->end = batch->count;
	batch->step = batch->count;
	post(batch);
}

static struct put_batch *
free_batch(struct import_putting *p)
{
	for (size_t i = 0; i < BATCHES; i++) {
		if (p->batches[i].count == 0)
			return &p->batches[i];
	}
	return NULL;
}

static bool
has_room(const struct import_job *job)
{
	struct import_putting *p = job->state;

	return p->open != NULL || free_batch(p) != NULL;
}

static bool
is_full(const struct import_job *job)
{
	return !has_room(job);
}

static void
add(struct import_job *job, const struct import_record *record)
{
	struct import_putting *p = job->state;
	struct put_batch *batch = p->open;
	struct put_line *line;

	if (job->closed)
		return;
	if (batch == NULL)
		batch = p->open = free_batch(p);
	grow_array(batch->lines, batch->count, batch->room);
	line = &batch->lines[batch->count++];
	*line = (struct put_line){
		.at = { record->line, record->number },
		.from = batch->text.len,
		.reject_from = batch->rejects.len,
	};
	import_record_request(record, &job->options, &batch->text);
	put_byte(&batch->text, '\n');
	line->len = batch->text.len - line->from;
	import_job_put_reject(job, &batch->rejects);
	line->reject_len = batch->rejects.len - line->reject_from;
	if (batch->text.len + IMPORT_LINE_MAX > BATCH_BYTES ||
	    batch->rejects.len > BATCH_BYTES)
		push(job);
}

static size_t
pending(const struct import_job *job)
{
	const struct import_putting *p = job->state;
	size_t count = 0;

	for (size_t i = 0; i < BATCHES; i++)
		count += p->batches[i].call != NULL;
	return count;
}

static void
end(struct import_job *job)
{
	struct import_putting *p = job->state;

	for (size_t i = 0; i < BATCHES; i++) {
		struct put_batch *batch = &p->batches[i];

		if (batch->call != NULL)
			admin_client_cancel(batch->call);
		buf_release(&batch->text);
		buf_release(&batch->rejects);
		free(batch->lines);
	}
	free(p);
	job->state = NULL;
}

const struct import_sender import_put = {
	.begin = begin,
	.add = add,
	.push = push,
	.is_full = is_full,
	.has_room = has_room,
	.pending = pending,
	.end = end,
};
