/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_internal.h"

/* A batch's lines between outbox and engine. */
#define BATCH_BYTES_MAX (STORE_BATCH_RECORDS * 256u + (1u << 20))

static unsigned
batch_max(const struct store *store)
{
	return store->engine_config.batch;
}

enum herd_error
store_batch_init(struct store *store)
{
	buf_init(&store->batch.lines, BATCH_BYTES_MAX);
	store->batch.reports =
	    calloc(batch_max(store), sizeof(*store->batch.reports));
	return store->batch.reports == NULL ? HERD_ENOMEM : HERD_OK;
}

void
store_batch_release(struct store *store)
{
	buf_release(&store->batch.lines);
	free(store->batch.reports);
}

bool
store_batch_is_due(const struct store *store)
{
	return store->batch.pending || !outbox_is_empty(&store->outbox);
}

uint64_t
store_batch_owed(const struct store *store)
{
	return outbox_owed(&store->outbox) +
	       (store->batch.pending ? store->batch.count : 0);
}

/* --- collecting --------------------------------------------------------- */

static bool
on_give(void *arg, const struct report *report)
{
	struct store *store = arg;
	struct buf *lines = &store->batch.lines;

	if (buf_reserve(lines, report_line_len(report) + 1) != HERD_OK ||
	    report_format(lines, report) != HERD_OK ||
	    buf_add_byte(lines, '\n') != HERD_OK)
		return false;
	store->batch.count++;
	return true;
}

/* The lines as reports, which borrow them. */
static enum herd_error
batch_parse(struct store *store)
{
	struct span rest = buf_span(&store->batch.lines);
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < store->batch.count && error == HERD_OK; i++) {
		const char *lf = memchr(rest.data, '\n', rest.len);
		struct span line = span_of(rest.data, (size_t)(lf - rest.data));

		rest = span_of(lf + 1, rest.len - line.len - 1);
		error = report_parse(line, &store->batch.reports[i]);
	}
	return error;
}

/* Copies what is owed, up to a batch's size and time. */
static enum herd_error
batch_collect(struct store *store)
{
	struct mono until = mono_add(clock_mono(), STORE_BATCH_NS);
	unsigned max = batch_max(store);
	unsigned popped = 0;

	buf_clear(&store->batch.lines);
	store->batch.count = 0;
	while (popped < max) {
		unsigned n =
		    outbox_take(&store->outbox, max - popped, on_give, store);

		popped += n;
		if (n == 0 || clock_mono().ns >= until.ns)
			break;
	}
	if (popped == 0 && !outbox_is_empty(&store->outbox))
		return HERD_ENOMEM;
	commit_end_batch(&store->commit);
	store->batch.pending = true;
	store->batch.began = clock_mono();
	return batch_parse(store);
}

/* --- writing ------------------------------------------------------------ */

static void
batch_count(struct store *store, uint64_t took)
{
	atomic_store(&store->commit_ns, took);
	if (store->batch.count == 0)
		return;
	time_histogram_note(&store->commit_times, took, 1);
	atomic_fetch_add(&store->commits, 1);
	atomic_fetch_add(&store->committed, store->batch.count);
	atomic_store(&store->last_commit_ns, clock_wall().ns);
}

void
store_batch_write(struct store *store)
{
	enum herd_error error = HERD_OK;
	struct mono start;

	if (!store->batch.pending)
		error = batch_collect(store);
	if (error != HERD_OK) {
		store_fail(store, "out of memory");
		return;
	}
	start = clock_mono();
	if (store->batch.count > 0)
		error = store->ops->put_many(
		    store->engine, store->batch.reports, store->batch.count);
	if (error != HERD_OK) {
		store_on_error(store, error);
		return;
	}
	if (outbox_has_failed(&store->outbox)) {
		store_fail(store, "out of memory");
		return;
	}
	store->batch.pending = false;
	atomic_store(&store->retried, 0);
	backoff_reset(&store->contact.backoff);
	batch_count(store, mono_since(clock_mono(), start));
	if (commit_publish(&store->commit))
		store->hooks.on_commit(store->hooks.arg);
}
