/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check: a monitoring plugin (Nagios, Icinga ...). One line on stdout with
 * performance data after |, exit status 0 OK, 1 WARNING, 2 CRITICAL, 3
 * UNKNOWN. This command alone has these statuses.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/check_client.h"
#include "cmd/findings.h"
#include "run/fields.h"

struct nagios {
	struct run *run;
	const struct exam *exam;
	const struct findings *findings;
	unsigned probes; /* PROBE_BIT()s */
	enum plugin_state state;
	struct buf text; /* what is wrong */
	struct buf good; /* what is right */
	struct buf data; /* performance data */
};

static void HERD_PRINTF(3, 4)
    say(struct nagios *n, enum plugin_state state, const char *fmt, ...)
{
	struct buf *out = state == PLUGIN_OK ? &n->good : &n->text;
	va_list args;

	if (out->len > 0)
		put_text(out, ", ");
	va_start(args, fmt);
	putv(out, fmt, args);
	va_end(args);
	n->state = plugin_worse(n->state, state);
}

static bool
wants(const struct nagios *n, enum probe probe)
{
	return (n->probes & PROBE_BIT(probe)) != 0;
}

/* --- findings -------------------------------------------------------- */

/* A node with many links down is one matter, not one for each link. */
static void
say_links(struct nagios *n)
{
	answers_each(a, &n->exam->answers[EXAM_STATUS]) {
		double total = fields_number(a->json, "peers.total", 0);
		double synced = fields_number(a->json, "peers.synced", 0);

		if (synced < total)
			say(n, synced > 0 ? PLUGIN_WARNING : PLUGIN_CRITICAL,
			    "%s has %.0f of %.0f links synced", a->target->name,
			    synced, total);
	}
}

/* A silent node fails every probe, and is named once. */
static bool
is_wanted(const struct nagios *n, const struct finding *f)
{
	const struct topic_row *topic = finding_topic(f->topic);

	if (f->topic == TOPIC_LINKS && f->id != FINDING_UNASKED)
		return false; /* say_links() */
	return f->topic == TOPIC_SILENT || wants(n, topic->probe);
}

static void
say_findings(struct nagios *n)
{
	enum topic before = TOPIC_COUNT;

	findings_each(f, n->findings)
	{
		bool again = f->topic == before;

		if (!is_wanted(n, f))
			continue;
		before = f->topic;
		say(n, finding_row(f->id)->state, "%s%s",
		    again ? "" : finding_topic(f->topic)->before, f->text);
	}
	if (wants(n, PROBE_PEERS))
		say_links(n);
}

/* What each probe could not ask, because the node is silent. */
static void
say_unknown(struct nagios *n)
{
	struct buf silent = XBUF;

	if (exam_list_silent(n->exam, EXAM_STATUS, &silent) > 0) {
		for (unsigned p = PROBE_NODE + 1; p < PROBE_COUNT; p++) {
			if (wants(n, p))
				say(n, PLUGIN_UNKNOWN,
				    "%s unknown (without %s)",
				    finding_probe_word(p), text_of(&silent));
		}
	}
	buf_release(&silent);
}

/* --- performance data ------------------------------------------------ */

/* The sum over all nodes; NaN if one of them could not be asked for it. */
static double
sum_of(const struct nagios *n, const char *path)
{
	double sum = 0;

	answers_each(a, &n->exam->answers[EXAM_STATUS])
		sum += fields_number(a->json, path, FIELDS_UNKNOWN);
	return sum;
}

/* Appends "name=VALUE", U for what is unknown. */
static void
put_datum(struct buf *out, const char *name, double value, const char *rest)
{
	if (isfinite(value))
		putf(out, " %s=%.0f%s", name, value, rest);
	else
		putf(out, " %s=U", name);
}

static void
put_of(struct buf *out, const char *name, double value, double total)
{
	char *rest =
	    isfinite(total) ? xasprintf(";;;0;%.0f", total) : xstrdup(";;;0");

	put_datum(out, name, value, rest);
	free(rest);
}

static void
weigh_nodes(struct nagios *n)
{
	size_t ready = 0;
	size_t known = 0;

	answers_each(a, &n->exam->answers[EXAM_STATUS]) {
		known += fields_text(a->json, "state") != NULL;
		ready += fields_says(a->json, "state", "ready");
	}
	say(n, PLUGIN_OK, "%zu node%s ready", ready, ready == 1 ? "" : "s");
	put_of(&n->data, "nodes_ready",
	    known > 0 ? (double)ready : FIELDS_UNKNOWN,
	    (double)n->run->target_count);
}

static void
weigh_peers(struct nagios *n)
{
	double synced = sum_of(n, "peers.synced");

	if (isfinite(synced))
		say(n, PLUGIN_OK, "%.0f link ends synced", synced);
	put_of(&n->data, "links_synced", synced, sum_of(n, "peers.total"));
}

/* A node without Places counts nothing, and that is known. */
static double
sum_of_places(const struct nagios *n, const char *path)
{
	double sum = 0;

	answers_each(a, &n->exam->answers[EXAM_STATUS])
		sum += fields_says(a->json, "places.state", "off")
			   ? 0
			   : fields_number(a->json, path, FIELDS_UNKNOWN);
	return sum;
}

