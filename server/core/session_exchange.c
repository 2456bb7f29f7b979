/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/session_exchange.h"

#include "core/mutant.h"
#include "core/session_hello.h"
#include "herd/text.h"

/* --- CHECK --------------------------------------------------------------- */

/*
 * Records up to this time are not compared, because they are about to expire.
 * A peer whose clock is ahead has dropped them and refuses them, so the tables
 * would differ again and again.
 */
static uint64_t
session_cut_ns(const struct session *session, struct mono now)
{
	const struct session_node *node = session->node;
	uint64_t expire = node->expire_after_ns;
	uint64_t cut = timekeeper_expiry(node->timekeeper, now).ns;

	if (MUTANT(CUT_UNTRUSTED))
		cut = timekeeper_wall(node->timekeeper, now).ns;
	/* A clock that is not trusted gives 0: nothing is old. */
	if (cut == 0 || expire == 0 || MUTANT(NO_CUT))
		return 0;
	if (MUTANT(MARGIN_FIXED))
		cut += TIMEKEEPER_MARGIN_NS;
	else if (!MUTANT(NO_MARGIN))
		cut += timekeeper_margin_ns(expire);
	if (cut < expire)
		return 0;
	cut -= expire;
	/* The peer must be able to read the cut, because both use it. */
	if (!session_knows(session, SESSION_CUTS))
		cut -= cut % HERD_NS_PER_S;
	return cut < HERD_TIME_MAX_S * HERD_NS_PER_S ? cut : 0;
}

static void
session_say_check(struct session *session)
{
	const struct exchange *exchange = &session->exchange;
	unsigned long long n = exchange->number;
	char cut[TIME_FORMAT_MAX];

	if (exchange->cut_ns % HERD_NS_PER_S == 0)
		session_say(session, "CHECK %llu %llu", n,
		    (unsigned long long)(exchange->cut_ns / HERD_NS_PER_S));
	else
		session_say(session, "CHECK %llu %.*s", n,
		    (int)time_format(exchange->cut_ns, cut), cut);
}

void
session_start_exchange(struct session *session, struct mono now)
{
	struct exchange *exchange = &session->exchange;

	exchange_release(exchange);
	exchange->number++;
	exchange->wakes = session->woke.ns != 0 || session_is_resting(session);
	session->woke = (struct mono){ 0 };
	exchange->cut_ns = session_cut_ns(session, now);
	exchange->peer_checked = false;
	exchange->next_received = false;
	session_set_state(session, SESSION_CHECKED);
	session_say_check(session);
}

/* --- resting -------------------------------------------------------------- */

static bool
session_attach(struct session *session)
{
	if (session->outbox.attached ||
	    (MUTANT(KEEP_OUTBOX) && mutant_inherit_outbox(&session->outbox)) ||
	    outbox_attach(&session->outbox) == HERD_OK)
		return true;
	session_bye(session, BYE_MEMORY, "all outboxes are taken");
	return false;
}

bool
session_is_resting(const struct session *session)
{
	return session->state == SESSION_SYNCED && !session->outbox.attached;
}

void
session_try_wake(struct session *session, struct mono now)
{
	bool must = mono_since(now, session->woke) >= SESSION_WAKE_NS;

	session->waking = board_try_wake(session->node->board, must);
	if (session->waking)
		session_start_exchange(session, now);
	else
		session->wake_at = mono_add(now, SESSION_POLL_NS);
}

/*
 * Rests, or wakes. A report that came while the link rested is owed by no
 * outbox, so attaching it alone would not do.
 */
static void
session_rest(struct session *session, struct mono now)
{
	if (session->state != SESSION_SYNCED &&
	    !(MUTANT(REST_EARLY) && session->state == SESSION_DRAIN))
		return;
	if (session->may_rest) {
		outbox_detach(&session->outbox);
		session->woke = (struct mono){ 0 };
	} else if (!session->outbox.attached && session_attach(session) &&
		   !MUTANT(WAKE_NO_CHECK)) {
		session->woke = now;
		session_try_wake(session, now);
	}
}

