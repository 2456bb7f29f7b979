/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"

#define STATES_MAX 32u

void
out_init(struct out *out, const struct out_options *options, struct sink *sink)
{
	*out = (struct out){ .options = *options,
		.sink = sink,
		.picture = XBUF,
		.heading = XBUF,
		.footer = XBUF,
		.members = XBUF,
		.scratch = XBUF };
}

void
out_release(struct out *out)
{
	arena_release(&out->arena);
	filter_free(out->filter);
	template_free(out->template);
	buf_release(&out->picture);
	buf_release(&out->heading);
	buf_release(&out->footer);
	buf_release(&out->members);
	buf_release(&out->scratch);
	free(out->rows);
	free(out->shown);
	free(out->widths);
}

/* Column by name for --columns and --sort; says what there is if not. */
static enum status
find_column(const struct view *view, struct span name, const char *option,
    size_t *column, struct buf *message)
{
	*column = view_find(view, name);
	if (*column < view->count)
		return STATUS_OK;
	putf(message, "%s: ", option);
	(void)view_unknown(view, name, message);
	return STATUS_USAGE;
}

/* Takes the next item off a list with commas. */
static struct span
next_item(const char **list)
{
	struct span item = { *list, strcspn(*list, ",") };

	*list += item.len;
	if (**list == ',')
		(*list)++;
	return item;
}

static enum status
choose_named_columns(struct out *out, struct buf *message)
{
	const char *list = out->options.columns;

	if (strcmp(list, "all") == 0) {
		for (size_t i = 0; i < out->view->count; i++)
			out->shown[out->shown_count++] = i;
		return STATUS_OK;
	}
	while (*list != '\0') {
		struct span item = next_item(&list);
		size_t column;
		enum status status =
		    find_column(out->view, item, "--columns", &column, message);

		if (status != STATUS_OK)
			return status;
		out->shown = xrealloc(
		    out->shown, (out->shown_count + 1) * sizeof(*out->shown));
		out->shown[out->shown_count++] = column;
	}
	return STATUS_OK;
}

static bool
any_known(const struct out *out, size_t column)
{
	for (size_t i = 0; i < out->count; i++) {
		if (out->rows[i][column].known)
			return true;
	}
	return false;
}

static bool
is_wanted(const struct out *out, size_t column)
{
	unsigned traits = out->view->columns[column].traits;
	unsigned format = out->options.format->traits;

	if ((format & FORMAT_PEOPLE) == 0)
		return true;
	if ((traits & COLUMN_MACHINE) != 0)
		return false;
	if ((traits & COLUMN_IF_ANY) != 0 && !any_known(out, column))
		return false;
	if ((format & FORMAT_WIDE) != 0)
		return true;
	/* A record has a line for each column, so people get all of them. */
	if ((traits & COLUMN_WIDE) != 0 && out->view->shape == VIEW_LIST)
		return false;
	if ((traits & (COLUMN_NODE | COLUMN_ALWAYS)) == COLUMN_NODE &&
	    out->view->shape == VIEW_LIST)
		return out->options.many_nodes;
	return true;
}

/* Called with all rows: a column without values may be hidden. */
static void
choose_default_columns(struct out *out)
{
	for (size_t i = 0; i < out->view->count; i++) {
		if (is_wanted(out, i))
			out->shown[out->shown_count++] = i;
	}
}

static enum status
read_sort(struct out *out, struct buf *message)
{
	const char *list = out->options.sort;

	while (list != NULL && *list != '\0') {
		struct span item = next_item(&list);
		struct sort_key *key = &out->sort[out->sort_count];
		const char *colon = span_find(item, ':');
		enum status status;

		if (colon != NULL) {
			struct span way = span_of(colon + 1,
			    item.len - (size_t)(colon + 1 - item.data));

			key->descending = span_is(way, "desc");
			if (!key->descending && !span_is(way, "asc")) {
				put_text(
				    message, "--sort: use KEY:asc or KEY:desc");
				return STATUS_USAGE;
			}
			item.len = (size_t)(colon - item.data);
		}
		status = find_column(
		    out->view, item, "--sort", &key->column, message);
		if (status != STATUS_OK)
			return status;
		if (++out->sort_count == SORT_KEYS_MAX) {
			put_text(message, "--sort: too many keys");
			return STATUS_USAGE;
		}
	}
	return STATUS_OK;
}

bool
out_sorts_by(const struct out *out, size_t column)
{
	for (size_t i = 0; i < out->sort_count; i++) {
		if (out->sort[i].column == column)
			return true;
	}
	return false;
}

