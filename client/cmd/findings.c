/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/findings.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/judge_herd.h"
#include "cmd/judge_links.h"
#include "cmd/judge_nodes.h"
#include "herd/text.h"
#include "run/fields.h"

static const struct finding_row finding_rows[] = {
#define FINDING_ROW(id, word, state, topic, means, next) \
	[id] = { word, state, topic, means, next },
	FINDINGS(FINDING_ROW)
#undef FINDING_ROW
};

static const struct topic_row topic_rows[] = {
#define TOPIC_ROW(id, name, probe, part, fine, before) \
	[id] = { name, probe, part, fine, before },
	TOPICS(TOPIC_ROW)
#undef TOPIC_ROW
};

const struct finding_row *
finding_row(enum finding_id id)
{
	return &finding_rows[id];
}

const struct topic_row *
finding_topic(enum topic topic)
{
	return &topic_rows[topic];
}

const char *
finding_probe_word(enum probe probe)
{
	static const char *const words[] = { "node", "peers", "places",
		"convergence", "shape" };

	return words[probe];
}

const char *
finding_state_word(enum plugin_state state)
{
	static const char *const words[] = { "ok", "warning", "critical",
		"unknown" };

	return words[state];
}

unsigned
findings_parts(unsigned probes)
{
	unsigned parts = EXAM_BIT(EXAM_STATUS);

	for (size_t i = 0; i < TOPIC_COUNT; i++) {
		if ((probes & PROBE_BIT(topic_rows[i].probe)) != 0)
			parts |= EXAM_BIT(topic_rows[i].part);
	}
	return parts;
}

size_t
findings_unknown(
    const struct findings *findings, enum topic topic, struct buf *list)
{
	size_t silent = 0;

	/* Silence is known, and so is the herd file; a split is judged apart.
	 */
	if (topic != TOPIC_SILENT && topic != TOPIC_SPLIT &&
	    topic_rows[topic].probe != PROBE_FACTS)
		silent = exam_list_silent(
		    findings->exam, topic_rows[topic].part, list);
	if (topic == TOPIC_SPLIT && findings->lacking[topic] > 0)
		put_text(list, "links whose ends could not be asked");
	else if (silent == 0 && findings->lacking[topic] > 0)
		putf(list, "%u node%s", findings->lacking[topic],
		    findings->lacking[topic] == 1 ? "" : "s");
	return silent + findings->lacking[topic];
}

/* --- the next command ------------------------------------------------ */

static bool
is_safe(struct span word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_.,:/@%+=-";

	for (size_t i = 0; i < word.len; i++) {
		if (memchr(safe, word.data[i], sizeof(safe) - 1) == NULL)
			return false;
	}
	return word.len > 0;
}

static bool
is_printable(struct span word)
{
	size_t len;

	for (; word.len > 0; word = span_of(word.data + len, word.len - len)) {
		len = text_shown(word);
		if (len == 0 || *word.data == '\'')
			return false;
	}
	return true;
}

/*
 * A word that came from a node or a client, for a shell: it must run nothing.
 * '...' is the same to herdctl's own lines.
 */
static void
put_shell_word(struct buf *out, struct span word)
{
	if (is_safe(word)) {
		put_span(out, word);
	} else if (is_printable(word)) {
		putf(out, "'" SPAN_FMT "'", SPAN_ARG(word));
	} else {
		put_text(out, "$'");
		for (size_t i = 0; i < word.len; i++)
			putf(out, "\\x%02x", (unsigned char)word.data[i]);
		put_byte(out, '\'');
	}
}

static void
put_word(const struct run *run, struct buf *out, const char *word)
{
	if (run->app->repl == NULL)
		put_shell_word(out, span_from(word));
	else
		tokens_quote(out, word);
}

static void
put_flag(const struct run *run, struct buf *out, const char *name)
{
	const char *value = args_flag(run->args, name, true);

	if (value == NULL)
		return;
	putf(out, " --%s ", name);
	put_word(run, out, value);
}

