/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/places_report.h"

#include <stddef.h>
#include <stdio.h>

#include "base/clock.h"
#include "places/network.h"
#include "places/places_internal.h"

/* A failure of the gazetteer shows as its state for so long. */
#define FAILING_NS (60u * HERD_NS_PER_S)

enum gauge { ACTIVE, QUEUED, BREAKER_IS_OPEN, CACHE_BYTES, GAUGE_COUNT };

/*
 * One provider as it is now. All are copied before any is written, so that no
 * lock is held while text grows.
 */
struct provider_report {
	enum places_kind kind;
	const char *state; /* static */
	struct places_stats stats;
	char last_error[PLACES_ERROR_TEXT_MAX]; /* "" = none */
	double last_error_age_s;
	/* on the network */
	const struct provider *provider; /* NULL: it is not */
	uint64_t counts[PROVIDER_COUNT_MAX];
	uint64_t gauges[GAUGE_COUNT];
	enum breaker_state breaker;
	size_t cache_entries;
};

static double
age_s(struct mono since)
{
	return (double)mono_since(clock_mono(), since) / 1e9;
}

static void
report_gazetteer(struct places *places, struct provider_report *report)
{
	pthread_mutex_lock(&places->lock);
	places_stats_add(&report->stats, &places->closed_gazetteer);
	for (struct places_reader *reader = places->readers; reader != NULL;
	     reader = reader->next)
		places_stats_add(&report->stats, &reader->gazetteer);
	memcpy(
	    report->last_error, places->last_error, sizeof(report->last_error));
	report->last_error_age_s = age_s(places->last_error_at);
	pthread_mutex_unlock(&places->lock);
	report->state = report->last_error[0] != '\0' &&
				report->last_error_age_s < FAILING_NS / 1e9
			    ? "failing"
			    : "ready";
}

static void
report_network(struct provider *provider, struct provider_report *report)
{
	size_t bytes = 0;

	report->provider = provider;
	places_stats_add(&report->stats, &provider->stats);
	for (unsigned i = 0; i < PROVIDER_COUNT_MAX; i++)
		report->counts[i] = atomic_load(&provider->counts[i]);
	report->gauges[ACTIVE] = atomic_load(&provider->active);
	report->gauges[QUEUED] = atomic_load(&provider->waiting_count);
	report->breaker =
	    (enum breaker_state)atomic_load(&provider->breaker_state);
	report->gauges[BREAKER_IS_OPEN] = report->breaker != BREAKER_CLOSED;
	if (report->breaker != BREAKER_CLOSED)
		report->state = "open";
	else
		report->state =
		    atomic_load(&provider->failing) ? "failing" : "ready";
	pthread_mutex_lock(&provider->lock);
	memcpy(report->last_error, provider->last_error,
	    sizeof(report->last_error));
	report->last_error_age_s = age_s(provider->last_error_at);
	pthread_mutex_unlock(&provider->lock);
	if (provider->cache != NULL)
		cache_size(provider->cache, &report->cache_entries, &bytes);
	report->gauges[CACHE_BYTES] = bytes;
}

static void
report_provider(
    struct places *places, unsigned index, struct provider_report *report)
{
	report->kind = (enum places_kind)places->chain.items[index];
	report->state = "off";
	places_stats_init(&report->stats);
	if (places->providers[index] != NULL)
		report_network(places->providers[index], report);
	else if (report->kind == PLACES_GAZETTEER)
		report_gazetteer(places, report);
}

static void
report_all(
    struct places *places, struct provider_report reports[SETTING_LIST_MAX])
{
	memset(reports, 0, SETTING_LIST_MAX * sizeof(*reports));
	for (unsigned i = 0; i < places->chain.count; i++)
		report_provider(places, i, &reports[i]);
}

/* The answers to askers, of all providers. */
static void
sum_answers(struct places *places, struct places_stats *sum)
{
	places_stats_init(sum);
	pthread_mutex_lock(&places->lock);
	places_stats_add(sum, &places->closed_answers);
	for (struct places_reader *reader = places->readers; reader != NULL;
	     reader = reader->next)
		places_stats_add(sum, &reader->answers);
	pthread_mutex_unlock(&places->lock);
	if (places->network != NULL)
		places_stats_add(sum, &places->network->answers);
}

/* --- the admin API ------------------------------------------------------- */

static void
add_counts(struct json *json, const struct places_stats *stats)
{
	json_count(json, "answered", places_stats_answered(stats));
	json_count(json, "failed", places_stats_failed(stats));
	json_rounded(json, "p50_ms", places_stats_percentile_ms(stats, 50));
	json_rounded(json, "p99_ms", places_stats_percentile_ms(stats, 99));
}

static void
add_by_status(struct json *json, const struct places_stats *stats)
{
	json_object(json, "by_status");
	for (unsigned i = 0; i < PLACES_STATUS_COUNT; i++)
		json_count(json, answer_status_name((enum places_status)i),
		    places_stats_of(stats, (enum places_status)i));
	json_object_end(json);
}

