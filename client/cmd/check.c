/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check: a monitoring plugin (Nagios, Icinga ...). One line on stdout with
 * performance data after |, exit status 0 OK, 1 WARNING, 2 CRITICAL, 3
 * UNKNOWN. This command alone has these statuses.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/overruled.h"
#include "run/fields.h"

#define ROUNDS 3u /* tables that differ may only be on their way */
#define ROUND_NS (300 * HERD_NS_PER_MS)

enum nagios_state {
	NAGIOS_OK,
	NAGIOS_WARNING,
	NAGIOS_CRITICAL,
	NAGIOS_UNKNOWN,
};

struct nagios {
	struct run *run;
	const struct answers *answers; /* of /v1/status */
	enum nagios_state state;
	struct buf text; /* what is wrong */
	struct buf good; /* what is right */
	struct buf data; /* performance data */
};

/* UNKNOWN is for what cannot be judged; a known failure outranks it. */
static void HERD_PRINTF(3, 4)
    find(struct nagios *n, enum nagios_state state, const char *fmt, ...)
{
	struct buf *out = state == NAGIOS_OK ? &n->good : &n->text;
	va_list args;

	if (out->len > 0)
		put_text(out, ", ");
	va_start(args, fmt);
	putv(out, fmt, args);
	va_end(args);
	if (state == NAGIOS_CRITICAL || n->state == NAGIOS_CRITICAL)
		n->state = NAGIOS_CRITICAL;
	else if (state > n->state)
		n->state = state;
}

static void
check_node(struct nagios *n, const struct answer *a)
{
	const char *state = fields_text(a->json, "state");
	const char *name = a->target->name;

	if (a->status != STATUS_OK)
		return;
	if (state == NULL || strcmp(state, "ready") != 0)
		find(n,
		    fields_says(a->json, "state", "stopping") ? NAGIOS_CRITICAL
							      : NAGIOS_WARNING,
		    "%s is %s", name, state == NULL ? "in no state" : state);
	if (fields_is(a->json, "isolated"))
		find(n, NAGIOS_WARNING, "%s is isolated: it has no neighbour",
		    name);
	if (fields_says(a->json, "store.state", "failed"))
		find(n, NAGIOS_CRITICAL, "the store of %s has failed", name);
}

/* Called once for any check, because a silent node fails all of them. */
static void
check_answers(struct nagios *n)
{
	answers_each(a, n->answers) {
		if (a->status != STATUS_OK)
			find(n, NAGIOS_CRITICAL, "%s unreachable: %s",
			    a->target->name, a->message);
	}
}

static void
check_nodes(struct nagios *n)
{
	struct buf clocks = XBUF;
	size_t ready = 0;

	answers_each(a, n->answers) {
		check_node(n, a);
		ready += fields_says(a->json, "state", "ready");
	}
	if (overruled_list(n->answers, &clocks) > 0)
		find(n, NAGIOS_WARNING, "wrong clocks: %s", text_of(&clocks));
	buf_release(&clocks);
	find(n, NAGIOS_OK, "%zu node%s ready", ready, ready == 1 ? "" : "s");
	putf(&n->data, " nodes_ready=%zu;;;0;%zu", ready, n->answers->count);
}

static void
check_peers(struct nagios *n)
{
	double total = 0;
	double synced = 0;

	answers_each(a, n->answers) {
		double of = fields_number(a->json, "peers.total", 0);
		double up = fields_number(a->json, "peers.synced", 0);

		total += of;
		synced += up;
		if (up < of)
			find(n, up > 0 ? NAGIOS_WARNING : NAGIOS_CRITICAL,
			    "%s has %.0f of %.0f links synced", a->target->name,
			    up, of);
	}
	find(n, NAGIOS_OK, "%.0f link ends synced", synced);
	putf(&n->data, " links_synced=%.0f;;;0;%.0f", synced, total);
}

static void
check_places(struct nagios *n)
{
	double answered = 0;
	double failed = 0;

	answers_each(a, n->answers) {
		const char *state = fields_text(a->json, "places.state");

		answered += fields_number(a->json, "places.answered", 0);
		failed += fields_number(a->json, "places.failed", 0);
		if (a->status != STATUS_OK)
			continue;
		if (state == NULL ||
		    (strcmp(state, "ready") != 0 && strcmp(state, "off") != 0))
			find(n,
			    fields_says(a->json, "places.state", "failed")
				? NAGIOS_CRITICAL
				: NAGIOS_WARNING,
			    "Places of %s: %s", a->target->name,
			    state == NULL ? "unknown" : state);
	}
	find(n, NAGIOS_OK, "Places ready");
	putf(&n->data, " places_answered=%.0fc places_failed=%.0fc", answered,
	    failed);
}

