/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/ask.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "run/rounds.h"

/* libcurl ends a request by itself. This is for the case that it cannot. */
#define GRACE_NS (200 * HERD_NS_PER_MS)

/* A person is told then for whom herdctl waits. */
#define NOTICE_NS HERD_NS_PER_S

void
answer_fail(struct answer *a, enum status status, const char *message)
{
	if (a->call != NULL)
		admin_client_cancel(a->call);
	a->call = NULL;
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
		answer_fail(a, STATUS_REPLY, "the answer is not valid JSON");
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
	answer_fail(a, answer->status, answer->message);
	if (answer->hint != NULL)
		a->hint = xstrdup(answer->hint);
}

static const struct admin_events events = { NULL, on_done };

enum status
ask_prepare(struct run *run, const struct target *target,
    struct admin_request *request, struct buf *why)
{
	enum status status =
	    herd_ways(run->herd, &target->admin, &request->ways, why);

	if (status == STATUS_OK)
		run_verbose(run, "%s: %s %s", target->name, request->method,
		    request->path);
	return status;
}

void
answer_start(struct answer *a, struct run *run, const struct target *target,
    const struct question *q, struct admin_client *admin)
{
	struct mono deadline = run->deadline;
	struct admin_request request = {
		.method = q->method == NULL ? "GET" : q->method,
		.path = q->path,
		.body = q->body,
	};
	struct buf why = XBUF;
	enum status status;

	*a = (struct answer){
		.run = run, .target = target, .any_body = q->any_body
	};
	buf_init(&a->body, XBUF_MAX);
	if (deadline.ns != NO_DEADLINE.ns)
		request.timeout_ns =
		    (uint64_t)deadline_left_ms(deadline) * HERD_NS_PER_MS + 1;
	a->began = now_mono();
	status = ask_prepare(run, target, &request, &why);
	if (status == STATUS_OK)
		a->call = admin_client_start(admin, &request, &events, a);
	else
		answer_fail(a, status, text_of(&why));
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
		if (!a->done)
			answer_fail(a, STATUS_TIMEOUT, "no answer in time");
	}
}

static void
say_who_is_late(struct run *run, const struct answers *answers)
{
	struct buf names = XBUF;

	answers_each(a, answers) {
		if (!a->done) {
			put_text(&names, names.len > 0 ? ", " : "");
			put_clean(&names, span_from(a->target->name));
		}
	}
	run_notice(run, "waiting for %s", text_of(&names));
	buf_release(&names);
}

static enum wait_result
wait_for_all(struct run *run, const struct answers *answers)
{
	struct loop *loop = app_loop(run->app);
	struct mono soon = mono_add(now_mono(), NOTICE_NS);
	struct mono deadline = run->deadline;
	enum wait_result result;

	if (deadline.ns != NO_DEADLINE.ns)
		deadline = mono_add(deadline, GRACE_NS);
	if (answers->count > 1 && soon.ns < deadline.ns) {
		result = loop_wait(loop, all_answered, answers, soon);
		if (result != WAIT_TIMEOUT)
			return result;
		say_who_is_late(run, answers);
	}
	return loop_wait(loop, all_answered, answers, deadline);
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
ask_may(struct run *run, const struct question *question,
    struct admin_client **admin)
{
	/* The table of commands refuses earlier, unless it is wrong. */
	enum status status =
	    question->method == NULL ? STATUS_OK : run_may_change(run);

	if (status != STATUS_OK)
		return status;
	status = app_admin(run->app, admin, &run->message);
	return status == STATUS_OK ? status : run_fail_message(run, status);
}

enum status
ask(struct run *run, const struct question *question,
    const struct target *const *targets, size_t count, struct answers *out)
{
	struct admin_client *admin;
	enum status status;
	enum wait_result result;

	if (run->rounds != NULL && question->method == NULL)
		return rounds_ask(run, question, targets, count, out);
	*out = (struct answers){ xcalloc(count, sizeof(*out->items)), count };
	status = ask_may(run, question, &admin);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		answer_start(&out->items[i], run, targets[i], question, admin);
	result = wait_for_all(run, out);
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
answer_copy(struct answer *to, const struct answer *from)
{
	*to = *from;
	to->call = NULL;
	to->message = from->message == NULL ? NULL : xstrdup(from->message);
	to->hint = from->hint == NULL ? NULL : xstrdup(from->hint);
	buf_init(&to->body, XBUF_MAX);
	put_span(&to->body, buf_span(&from->body));
	to->json =
	    from->json == NULL
		? NULL
		: cJSON_ParseWithLength(buf_span(&to->body).data, to->body.len);
}

void
answer_release(struct answer *a)
{
	if (a->call != NULL)
		admin_client_cancel(a->call);
	free(a->message);
	free(a->hint);
	buf_release(&a->body);
	cJSON_Delete(a->json);
	*a = (struct answer){ 0 };
}

const char *
answer_failure_state(const struct answer *answer)
{
	return answer->waiting ? "waiting" : "unreachable";
}

void
answer_put_failure(struct out *out, const struct answer *answer)
{
	out_failure(out, answer->target->name, answer_failure_state(answer),
	    answer->message);
}

void
answers_release(struct answers *answers)
{
	answers_each(a, answers)
		answer_release(a);
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
