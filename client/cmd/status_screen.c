/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/status_screen.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/xbuf.h"
#include "out/width.h"
#include "run/fields.h"

#define CHANGED "changed on disk)"
#define COUNT_MAX 1e15 /* a node that says more is not believed */

/* One line of the screen being put together. */
struct screen {
	struct run *run;
	struct buf line;
};

static void
end_line(struct screen *s)
{
	size_t width = s->run->out.options.width;
	struct buf cut = XBUF;

	while (
	    s->line.len > 0 && buf_span(&s->line).data[s->line.len - 1] == ' ')
		buf_truncate(&s->line, s->line.len - 1);
	width_cut(&cut, buf_span(&s->line), width == 0 ? SIZE_MAX : width,
	    s->run->app->utf8);
	put_byte(&cut, '\n');
	sink_write(&s->run->sink, buf_span(&cut));
	buf_release(&cut);
	buf_clear(&s->line);
}

static void
add_text(struct screen *s, const char *text)
{
	put_clean(&s->line, span_from(text == NULL ? "-" : text));
}

/* A count that the answer lacks is not 0. */
static void
put_count(struct buf *out, const cJSON *json, const char *path)
{
	double count = fields_number(json, path, FIELDS_UNKNOWN);

	if (fabs(count) < COUNT_MAX)
		put_grouped(out, (int64_t)count);
	else
		put_byte(out, isnan(count) ? '-' : '?');
}

static void
add_age(struct screen *s, const char *what, const cJSON *json, const char *path,
    const char *after)
{
	const cJSON *item = fields_at(json, path);

	if (!cJSON_IsNumber(item))
		return;
	put_text(&s->line, what);
	put_duration(&s->line, item->valuedouble);
	put_text(&s->line, after);
}

static void
add_ms(struct screen *s, const char *what, const cJSON *json, const char *path)
{
	const cJSON *item = fields_at(json, path);

	if (!cJSON_IsNumber(item))
		return;
	put_text(&s->line, what);
	put_duration(&s->line, item->valuedouble / 1e3);
}

/* A state is mentioned unless all is well. */
static void
add_unready(struct screen *s, const cJSON *json, const char *path)
{
	const char *state = fields_text(json, path);

	if (state == NULL || strcmp(state, "ready") == 0)
		return;
	put_text(&s->line, "  ");
	add_text(s, state);
}

/* The first word of a line and its value, in columns. */
static void
add_head(struct screen *s, const char *name, const char *value)
{
	size_t width;

	putf(&s->line, "%-9s", name);
	put_clean(&s->line, span_from(value == NULL ? "-" : value));
	width = width_of(buf_span(&s->line));
	put_fill(&s->line, ' ', width < 19 ? 21 - width : 2);
}

/* By its text, if the node compares it. */
static const char *
disk_word(const cJSON *json)
{
	const cJSON *changed = fields_at(json, "config.content_changed");

	if (cJSON_IsNull(changed))
		return "not readable on disk)";
	if (changed == NULL)
		changed = fields_at(json, "config.changed_on_disk");
	if (!cJSON_IsBool(changed))
		return "unknown on disk)";
	return cJSON_IsTrue(changed) ? CHANGED : "unchanged on disk)";
}

bool
status_screen_is_changed(const cJSON *json)
{
	return strcmp(disk_word(json), CHANGED) == 0;
}

/* A change of the file must be visible: the path moves to its own line. */
static void
add_config(struct screen *s, const cJSON *json)
{
	const char *path = fields_text(json, "config.path");
	size_t width = s->run->out.options.width;
	size_t before = s->line.len;
	struct buf config = XBUF;

	if (path == NULL)
		return;
	put_text(&s->line, "  config ");
	add_text(s, path);
	add_age(s, " (loaded ", json, "config.loaded_ago_s", " ago, ");
	put_text(&s->line, disk_word(json));
	if (width == 0 || width_of(buf_span(&s->line)) <= width)
		return;
	put_text(&config, text_of(&s->line) + before + strlen("  config "));
	buf_truncate(&s->line, before);
	end_line(s);
	putf(&s->line, "%-9s", "config");
	put_span(&s->line, buf_span(&config));
	buf_release(&config);
}

static void
draw_node(struct screen *s, const struct answer *a)
{
	const cJSON *json = a->json;

	add_text(s, a->target->name);
	put_text(&s->line, "  herdd ");
	add_text(s, fields_text(json, "version"));
	add_unready(s, json, "state");
	add_age(s, "  up ", json, "uptime_s", "");
	put_text(&s->line, "  clients ");
	add_text(s, fields_text(json, "addresses.clients"));
	add_config(s, json);
	end_line(s);
}

static void
draw_peers(struct screen *s, const cJSON *json)
{
	const cJSON *down;
	struct buf up = XBUF;
	bool first = true;

	put_count(&up, json, "peers.synced");
	put_byte(&up, '/');
	put_count(&up, json, "peers.total");
	put_text(&up, " up");
	add_head(s, "peers", text_of(&up));
	buf_release(&up);
	cJSON_ArrayForEach(down, fields_at(json, "peers.down")) {
		const char *error = fields_text(down, "last_error");

		put_text(&s->line, first ? "" : "; ");
		first = false;
		add_text(s, fields_text(down, "peer"));
		put_text(&s->line, fields_says(down, "state", "disabled")
				       ? " disabled"
				       : " down");
		add_age(s, " ", down, "since_s", "");
		put_text(&s->line, " (");
		add_text(s, error == NULL ? fields_text(down, "state") : error);
		if (error != NULL)
			add_age(s, ", retry in ", down, "retry_in_s", "");
		put_byte(&s->line, ')');
	}
	end_line(s);
}

