/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stats: the metrics of nodes. With --watch also how fast counters grow, and
 * how both they and latencies went in the last rounds.
 */
#include "cmd/list.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/stats_trend.h"
#include "herd/text.h"
#include "out/screen.h"
#include "out/spark.h"
#include "out/width.h"
#include "run/fields.h"

/* clang-format off */
#define STAT_COLUMNS(X) \
	X(STAT_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE) \
	X(STAT_METRIC, "metric", "METRIC", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_SHRINK) \
	X(STAT_LABELS, "labels", "LABELS", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(STAT_VALUE, "value", "VALUE", VALUE_REAL, .digits = DIGITS_ALL) \
	X(STAT_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE) \
	X(STAT_RATE, "rate_per_s", "RATE/S", VALUE_REAL, .digits = 1) \
	X(STAT_TREND, "trend", "TREND", VALUE_TEXT)
/* clang-format on */

COLUMN_TABLE(stat_columns, STAT_COLUMNS);

/* The last columns need rounds. */
static const struct view stat_view = { .columns = stat_columns,
	.count = STAT_RATE,
	.schema = "herd.stats/1",
	.list = "metrics" };
static const struct view watch_view =
    VIEW(stat_columns, .schema = "herd.stats/1", .list = "metrics");

/* Seen by people in any case, when they watch all metrics. */
static const char *const vital[] = { "herd_requests_total",
	"herd_reports_accepted_total", "herd_places_*_seconds",
	"herd_link_rtt_seconds", "herd_link_lag_seconds" };

/* Not seen then: they tell the time, or are parts of another metric. */
static const char *const steady[] = { "*_age_seconds", "*_time_seconds",
	"*_timestamp_seconds", "*_uptime_seconds", "*_bucket" };

/* A line of Prometheus' text format: name{labels} value */
static bool
split_sample(struct span line, struct span *name, struct span *labels,
    struct span *value)
{
	size_t n = 0;
	size_t end;

	if (line.len == 0 || line.data[0] == '#')
		return false;
	while (n < line.len && line.data[n] != '{' && line.data[n] != ' ')
		n++;
	*name = span_of(line.data, n);
	*labels = span_from("");
	end = n;
	if (n < line.len && line.data[n] == '{') {
		bool quoted = false;

		for (end = n + 1; end < line.len; end++) {
			if (line.data[end] == '\\')
				end++;
			else if (line.data[end] == '"')
				quoted = !quoted;
			else if (line.data[end] == '}' && !quoted)
				break;
		}
		if (end >= line.len)
			return false;
		*labels = span_of(line.data + n + 1, end - n - 1);
		end++;
	}
	*value = span_of(line.data + end, line.len - end);
	*value = text_next_field(value);
	return name->len > 0 && value->len > 0;
}

/* name{labels}: `stats iamat' finds the requests of that kind. */
static bool
is_sought(const struct run *run, struct span name, struct span labels)
{
	const char *glob = run_word(run, 0);
	char *text = xstrndup(
	    name.data, labels.len > 0 ? name.len + labels.len + 2 : name.len);
	bool sought = glob == NULL || fnmatch(glob, text, 0) == 0 ||
		      strstr(text, glob) != NULL;

	free(text);
	return sought;
}

static bool
is_like(struct span name, const char *const *globs, size_t count)
{
	char *text = xstrndup(name.data, name.len);
	bool like = false;

	for (size_t i = 0; i < count && !like; i++)
		like = fnmatch(globs[i], text, 0) == 0;
	free(text);
	return like;
}

/* By Prometheus' rules for names. */
static bool
is_counter(struct span name)
{
	static const char *const globs[] = { "*_total", "*_count", "*_sum",
		"*_bucket" };

	return is_like(name, globs, HERD_ARRAY_LEN(globs));
}

/* A screen has room for what goes on, not for all metrics. */
static bool
is_quiet(const struct run *run, const struct series *series, struct span name)
{
	if (!out_is_looks(&run->out) || run_word(run, 0) != NULL)
		return false;
	if (is_like(name, steady, HERD_ARRAY_LEN(steady)))
		return true;
	return !series->moves && !is_like(name, vital, HERD_ARRAY_LEN(vital));
}

static void
put_trend(struct run *run, const struct series *series)
{
	size_t width = run->sink.terminal ? screen_width() / 6 : TREND_LENGTH;
	struct buf text = XBUF;

	width = width < series->count ? width : series->count;
	if (!isnan(stats_trend_rate(series)))
		out_real(&run->out, STAT_RATE, stats_trend_rate(series));
	if (out_is_looks(&run->out)) {
		spark_line(&text, series->steps + series->count - width, width,
		    run->app->utf8);
		out_text(&run->out, STAT_TREND, buf_span(&text));
	}
	buf_release(&text);
}

/* False: people need not see it. */
static bool
add_trend(struct run *run, const struct answer *a, struct span name,
    struct span metric, double value)
{
	const struct series *series = stats_trend_add(run->picture.state,
	    a->target->name, metric, is_counter(name), value, now_mono());

	if (series == NULL)
		return true;
	if (is_quiet(run, series, name))
		return false;
	put_trend(run, series);
	return true;
}

static bool
add_sample(struct run *run, const struct answer *a, struct span line)
{
	struct span name;
	struct span labels;
	struct span value;
	char *text;
	double number;

	if (!split_sample(line, &name, &labels, &value) ||
	    !is_sought(run, name, labels))
		return false;
	text = xstrndup(value.data, value.len);
	number = strtod(text, NULL);
	free(text);
	if (run->watched &&
	    !add_trend(run, a, name,
		span_of(line.data, (size_t)(value.data - line.data)), number))
		return true;
	fields_set_node(&run->out, a->target->name);
	out_text(&run->out, STAT_METRIC, name);
	if (labels.len > 0)
		out_text(&run->out, STAT_LABELS, labels);
	out_real(&run->out, STAT_VALUE, number);
	out_row(&run->out);
	return true;
}

/* --- several nodes in one text ------------------------------------------ */

#define FAMILIES_MAX 4096u

/* A metric of any of the nodes: what it is, said once, and its samples. */
struct family {
	struct span name; /* in an answer */
	struct span help; /* whole lines, or empty */
	struct span type;
	struct buf samples;
};

struct families {
	struct family *items;
	size_t count;
	size_t room;
};

/* NULL: there are too many. */
static struct family *
family_of(struct families *families, struct span name)
{
	for (size_t i = 0; i < families->count; i++) {
		if (span_equal(families->items[i].name, name))
			return &families->items[i];
	}
	if (families->count == FAMILIES_MAX)
		return NULL;
	grow_array(families->items, families->count, families->room);
	families->items[families->count] =
	    (struct family){ .name = name, .samples = XBUF };
	return &families->items[families->count++];
}

static void
families_release(struct families *families)
{
	for (size_t i = 0; i < families->count; i++)
		buf_release(&families->items[i].samples);
	free(families->items);
}

/*
 * The sample with the node's name as a label. A label `node` that it has
 * itself has to have another name then, the one that Prometheus gives.
 */
static void
put_labelled(struct buf *out, const struct answer *a, struct span name,
    struct span labels, struct span value)
{
	bool begins = true;
	bool quoted = false;

	put_span(out, name);
	put_text(out, "{node=\"");
	put_text(out, a->target->name);
	put_text(out, labels.len > 0 ? "\"," : "\"");
	for (size_t i = 0; i < labels.len; i++) {
		const char *at = labels.data + i;

		if (begins && labels.len - i > 5 && memcmp(at, "node=", 5) == 0)
			put_text(out, "exported_");
		put_byte(out, *at);
		if (*at == '\\' && i + 1 < labels.len)
			put_byte(out, labels.data[++i]);
		else if (*at == '"')
			quoted = !quoted;
		begins = *at == ',' && !quoted;
	}
	put_text(out, "} ");
	put_span(out, value);
	put_byte(out, '\n');
}

/* `# HELP name text`: the family's name, or an empty span. */
static struct span
described(struct span line, const char *word)
{
	struct span rest = line;

	if (span_is(text_next_field(&rest), "#") &&
	    span_is(text_next_field(&rest), word))
		return text_next_field(&rest);
	return span_from("");
}

/* Does the sample belong to the family: its name, or _sum, _count of it? */
static bool
is_of_family(struct span sample, struct span family)
{
	return family.len > 0 && sample.len >= family.len &&
	       memcmp(sample.data, family.data, family.len) == 0 &&
	       (sample.len == family.len || sample.data[family.len] == '_');
}

static void
gather_line(struct families *families, const struct answer *a, struct span line,
    struct span *current)
{
	struct span help = described(line, "HELP");
	struct span type = described(line, "TYPE");
	struct span name;
	struct span labels;
	struct span value;
	struct family *family;

	if (help.len > 0 || type.len > 0) {
		*current = help.len > 0 ? help : type;
		family = family_of(families, *current);
		if (family != NULL && help.len > 0 && family->help.len == 0)
			family->help = line;
		else if (family != NULL && type.len > 0 &&
			 family->type.len == 0)
			family->type = line;
		return;
	}
	if (!split_sample(line, &name, &labels, &value))
		return;
	if (!is_of_family(name, *current))
		*current = name;
	family = family_of(families, *current);
	if (family != NULL)
		put_labelled(&family->samples, a, name, labels, value);
}

static void
write_line(struct run *run, struct span line)
{
	if (line.len == 0)
		return;
	sink_write_foreign(&run->sink, line);
	sink_write(&run->sink, span_from("\n"));
}

/* Each metric once, with the samples of all nodes below it. */
static void
write_families(struct run *run, const struct answers *answers)
{
	struct families families = { 0 };

	answers_each(a, answers) {
		struct span body = buf_span(&a->body);
		struct span current = span_from("");

		while (a->status == STATUS_OK && body.len > 0)
			gather_line(
			    &families, a, width_take_line(&body, 0), &current);
	}
	for (size_t i = 0; i < families.count; i++) {
		const struct family *family = &families.items[i];

		write_line(run, family->help);
		write_line(run, family->type);
		sink_write_foreign(&run->sink, buf_span(&family->samples));
	}
	families_release(&families);
}

/* False: no metric is meant by METRIC. */
static bool
write_stats(struct run *run, const struct answers *answers)
{
	const char *format = run->out.options.format->name;
	bool own_text =
	    strcmp(format, "prometheus") == 0 || out_is_raw(&run->out);
	bool found = false;

	if (own_text && run->all_nodes) {
		write_families(run, answers);
		return true;
	}
	answers_each(a, answers) {
		struct span body = buf_span(&a->body);

		if (a->status != STATUS_OK && run->all_nodes && !own_text)
			answer_put_failure(&run->out, a);
		if (a->status != STATUS_OK)
			continue;
		found |= own_text;
		if (own_text)
			sink_write_foreign(&run->sink, body);
		while (!own_text && body.len > 0)
			found |= add_sample(run, a, width_take_line(&body, 0));
	}
	if (!own_text)
		out_end(&run->out);
	return found;
}

static enum status
stats_run(struct run *run)
{
	struct answers answers = { 0 };
	enum status status = run_targets(run);

	if (run->watched && run->picture.state == NULL) {
		run->picture.state = stats_trend_new();
		run->picture.release = stats_trend_free;
	}
	if (status == STATUS_OK)
		status =
		    run_begin(run, run->watched ? &watch_view : &stat_view);
	if (status == STATUS_OK)
		status = ask(run,
		    &(struct question){ .path = "/metrics", .any_body = true },
		    run->targets, run->target_count, &answers);
	if (status == STATUS_OK) {
		enum status asked = answers_status(&answers);
		bool found = true;

		if (asked == STATUS_OK || run->all_nodes)
			found = write_stats(run, &answers);
		status = answers_report(run, &answers);
		if (status == STATUS_OK && !found)
			status = run_fail(run, STATUS_NEGATIVE,
			    "there is no such metric; `stats' without a name "
			    "lists them");
	}
	answers_release(&answers);
	return status;
}

const struct command cmd_stats = {
	.path = "stats",
	.summary = "show a node's metrics",
	.help = "METRIC is a part of a name or its labels, or a glob for both. "
		"-o prometheus and -o raw give the node's own text; of several "
		"nodes each sample has the label node, and a label node of its "
		"own is exported_node. With --watch RATE/S is a counter's "
		"growth since the last round, and TREND draws the rates of "
		"counters and the values of other metrics of the last rounds; "
		"a screen has those that change, or those that METRIC means.",
	.group = GROUP_WATCHING,
	.args =
	    ARGS(ARG("METRIC", .complete = COMPLETE_METRIC, .optional = true)),
	.view = &stat_view,
	.traits = COMMAND_READ,
	.run = stats_run,
	.example = "stats herd_requests",
};