static void
add_last_error(struct json *json, const struct provider_report *report)
{
	if (report->last_error[0] == '\0') {
		json_null(json, "last_error");
		json_null(json, "last_error_s");
		return;
	}
	json_text(json, "last_error", span_from(report->last_error));
	json_rounded(json, "last_error_s", report->last_error_age_s);
}

static void
add_network(struct json *json, const struct provider_report *report)
{
	const struct provider *provider = report->provider;

	json_text(json, "base_url", span_from(provider->base_url));
	json_text(
	    json, "breaker", span_from(breaker_state_name(report->breaker)));
	json_count(json, "active", report->gauges[ACTIVE]);
	json_count(json, "max_active", provider->max_active);
	json_count(json, "queued", report->gauges[QUEUED]);
	json_count(json, "max_queued", provider->max_waiting);
	for (unsigned i = 0; i < PROVIDER_COUNT_MAX; i++)
		json_count(json, provider_count_name((enum provider_count)i),
		    report->counts[i]);
	if (provider->cache == NULL) {
		json_null(json, "cache");
		return;
	}
	json_object(json, "cache");
	json_count(json, "entries", report->cache_entries);
	json_count(json, "bytes", report->gauges[CACHE_BYTES]);
	json_object_end(json);
}

/* The first type of each list of types, with how many places have it. */
static void
add_types(struct json *json, const struct gazetteer *gazetteer)
{
	char name[GAZETTEER_LIST_BYTES_MAX + 1];

	json_object(json, "types");
	for (size_t i = 0; i < gazetteer->list_count; i++) {
		struct span type = gazetteer->lists[i].types[0];
		uint64_t places = 0;
		size_t first = i;

		for (size_t k = 0; k < gazetteer->list_count; k++) {
			if (!span_equal(gazetteer->lists[k].types[0], type))
				continue;
			first = k < first ? k : first;
			places += gazetteer->lists[k].places;
		}
		if (first == i) {
			memcpy(name, type.data, type.len);
			name[type.len] = '\0';
			json_count(json, name, places);
		}
	}
	json_object_end(json);
}

static void
add_gazetteer(struct json *json, struct places *places)
{
	static const char *const sides[] = { "south", "west", "north", "east" };
	struct gazetteer *gazetteer = places_hold_gazetteer(places);
	char made[TIME_ISO_MAX];

	json_text(json, "data", span_from(gazetteer->path));
	json_text(json, "source_sha256", span_from(gazetteer->source));
	json_count(json, "places", gazetteer->rows);
	json_count(json, "data_bytes", gazetteer->bytes);
	json_text(json, "data_made",
	    span_of(made, time_to_iso(gazetteer->made_ns, made)));
	json_text(json, "time_zone", span_from(gazetteer->zone));
	json_object(json, "bounds");
	for (size_t i = 0; i < 4; i++)
		json_number(json, sides[i], gazetteer->bounds[i]);
	json_object_end(json);
	add_types(json, gazetteer);
	gazetteer_close(gazetteer);
}

static void
add_provider(struct json *json, struct places *places,
    const struct provider_report *report)
{
	json_object(json, NULL);
	json_text(json, "name", span_from(places_kind_name(report->kind)));
	json_text(json, "state", span_from(report->state));
	add_counts(json, &report->stats);
	add_by_status(json, &report->stats);
	add_last_error(json, report);
	if (report->kind == PLACES_GAZETTEER)
		add_gazetteer(json, places);
	if (report->provider != NULL)
		add_network(json, report);
	json_object_end(json);
}

/* The chain as one has its first provider's name and state. */
static void
add_chain(struct json *json, const struct places *places,
    const struct provider_report *reports)
{
	bool any = places->chain.count > 0;

	json_word(json, "provider",
	    places_kind_name(any ? reports[0].kind : PLACES_NONE));
	json_word(json, "state", any ? reports[0].state : "off");
}

static void
add_summary(struct json *json, struct places *places,
    const struct provider_report *reports)
{
	struct places_stats answers;

	sum_answers(places, &answers);
	add_chain(json, places, reports);
	add_counts(json, &answers);
}

void
places_report_summary(struct places *places, struct json *json)
{
	struct provider_report reports[SETTING_LIST_MAX];

	report_all(places, reports);
	add_summary(json, places, reports);
}

void
places_report_status(struct places *places, struct json *json)
{
	struct provider_report reports[SETTING_LIST_MAX];

	report_all(places, reports);
	add_summary(json, places, reports);
	json_array(json, "providers");
	for (unsigned i = 0; i < places->chain.count; i++)
		add_provider(json, places, &reports[i]);
	json_array_end(json);
}

void
places_report_news(struct places *places, struct json *json)
{
	struct provider_report reports[SETTING_LIST_MAX];
	struct places_stats answers;

	report_all(places, reports);
	sum_answers(places, &answers);
	add_chain(json, places, reports);
	json_count(json, "failed", places_stats_failed(&answers));
	if (reports[0].last_error[0] != '\0')
		json_word(json, "last_error", reports[0].last_error);
	else
		json_null(json, "last_error");
}

/* --- metrics ------------------------------------------------------------- */

