/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/exchange.h"

#include <stdlib.h>

#include "core/mutant.h"
#include "core/short_cut.h"
#include "herd/text.h"

void
exchange_release(struct exchange *exchange)
{
	digest_free(exchange->digest);
	exchange->digest = NULL;
	free(exchange->marks);
	exchange->marks = NULL;
}

enum herd_error
exchange_begin(struct exchange *exchange, const struct siphash_key *key)
{
	exchange->key = *key;
	exchange->cursor = (struct table_cursor){ 0 };
	exchange->open = 0;
	exchange->root_held = false;
	exchange->due = 0;
	memset(exchange->pending, 0, sizeof(exchange->pending));
	memset(exchange->awaited, 0, sizeof(exchange->awaited));
	exchange->marked = 0;
	exchange->marks = calloc(DIGEST_LEAVES / 8, 1);
	if (exchange->marks == NULL)
		return HERD_ENOMEM;
	return digest_new(key, &exchange->digest);
}

/* --- passes over the table ----------------------------------------------- */

static bool
is_cut(const struct exchange *exchange, const struct report *report)
{
	return exchange->cut_ns != 0 && report->time_ns <= exchange->cut_ns;
}

static bool
on_scan(void *arg, const struct report *report, uint32_t from HERD_UNUSED)
{
	struct exchange *exchange = arg;
	uint32_t leaf;

	if (is_cut(exchange, report) ||
	    digest_add(exchange->digest, report) == HERD_OK)
		return true;
	/*
	 * Out of memory: the leaf lacks this record. If the peer lacks it too,
	 * the leaf would look equal, so it is owed in any case.
	 */
	leaf = digest_leaf(&exchange->key, report->client);
	exchange->marks[leaf / 8] |= (uint8_t)(1u << leaf % 8);
	exchange->marked++;
	return true;
}

bool
exchange_scan(struct exchange *exchange, struct table *table)
{
	return table_walk(
	    table, &exchange->cursor, EXCHANGE_SLICE_SLOTS, on_scan, exchange);
}

static bool
on_owe(void *arg, const struct report *report, uint32_t from HERD_UNUSED)
{
	const struct exchange *exchange = arg;
	uint32_t leaf;

	if (is_cut(exchange, report))
		return false;
	leaf = digest_leaf(&exchange->key, report->client);
	return (exchange->marks[leaf / 8] & 1u << leaf % 8) != 0;
}

bool
exchange_owe(struct exchange *exchange, struct outbox *outbox)
{
	/*
	 * What this session has given us, the peer had when it began. Later it
	 * may have dropped it, by a clock that was wrong.
	 */
	bool gives_back = exchange->number > 1;
	bool skips = (MUTANT(SKIP_DIGEST) && exchange->key.k0 % 10 != 0) ||
		     (MUTANT(KEEP_OUTBOX) && mutant_has_inherited(outbox));

	if (exchange->marked != 0 && !skips &&
	    outbox_owe(outbox, &exchange->cursor, EXCHANGE_SLICE_SLOTS,
		gives_back, on_owe, exchange))
		return true;
	free(exchange->marks);
	exchange->marks = NULL;
	outbox_progress(outbox, &exchange->target);
	return false;
}

bool
exchange_is_drained(
    const struct exchange *exchange, const struct outbox *outbox)
{
	struct outbox_progress progress;

	if (outbox_is_empty(outbox) || MUTANT(NEXT_EARLY))
		return true;
	outbox_progress(outbox, &progress);
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		if (progress.popped[i] < exchange->target.appended[i])
			return false;
	}
	return true;
}

/* --- comparing ----------------------------------------------------------- */

/* The word of the node's bit. */
static unsigned
word_of(struct digest_path path)
{
	return path.depth < 2 ? path.depth : 2 + path.index / DIGEST_FAN;
}

/* This node's DIGEST is due at the next fill; the peer's is awaited. */
static void
exchange_pend(struct exchange *exchange, struct digest_path path)
{
	uint64_t bit = UINT64_C(1) << path.index % DIGEST_FAN;

	exchange->open++;
	exchange->due++;
	exchange->pending[word_of(path)] |= bit;
	exchange->awaited[word_of(path)] |= bit;
}

void
exchange_await_root(struct exchange *exchange)
{
	exchange_pend(exchange, (struct digest_path){ 0, 0 });
}

bool
exchange_expects(struct exchange *exchange, struct digest_path path)
{
	uint64_t *word = &exchange->awaited[word_of(path)];
	uint64_t bit = UINT64_C(1) << path.index % DIGEST_FAN;

	if ((*word & bit) == 0)
		return false;
	*word &= ~bit;
	exchange->open--;
	return true;
}

