/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/timekeeper.h"

#include <assert.h>
#include <string.h>

#include "core/mutant.h"

static const char *const STATE_WORDS[] = {
#define HERD_TIMEKEEPER_WORD(id, word) [id] = word,
	TIMEKEEPER_STATES(HERD_TIMEKEEPER_WORD)
#undef HERD_TIMEKEEPER_WORD
};

const char *
timekeeper_state_word(enum timekeeper_state state)
{
	return STATE_WORDS[state];
}

uint64_t
timekeeper_margin_ns(uint64_t expire_after_ns)
{
	uint64_t margin = expire_after_ns / 8;

	if (expire_after_ns == 0 || margin > TIMEKEEPER_MARGIN_NS)
		return TIMEKEEPER_MARGIN_NS;
	return margin > TIMEKEEPER_MARGIN_LEAST_NS ? margin
						   : TIMEKEEPER_MARGIN_LEAST_NS;
}

uint64_t
timekeeper_offset(struct wall wall, struct mono now)
{
	return wall.ns > now.ns ? wall.ns - now.ns : 0;
}

int64_t
timekeeper_difference(uint64_t a, uint64_t b)
{
	uint64_t size = a > b ? a - b : b - a;

	if (size > INT64_MAX)
		size = INT64_MAX;
	return a > b ? (int64_t)size : -(int64_t)size;
}

static bool
is_apart(uint64_t a, uint64_t b, uint64_t most_ns)
{
	return (a > b ? a - b : b - a) > most_ns;
}

/* --- reading ------------------------------------------------------------- */

/* A sum beyond 64 bits is the end of time. */
static struct wall
wall_of(uint64_t offset_ns, struct mono now)
{
	return (struct wall){ offset_ns > UINT64_MAX - now.ns
				  ? UINT64_MAX
				  : offset_ns + now.ns };
}

struct wall
timekeeper_wall(const struct timekeeper *keeper, struct mono now)
{
	return wall_of(
	    atomic_load_explicit(&keeper->judged_ns, memory_order_relaxed),
	    now);
}

struct wall
timekeeper_expiry(const struct timekeeper *keeper, struct mono now)
{
	uint64_t offset_ns =
	    atomic_load_explicit(&keeper->expiry_ns, memory_order_relaxed);

	if (MUTANT(EXPIRE_UNTRUSTED))
		return timekeeper_wall(keeper, now);
	if (offset_ns == 0)
		return (struct wall){ 0 };
	return wall_of(offset_ns, now);
}

struct wall
timekeeper_backed(const struct timekeeper *keeper, struct mono now)
{
	uint64_t offset_ns =
	    atomic_load_explicit(&keeper->backed_ns, memory_order_relaxed);

	if (offset_ns == 0)
		return (struct wall){ 0 };
	return wall_of(offset_ns, now);
}

bool
timekeeper_may_prune(const struct timekeeper *keeper, struct mono now)
{
	const struct mono settled = { atomic_load(&keeper->settled) };

	if (MUTANT(PRUNE_UNTRUSTED))
		return true;
	return atomic_load(&keeper->state) != TIME_WAITING &&
	       mono_since(now, settled) >= keeper->hold_ns;
}

/* --- judging ------------------------------------------------------------- */

/* What a majority of clocks tells. */
struct verdict {
	bool found;
	bool own_agrees;
	uint64_t offset_ns; /* the middle of those that agree */
};

static void
sort(uint64_t *offsets, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		uint64_t offset = offsets[i];
		unsigned at = i;

		for (; at > 0 && offsets[at - 1] > offset; at--)
			offsets[at] = offsets[at - 1];
		offsets[at] = offset;
	}
}

/*
 * Do more than half of the offsets lie within `width` of each other? Of equally
 * large groups it takes the one with our own offset. Sorts them.
 */
static struct verdict
find_majority(uint64_t *offsets, unsigned count, uint64_t own, uint64_t width)
{
	struct verdict verdict = { false, false, 0 };
	unsigned best = count / 2;
	unsigned from = 0;

	sort(offsets, count);
	for (unsigned to = 0; to < count; to++) {
		unsigned size;
		bool has_own;

		while (offsets[to] - offsets[from] > width)
			from++;
		size = to - from + 1;
		has_own = offsets[from] <= own && own <= offsets[to];
		if (size < best || size <= count / 2 ||
		    (size == best && (verdict.own_agrees || !has_own)))
			continue;
		best = size;
		verdict = (struct verdict){ true, has_own,
			offsets[from + (size - 1) / 2] };
	}
	return verdict;
}

/* The majority of at least three clocks that this node sees itself. */
static struct verdict
ask_clocks(const struct timekeeper *keeper,
    const struct timekeeper_clock *clocks, unsigned count, uint64_t width)
{
	uint64_t offsets[TIMEKEEPER_CLOCKS_MAX + 1];

	if (count < 2 || MUTANT(NO_MAJORITY))
		return (struct verdict){ false, false, 0 };
	offsets[0] = keeper->own_ns;
	for (unsigned i = 0; i < count && i < TIMEKEEPER_CLOCKS_MAX; i++)
		offsets[i + 1] = clocks[i].offset_ns;
	return find_majority(offsets, count + 1, keeper->own_ns, width);
}

/* A majority that neighbours see: the end of a line sees only two clocks. */
static struct verdict
ask_judges(const struct timekeeper *keeper,
    const struct timekeeper_clock *clocks, unsigned count, uint64_t width)
{
	uint64_t offsets[TIMEKEEPER_CLOCKS_MAX];
	struct verdict verdict;
	unsigned judges = 0;

	for (unsigned i = 0; i < count; i++) {
		if (clocks[i].judges && !MUTANT(NO_ADOPTION))
			offsets[judges++] = clocks[i].judged_ns;
	}
	verdict = find_majority(offsets, judges, keeper->own_ns, width);
	verdict.own_agrees =
	    !is_apart(keeper->own_ns, verdict.offset_ns, width);
	return verdict;
}

