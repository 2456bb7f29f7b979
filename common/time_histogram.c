/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/time_histogram.h"

static const struct {
	uint64_t ns;
	const char *text;
} BOUNDS[] = {
#define HERD_TIME_HISTOGRAM_ROW(ns, text) { ns, text },
	TIME_HISTOGRAM_BOUNDS(HERD_TIME_HISTOGRAM_ROW)
#undef HERD_TIME_HISTOGRAM_ROW
};

static uint64_t
get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* One writer only, so that no read-modify-write is needed. */
static void
bump(_Atomic uint64_t *counter, uint64_t by)
{
	atomic_store_explicit(counter, get(counter) + by, memory_order_relaxed);
}

void
time_histogram_note(
    struct time_histogram *histogram, uint64_t ns, uint64_t times)
{
	unsigned bucket = 0;

	while (bucket < HERD_ARRAY_LEN(BOUNDS) && ns > BOUNDS[bucket].ns)
		bucket++;
	if (ns > TIME_HISTOGRAM_MOST_NS)
		ns = TIME_HISTOGRAM_MOST_NS;
	bump(&histogram->counts[bucket], times);
	bump(&histogram->sum_ns, ns * times);
}

void
time_histogram_add(
    struct time_histogram *sum, const struct time_histogram *from)
{
	for (unsigned i = 0; i < TIME_HISTOGRAM_BUCKETS; i++)
		bump(&sum->counts[i], get(&from->counts[i]));
	bump(&sum->sum_ns, get(&from->sum_ns));
}

static enum herd_error
add_buckets(struct buf *out, const char *name, const char *labels,
    const struct time_histogram *histogram, uint64_t *total)
{
	const char *comma = labels[0] == '\0' ? "" : ",";
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < TIME_HISTOGRAM_BUCKETS && error == HERD_OK;
	     i++) {
		*total += get(&histogram->counts[i]);
		error = buf_addf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", name,
		    labels, comma,
		    i < HERD_ARRAY_LEN(BOUNDS) ? BOUNDS[i].text : "+Inf",
		    (unsigned long long)*total);
	}
	return error;
}

enum herd_error
time_histogram_format(struct buf *out, const char *name, const char *labels,
    const struct time_histogram *histogram)
{
	bool labelled = labels[0] != '\0';
	const char *open = labelled ? "{" : "";
	const char *close = labelled ? "}" : "";
	uint64_t total = 0;
	enum herd_error error =
	    add_buckets(out, name, labels, histogram, &total);

	if (error == HERD_OK)
		error = buf_addf(out,
		    "%s_sum%s%s%s %.9f\n%s_count%s%s%s %llu\n", name, open,
		    labels, close, (double)get(&histogram->sum_ns) / 1e9, name,
		    open, labels, close, (unsigned long long)total);
	return error;
}