static void
exchange_mark(struct exchange *exchange, struct digest_path path)
{
	uint32_t count;
	uint32_t leaf = digest_first_leaf(path, &count);

	if (MUTANT(ONE_SIDE_OWES) && exchange->is_first)
		return;
	exchange->marked += count;
	if (count == 1) {
		exchange->marks[leaf / 8] |= (uint8_t)(1u << leaf % 8);
		return;
	}
	memset(exchange->marks + leaf / 8, 0xff, count / 8);
}

/* Is all below a child that differs sent, without more DIGESTs? */
static bool
exchange_cuts_short(
    const struct exchange *exchange, const struct digest_node *theirs)
{
	struct digest_node ours = { .size = exchange->digest->size };

	if (!exchange->pairs || (MUTANT(SHORT_ALONE) && exchange->is_first))
		return false;
	memcpy(ours.hashes, exchange->digest->top, sizeof(ours.hashes));
	return short_cut_pays(&ours, theirs);
}

void
exchange_compare(struct exchange *exchange, struct digest_path path,
    const struct digest_node *theirs)
{
	const uint64_t *ours = digest_children(exchange->digest, path);
	bool all = path.depth == 0 && exchange_cuts_short(exchange, theirs);

	for (unsigned i = 0; i < DIGEST_FAN; i++) {
		struct digest_path child = digest_child(path, i);

		if (ours[i] == theirs->hashes[i])
			continue;
		if (child.depth == DIGEST_DEPTH || ours[i] == 0 ||
		    theirs->hashes[i] == 0 || all)
			exchange_mark(exchange, child);
		else
			exchange_pend(exchange, child);
	}
}

bool
exchange_end_compare(struct exchange *exchange)
{
	if (exchange->open != 0 || exchange->due != 0)
		return false;
	digest_free(exchange->digest);
	exchange->digest = NULL;
	exchange->cursor = (struct table_cursor){ 0 };
	return true;
}

/* --- DIGEST -------------------------------------------------------------- */

/* The root's DIGEST has the size if both nodes may take the short cut. */
static bool
has_size(const struct exchange *exchange, struct digest_path path)
{
	return path.depth == 0 && exchange->pairs;
}

bool
exchange_parse_node(const struct exchange *exchange, struct digest_path path,
    struct span rest, struct digest_node *node)
{
	struct digest_size size = { 0, 0 };

	if (digest_hashes_parse(text_next_field(&rest), node->hashes) !=
	    HERD_OK)
		return false;
	if (has_size(exchange, path) &&
	    (text_to_u64(text_next_field(&rest), 0, DIGEST_SIZE_MAX,
		 &size.records) != HERD_OK ||
		text_to_u64(text_next_field(&rest), 0, DIGEST_SIZE_MAX,
		    &size.bytes) != HERD_OK))
		return false;
	node->size = size;
	return text_trim(rest).len == 0;
}

static enum herd_error
exchange_add_digest(
    const struct exchange *exchange, struct buf *out, struct digest_path path)
{
	const struct digest *digest = exchange->digest;
	size_t before = out->len;
	enum herd_error error = buf_add_text(out, "DIGEST ");

	if (error == HERD_OK)
		error = digest_path_format(out, path);
	if (error == HERD_OK)
		error = buf_add_byte(out, ' ');
	if (error == HERD_OK)
		error = digest_hashes_format(
		    out, digest_children(digest, path), exchange->pairs);
	if (error == HERD_OK && has_size(exchange, path))
		error = buf_addf(out, " %llu %llu",
		    (unsigned long long)digest->size.records,
		    (unsigned long long)digest->size.bytes);
	if (error == HERD_OK)
		error = buf_add_byte(out, '\n');
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}

/* Takes out the next node whose DIGEST is due; there is one. */
static struct digest_path
exchange_pop_pending(struct exchange *exchange)
{
	unsigned word = 0;
	uint32_t bit;

	while (exchange->pending[word] == 0)
		word++;
	bit = (uint32_t)__builtin_ctzll(exchange->pending[word]);
	exchange->pending[word] &= exchange->pending[word] - 1;
	exchange->due--;
	if (word < 2)
		return (struct digest_path){ word, bit };
	return (struct digest_path){ 2, (word - 2) * DIGEST_FAN + bit };
}

enum herd_error
exchange_fill(struct exchange *exchange, struct buf *out, size_t most)
{
	enum herd_error error = HERD_OK;

	while (error == HERD_OK && out->len < most && exchange->due != 0)
		error = exchange_add_digest(
		    exchange, out, exchange_pop_pending(exchange));
	return error;
}