/* "herdctl", with what this line says of the herd; nothing in a session. */
static void
put_program(const struct run *run, struct buf *out)
{
	static const char *const flags[] = { "conf", "context", "server",
		"token-file", "ca-file", "cert-file", "key-file" };

	if (run->app->repl == NULL)
		put_text(out, "herdctl");
	for (size_t i = 0; i < HERD_ARRAY_LEN(flags); i++)
		put_flag(run, out, flags[i]);
	if (run->app->repl == NULL)
		put_byte(out, ' ');
	else if (out->len > 0)
		put_byte(out, ' ');
}

/* Fills {node} and {name} in. */
static char *
make_next(const struct run *run, const char *template,
    const struct target *target, const char *name)
{
	static const char program[] = "herdctl ";
	struct buf out = XBUF;

	if (strncmp(template, program, strlen(program)) == 0) {
		put_program(run, &out);
		template += strlen(program);
	}
	while (*template != '\0') {
		if (strncmp(template, "{node}", 6) == 0) {
			put_word(run, &out,
			    target == NULL || !target->is_node ? "*"
							       : target->name);
			template += 6;
		} else if (strncmp(template, "{name}", 6) == 0) {
			name = name == NULL ? "" : name;
			put_text(&out, args_is_option(name) ? "-- " : "");
			put_word(run, &out, name);
			template += 6;
		} else {
			put_byte(&out, *template ++);
		}
	}
	return text_take(&out);
}

/* --- the list -------------------------------------------------------- */

struct finding *
findings_add(struct findings *findings, enum finding_id id,
    const struct target *target, const char *name, const char *fmt, ...)
{
	const struct finding_row *row = &finding_rows[id];
	struct buf text = XBUF;
	struct finding *f;
	va_list args;

	va_start(args, fmt);
	putv(&text, fmt, args);
	va_end(args);
	grow_array(findings->items, findings->count, findings->room);
	f = &findings->items[findings->count++];
	*f = (struct finding){
		.id = id,
		.topic = row->topic,
		.node = target == NULL ? NULL : target->name,
		.about = name == NULL ? NULL : xstrdup(name),
		.text = text_take(&text),
		.why = xstrdup(row->means),
		.next = make_next(findings->exam->run, row->next, target, name),
		.value = FIELDS_UNKNOWN,
	};
	return f;
}

void
finding_say_why(struct finding *finding, const char *fmt, ...)
{
	struct buf text = XBUF;
	va_list args;

	va_start(args, fmt);
	putv(&text, fmt, args);
	va_end(args);
	free(finding->why);
	finding->why = text_take(&text);
}

void
findings_lack(struct findings *findings, enum topic topic)
{
	findings->lacking[topic]++;
}

void
findings_miss(struct findings *findings, enum topic topic,
    const struct target *target, const char *what, const char *why)
{
	struct finding *f = findings_add(findings, FINDING_UNASKED, target,
	    target->name, "%s does not say %s: %s", target->name, what, why);

	f->topic = topic;
	free(f->about);
	f->about = xstrdup(topic_rows[topic].name);
}

/* In the order of harm; those of one kind stay as they were found. */
static void
sort(struct findings *findings)
{
	struct finding *sorted = xcalloc(findings->count + 1, sizeof(*sorted));
	size_t count = 0;

	for (size_t id = 0; id < FINDING_COUNT; id++) {
		findings_each(f, findings)
		{
			if (f->id == id)
				sorted[count++] = *f;
		}
	}
	free(findings->items);
	findings->items = sorted;
	findings->room = findings->count + 1;
}

void
findings_find(const struct exam *exam, struct findings *out)
{
	*out = (struct findings){ .exam = exam };
	for (unsigned topic = 0; topic < TOPIC_COUNT; topic++)
		out->measured[topic] = FIELDS_UNKNOWN;
	judge_nodes(out);
	judge_links(out);
	judge_herd(out);
	sort(out);
}

void
findings_release(struct findings *findings)
{
	findings_each(f, findings)
	{
		free(f->about);
		free(f->text);
		free(f->why);
		free(f->next);
	}
	free(findings->items);
	*findings = (struct findings){ 0 };
}
