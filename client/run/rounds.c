/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/rounds.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"

/* A node answers in this and twice its last time, or it is late. */
#define PATIENCE_NS (300 * HERD_NS_PER_MS)
#define PATIENCE_MOST_NS HERD_NS_PER_S

/* As in ask(): libcurl ends a request by itself, mostly. */
#define GRACE_NS (200 * HERD_NS_PER_MS)

/* One question to one node. */
struct pending {
	struct answer answer;
	const struct target *target;
	char *path;
	bool asked;
	bool used;  /* in this round */
	bool taken; /* a round has had the answer */
};

/* What is remembered of a node. */
struct memory {
	const struct target *target;
	bool late;      /* a round went on without it */
	bool silent;    /* its time passed */
	bool connected; /* then */
	double ms;      /* of its last answer */
};

struct rounds {
	enum rounds_mode mode;
	const struct rounds_sketch *sketch;
	void *arg;
	bool sketching;
	struct pending **items;
	size_t count;
	size_t room;
	struct memory *nodes;
	size_t node_count;
	size_t node_room;
};

struct rounds *
rounds_new(enum rounds_mode mode, const struct rounds_sketch *sketch, void *arg)
{
	struct rounds *rounds = xcalloc(1, sizeof(*rounds));

	rounds->mode = mode;
	rounds->sketch = sketch;
	rounds->arg = arg;
	return rounds;
}

static void
free_pending(struct pending *p)
{
	answer_release(&p->answer);
	free(p->path);
	free(p);
}

void
rounds_free(struct rounds *rounds)
{
	if (rounds == NULL)
		return;
	for (size_t i = 0; i < rounds->count; i++)
		free_pending(rounds->items[i]);
	free(rounds->items);
	free(rounds->nodes);
	free(rounds);
}

void
rounds_next(struct rounds *rounds)
{
	size_t kept = 0;

	for (size_t i = 0; i < rounds->count; i++) {
		struct pending *p = rounds->items[i];

		if (p->used)
			rounds->items[kept++] = p;
		else
			free_pending(p);
	}
	rounds->count = kept;
	for (size_t i = 0; i < kept; i++)
		rounds->items[i]->used = false;
}

static struct memory *
memory_of(struct rounds *rounds, const struct target *target)
{
	for (size_t i = 0; i < rounds->node_count; i++) {
		if (rounds->nodes[i].target == target)
			return &rounds->nodes[i];
	}
	grow_array(rounds->nodes, rounds->node_count, rounds->node_room);
	rounds->nodes[rounds->node_count] = (struct memory){ .target = target };
	return &rounds->nodes[rounds->node_count++];
}

static struct pending *
find(struct rounds *rounds, const struct target *target, const char *path)
{
	struct pending *p;

	for (size_t i = 0; i < rounds->count; i++) {
		if (rounds->items[i]->target == target &&
		    strcmp(rounds->items[i]->path, path) == 0)
			return rounds->items[i];
	}
	p = xcalloc(1, sizeof(*p));
	p->target = target;
	p->path = xstrdup(path);
	grow_array(rounds->items, rounds->count, rounds->room);
	rounds->items[rounds->count++] = p;
	return p;
}

enum status
rounds_start(struct run *run, const struct question *question,
    const struct target *const *targets, size_t count)
{
	struct rounds *rounds = run->rounds;
	struct admin_client *admin;
	enum status status = ask_may(run, question, &admin);

	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		struct pending *p = find(rounds, targets[i], question->path);
		bool idle = p->answer.done && p->taken && !rounds->sketching;

		p->used = true;
		if (p->asked && !idle)
			continue;
		answer_release(&p->answer);
		answer_start(&p->answer, run, targets[i], question, admin);
		p->asked = true;
		p->taken = false;
	}
	return status;
}

/* Its question is open: it is late, or it has been silent before. */
static void
set_late(struct answer *a, struct memory *m)
{
	a->status = STATUS_TIMEOUT;
	a->waiting = !m->silent;
	a->connected = m->silent && m->connected;
	a->message = xstrdup(m->silent ? "no answer in time" : "no answer yet");
	m->late = true;
}

static void
take(struct rounds *rounds, struct pending *p, struct answer *out)
{
	struct memory *m = memory_of(rounds, p->target);

	answer_copy(out, &p->answer);
	if (!p->answer.done) {
		set_late(out, m);
		return;
	}
	out->fresh = !p->taken;
	p->taken = true;
	m->silent = out->status == STATUS_TIMEOUT;
	m->connected = out->connected;
	m->late = m->silent;
	if (out->status == STATUS_OK)
		m->ms = out->ms;
}

void
rounds_collect(struct run *run, const struct question *question,
    const struct target *const *targets, size_t count, struct answers *out)
{
	answers_release(out);
	*out = (struct answers){ xcalloc(count, sizeof(*out->items)), count };
	for (size_t i = 0; i < count; i++) {
		struct pending *p =
		    find(run->rounds, targets[i], question->path);

		take(run->rounds, p, &out->items[i]);
		out->items[i].run = run;
	}
}

