/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * doctor: all that is wrong with the herd, the most harmful first, each with
 * its reason and the command to type next.
 */
#include "cmd/list.h"

#include <string.h>

#include "base/xbuf.h"
#include "cmd/findings.h"
#include "out/width.h"
#include "run/fields.h"

/* clang-format off */
#define DOCTOR_COLUMNS(X) \
	X(DOCTOR_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE) \
	X(DOCTOR_FINDING, "finding", "FINDING", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL) \
	X(DOCTOR_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_ALWAYS | COLUMN_LABEL) \
	X(DOCTOR_ABOUT, "about", "ABOUT", VALUE_TEXT, .traits = COLUMN_WIDE | COLUMN_LABEL) \
	X(DOCTOR_TEXT, "text", "WHAT IS WRONG", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(DOCTOR_WHY, "why", "WHY", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(DOCTOR_NEXT, "next", "NEXT", VALUE_TEXT)
/* clang-format on */

#define INDENT 10u /* of the text, below state, why, next */

COLUMN_TABLE(columns, DOCTOR_COLUMNS);

static const struct view doctor_view =
    VIEW(columns, .schema = "herd.doctor/1", .list = "findings");

/* Findings of the shape are about what may come, not about what is. */
static bool
is_present(const struct finding *f)
{
	return finding_topic(f->topic)->probe != PROBE_FACTS && !f->follows;
}

static size_t
add_rows(struct run *run, const struct findings *findings)
{
	struct out *out = &run->out;
	size_t count = 0;

	findings_each(f, findings)
	{
		const struct finding_row *row = finding_row(f->id);

		if (!is_present(f))
			continue;
		count++;
		out_word(out, DOCTOR_STATE, finding_state_word(row->state));
		out_word(out, DOCTOR_FINDING, row->word);
		out_word(out, DOCTOR_NODE, f->node);
		out_word(out, DOCTOR_ABOUT, f->about);
		out_word(out, DOCTOR_TEXT, f->text);
		out_word(out, DOCTOR_WHY, f->why);
		out_word(out, DOCTOR_NEXT, f->next);
		out_row(out);
	}
	return count;
}

/* --- for people ------------------------------------------------------ */

/* Appends words after a head of INDENT columns, folded at the screen's width.
 */
static void
put_folded(const struct run *run, struct buf *out, const char *text)
{
	size_t width = run->out.options.width;
	size_t column = INDENT;
	struct buf clean = XBUF;
	struct span rest;

	put_clean(&clean, span_from(text));
	rest = buf_span(&clean);
	while (rest.len > 0) {
		const char *blank = memchr(rest.data, ' ', rest.len);
		size_t len =
		    blank == NULL ? rest.len : (size_t)(blank - rest.data);
		size_t needed = width_of(span_of(rest.data, len));

		if (column > INDENT && width > 0 && column + needed > width) {
			put_byte(out, '\n');
			put_fill(out, ' ', INDENT);
			column = INDENT;
		}
		if (column > INDENT)
			put_byte(out, ' ');
		put(out, rest.data, len);
		column += needed + 1;
		len += blank != NULL;
		rest = span_of(rest.data + len, rest.len - len);
	}
	put_byte(out, '\n');
	buf_release(&clean);
}

static void
draw_finding(struct run *run, const struct finding *f)
{
	const struct finding_row *row = finding_row(f->id);
	const char *state = finding_state_word(row->state);
	const char *color =
	    run->out.options.color ? out_state_color(span_from(state)) : NULL;
	struct buf text = XBUF;

	put_text(&text, color == NULL ? "" : color);
	putf(&text, "%-*s", (int)INDENT, state);
	put_text(&text, color == NULL ? "" : OUT_COLOR_OFF);
	put_folded(run, &text, f->text);
	putf(&text, "  %-*s", (int)INDENT - 2, "why");
	put_folded(run, &text, f->why);
	/* A command is for copying: it is not folded. */
	putf(&text, "  %-*s", (int)INDENT - 2, "next");
	put_clean(&text, span_from(f->next));
	put_byte(&text, '\n');
	sink_write(&run->sink, buf_span(&text));
	buf_release(&text);
}

static void
draw(struct run *run, const struct findings *findings, size_t count)
{
	struct buf line = XBUF;

	findings_each(f, findings)
	{
		if (is_present(f))
			draw_finding(run, f);
	}
	putf(&line, "%zu finding%s\n", count, count == 1 ? "" : "s");
	sink_write(&run->sink, buf_span(&line));
	sink_flush(&run->sink);
	buf_release(&line);
}

/* What older nodes do not say is no finding, and not fine either. */
static void
put_unknown(const struct findings *findings, struct buf *line)
{
	const char *before = "; unknown: ";

	for (unsigned topic = 0; topic < TOPIC_COUNT; topic++) {
		struct buf nodes = XBUF;

		if (finding_topic(topic)->probe != PROBE_FACTS &&
		    findings_unknown(findings, topic, &nodes) > 0) {
			putf(line, "%s%s", before, finding_topic(topic)->name);
			before = ", ";
		}
		buf_release(&nodes);
	}
}

static void
say_nothing_is_wrong(struct run *run, const struct findings *findings)
{
	size_t nodes = run->target_count;
	struct buf line = XBUF;
	struct buf text = XBUF;

	putf(&line, "nothing is wrong with %s: %zu node%s asked",
	    run_herd_name(run), nodes, nodes == 1 ? "" : "s");
	put_unknown(findings, &line);
	put_folded(run, &text, text_of(&line));
	sink_write(&run->sink, buf_span(&text));
	sink_flush(&run->sink);
	buf_release(&text);
	buf_release(&line);
}

/* --- the command ----------------------------------------------------- */

/* Columns, rows or a format that were chosen get the rows. */
static bool
wants_screen(const struct run *run)
{
	const struct out_options *o = &run->out.options;

	return out_is_looks(&run->out) && o->columns == NULL &&
	       o->where == NULL && o->sort == NULL && o->limit == 0 &&
	       (o->format->traits & FORMAT_WIDE) == 0;
}

static enum status
write_findings(struct run *run, const struct findings *findings)
{
	size_t count = add_rows(run, findings);
	bool for_people =
	    (run->out.options.format->traits & FORMAT_PEOPLE) != 0;

	exam_raw(findings->exam);
	out_member_bool(&run->out, "ok", count == 0);
	if (count == 0 && for_people)
		say_nothing_is_wrong(run, findings);
	else if (count > 0 && wants_screen(run))
		draw(run, findings, count);
	else
		out_end(&run->out);
	return count == 0 ? STATUS_OK : STATUS_NEGATIVE;
}

static enum status
doctor_run(struct run *run)
{
	struct exam exam;
	struct findings findings;
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_begin(run, &doctor_view);
	if (status != STATUS_OK)
		return status;
	status = exam_begin(run, EXAM_ALL, true, &exam);
	if (status == STATUS_OK) {
		findings_find(&exam, &findings);
		status = write_findings(run, &findings);
		findings_release(&findings);
	}
	exam_release(&exam);
	return status;
}

const struct command cmd_doctor = {
	.path = "doctor",
	.summary = "say what is wrong with the herd, and what to do",
	.help =
	    "All nodes are asked. Each finding has its reason and the command to "
	    "type next; the most harmful one comes first. A command of systemctl, "
	    "journalctl or timedatectl is for the machine of the node. What follows "
	    "from another finding is left out. The exit status is 1 if there is a "
	    "finding. FINDINGS in herdctl(1) lists all that there are.",
	.group = GROUP_HERD,
	.view = &doctor_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = doctor_run,
	.example = "doctor",
};
