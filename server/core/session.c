/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/session.h"

#include <assert.h>
#include <stdio.h>

#include "core/mutant.h"
#include "core/session_exchange.h"
#include "core/session_hello.h"
#include "herd/text.h"

struct reason {
	const char *word;
	bool is_refusal;
};

static const struct reason REASONS[] = {
#define HERD_SESSION_REASON(id, word, slow) [id] = { word, slow },
	SESSION_REASONS(HERD_SESSION_REASON)
#undef HERD_SESSION_REASON
};

const char *
session_reason_word(enum session_reason reason)
{
	return REASONS[reason].word;
}

bool
session_reason_is_refusal(enum session_reason reason)
{
	return REASONS[reason].is_refusal;
}

bool
session_reason_is_slow(enum session_reason reason)
{
	return session_reason_is_refusal(reason) && reason != BYE_KEY;
}

void
session_stats_add(struct session_stats *sum, const struct session_stats *stats)
{
	sum->sent += stats->sent;
	sum->received += stats->received;
	sum->accepted += stats->accepted;
	sum->stale += stats->stale;
	sum->repaired += stats->repaired;
	sum->restored += stats->restored;
	sum->caught_up += stats->caught_up;
	sum->exchanges += stats->exchanges;
	sum->sent_bytes += stats->sent_bytes;
	sum->received_bytes += stats->received_bytes;
	sum->exchange_bytes += stats->exchange_bytes;
	sum->acked += stats->acked;
	time_histogram_add(&sum->propagation, &stats->propagation);
}

/* --- state --------------------------------------------------------------- */

/* From a state to those that may follow; CLOSED may follow all. */
static const unsigned TRANSITIONS[] = {
	[SESSION_HELLO] = 1u << SESSION_LIVE,
	[SESSION_LIVE] = 1u << SESSION_CHECKED,
	[SESSION_CHECKED] = 1u << SESSION_SCAN,
	[SESSION_SCAN] = 1u << SESSION_COMPARE,
	[SESSION_COMPARE] = 1u << SESSION_OWE,
	[SESSION_OWE] = 1u << SESSION_DRAIN,
	[SESSION_DRAIN] = 1u << SESSION_NEXT,
	[SESSION_NEXT] = 1u << SESSION_SYNCED,
	[SESSION_SYNCED] = 1u << SESSION_CHECKED,
	[SESSION_CLOSED] = 0,
};

void
session_leave_board(struct session *session)
{
	if (session->counted)
		board_leave(session->node->board);
	if (session->waking)
		board_end_wake(session->node->board);
	session->counted = false;
	session->waking = false;
}

void
session_set_state(struct session *session, enum session_state state)
{
	assert(state == SESSION_CLOSED ||
	       (TRANSITIONS[session->state] & 1u << state) != 0 ||
	       (MUTANT(EARLY_NEXT_CHECK) && state == SESSION_CHECKED));
	session->state = state;
	if (state != SESSION_CLOSED)
		return;
	if (MUTANT(KEEP_OUTBOX) && session->synced)
		mutant_keep_outbox(&session->outbox);
	outbox_detach(&session->outbox);
	exchange_release(&session->exchange);
	session_leave_board(session);
	if (session->synced)
		board_unsynced(session->node->board);
	session->synced = false;
	session->ack_waits = false;
}

void
session_close(struct session *session, enum session_reason reason, bool by_peer)
{
	if (session->state == SESSION_CLOSED)
		return;
	session->reason = reason;
	session->by_peer = by_peer;
	session_set_state(session, SESSION_CLOSED);
}

uint64_t
session_random_between(struct session *session, uint64_t least, uint64_t most)
{
	session->random = session->random * UINT64_C(6364136223846793005) +
			  UINT64_C(1442695040888963407);
	return least + (session->random >> 33) % (most - least + 1);
}