static void
weigh_places(struct nagios *n)
{
	say(n, PLUGIN_OK, "Places ready");
	put_datum(&n->data, "places_answered",
	    sum_of_places(n, "places.answered"), "c");
	put_datum(
	    &n->data, "places_failed", sum_of_places(n, "places.failed"), "c");
}

/*
 * A table that differs is known; that none differs is not, unless all were
 * compared.
 */
static void
weigh_tables(struct nagios *n)
{
	size_t counts[TABLE_CHANGING + 1] = { 0 };
	double unequal;
	double clients = FIELDS_UNKNOWN;

	for (size_t i = 0; i < n->run->target_count; i++)
		counts[exam_table(n->exam, n->run->targets[i])]++;
	unequal = (double)counts[TABLE_OTHER];
	if (counts[TABLE_OTHER] == 0 &&
	    counts[TABLE_EQUAL] < n->run->target_count)
		unequal = FIELDS_UNKNOWN;
	if (counts[TABLE_CHANGING] > 0)
		say(n, PLUGIN_UNKNOWN, "tables change too fast to be compared");
	answers_each(a, &n->exam->answers[EXAM_DIGEST])
		clients = fmax(
		    clients, fields_number(a->json, "count", FIELDS_UNKNOWN));
	if (isfinite(clients))
		say(n, PLUGIN_OK, "tables are equal (%.0f clients)", clients);
	put_datum(&n->data, "unequal", unequal, ";;;0");
	put_datum(&n->data, "clients", clients, ";;;0");
}

/* --- the line -------------------------------------------------------- */

static void
weigh(struct nagios *n)
{
	static void (*const each[PROBE_COUNT])(struct nagios * n) = {
		[PROBE_NODE] = weigh_nodes,
		[PROBE_PEERS] = weigh_peers,
		[PROBE_PLACES] = weigh_places,
		[PROBE_TABLES] = weigh_tables,
	};

	say_findings(n);
	say_unknown(n);
	for (unsigned p = 0; p < PROBE_COUNT; p++) {
		if (wants(n, p))
			each[p](n);
	}
}

static enum status
judge(struct nagios *n)
{
	struct exam exam;
	struct findings findings;
	enum status status = exam_begin(
	    n->run, findings_parts(n->probes), wants(n, PROBE_TABLES), &exam);

	if (status == STATUS_OK) {
		findings_find(&exam, &findings);
		n->exam = &exam;
		n->findings = &findings;
		weigh(n);
		findings_release(&findings);
	}
	exam_release(&exam);
	return status;
}

static void
write_line(struct nagios *n)
{
	struct buf *text = n->state == PLUGIN_OK ? &n->good : &n->text;
	struct buf line = XBUF;

	plugin_put(&line, n->state, buf_span(text), buf_span(&n->data));
	sink_write(&n->run->sink, buf_span(&line));
	buf_release(&line);
}

static enum status
check_herd(struct run *run, unsigned probes)
{
	struct nagios n = { .run = run,
		.probes = probes,
		.text = XBUF,
		.good = XBUF,
		.data = XBUF };
	enum status status = judge(&n);

	if (status == STATUS_OK)
		write_line(&n);
	else if (run->complaint.len == 0)
		run_fail(run, status, "%s", exit_status_word(status));
	buf_release(&n.text);
	buf_release(&n.good);
	buf_release(&n.data);
	return (enum status)n.state;
}

static enum status
check_run(struct run *run)
{
	const char *what = run_word(run, 0);
	unsigned probes = 0;

	if (strcmp(what, "client") == 0)
		return check_client_run(run);
	if (run_word(run, 1) != NULL || run_flag(run, "max-age") != NULL)
		return run_fail(run, STATUS_USAGE,
		    "a client and --max-age are for `check client'");
	for (unsigned p = 0; p < PROBE_COUNT; p++) {
		if (strcmp(what, "all") == 0 ||
		    strcmp(what, finding_probe_word(p)) == 0)
			probes |= PROBE_BIT(p);
	}
	return check_herd(run, probes);
}

const struct command cmd_check = {
	.path = "check",
	.summary = "be a monitoring plugin",
	.help =
	    "One line, performance data, and the plugins' exit statuses: 0 OK, 1 "
	    "WARNING, 2 CRITICAL, 3 UNKNOWN. A value that could not be asked is U, "
	    "and what was wrong with the line itself is UNKNOWN. With `client' the "
	    "newest position of that client must not be older than --max-age: else, "
	    "and if no node knows the client, it is CRITICAL.",
	.group = GROUP_HERD,
	.args = ARGS(ARG("node|peers|places|convergence|all|client",
			 .complete = COMPLETE_WORDS,
			 .words = "node peers places convergence all client",
			 .fixed = true),
	    ARG("CLIENT", .complete = COMPLETE_CLIENT, .optional = true)),
	.flags = FLAGS(FLAG("max-age", .value = "DURATION",
	    .help = "with `client': the oldest position that is OK")),
	.traits = COMMAND_HERD | COMMAND_PLUGIN | COMMAND_HARMLESS,
	.run = check_run,
	.example = "check all --timeout 3s",
};