static enum status
read_template(struct out *out, struct buf *message)
{
	struct buf why = XBUF;
	enum status status = STATUS_OK;

	if (out->options.format == format_template() &&
	    template_parse(out->options.template, out->view, &out->template,
		&why) != HERD_OK) {
		putf(message, "--format: %s", text_of(&why));
		status = STATUS_USAGE;
	}
	buf_release(&why);
	return status;
}

enum status
out_begin(
    struct out *out, const struct view *view, bool streams, struct buf *message)
{
	enum status status;
	struct buf why = XBUF;

	out->view = view;
	out->streams = streams;
	out->shown = xcalloc(view->count, sizeof(*out->shown));
	out->row = arena_alloc(&out->arena, view->count * sizeof(*out->row));
	if (out->options.columns != NULL) {
		status = choose_named_columns(out, message);
		if (status != STATUS_OK)
			return status;
	}
	status = read_sort(out, message);
	if (status != STATUS_OK)
		return status;
	if (out->options.where != NULL) {
		if (filter_parse(span_from(out->options.where), view,
			&out->filter, &why) != HERD_OK) {
			putf(message, "--where: %s", text_of(&why));
			status = STATUS_USAGE;
		}
		buf_release(&why);
	}
	if (status == STATUS_OK)
		status = read_template(out, message);
	if (status == STATUS_OK && streams) {
		if (out->options.columns == NULL)
			choose_default_columns(out);
		out->begun = true;
		out->options.format->begin(out);
		sink_flush(out->sink);
	}
	return status;
}

void
out_text(struct out *out, size_t column, struct span text)
{
	out->row[column].known = true;
	out->row[column].text = arena_copy(&out->arena, text);
}

void
out_word(struct out *out, size_t column, const char *text)
{
	if (text != NULL)
		out_text(out, column, span_from(text));
}

void
out_json(struct out *out, size_t column, struct span json, struct span shown)
{
	out_text(out, column, json);
	out->row[column].shown = arena_copy(&out->arena, shown);
}

void
out_integer(struct out *out, size_t column, int64_t value)
{
	out->row[column].known = true;
	out->row[column].integer = value;
}

void
out_real(struct out *out, size_t column, double value)
{
	out->row[column].known = true;
	out->row[column].real = value;
}

void
out_bool(struct out *out, size_t column, bool value)
{
	out_integer(out, column, value);
}

void
out_place(
    struct out *out, size_t column, struct span text, double lat, double lon)
{
	out_text(out, column, text);
	out->row[column].lat = lat;
	out->row[column].lon = lon;
}

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const struct value *const *left = a;
	const struct value *const *right = b;
	const struct out *out = arg;

	for (size_t i = 0; i < out->sort_count; i++) {
		const struct sort_key *key = &out->sort[i];
		int order = value_compare(&(*left)[key->column],
		    &(*right)[key->column], key->descending);

		if (order != 0)
			return order;
	}
	return 0;
}

/* glibc's is a merge sort while memory lasts, hence stable. */
static void
sort_rows(struct out *out)
{
	if (out->sort_count > 0 && out->count > 1)
		qsort_r(out->rows, out->count, sizeof(*out->rows), compare_rows,
		    out);
}

/* All rows that were collected; then those that come. */
static void
write_collected(struct out *out)
{
	if (out->options.columns == NULL)
		choose_default_columns(out);
	out->options.format->begin(out);
	for (size_t i = 0; i < out->count; i++) {
		out->options.format->row(out, out->rows[i]);
		out->written++;
	}
}

void
out_write_early(struct out *out)
{
	if (out->sort_count == 0)
		out->held_most = OUT_HELD_MOST;
}

void
out_sort_usually(struct out *out, const struct sort_key *keys, size_t count)
{
	if (out->sort_count > 0 || out->streams)
		return;
	memcpy(out->sort, keys, count * sizeof(keys[0]));
	out->sort_count = count;
}

static void
stream_row(struct out *out, struct value *row)
{
	if (out->options.limit == 0 || out->written < out->options.limit) {
		out->options.format->row(out, row);
		out->written++;
		/* Rows that come in thousands are flushed by who reads them. */
		if (out->held_most == 0)
			sink_flush(out->sink);
	}
	/* Nothing of a streamed row is needed any more. */
	arena_clear(&out->arena);
}

static void
begin_to_stream(struct out *out)
{
	write_collected(out);
	out->streams = true;
	out->count = 0;
	arena_release(&out->arena);
}

void
out_write_now(struct out *out)
{
	sort_rows(out);
	begin_to_stream(out);
	out->row =
	    arena_alloc(&out->arena, out->view->count * sizeof(*out->row));
	sink_flush(out->sink);
}