/* Counts answers with another hash of the table than the first one. */
static size_t
count_unequal(const struct answers *answers, double *clients)
{
	const cJSON *first = NULL;
	size_t unequal = 0;

	*clients = 0;
	for (size_t i = 0; i < answers->count; i++) {
		const cJSON *json = answers->items[i].json;
		const cJSON *hashes = fields_at(json, "hashes");

		if (hashes == NULL)
			continue;
		*clients = fields_number(json, "count", 0);
		if (first == NULL)
			first = hashes;
		unequal += !cJSON_Compare(first, hashes, true);
	}
	return unequal;
}

static enum status
check_convergence(struct nagios *n)
{
	size_t unequal = 0;
	double clients = 0;
	/* The key only has to be the same for all; this is no secret. */
	static const char path[] =
	    "/v1/digest?key=00112233445566778899aabbccddeeff";

	for (size_t i = 0; i < ROUNDS; i++) {
		struct answers answers;
		enum status status;

		if (i > 0 && loop_rest(app_loop(n->run->app), ROUND_NS) ==
				 WAIT_INTERRUPTED)
			return STATUS_SIGINT;
		status = ask_all(n->run, path, &answers);
		unequal = count_unequal(&answers, &clients);
		if (status == STATUS_OK &&
		    answers_status(&answers) != STATUS_OK)
			find(n, NAGIOS_CRITICAL,
			    "not all nodes can be compared");
		answers_release(&answers);
		if (status != STATUS_OK)
			return status;
		if (unequal == 0 || n->state == NAGIOS_CRITICAL)
			break;
	}
	if (unequal > 0)
		find(n, NAGIOS_CRITICAL, "%zu node%s with another table",
		    unequal, unequal == 1 ? "" : "s");
	else
		find(n, NAGIOS_OK, "tables are equal (%.0f clients)", clients);
	putf(&n->data, " unequal=%zu;;;0 clients=%.0f;;;0", unequal, clients);
	return STATUS_OK;
}

static bool
wants(const struct nagios *n, const char *what)
{
	const char *word = run_word(n->run, 0);

	return strcmp(word, what) == 0 || strcmp(word, "all") == 0;
}

static void
write_result(struct nagios *n)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL",
		"UNKNOWN" };
	struct buf *text = n->state == NAGIOS_OK ? &n->good : &n->text;
	struct buf line = XBUF;

	/* | begins the performance data and must not come from a node. */
	for (size_t i = 0; i < text->len; i++) {
		if (text->data[text->head + i] == '|')
			text->data[text->head + i] = '/';
	}
	putf(&line, "HERD %s - ", words[n->state]);
	put_clean(&line, buf_span(text));
	if (n->data.len > 0) {
		put_text(&line, " |");
		put_clean(&line, buf_span(&n->data));
	}
	put_byte(&line, '\n');
	sink_write(&n->run->sink, buf_span(&line));
	buf_release(&line);
}

static void
judge(struct nagios *n)
{
	struct answers answers;
	enum status status = ask_all(n->run, "/v1/status", &answers);

	n->answers = &answers;
	if (status == STATUS_OK)
		check_answers(n);
	if (status == STATUS_OK && wants(n, "node"))
		check_nodes(n);
	if (status == STATUS_OK && wants(n, "peers"))
		check_peers(n);
	if (status == STATUS_OK && wants(n, "places"))
		check_places(n);
	if (status == STATUS_OK && wants(n, "convergence"))
		status = check_convergence(n);
	if (status != STATUS_OK)
		find(n, NAGIOS_UNKNOWN, "%s", exit_status_word(status));
	answers_release(&answers);
	n->answers = NULL;
}

static enum status
check_run(struct run *run)
{
	struct nagios n = {
		.run = run, .text = XBUF, .good = XBUF, .data = XBUF
	};

	judge(&n);
	write_result(&n);
	buf_release(&n.text);
	buf_release(&n.good);
	buf_release(&n.data);
	/* The monitoring plugins' statuses, not the table's. */
	return (enum status)n.state;
}

const struct command cmd_check = {
	.path = "check",
	.summary = "be a monitoring plugin",
	.help = "One line, performance data, and the plugins' exit statuses: 0 "
		"OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
	.group = GROUP_HERD,
	.args = ARGS(
	    ARG("node|peers|places|convergence|all", .complete = COMPLETE_WORDS,
		.words = "node peers places convergence all", .fixed = true)),
	.traits = COMMAND_HERD | COMMAND_PLUGIN | COMMAND_HARMLESS,
	.run = check_run,
	.example = "check all --timeout 3s",
};