void
session_let_rest(struct session *session, bool may_rest, struct mono now)
{
	session->may_rest = may_rest;
	session_rest(session, now);
}

/*
 * Both CHECKs are here. The outbox is attached before the scan, because a
 * record that came between them would be neither compared nor owed.
 */
static void
session_begin_scan(struct session *session)
{
	struct exchange *exchange = &session->exchange;
	struct siphash_key key =
	    exchange->is_first ? digest_key(session->nonce, session->peer_nonce,
				     exchange->number)
			       : digest_key(session->peer_nonce, session->nonce,
				     exchange->number);

	if (!MUTANT(ATTACH_LATE) && !session_attach(session))
		return;
	if (exchange_begin(exchange, &key) != HERD_OK)
		session_bye(session, BYE_MEMORY, "out of memory");
	else
		session_set_state(session, SESSION_SCAN);
}

/*
 * A node with data lets an empty peer start. An empty node starts with one
 * neighbour at a time, so that each record comes to it once.
 */
void
session_consider_exchange(struct session *session, struct mono now)
{
	struct board *board = session->node->board;

	if (!session->fresh && session->peer_fresh) {
		session->poll_at = (struct mono){ UINT64_MAX };
		return;
	}
	if (!board_try_enter(board)) {
		session->poll_at = mono_add(now, SESSION_POLL_NS);
		return;
	}
	session->counted = true;
	session_start_exchange(session, now);
}

void
session_on_check(struct session *session, struct span rest, struct mono now,
    struct wall clock HERD_UNUSED)
{
	struct exchange *exchange = &session->exchange;
	struct span number = text_next_field(&rest);
	uint64_t due =
	    exchange->number + (session->state == SESSION_CHECKED ? 0u : 1u);
	uint64_t n;
	uint64_t cut_ns;

	if (text_to_u64(number, due, due, &n) != HERD_OK ||
	    time_parse(text_trim(rest), &cut_ns) != HERD_OK ||
	    (session->state != SESSION_LIVE &&
		session->state != SESSION_CHECKED &&
		session->state != SESSION_SYNCED &&
		!(MUTANT(EARLY_NEXT_CHECK) && session->state >= SESSION_OWE))) {
		session_bad_line(session, "bad CHECK", number);
		return;
	}
	/* Starting may wait for the board, answering never does. */
	if (session->state == SESSION_LIVE) {
		board_enter(session->node->board);
		session->counted = true;
	}
	if (session->state != SESSION_CHECKED)
		session_start_exchange(session, now);
	exchange->peer_checked = true;
	if (cut_ns > exchange->cut_ns && !MUTANT(NO_CUT))
		exchange->cut_ns = cut_ns;
	if (session->state == SESSION_CHECKED)
		session_begin_scan(session);
}

/* --- DIGEST -------------------------------------------------------------- */

static void
session_try_owe(struct session *session)
{
	if (session->state == SESSION_COMPARE &&
	    exchange_end_compare(&session->exchange))
		session_set_state(session, SESSION_OWE);
}

void
session_on_digest(struct session *session, struct span rest,
    struct mono now HERD_UNUSED, struct wall clock HERD_UNUSED)
{
	struct exchange *exchange = &session->exchange;
	struct span path_text = text_next_field(&rest);
	struct digest_node node;
	struct digest_path path;

	if (digest_path_parse(path_text, DIGEST_DEPTH - 1, &path) != HERD_OK ||
	    !exchange_parse_node(exchange, path, rest, &node)) {
		session_bad_line(session, "bad DIGEST", path_text);
		return;
	}
	if (session->state == SESSION_SCAN && path.depth == 0 &&
	    !exchange->root_held) {
		exchange->root_held = true;
		exchange->root = node;
	} else if (session->state == SESSION_COMPARE &&
		   exchange_expects(exchange, path)) {
		exchange_compare(exchange, path, &node);
		session_try_owe(session);
	} else {
		session_bad_line(session, "DIGEST out of turn", path_text);
	}
}