void
session_say(struct session *session, const char *fmt, ...)
{
	size_t before = session->control.len;
	enum herd_error error;
	va_list args;

	assert(session->state != SESSION_CLOSED);
	va_start(args, fmt);
	error = buf_addv(&session->control, fmt, args);
	va_end(args);
	if (error == HERD_OK)
		error = buf_add_byte(&session->control, '\n');
	if (error == HERD_OK)
		return;
	buf_truncate(&session->control, before);
	session_close(
	    session, error == HERD_ELIMIT ? BYE_STALLED : BYE_MEMORY, false);
	snprintf(session->error, sizeof(session->error), "%s",
	    error == HERD_ELIMIT ? "the peer asks but does not read"
				 : "out of memory");
}

void
session_bye(
    struct session *session, enum session_reason reason, const char *fmt, ...)
{
	va_list args;

	if (session->state == SESSION_CLOSED)
		return;
	va_start(args, fmt);
	vsnprintf(session->error, sizeof(session->error), fmt, args);
	va_end(args);
	session_say(
	    session, "BYE %s %s", session_reason_word(reason), session->error);
	session_close(session, reason, false);
}

const char *
session_show(struct session_text *shown, struct span text, size_t most)
{
	struct buf buf;
	const char *escaped = NULL;

	buf_init(&buf, sizeof(shown->text));
	if (text_escape(&buf, text, most) == HERD_OK)
		escaped = buf_cstr(&buf);
	snprintf(shown->text, sizeof(shown->text), "%s",
	    escaped == NULL ? "" : escaped);
	buf_release(&buf);
	return shown->text;
}

void
session_bad_line(struct session *session, const char *what, struct span line)
{
	struct session_text shown;

	session_bye(session, BYE_BAD_LINE, "%s: %s", what,
	    session_show(&shown, line, SESSION_SHOWN_MAX));
}

void
session_lost(struct session *session, const char *text)
{
	if (session->state == SESSION_CLOSED)
		return;
	snprintf(session->error, sizeof(session->error), "%s", text);
	session_close(session, BYE_NONE, true);
}

/* --- life ---------------------------------------------------------------- */

void
session_init(struct session *session, const struct session_config *config,
    struct mono now)
{
	memset(session, 0, sizeof(*session));
	session->node = config->node;
	session->admit = config->admit;
	session->wake = config->wake;
	session->knocks = config->knocks;
	session->arg = config->arg;
	session->random = config->random;
	batch_timer_init(
	    &session->batch_timer, config->node->name, config->peer.len > 0);
	session->state = SESSION_HELLO;
	assert(config->peer.len <= REPORT_ORIGIN_MAX);
	if (config->peer.len > 0)
		memcpy(session->peer, config->peer.data, config->peer.len);
	memcpy(session->nonce, config->nonce, SESSION_NONCE_LEN);
	session->fresh = board_is_fresh(config->node->board);
	session->started = now;
	session->last_rx = now;
	session->last_tx = now;
	session->progress = now;
	session->ping_at = now;
	session->rtt_ns = -1;
	framer_init(&session->in, SESSION_HELLO_MAX);
	buf_init(&session->control, SESSION_OUT_MAX);
	if (session_queue_hello(session) != HERD_OK)
		session_lost(session, "out of memory");
}

void
session_release(struct session *session)
{
	session_close(session, BYE_NONE, false);
	framer_release(&session->in);
	buf_release(&session->control);
}

/* --- sending ------------------------------------------------------------- */

struct giving {
	struct session *session;
	struct buf *out;
	bool no_room;
	enum herd_error error;
};

static bool
on_give(void *arg, const struct report *report)
{
	struct giving *giving = arg;
	size_t len = report_line_len(report) + 1;
	enum herd_error error;

	if (giving->out->len > 0 && giving->out->len + len > SESSION_OUT_MAX) {
		giving->no_room = true;
		return false;
	}
	giving->error = buf_reserve(giving->out, len);
	if (giving->error != HERD_OK)
		return false;
	error = report_format(giving->out, report);
	assert(error == HERD_OK);
	error = buf_add_byte(giving->out, '\n');
	assert(error == HERD_OK);
	giving->session->stats.sent++;
	return true;
}

