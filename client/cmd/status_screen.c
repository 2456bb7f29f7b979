/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/status_screen.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/xbuf.h"
#include "out/width.h"
#include "run/fields.h"

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
	put_text(&s->line, fields_is(json, "config.changed_on_disk")
			       ? "changed on disk)"
			       : "unchanged on disk)");
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
	char up[64];
	bool first = true;

	snprintf(up, sizeof(up), "%.0f/%.0f up",
	    fields_number(json, "peers.synced", 0),
	    fields_number(json, "peers.total", 0));
	add_head(s, "peers", up);
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
	struct buf count = XBUF;

	put_grouped(&count, (int64_t)fields_number(json, "clients.count", 0));
	add_head(s, "clients", text_of(&count));
	buf_release(&count);
	putf(&s->line, "%.3g/s reported",
	    fields_number(json, "clients.reported_per_s", 0));
	add_report_age(s, "  newest ", json, "clients.newest_s", " ago");
	add_report_age(s, "  oldest ", json, "clients.oldest_s", "");
	if (fields_number(json, "clients.max", 0) > 0) {
		put_text(&s->line, "  at most ");
		put_grouped(
		    &s->line, (int64_t)fields_number(json, "clients.max", 0));
	}
	end_line(s);
}

static void
draw_places(struct screen *s, const cJSON *json)
{
	double failed = fields_number(json, "places.failed", 0);

	add_head(s, "places", fields_text(json, "places.provider"));
	put_grouped(
	    &s->line, (int64_t)fields_number(json, "places.answered", 0));
	put_text(&s->line, " answered");
	if (failed > 0) {
		put_text(&s->line, "  ");
		put_grouped(&s->line, (int64_t)failed);
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
	putf(&s->line, "  lag %.0f", fields_number(json, "store.lag", 0));
	add_ms(s, "  last commit ", json, "store.last_commit_ms");
	if (error != NULL) {
		put_text(&s->line, "  FAILED: ");
		add_text(s, error);
	}
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
	}
	buf_release(&s.line);
}