static void
session_end_scan(struct session *session)
{
	const struct digest_path root = { 0, 0 };
	struct exchange *exchange = &session->exchange;

	if (MUTANT(ATTACH_LATE) && !session_attach(session))
		return;
	exchange_await_root(exchange);
	session_set_state(session, SESSION_COMPARE);
	if (exchange->root_held && exchange_expects(exchange, root)) {
		exchange_compare(exchange, root, &exchange->root);
		session_try_owe(session);
	}
}

static void
session_end_owe(struct session *session)
{
	/* Records that differ leave at once. */
	session->flush_at = (struct mono){ 0 };
	outbox_poise(&session->outbox, false);
	batch_timer_init(&session->batch_timer, session->node->name,
	    session->batch_timer.leads);
	session_set_state(session, SESSION_DRAIN);
	if (MUTANT(REST_EARLY))
		session_rest(session, (struct mono){ 0 });
	session->wake(session->arg);
}

bool
session_has_work(const struct session *session)
{
	return session->state == SESSION_SCAN || session->state == SESSION_OWE;
}

bool
session_work(struct session *session)
{
	struct exchange *exchange = &session->exchange;

	if (session->state == SESSION_SCAN) {
		if ((MUTANT(COMPARE_EARLY) && exchange->root_held) ||
		    !exchange_scan(exchange, session->node->table))
			session_end_scan(session);
	} else if (session->state == SESSION_OWE) {
		if (!exchange_owe(exchange, &session->outbox))
			session_end_owe(session);
	}
	if (exchange->cursor.skipped)
		session_bye(session, BYE_MEMORY, "out of memory");
	return session_has_work(session);
}

enum herd_error
session_fill_digests(struct session *session, struct buf *out)
{
	size_t before = out->len;
	enum herd_error error =
	    exchange_fill(&session->exchange, out, SESSION_OUT_MAX);

	session->stats.exchange_bytes += out->len - before;
	if (error == HERD_OK)
		session_try_owe(session);
	return error;
}

/* --- NEXT ---------------------------------------------------------------- */

static void
session_end_exchange(struct session *session, struct mono now)
{
	struct exchange *exchange = &session->exchange;
	uint64_t every = session->node->verify_every_ns;

	session_set_state(session, SESSION_SYNCED);
	session->stats.exchanges++;
	session->synced_at = now;
	session_leave_board(session);
	if (!session->synced)
		board_synced(session->node->board);
	session->synced = true;
	if (exchange->cut_ns > exchange->cut_past_ns)
		exchange->cut_past_ns = exchange->cut_ns;
	exchange->restores = exchange->verify_again;
	/* every +- 20 % */
	session->verify_at = mono_add(
	    now, session_random_between(session, every / 5 * 4, every / 5 * 6));
	/* With the next tick: this may be one. */
	if (exchange->verify_again)
		session->verify_at = mono_add(now, 1);
	exchange->verify_again = false;
	session_rest(session, now);
}

enum herd_error
session_drain(struct session *session, struct buf *out, struct mono now)
{
	enum herd_error error;

	if (!exchange_is_drained(&session->exchange, &session->outbox))
		return HERD_OK;
	error = buf_add_text(out, "NEXT\n");
	if (error != HERD_OK)
		return error;
	session_set_state(session, SESSION_NEXT);
	if (session->exchange.next_received)
		session_end_exchange(session, now);
	return HERD_OK;
}

void
session_on_next(struct session *session, struct span rest, struct mono now,
    struct wall clock HERD_UNUSED)
{
	struct exchange *exchange = &session->exchange;

	/* The peer has compared all, so each side has the other's DIGESTs. */
	if (!exchange->peer_checked || exchange->next_received ||
	    (session->state != SESSION_OWE && session->state != SESSION_DRAIN &&
		session->state != SESSION_NEXT)) {
		session_bad_line(session, "NEXT out of turn", rest);
		return;
	}
	exchange->next_received = true;
	if (session->state == SESSION_NEXT)
		session_end_exchange(session, now);
}