/* Remembers when `sent` reached its value, for the lag. */
static void
session_mark(struct session *session, struct mono now)
{
	unsigned at =
	    (session->mark_head + session->mark_count) % SESSION_MARKS;

	if (session->mark_count == SESSION_MARKS) {
		/* Full: the newest mark also counts for later records. */
		at = (at + SESSION_MARKS - 1) % SESSION_MARKS;
		session->marks_sent[at].sent = session->stats.sent;
		return;
	}
	if (session->mark_count == 0)
		session->progress = now;
	session->marks_sent[at] =
	    (struct session_mark){ session->stats.sent, now };
	session->mark_count++;
}

/* Sets when the batch leaves that begins now. */
static void
session_set_flush(struct session *session, struct mono now)
{
	uint64_t every_ns = session->node->flush_every_ns;

	session->flush_at =
	    batch_timer_due(&session->batch_timer, every_ns, now);
	session->flush_early = batch_timer_early(
	    &session->batch_timer, every_ns, session->flush_at);
}

/* From now on the first record wakes us, and one may be there already. */
static void
session_end_poise(struct session *session, struct mono now)
{
	session->flush_at = (struct mono){ 0 };
	if (!MUTANT(POISE_FOREVER))
		outbox_poise(&session->outbox, false);
	if (!outbox_is_empty(&session->outbox))
		session_set_flush(session, now);
}

/*
 * Sets when the batch leaves, once its first record has come. If none came for
 * a batch whose moment was known, the link is not busy any more.
 */
static void
session_arm_flush(struct session *session, struct mono now)
{
	if (!session->outbox.attached)
		return;
	if (session->flush_at.ns == 0) {
		if (!outbox_is_empty(&session->outbox))
			session_set_flush(session, now);
	} else if (now.ns >= session->flush_at.ns &&
		   outbox_is_empty(&session->outbox)) {
		session_end_poise(session, now);
	}
}

/*
 * The batch is finished. It counts for the batch timer only if something was
 * sent: records that came from this peer are skipped. The moment of the next
 * batch on a busy link is known, so nobody need wake us for it.
 */
static void
session_end_batch(struct session *session, struct mono now, bool sent)
{
	if (sent)
		batch_timer_left(
		    &session->batch_timer, session->node->flush_every_ns, now);
	session_set_flush(session, now);
	if (session->flush_at.ns > now.ns)
		outbox_poise(&session->outbox, true);
	else
		session_end_poise(session, now);
}

static void
session_fill_data(struct session *session, struct buf *out, struct mono now)
{
	struct giving giving = { session, out, false, HERD_OK };
	uint64_t before = session->stats.sent;
	unsigned popped = 0;

	while (popped < SESSION_TURN_RECORDS && !giving.no_room &&
	       giving.error == HERD_OK && !outbox_is_empty(&session->outbox)) {
		unsigned n = outbox_take(&session->outbox,
		    SESSION_TURN_RECORDS - popped, on_give, &giving);

		/* A record could not be read for want of memory. */
		if (n == 0 && !giving.no_room)
			giving.error = HERD_ENOMEM;
		popped += n;
	}
	if (session->stats.sent > before)
		session_mark(session, now);
	if (giving.error != HERD_OK || outbox_has_failed(&session->outbox))
		session_bye(session, BYE_MEMORY, "out of memory");
	else if (outbox_is_empty(&session->outbox))
		session_end_batch(session, now, session->stats.sent > before);
}

bool
session_may_flush(const struct session *session, struct mono now)
{
	return session->outbox.attached && session->flush_at.ns != 0 &&
	       now.ns >= session->flush_early.ns &&
	       !outbox_is_empty(&session->outbox) &&
	       !(MUTANT(NEXT_EARLY) && session->state == SESSION_DRAIN);
}

/* A failed call appends nothing. */
static enum herd_error
session_fill_control(struct session *session, struct buf *out, struct mono now)
{
	enum herd_error error;

	if (session->ack_waits &&
	    (session->stats.received - session->ack_sent >=
		    SESSION_ACK_RECORDS ||
		now.ns >= session->ack_due.ns ||
		session_may_flush(session, now))) {
		session->ack_waits = false;
		session->ack_sent = session->stats.received;
		session_say(
		    session, "ACK %llu", (unsigned long long)session->ack_sent);
	}
	if (session->control.len > 0) {
		error = buf_add_span(out, buf_span(&session->control));
		if (error != HERD_OK)
			return error;
		buf_clear(&session->control);
	}
	return HERD_OK;
}