static enum herd_error
add_answers_metric(const struct provider_report *report, struct buf *out)
{
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; error == HERD_OK && i < PLACES_STATUS_COUNT; i++)
		error = buf_addf(out,
		    "herd_places_answers_total{provider=\"%s\",status=\"%s\"}"
		    " %llu\n",
		    places_kind_name(report->kind),
		    answer_status_name((enum places_status)i),
		    (unsigned long long)places_stats_of(
			&report->stats, (enum places_status)i));
	return error;
}

static enum herd_error
add_time_metric(const struct provider_report *report, struct buf *out)
{
	static const double quantiles[] = { 0.5, 0.99 };
	const char *name = places_kind_name(report->kind);
	const struct places_stats *stats = &report->stats;
	uint64_t count =
	    places_stats_answered(stats) + places_stats_failed(stats);
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; error == HERD_OK && i < HERD_ARRAY_LEN(quantiles);
	     i++) {
		double ms =
		    places_stats_percentile_ms(stats, quantiles[i] * 100);

		if (ms >= 0)
			error = buf_addf(out,
			    "herd_places_answer_seconds{provider=\"%s\","
			    "quantile=\"%g\"} %.9f\n",
			    name, quantiles[i], ms / 1000);
	}
	if (error == HERD_OK)
		error = buf_addf(out,
		    "herd_places_answer_seconds_sum{provider=\"%s\"} %.9f\n"
		    "herd_places_answer_seconds_count{provider=\"%s\"} %llu\n",
		    name, places_stats_seconds(stats), name,
		    (unsigned long long)count);
	return error;
}

static enum herd_error
add_times_metric(const struct provider_report *report, struct buf *out)
{
	char labels[64];

	(void)snprintf(labels, sizeof(labels), "provider=\"%s\"",
	    places_kind_name(report->kind));
	return time_histogram_format(out, "herd_places_answer_duration_seconds",
	    labels, &report->stats.times);
}

struct places_metric {
	const char *name;
	const char *type;
	const char *help;
	enum herd_error (*add)(
	    const struct provider_report *report, struct buf *out);
	size_t value; /* without `add`: offset of the uint64_t in a report */
};

#define GAUGE(index, name, help)                                    \
	{                                                           \
		name, "gauge", help, NULL,                          \
		    offsetof(struct provider_report, gauges[index]) \
	}

static const struct places_metric METRICS[] = {
	{ "answers_total", "counter", "Answers of each Places provider.",
	    add_answers_metric, 0 },
	{ "answer_seconds", "summary", "Time that an answer took.",
	    add_time_metric, 0 },
	{ "answer_duration_seconds", "histogram",
	    "The same, as counts of answers that can be added up.",
	    add_times_metric, 0 },
	GAUGE(ACTIVE, "active_calls",
	    "Calls that the upstream has not answered."),
	GAUGE(QUEUED, "queued_questions", "Questions that wait for a call."),
	GAUGE(BREAKER_IS_OPEN, "breaker_open",
	    "1: the upstream is not asked, since too many calls failed."),
	GAUGE(
	    CACHE_BYTES, "cache_bytes", "Memory of the answers that are kept."),
};

/* One line, for a provider on the network. */
static enum herd_error
add_value(const struct places_metric *metric,
    const struct provider_report *report, struct buf *out)
{
	uint64_t value;

	if (report->provider == NULL)
		return HERD_OK;
	memcpy(&value, (const char *)report + metric->value, sizeof(value));
	return buf_addf(out, "herd_places_%s{provider=\"%s\"} %llu\n",
	    metric->name, places_kind_name(report->kind),
	    (unsigned long long)value);
}

static enum herd_error
add_metric(const struct places_metric *metric,
    const struct provider_report *reports, unsigned count, struct buf *out)
{
	enum herd_error error = buf_addf(out,
	    "# HELP herd_places_%s %s\n# TYPE herd_places_%s %s\n",
	    metric->name, metric->help, metric->name, metric->type);

	for (unsigned i = 0; error == HERD_OK && i < count; i++)
		error = metric->add != NULL
			    ? metric->add(&reports[i], out)
			    : add_value(metric, &reports[i], out);
	return error;
}

/* METRICS, then the counts of provider.h. */
enum herd_error
places_report_metrics(struct places *places, struct buf *out)
{
	struct provider_report reports[SETTING_LIST_MAX];
	enum herd_error error = HERD_OK;

	report_all(places, reports);
	for (size_t m = 0; error == HERD_OK && m < HERD_ARRAY_LEN(METRICS); m++)
		error =
		    add_metric(&METRICS[m], reports, places->chain.count, out);
	for (unsigned c = 0; error == HERD_OK && c < PROVIDER_COUNT_MAX; c++) {
		enum provider_count count = (enum provider_count)c;
		char name[64];
		const struct places_metric metric = { name, "counter",
			provider_count_help(count), NULL,
			offsetof(struct provider_report, counts) +
			    c * sizeof(uint64_t) };

		(void)snprintf(
		    name, sizeof(name), "%s_total", provider_count_name(count));
		error = add_metric(&metric, reports, places->chain.count, out);
	}
	return error;
}