static void
add_report_age(struct screen *s, const char *what, const cJSON *json,
    const char *path, const char *after)
{
	double age = fields_number(json, path, 0);

	if (age >= 0) {
		add_age(s, what, json, path, after);
		return;
	}
	/* The client's clock is ahead of the node's. */
	put_text(&s->line, what);
	put_duration(&s->line, -age);
	put_text(&s->line, " ahead");
}

static void
draw_clients(struct screen *s, const cJSON *json)
{
	double rate =
	    fields_number(json, "clients.reported_per_s", FIELDS_UNKNOWN);
	struct buf count = XBUF;

	put_count(&count, json, "clients.count");
	add_head(s, "clients", text_of(&count));
	buf_release(&count);
	if (isnan(rate))
		put_text(&s->line, "-/s reported");
	else
		putf(&s->line, "%.3g/s reported", rate);
	add_report_age(s, "  newest ", json, "clients.newest_s", " ago");
	add_report_age(s, "  oldest ", json, "clients.oldest_s", "");
	if (fields_number(json, "clients.max", 0) > 0) {
		put_text(&s->line, "  at most ");
		put_count(&s->line, json, "clients.max");
	}
	end_line(s);
}

static void
draw_places(struct screen *s, const cJSON *json)
{
	add_head(s, "places", fields_text(json, "places.provider"));
	put_count(&s->line, json, "places.answered");
	put_text(&s->line, " answered");
	if (fields_number(json, "places.failed", 0) > 0) {
		put_text(&s->line, "  ");
		put_count(&s->line, json, "places.failed");
		put_text(&s->line, " failed");
	}
	add_ms(s, "  p99 ", json, "places.p99_ms");
	add_unready(s, json, "places.state");
	end_line(s);
}

static void
draw_store(struct screen *s, const cJSON *json)
{
	const char *engine = fields_text(json, "store.engine");
	const char *error = fields_text(json, "store.error");

	add_head(s, "store", engine);
	if (engine == NULL || strcmp(engine, "none") == 0) {
		put_text(&s->line, "reports are in memory only");
		end_line(s);
		return;
	}
	put_text(&s->line, "durability ");
	add_text(s, fields_text(json, "store.durability"));
	put_text(&s->line, "  lag ");
	put_count(&s->line, json, "store.lag");
	add_ms(s, "  last commit ", json, "store.last_commit_ms");
	if (error != NULL) {
		put_text(&s->line, "  FAILED: ");
		add_text(s, error);
	}
	end_line(s);
}

/* "  WHAT N of MOST"; nothing if the node does not tell. */
static void
add_bound(struct screen *s, const cJSON *json, const char *what,
    const char *used, const char *most)
{
	if (!cJSON_IsNumber(fields_at(json, most)))
		return;
	putf(&s->line, "  %s ", what);
	put_count(&s->line, json, used);
	put_text(&s->line, " of ");
	put_count(&s->line, json, most);
}

static void
add_bytes(struct screen *s, const cJSON *json, const char *what,
    const char *used, const char *most)
{
	double bytes = fields_number(json, used, FIELDS_UNKNOWN);
	double bound = fields_number(json, most, FIELDS_UNKNOWN);

	if (isnan(bytes) || isnan(bound))
		return;
	putf(&s->line, "  %s ", what);
	put_size(&s->line, bytes);
	put_text(&s->line, " of ");
	put_size(&s->line, bound);
}

static void
draw_bounds(struct screen *s, const cJSON *json)
{
	if (fields_at(json, "bounds") == NULL)
		return;
	put_text(&s->line, "limits ");
	add_bound(s, json, "connections", "bounds.connections",
	    "bounds.connections_max");
	add_bound(
	    s, json, "files", "bounds.open_files", "bounds.open_files_max");
	add_bytes(
	    s, json, "table", "bounds.table_bytes", "bounds.table_bytes_max");
	add_bytes(s, json, "memory", "bounds.memory_bytes",
	    "bounds.memory_bytes_max");
	end_line(s);
}

void
status_screen_draw(struct run *run, const struct answers *answers)
{
	struct screen s = { .run = run };
	bool first = true;

	buf_init(&s.line, XBUF_MAX);
	answers_each(a, answers) {
		if (a->status != STATUS_OK && !run->all_nodes)
			continue;
		if (!first)
			end_line(&s);
		first = false;
		if (a->status != STATUS_OK) {
			add_text(&s, a->target->name);
			putf(&s.line, "  %s: ", answer_failure_state(a));
			add_text(&s, a->message);
			end_line(&s);
			continue;
		}
		draw_node(&s, a);
		draw_peers(&s, a->json);
		draw_clients(&s, a->json);
		draw_places(&s, a->json);
		draw_store(&s, a->json);
		draw_bounds(&s, a->json);
	}
	buf_release(&s.line);
}
