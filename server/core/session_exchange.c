/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The exchange: CHECK, scan, DIGESTs down the tree, owe what differs, drain,
 * NEXT. The same code on both sides; nobody replies to anybody.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/mutant.h"
#include "core/session_lines.h"
#include "core/short_cut.h"
#include "herd/text.h"

bool
exchange_is_open(const struct session *session)
{
	return session->outbox.attached ||
	       (MUTANT(ATTACH_LATE) && session->state == SESSION_SCAN);
}

void
exchange_release(struct session *session)
{
	digest_free(session->digest);
	session->digest = NULL;
	free(session->marks);
	session->marks = NULL;
}

/* --- beginning ----------------------------------------------------------- */

/*
 * What is older is about to expire somewhere: whose clock is a tick ahead
 * would refuse it, for ever.
 */
static uint64_t
exchange_cut_ns(const struct session *session, struct mono now)
{
	const struct session_node *node = session->node;
	uint64_t expire = node->expire_after_ns;
	uint64_t cut = timekeeper_expiry(node->timekeeper, now).ns;

	if (MUTANT(CUT_UNTRUSTED))
		cut = timekeeper_wall(node->timekeeper, now).ns;
	/* A clock that is not trusted says 0: nothing is old. */
	if (cut == 0 || expire == 0 || MUTANT(NO_CUT))
		return 0;
	if (MUTANT(MARGIN_FIXED))
		cut += TIMEKEEPER_MARGIN_NS;
	else if (!MUTANT(NO_MARGIN))
		cut += timekeeper_margin_ns(expire);
	if (cut < expire)
		return 0;
	cut -= expire;
	/* What the peer can read is what both sides compare. */
	if (!session_knows(session, SESSION_CUTS))
		cut -= cut % HERD_NS_PER_S;
	return cut < HERD_TIME_MAX_S * HERD_NS_PER_S ? cut : 0;
}

static void
exchange_say_check(struct session *session)
{
	unsigned long long n = session->exchange;
	char cut[TIME_FORMAT_MAX];

	if (session->cut_ns % HERD_NS_PER_S == 0)
		session_say(session, "CHECK %llu %llu", n,
		    (unsigned long long)(session->cut_ns / HERD_NS_PER_S));
	else
		session_say(session, "CHECK %llu %.*s", n,
		    (int)time_format(session->cut_ns, cut), cut);
}

void
exchange_start(struct session *session, struct mono now)
{
	exchange_release(session);
	session->exchange++;
	session->cut_ns = exchange_cut_ns(session, now);
	session->peer_checked = false;
	session->next_received = false;
	session_set_state(session, SESSION_CHECKED);
	exchange_say_check(session);
}

static bool
exchange_attach(struct session *session)
{
	if (session->outbox.attached ||
	    outbox_attach(&session->outbox) == HERD_OK)
		return true;
	session_bye(session, BYE_MEMORY, "all outboxes are taken");
	return false;
}

/* Both CHECKs are here: attach, then scan; in any other order records slip. */
static void
exchange_run(struct session *session)
{
	bool first_is_ours =
	    span_compare(session->node->name, span_from(session->peer)) < 0;
#ifdef HERD_MUTANTS
	bool kept;
#endif

	session->key = first_is_ours
			   ? digest_key(session->nonce, session->peer_nonce,
				 session->exchange)
			   : digest_key(session->peer_nonce, session->nonce,
				 session->exchange);
#ifdef HERD_MUTANTS
	kept = session->outbox.attached ||
	       (MUTANT(KEEP_OUTBOX) && mutant_inherit_outbox(&session->outbox));
#endif
	if (!MUTANT(ATTACH_LATE) && !exchange_attach(session))
		return;
	session->marks = calloc(DIGEST_LEAVES / 8, 1);
	if (session->marks == NULL ||
	    digest_new(&session->key, &session->digest) != HERD_OK) {
		session_bye(session, BYE_MEMORY, "out of memory");
		return;
	}
	session->cursor = (struct table_cursor){ 0 };
	session->open = 0;
	session->root_held = false;
	session->root_pending = false;
	session->root_awaited = false;
	session->pending_top = 0;
	session->awaited_top = 0;
	session->pending_rows = 0;
	memset(session->pending, 0, sizeof(session->pending));
	memset(session->awaited, 0, sizeof(session->awaited));
	session->marked = 0;
	session_set_state(session, SESSION_SCAN);
#ifdef HERD_MUTANTS
	if (MUTANT(KEEP_OUTBOX)) {
		/* Whoever kept none owes everything; nobody compares. */
		if (!kept) {
			memset(session->marks, 0xff, DIGEST_LEAVES / 8);
			session->marked = 1;
		}
		session_set_state(session, SESSION_COMPARE);
		session_set_state(session, SESSION_OWE);
	}
#endif
}