static bool
is_open(const struct pending *p)
{
	return p->asked && p->used && !p->answer.done;
}

bool
rounds_are_complete(const void *arg)
{
	const struct rounds *rounds = arg;

	for (size_t i = 0; i < rounds->count; i++) {
		if (is_open(rounds->items[i]))
			return false;
	}
	return true;
}

bool
rounds_have_news(const void *arg)
{
	const struct rounds *rounds = arg;

	for (size_t i = 0; i < rounds->count; i++) {
		const struct pending *p = rounds->items[i];

		if (p->asked && p->answer.done && !p->taken)
			return true;
	}
	return false;
}

void
rounds_give_up(struct rounds *rounds)
{
	for (size_t i = 0; i < rounds->count; i++) {
		if (is_open(rounds->items[i]))
			answer_fail(&rounds->items[i]->answer, STATUS_TIMEOUT,
			    "no answer in time");
	}
}

static struct mono
patience_for(const struct rounds *rounds, const struct pending *p)
{
	uint64_t ns = PATIENCE_NS;

	for (size_t i = 0; i < rounds->node_count; i++) {
		const struct memory *m = &rounds->nodes[i];

		if (m->target != p->target)
			continue;
		if (m->late)
			return p->answer.began;
		ns += (uint64_t)(m->ms * 2e6);
	}
	return mono_add(
	    p->answer.began, ns < PATIENCE_MOST_NS ? ns : PATIENCE_MOST_NS);
}

struct mono
rounds_patience(const struct rounds *rounds)
{
	struct mono end = { 0 };

	for (size_t i = 0; i < rounds->count; i++) {
		struct mono own;

		if (!is_open(rounds->items[i]))
			continue;
		own = patience_for(rounds, rounds->items[i]);
		if (own.ns > end.ns)
			end = own;
	}
	return end;
}

static bool
knows_late(const struct rounds *rounds, const struct pending *p)
{
	return patience_for(rounds, p).ns == p->answer.began.ns;
}

/* Do only nodes that were late before still owe an answer? */
static bool
waits_in_vain(const void *arg)
{
	const struct rounds *rounds = arg;

	for (size_t i = 0; i < rounds->count; i++) {
		if (is_open(rounds->items[i]) &&
		    !knows_late(rounds, rounds->items[i]))
			return false;
	}
	return true;
}

struct growth {
	const struct rounds *rounds;
	size_t before;
};

static size_t
count_open(const struct rounds *rounds)
{
	size_t count = 0;

	for (size_t i = 0; i < rounds->count; i++)
		count += is_open(rounds->items[i]);
	return count;
}

static bool
has_changed(const void *arg)
{
	const struct growth *growth = arg;

	return count_open(growth->rounds) != growth->before;
}

/* The end of the run, with the time that libcurl may take for it. */
static struct mono
whole_time(const struct run *run)
{
	return run->deadline.ns == NO_DEADLINE.ns
		   ? NO_DEADLINE
		   : mono_add(run->deadline, GRACE_NS);
}

/* All that is known is on the terminal while the rest is waited for. */
static enum wait_result
wait_with_sketch(struct run *run)
{
	struct rounds *rounds = run->rounds;
	enum wait_result result = WAIT_DONE;

	while (result == WAIT_DONE && !rounds_are_complete(rounds)) {
		struct growth growth = { .rounds = rounds };

		rounds->sketching = true;
		rounds->sketch->draw(rounds->arg);
		rounds->sketching = false;
		growth.before = count_open(rounds);
		result = loop_wait(
		    app_loop(run->app), has_changed, &growth, whole_time(run));
	}
	rounds->sketch->clear(rounds->arg);
	rounds_give_up(rounds);
	return result;
}

static enum wait_result
wait_for_answers(struct run *run)
{
	struct rounds *rounds = run->rounds;
	struct loop *loop = app_loop(run->app);
	enum wait_result result;

	if (rounds->mode == ROUNDS_PATIENT)
		return loop_wait(loop, waits_in_vain, rounds, whole_time(run));
	result = loop_wait(
	    loop, rounds_are_complete, rounds, rounds_patience(rounds));
	if (result != WAIT_TIMEOUT || rounds->sketch == NULL ||
	    rounds->sketching)
		return result;
	if (run->all_nodes)
		return wait_with_sketch(run);
	result = loop_wait(loop, rounds_are_complete, rounds, whole_time(run));
	rounds_give_up(rounds);
	return result;
}

enum status
rounds_ask(struct run *run, const struct question *question,
    const struct target *const *targets, size_t count, struct answers *out)
{
	enum status status = rounds_start(run, question, targets, count);

	*out = (struct answers){ xcalloc(count, sizeof(*out->items)), count };
	if (status != STATUS_OK)
		return status;
	if (wait_for_answers(run) == WAIT_INTERRUPTED)
		return STATUS_SIGINT;
	rounds_collect(run, question, targets, count, out);
	return STATUS_OK;
}
