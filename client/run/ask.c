/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/ask.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"

/* libcurl ends a request by itself. This is for the case that it cannot. */
#define GRACE_NS (200 * HERD_NS_PER_MS)

static void
fail_answer(struct answer *a, enum status status, const char *message)
{
	a->status = status;
	free(a->message);
	a->message = xstrdup(message);
	a->done = true;
}

/* The whole body has to be one JSON object. */
static void
parse_body(struct answer *a)
{
	struct span body = buf_span(&a->body);
	const char *end = NULL;

	if (a->any_body)
		return;
	a->json = cJSON_ParseWithLengthOpts(body.data, body.len, &end, 0);
	while (end != NULL && end < body.data + body.len &&
	       (*end == ' ' || *end == '\n' || *end == '\r' || *end == '\t'))
		end++;
	if (a->json == NULL || !cJSON_IsObject(a->json) ||
	    end != body.data + body.len) {
		cJSON_Delete(a->json);
		a->json = NULL;
		fail_answer(a, STATUS_REPLY, "the answer is not valid JSON");
	}
}

static void
on_done(void *arg, const struct admin_answer *answer)
{
	struct answer *a = arg;

	a->call = NULL;
	a->done = true;
	a->ms = (double)mono_since(now_mono(), a->began) / 1e6;
	a->came = now_wall();
	a->http = answer->http;
	a->connected = answer->connected;
	a->status = answer->status;
	put_span(&a->body, answer->body);
	if (answer->status == STATUS_OK) {
		parse_body(a);
		return;
	}
	fail_answer(a, answer->status, answer->message);
	if (answer->hint != NULL)
		a->hint = xstrdup(answer->hint);
}

static const struct admin_events events = { NULL, on_done };

enum status
ask_prepare(struct run *run, const struct target *target,
    struct admin_request *request, struct buf *why)
{
	enum status status;

	request->address = &target->admin;
	if (target->admin.kind == ADDRESS_NONE) {
		put_text(why, "the herd file gives it no admin address");
		return STATUS_LOCAL;
	}
	status = herd_token(run->herd, &target->admin, &request->token, why);
	if (status == STATUS_OK)
		run_verbose(run, "%s: %s %s", target->name, request->method,
		    request->path);
	return status;
}

static void
start(struct answer *a, struct admin_client *admin, const struct question *q)
{
	struct mono deadline = a->run->deadline;
	struct admin_request request = {
		.method = q->method == NULL ? "GET" : q->method,
		.path = q->path,
		.body = q->body,
	};
	struct buf why = XBUF;
	enum status status;

	if (deadline.ns != NO_DEADLINE.ns)
		request.timeout_ns =
		    (uint64_t)deadline_left_ms(deadline) * HERD_NS_PER_MS + 1;
	a->began = now_mono();
	status = ask_prepare(a->run, a->target, &request, &why);
	if (status == STATUS_OK)
		a->call = admin_client_start(admin, &request, &events, a);
	else
		fail_answer(a, status, text_of(&why));
	buf_release(&why);
}

static bool
all_answered(const void *arg)
{
	const struct answers *answers = arg;

	for (size_t i = 0; i < answers->count; i++) {
		if (!answers->items[i].done)
			return false;
	}
	return true;
}

static void
give_up(struct answers *answers)
{
	answers_each(a, answers) {
		if (a->call != NULL)
			admin_client_cancel(a->call);
		a->call = NULL;
		if (!a->done)
			fail_answer(a, STATUS_TIMEOUT, "no answer in time");
	}
}

char *
ask_path(const char *before, struct span name, const char *after)
{
	struct buf path = XBUF;

	put_text(&path, before);
	must(text_to_percent(&path, name));
	put_text(&path, after);
	return text_take(&path);
}

enum status
ask(struct run *run, const struct question *question,
    const struct target *const *targets, size_t count, struct answers *out)
{
	struct admin_client *admin;
	struct mono deadline = run->deadline;
	enum status status = STATUS_OK;
	enum wait_result result;

	*out = (struct answers){ xcalloc(count, sizeof(*out->items)), count };
	for (size_t i = 0; i < count; i++) {
		out->items[i].run = run;
		out->items[i].target = targets[i];
		out->items[i].any_body = question->any_body;
		buf_init(&out->items[i].body, XBUF_MAX);
	}
	/* The table of commands refuses earlier, unless it is wrong. */
	if (question->method != NULL)
		status = run_may_change(run);
	if (status != STATUS_OK)
		return status;
	status = app_admin(run->app, &admin, &run->message);
	if (status != STATUS_OK)
		return run_fail_message(run, status);
	for (size_t i = 0; i < count; i++)
		start(&out->items[i], admin, question);
	if (deadline.ns != NO_DEADLINE.ns)
		deadline = mono_add(deadline, GRACE_NS);
	result = loop_wait(app_loop(run->app), all_answered, out, deadline);
	give_up(out);
	return result == WAIT_INTERRUPTED ? STATUS_SIGINT : STATUS_OK;
}

enum status
ask_all(struct run *run, const char *path, struct answers *out)
{
	const struct question question = { .path = path };
	enum status status = run_targets(run);

	*out = (struct answers){ 0 };
	if (status != STATUS_OK)
		return status;
	return ask(run, &question, run->targets, run->target_count, out);
}

void
answers_release(struct answers *answers)
{
	answers_each(a, answers) {
		free(a->message);
		free(a->hint);
		buf_release(&a->body);
		cJSON_Delete(a->json);
	}
	free(answers->items);
	*answers = (struct answers){ 0 };
}

enum status
answers_status(const struct answers *answers)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < answers->count; i++)
		tally_add(&tally, answers->items[i].status);
	return tally_status(&tally);
}

enum status
answers_report(struct run *run, const struct answers *answers)
{
	answers_each(a, answers) {
		if (a->status == STATUS_OK)
			continue;
		/* Hints at curl do not help to find what is not there. */
		run_fail_node(run, a->status, a->target->name, a->message,
		    a->status == STATUS_NEGATIVE ? NULL : a->hint);
	}
	return answers_status(answers);
}