/*
 * Who starts: a node with data lets an empty peer ask; an empty node asks
 * one neighbour at a time, so that each record comes to it once.
 */
void
exchange_consider(struct session *session, struct mono now)
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
	exchange_start(session, now);
#ifdef HERD_MUTANTS
	if (session->check_waits && session->state == SESSION_CHECKED) {
		session->check_waits = false;
		session->peer_checked = true;
		if (session->check_cut_ns > session->cut_ns)
			session->cut_ns = session->check_cut_ns;
		exchange_run(session);
	}
#endif
}

void
exchange_on_check(struct session *session, struct span rest, struct mono now,
    struct wall clock HERD_UNUSED)
{
	struct span number = text_next_field(&rest);
	uint64_t due =
	    session->exchange + (session->state == SESSION_CHECKED ? 0u : 1u);
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
#ifdef HERD_MUTANTS
	if (MUTANT(WAIT_BOTH) && session->state == SESSION_LIVE &&
	    session->poll_at.ns != UINT64_MAX) {
		session->check_waits = true;
		session->check_cut_ns = cut_ns;
		return;
	}
#endif
	/* Starting may wait, answering never. */
	if (session->state == SESSION_LIVE) {
		board_enter(session->node->board);
		session->counted = true;
	}
	if (session->state != SESSION_CHECKED)
		exchange_start(session, now);
	session->peer_checked = true;
	if (cut_ns > session->cut_ns && !MUTANT(NO_CUT))
		session->cut_ns = cut_ns;
	if (session->state == SESSION_CHECKED)
		exchange_run(session);
}

/* --- comparing ----------------------------------------------------------- */

/* A DIGEST of this node will go out with the next fill; so will the peer's. */
static void
exchange_pend(struct session *session, struct digest_path path)
{
	uint32_t row = path.index / DIGEST_FAN;
	uint64_t bit = UINT64_C(1) << path.index % DIGEST_FAN;

	session->open++;
	if (path.depth == 0) {
		session->root_pending = true;
		session->root_awaited = true;
	} else if (path.depth == 1) {
		session->pending_top |= bit;
		session->awaited_top |= bit;
	} else {
		session->pending[row] |= bit;
		session->awaited[row] |= bit;
		session->pending_rows |= UINT64_C(1) << row;
	}
}

/* Each DIGEST comes once and only for a node that differs above. */
static bool
exchange_await(struct session *session, struct digest_path path)
{
	uint64_t bit = UINT64_C(1) << path.index % DIGEST_FAN;
	uint64_t *word = path.depth == 1
			     ? &session->awaited_top
			     : &session->awaited[path.index / DIGEST_FAN];

	if (path.depth == 0) {
		if (!session->root_awaited)
			return false;
		session->root_awaited = false;
	} else {
		if ((*word & bit) == 0)
			return false;
		*word &= ~bit;
	}
	session->open--;
	return true;
}

static void
exchange_mark(struct session *session, struct digest_path path)
{
	uint32_t count;
	uint32_t leaf = digest_first_leaf(path, &count);

	if (MUTANT(ONE_SIDE_OWES) &&
	    span_compare(session->node->name, span_from(session->peer)) < 0)
		return;
	session->marked += count;
	if (count == 1) {
		session->marks[leaf / 8] |= (uint8_t)(1u << leaf % 8);
		return;
	}
	memset(session->marks + leaf / 8, 0xff, count / 8);
}

bool
exchange_has_pending(const struct session *session)
{
	return session->root_pending || session->pending_top != 0 ||
	       session->pending_rows != 0;
}

/* Is all that differs below the root sent, without more DIGESTs? */
static bool
exchange_cuts_short(
    const struct session *session, const struct digest_node *theirs)
{
	struct digest_node ours = { .size = session->digest->size };

	if (!session_knows(session, SESSION_PAIRS) ||
	    (MUTANT(SHORT_ALONE) && span_compare(session->node->name,
					span_from(session->peer)) < 0))
		return false;
	memcpy(ours.hashes, session->digest->top, sizeof(ours.hashes));
	return short_cut_pays(&ours, theirs);
}

/* Compared when each side has sent and received the same nodes. */
static void
exchange_try_end_compare(struct session *session)
{
	if (session->state != SESSION_COMPARE || session->open != 0 ||
	    exchange_has_pending(session))
		return;
	digest_free(session->digest);
	session->digest = NULL;
	session->cursor = (struct table_cursor){ 0 };
	session_set_state(session, SESSION_OWE);
}