bool
session_has_words(const struct session *session)
{
	const struct roster *roster = session->node->roster;

	return session->state > SESSION_HELLO &&
	       session->state != SESSION_CLOSED &&
	       session_knows(session, SESSION_SPARSE) &&
	       (session->words_asked != roster->sets ||
		   roster_has_news(roster, session->words_told));
}

bool
session_words_are_due(const struct session *session, struct mono now)
{
	return session_has_words(session) && now.ns >= session->words_at.ns;
}

/* Words of the roster, the oldest change first; each once, however late. */
static enum herd_error
session_fill_words(struct session *session, struct buf *out, struct mono now)
{
	const struct roster *roster = session->node->roster;
	const struct roster_word *word;
	enum herd_error error = HERD_OK;

	if (!session_words_are_due(session, now))
		return HERD_OK;
	if (session->words_asked != roster->sets) {
		error = buf_add_text(out, "EAGER\n");
		session->words_asked = roster->sets;
	}
	for (word = roster_next(roster, session->words_told);
	     word != NULL && error == HERD_OK && out->len < SESSION_OUT_MAX;
	     word = TAILQ_NEXT(word, by_change)) {
		error = buf_addf(out, "EAGER %s %llu %016llx %s\n", word->name,
		    (unsigned long long)word->number,
		    (unsigned long long)word->hash,
		    word->down[0] == '\0' ? "-" : word->down);
		session->words_told = word->changed;
	}
	if (word == NULL && !MUTANT(WORDS_AT_ONCE))
		session->words_at = mono_add(now, SESSION_WORDS_NS);
	return error;
}

bool
session_fill(struct session *session, struct buf *out, struct mono now)
{
	enum herd_error error;

	session_arm_flush(session, now);
	error = session_fill_control(session, out, now);
	if (session->state == SESSION_CLOSED)
		return false;
	if (error == HERD_OK)
		error = session_fill_words(session, out, now);
	if (error == HERD_OK)
		error = session_fill_digests(session, out);
	if (error == HERD_OK && out->len < SESSION_OUT_MAX &&
	    session_may_flush(session, now))
		session_fill_data(session, out, now);
	if (error == HERD_OK && session->state == SESSION_DRAIN)
		error = session_drain(session, out, now);
	if (error != HERD_OK)
		session_lost(session, "out of memory");
	return session->state != SESSION_CLOSED &&
	       (session->exchange.due != 0 ||
		   session_words_are_due(session, now) ||
		   session_may_flush(session, now));
}

void
session_sent(struct session *session, size_t bytes, struct mono now)
{
	session->stats.sent_bytes += bytes;
	session->last_tx = now;
	/* Once all is sent only an ACK is progress: a sent PING is not. */
	if (!outbox_is_empty(&session->outbox))
		session->progress = now;
}

/* --- time ---------------------------------------------------------------- */

bool
session_has_debt(const struct session *session)
{
	return session->outbox.attached &&
	       (session->stats.sent > session->stats.acked ||
		   !outbox_is_empty(&session->outbox));
}

bool
session_is_comparing(const struct session *session)
{
	return session->state > SESSION_HELLO &&
	       session->state < SESSION_SYNCED;
}

uint64_t
session_ping(struct session *session, struct mono now)
{
	session->ping_open = true;
	session->ping_at = now;
	session_say(session, "PING %llu", (unsigned long long)++session->ping);
	return session->ping;
}

bool
session_has_pong(const struct session *session, uint64_t number)
{
	return session->ponged >= number;
}

/* Not to a neighbour of an earlier edition, which cannot read LIMIT. */
void
session_tell_limits(struct session *session)
{
	uint64_t bytes = session->node->max_memory;

	if (session->state <= SESSION_HELLO ||
	    session->state == SESSION_CLOSED || bytes == session->memory_told ||
	    !session_knows(session, SESSION_LIMITS))
		return;
	session->memory_told = bytes;
	session_say(session, "LIMIT memory %llu", (unsigned long long)bytes);
}