/* Notes whether the own clock was set: then no majority backs it yet. */
static int64_t
note_step(struct timekeeper *keeper, struct mono now, uint64_t own_ns)
{
	uint64_t before = keeper->own_ns;
	int64_t step = timekeeper_difference(own_ns, before);
	bool is_ahead = own_ns > keeper->good_ns &&
			own_ns - keeper->good_ns > TIMEKEEPER_STEP_NS;

	keeper->own_ns = own_ns;
	if (!is_apart(own_ns, before, TIMEKEEPER_STEP_NS))
		return 0;
	atomic_fetch_add(&keeper->steps, 1);
	atomic_store(&keeper->step_ns, step);
	atomic_store(&keeper->stepped, now.ns);
	if (MUTANT(STEP_TRUSTED))
		return step;
	/* Expiry waits until the clock is known to be right. */
	if (is_ahead)
		keeper->since = now;
	atomic_store(&keeper->state, is_ahead ? TIME_WAITING : TIME_ALONE);
	return step;
}

/* The state and the judged offset that follow from the verdict. */
static uint64_t
decide(struct timekeeper *keeper, struct mono now,
    const struct verdict *verdict, enum timekeeper_state *state)
{
	if (verdict->found) {
		*state = verdict->own_agrees ? TIME_BACKED : TIME_OVERRULED;
		return verdict->own_agrees ? keeper->own_ns
					   : verdict->offset_ns;
	}
	switch (*state) {
	case TIME_WAITING:
		if (mono_since(now, keeper->since) >= keeper->hold_ns)
			*state = TIME_ALONE;
		break;
	case TIME_ALONE: break;
	case TIME_BACKED: *state = TIME_ALONE; break;
	case TIME_OVERRULED:
		/* No majority any more, but the own clock is as wrong as
		 * before. */
		return atomic_load(&keeper->judged_ns);
	}
	return keeper->own_ns;
}

static void
publish(struct timekeeper *keeper, enum timekeeper_state state,
    uint64_t judged_ns, bool is_own_majority)
{
	bool trusted = state != TIME_WAITING;

	if (trusted)
		keeper->good_ns = judged_ns;
	atomic_store(&keeper->state, state);
	atomic_store(&keeper->judged_ns, judged_ns);
	atomic_store(&keeper->expiry_ns, trusted ? judged_ns : 0);
	atomic_store(&keeper->backed_ns, is_own_majority ? judged_ns : 0);
	atomic_store(&keeper->ahead_ns,
	    timekeeper_difference(keeper->own_ns, judged_ns));
}

/* Links compare again when other records may be held than before. */
static bool
wants_verify(struct timekeeper *keeper, struct mono now)
{
	if (!keeper->verifies ||
	    (keeper->verified.ns != 0 &&
		mono_since(now, keeper->verified) < TIMEKEEPER_VERIFY_NS))
		return false;
	keeper->verifies = false;
	keeper->verified = now;
	return true;
}

struct timekeeper_news
timekeeper_judge(struct timekeeper *keeper, struct mono now, struct wall wall,
    const struct timekeeper_clock *clocks, unsigned count)
{
	enum timekeeper_state was = atomic_load(&keeper->state);
	uint64_t before = atomic_load(&keeper->judged_ns);
	uint64_t width = keeper->margin_ns;
	struct timekeeper_news news = { 0, false, false };
	enum timekeeper_state state;
	struct verdict verdict;
	uint64_t judged;
	bool own_majority;
	bool moved;

	assert(count <= TIMEKEEPER_CLOCKS_MAX);
	news.step_ns = note_step(keeper, now, timekeeper_offset(wall, now));
	state = atomic_load(&keeper->state);
	/* An overruled clock has to come nearer, or its state would flap. */
	if (state == TIME_OVERRULED)
		width -= width / 4;
	verdict = ask_clocks(keeper, clocks, count, width);
	own_majority = verdict.found;
	if (!verdict.found)
		verdict = ask_judges(keeper, clocks, count, width);
	judged = decide(keeper, now, &verdict, &state);
	publish(keeper, state, judged, own_majority);
	moved = is_apart(judged, before, TIMEKEEPER_STEP_NS) ||
		(was == TIME_WAITING) != (state == TIME_WAITING);
	if (moved)
		atomic_store(&keeper->settled, now.ns);
	if ((moved || news.step_ns < 0) && state != TIME_WAITING &&
	    keeper->hold_ns != 0)
		keeper->verifies = true;
	news.verify = wants_verify(keeper, now);
	news.changed = state != was;
	return news;
}

void
timekeeper_init(struct timekeeper *keeper, uint64_t expire_after_ns,
    struct mono now, struct wall wall)
{
	bool waits = expire_after_ns != 0 && !MUTANT(START_TRUSTED);

	memset(keeper, 0, sizeof(*keeper));
	keeper->margin_ns = timekeeper_margin_ns(expire_after_ns);
	keeper->hold_ns = expire_after_ns < TIMEKEEPER_HOLD_NS
			      ? expire_after_ns
			      : TIMEKEEPER_HOLD_NS;
	keeper->since = now;
	keeper->own_ns = timekeeper_offset(wall, now);
	atomic_store(&keeper->settled, now.ns);
	publish(
	    keeper, waits ? TIME_WAITING : TIME_ALONE, keeper->own_ns, false);
}