static void
exchange_compare(struct session *session, struct digest_path path,
    const struct digest_node *theirs)
{
	const uint64_t *ours = digest_children(session->digest, path);
	bool all = path.depth == 0 && exchange_cuts_short(session, theirs);

	for (unsigned i = 0; i < DIGEST_FAN; i++) {
		struct digest_path child = digest_child(path, i);

		if (ours[i] == theirs->hashes[i])
			continue;
		if (child.depth == DIGEST_DEPTH || ours[i] == 0 ||
		    theirs->hashes[i] == 0 || all)
			exchange_mark(session, child);
		else
			exchange_pend(session, child);
	}
	exchange_try_end_compare(session);
}

/* Of a root both sides say the size if both may take the short cut. */
static bool
exchange_tells_size(const struct session *session, struct digest_path path)
{
	return path.depth == 0 && session_knows(session, SESSION_PAIRS);
}

static bool
exchange_parse_node(const struct session *session, struct digest_path path,
    struct span rest, struct digest_node *node)
{
	struct digest_size size = { 0, 0 };

	if (digest_hashes_parse(text_next_field(&rest), node->hashes) !=
	    HERD_OK)
		return false;
	if (exchange_tells_size(session, path) &&
	    (text_to_u64(text_next_field(&rest), 0, DIGEST_SIZE_MAX,
		 &size.records) != HERD_OK ||
		text_to_u64(text_next_field(&rest), 0, DIGEST_SIZE_MAX,
		    &size.bytes) != HERD_OK))
		return false;
	node->size = size;
	return text_trim(rest).len == 0;
}

void
exchange_on_digest(struct session *session, struct span rest,
    struct mono now HERD_UNUSED, struct wall clock HERD_UNUSED)
{
	struct span path_text = text_next_field(&rest);
	struct digest_node node;
	struct digest_path path;

	if (digest_path_parse(path_text, DIGEST_DEPTH - 1, &path) != HERD_OK ||
	    !exchange_parse_node(session, path, rest, &node)) {
		session_bad_line(session, "bad DIGEST", path_text);
		return;
	}
	if (session->state == SESSION_SCAN && path.depth == 0 &&
	    !session->root_held) {
		session->root_held = true;
		session->root = node;
		if (MUTANT(COMPARE_EARLY)) {
			exchange_pend(session, path);
			(void)exchange_await(session, path);
			session_set_state(session, SESSION_COMPARE);
			exchange_compare(session, path, &session->root);
		}
	} else if (session->state == SESSION_COMPARE &&
		   exchange_await(session, path)) {
		exchange_compare(session, path, &node);
	} else {
		session_bad_line(session, "DIGEST out of turn", path_text);
	}
}

/* --- passes over the table ----------------------------------------------- */

static bool
on_scan(void *arg, const struct report *report, uint32_t from HERD_UNUSED)
{
	struct session *session = arg;
	uint32_t leaf;

	if (report->time_ns <= session->cut_ns && session->cut_ns != 0)
		return true;
	if (digest_add(session->digest, report) == HERD_OK)
		return true;
	/*
	 * No memory: the leaf lacks a record that the peer may lack as well,
	 * and then it would look equal. It is owed whatever comparing says.
	 */
	leaf = digest_leaf(&session->key, report->client);
	session->marks[leaf / 8] |= (uint8_t)(1u << leaf % 8);
	session->marked++;
	return true;
}

static bool
on_owe(void *arg, const struct report *report, uint32_t from HERD_UNUSED)
{
	const struct session *session = arg;
	uint32_t leaf;

	if (report->time_ns <= session->cut_ns && session->cut_ns != 0)
		return false;
	leaf = digest_leaf(&session->key, report->client);
	return (session->marks[leaf / 8] & 1u << leaf % 8) != 0;
}

static void
exchange_end_scan(struct session *session)
{
	const struct digest_path root = { 0, 0 };

	if (MUTANT(ATTACH_LATE) && !exchange_attach(session))
		return;
	exchange_pend(session, root);
	session_set_state(session, SESSION_COMPARE);
	if (session->root_held) {
		(void)exchange_await(session, root);
		exchange_compare(session, root, &session->root);
	}
}

static void
exchange_end_owe(struct session *session)
{
	free(session->marks);
	session->marks = NULL;
	outbox_progress(&session->outbox, &session->target);
	/* What differs leaves at once. */
	session->flush_at = (struct mono){ 0 };
	pace_init(&session->pace, session->node->name);
	session_set_state(session, SESSION_DRAIN);
	session->wake(session->arg);
}

bool
exchange_work(struct session *session)
{
	if (session->state == SESSION_SCAN) {
		if (MUTANT(SKIP_DIGEST) && session->key.k0 % 10 != 0) {
			exchange_release(session);
			session_set_state(session, SESSION_DRAIN);
			outbox_progress(&session->outbox, &session->target);
		} else if (!table_walk(session->node->table, &session->cursor,
			       SESSION_SLICE_SLOTS, on_scan, session)) {
			exchange_end_scan(session);
		}
	} else if (session->state == SESSION_OWE) {
		if (session->marked == 0 ||
		    !outbox_owe(&session->outbox, &session->cursor,
			SESSION_SLICE_SLOTS, on_owe, session))
			exchange_end_owe(session);
	}
	if (session->cursor.skipped)
		session_bye(session, BYE_MEMORY, "out of memory");
	return session_has_work(session);
}