static void
collect_row(struct out *out, struct value *row)
{
	grow_array(out->rows, out->count, out->room);
	out->rows[out->count++] = row;
	if (out->held_most > 0 && out->count == out->held_most)
		begin_to_stream(out);
}

void
out_row(struct out *out)
{
	const struct view *view = out->view;
	struct value *row = out->row;

	for (size_t i = 0; i < view->count; i++)
		row[i].type = view->columns[i].type;
	if (out->filter == NULL ||
	    filter_matches(out->filter, filter_get_value, row))
		(out->streams ? stream_row : collect_row)(out, row);
	else if (out->streams)
		arena_clear(&out->arena);
	out->row = arena_alloc(&out->arena, view->count * sizeof(*out->row));
}

size_t
out_column(const struct out *out, enum column_trait trait)
{
	size_t i;

	for (i = 0; i < out->view->count; i++) {
		if ((out->view->columns[i].traits & trait) != 0)
			break;
	}
	return i;
}

void
out_failure(
    struct out *out, const char *node, const char *state, const char *reason)
{
	size_t column = out_column(out, COLUMN_NODE);

	if (column < out->view->count)
		out_word(out, column, node);
	column = out_column(out, COLUMN_STATE);
	if (column < out->view->count)
		out_word(out, column, state);
	column = out_column(out, COLUMN_ERROR);
	if (column < out->view->count)
		out_word(out, column, reason);
	out_row(out);
}

void
out_heading(struct out *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	putv(&out->heading, fmt, args);
	va_end(args);
	put_byte(&out->heading, '\n');
}

void
out_footer(struct out *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	putv(&out->footer, fmt, args);
	va_end(args);
	put_byte(&out->footer, '\n');
}

void
out_count_states(
    const struct out *out, size_t column, const char *what, struct buf *text)
{
	struct {
		struct span word;
		size_t count;
	} states[STATES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < out->count; i++) {
		struct span word = out->rows[i][column].text;
		size_t s = 0;

		if (!out->rows[i][column].known)
			word = span_from("unknown");
		while (s < count && !span_equal(states[s].word, word))
			s++;
		if (s == count && count < STATES_MAX) {
			states[s].word = word;
			states[s].count = 0;
			count++;
		}
		if (s < count)
			states[s].count++;
	}
	putf(text, "%zu %s%s", out->count, what, out->count == 1 ? "" : "s");
	for (size_t s = 0; s < count; s++) {
		putf(text, "%s %zu ", s == 0 ? ":" : ",", states[s].count);
		put_clean(text, states[s].word);
	}
}

void
out_member_word(struct out *out, const char *key, const char *word)
{
	putf(&out->members, ",\"%s\":\"%s\"", key, word);
}

void
out_member_bool(struct out *out, const char *key, bool value)
{
	putf(&out->members, ",\"%s\":%s", key, value ? "true" : "false");
}

void
out_raw(struct out *out, struct span bytes)
{
	if (!out_is_raw(out))
		return;
	sink_write_foreign(out->sink, bytes);
	if (bytes.len == 0 || bytes.data[bytes.len - 1] != '\n')
		sink_write(out->sink, span_from("\n"));
}

static void
say_cut(struct out *out)
{
	out_member_bool(out, "truncated", true);
	out_footer(
	    out, "%zu of %zu shown (--limit)", out->options.limit, out->count);
}

void
out_end(struct out *out)
{
	if (!out->streams) {
		sort_rows(out);
		if (out->options.limit > 0 && out->count > out->options.limit) {
			if (!out->cut_said)
				say_cut(out);
			out->count = out->options.limit;
		}
		write_collected(out);
	}
	out->options.format->end(out);
	sink_flush(out->sink);
}

bool
out_is_looks(const struct out *out)
{
	return (out->options.format->traits & FORMAT_LOOKS) != 0;
}

bool
out_is_raw(const struct out *out)
{
	return (out->options.format->traits & FORMAT_RAW) != 0;
}

const struct column *
out_shown(const struct out *out, size_t i)
{
	return &out->view->columns[out->shown[i]];
}

const char *
out_state_color(struct span word)
{
	static const struct {
		const char *words;
		const char *color;
	} colors[] = {
		{ "synced ready origin same ok", "\033[32m" },
		{ "syncing connecting handshake comparing waiting backoff "
		  "draining disabled stale warning unknown",
		    "\033[33m" },
		{ "refused failed missing differs stopping critical "
		  "unreachable",
		    "\033[31m" },
	};
	size_t len = 0;

	while (len < word.len && word.data[len] != ' ')
		len++;
	for (size_t i = 0; i < HERD_ARRAY_LEN(colors); i++) {
		if (tokens_is_among(colors[i].words, span_of(word.data, len)))
			return colors[i].color;
	}
	return NULL;
}