static void
session_tick_liveness(struct session *session, struct mono now)
{
	const struct session_node *node = session->node;

	if (session->state == SESSION_HELLO) {
		if (mono_since(now, session->started) >= SESSION_HELLO_NS)
			session_bye(session, BYE_SILENT, "no HELLO in 5 s");
		return;
	}
	if (mono_since(now, session->last_rx) >= node->dead_after_ns) {
		session_bye(session, BYE_SILENT, "nothing received for %llu ms",
		    (unsigned long long)(node->dead_after_ns / HERD_NS_PER_MS));
		return;
	}
	if (!session_has_debt(session)) {
		session->progress = now;
	} else if (mono_since(now, session->progress) >= node->stall_after_ns) {
		session_bye(session, BYE_STALLED,
		    "records owed and no progress for %llu s",
		    (unsigned long long)(node->stall_after_ns / HERD_NS_PER_S));
		return;
	}
	if (mono_since(now, session->ping_at) >= node->ping_after_ns)
		(void)session_ping(session, now);
}

void
session_tick(struct session *session, struct mono now)
{
	if (session->state == SESSION_CLOSED)
		return;
	session->ticked = now;
	session_tick_liveness(session, now);
	session_tell_limits(session);
	if (session->state == SESSION_LIVE && now.ns >= session->poll_at.ns)
		session_consider_exchange(session, now);
	if ((session->state == SESSION_SYNCED ||
		(MUTANT(EARLY_NEXT_CHECK) && session->state == SESSION_NEXT)) &&
	    now.ns >= session->verify_at.ns)
		session_start_exchange(session, now);
	if (session->state == SESSION_SYNCED && session->woke.ns != 0 &&
	    now.ns >= session->wake_at.ns)
		session_try_wake(session, now);
}

static void
sooner(struct mono *at, struct mono other)
{
	if (other.ns < at->ns)
		*at = other;
}

struct mono
session_deadline(const struct session *session)
{
	const struct session_node *node = session->node;
	struct mono at = { UINT64_MAX };

	if (session->state == SESSION_CLOSED)
		return at;
	if (session->state == SESSION_HELLO)
		return mono_add(session->started, SESSION_HELLO_NS);
	sooner(&at, mono_add(session->last_rx, node->dead_after_ns));
	sooner(&at, mono_add(session->ping_at, node->ping_after_ns));
	if (session_has_debt(session))
		sooner(&at, mono_add(session->progress, node->stall_after_ns));
	if (session->outbox.attached &&
	    session->flush_at.ns > session->ticked.ns)
		sooner(&at, session->flush_at);
	if (session->ack_waits && session->ack_due.ns > session->ticked.ns)
		sooner(&at, session->ack_due);
	if (session->state == SESSION_LIVE)
		sooner(&at, session->poll_at);
	if (session->state == SESSION_SYNCED)
		sooner(&at, session->verify_at);
	if (session->state == SESSION_SYNCED && session->woke.ns != 0)
		sooner(&at, session->wake_at);
	if (session->words_at.ns > session->ticked.ns &&
	    session_has_words(session))
		sooner(&at, session->words_at);
	return at;
}

void
session_verify_clock(struct session *session, struct mono now)
{
	if (MUTANT(NO_CLOCK_VERIFY))
		return;
	if (session->state == SESSION_SYNCED) {
		session->exchange.restores = true;
		session->verify_at = now;
	} else if (session->state > SESSION_LIVE &&
		   session->state < SESSION_SYNCED) {
		session->exchange.verify_again = true;
	}
}

int64_t
session_clock_ns(
    const struct session *session, struct mono now, struct wall clock)
{
	return timekeeper_difference(
	    session->clock.offset_ns, timekeeper_offset(clock, now));
}

uint64_t
session_lag_ns(const struct session *session, struct mono now)
{
	uint64_t age;

	if (session->mark_count == 0)
		return 0;
	age = mono_since(now, session->marks_sent[session->mark_head].at);
	/* A peer that is up to date may acknowledge that late. */
	return age > SESSION_ACK_NS ? age - SESSION_ACK_NS : 0;
}