/* --- sending ------------------------------------------------------------- */

static enum herd_error
exchange_add_digest(
    struct session *session, struct buf *out, struct digest_path path)
{
	size_t before = out->len;
	enum herd_error error = buf_add_text(out, "DIGEST ");

	if (error == HERD_OK)
		error = digest_path_format(out, path);
	if (error == HERD_OK)
		error = buf_add_byte(out, ' ');
	if (error == HERD_OK)
		error = digest_hashes_format(out,
		    digest_children(session->digest, path),
		    session_knows(session, SESSION_PAIRS));
	if (error == HERD_OK && exchange_tells_size(session, path))
		error = buf_addf(out, " %llu %llu",
		    (unsigned long long)session->digest->size.records,
		    (unsigned long long)session->digest->size.bytes);
	if (error == HERD_OK)
		error = buf_add_byte(out, '\n');
	if (error != HERD_OK)
		buf_truncate(out, before);
	else
		session->stats.exchange_bytes += out->len - before;
	return error;
}

/* The next node whose DIGEST is due, taken out; false if there is none. */
static bool
exchange_pop_pending(struct session *session, struct digest_path *path)
{
	if (session->root_pending) {
		session->root_pending = false;
		*path = (struct digest_path){ 0, 0 };
		return true;
	}
	if (session->pending_top != 0) {
		*path = (struct digest_path){ 1,
			(uint32_t)__builtin_ctzll(session->pending_top) };
		session->pending_top &= session->pending_top - 1;
		return true;
	}
	if (session->pending_rows != 0) {
		uint32_t row = (uint32_t)__builtin_ctzll(session->pending_rows);
		uint64_t *word = &session->pending[row];

		*path = (struct digest_path){ 2,
			row * DIGEST_FAN + (uint32_t)__builtin_ctzll(*word) };
		*word &= *word - 1;
		if (*word == 0)
			session->pending_rows &= session->pending_rows - 1;
		return true;
	}
	return false;
}

enum herd_error
exchange_fill(struct session *session, struct buf *out)
{
	enum herd_error error = HERD_OK;
	struct digest_path path;

	while (error == HERD_OK && out->len < SESSION_OUT_MAX &&
	       exchange_pop_pending(session, &path))
		error = exchange_add_digest(session, out, path);
	if (error == HERD_OK)
		exchange_try_end_compare(session);
	return error;
}

static bool
exchange_is_drained(const struct session *session)
{
	struct outbox_progress progress;

	if (outbox_is_empty(&session->outbox) || MUTANT(NEXT_EARLY))
		return true;
	outbox_progress(&session->outbox, &progress);
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		if (progress.popped[i] < session->target.appended[i])
			return false;
	}
	return true;
}

static void
exchange_end(struct session *session, struct mono now)
{
	uint64_t every = session->node->verify_every_ns;

	session_set_state(session, SESSION_SYNCED);
	session->stats.exchanges++;
	session->synced_at = now;
	if (session->counted)
		board_leave(session->node->board);
	session->counted = false;
	if (!session->synced)
		board_synced(session->node->board);
	session->synced = true;
	if (session->cut_ns > session->cut_past_ns)
		session->cut_past_ns = session->cut_ns;
	session->restores = session->verify_again;
	/* every +- 20 % */
	session->verify_at = mono_add(
	    now, session_random_between(session, every / 5 * 4, every / 5 * 6));
	if (session->verify_again)
		session->verify_at = now;
	session->verify_again = false;
}

enum herd_error
exchange_drain(struct session *session, struct buf *out, struct mono now)
{
	enum herd_error error;

	if (!exchange_is_drained(session))
		return HERD_OK;
	error = buf_add_text(out, "NEXT\n");
	if (error != HERD_OK)
		return error;
	session_set_state(session, SESSION_NEXT);
	if (session->next_received)
		exchange_end(session, now);
	return HERD_OK;
}

void
exchange_on_next(struct session *session, struct span rest, struct mono now,
    struct wall clock HERD_UNUSED)
{
	/* It has compared, so it had all our DIGESTs, so we all of its. */
	if (!session->peer_checked || session->next_received ||
	    (session->state != SESSION_OWE && session->state != SESSION_DRAIN &&
		session->state != SESSION_NEXT && !MUTANT(SKIP_DIGEST))) {
		session_bad_line(session, "NEXT out of turn", rest);
		return;
	}
	session->next_received = true;
	if (session->state == SESSION_NEXT)
		exchange_end(session, now);
}
