/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"

enum part_kind {
	PART_TEXT,
	PART_MACHINES, /* a column as csv has it */
	PART_PEOPLE,   /* a column as people read it */
	PART_LAT,
	PART_LON,
};

struct template_part {
	enum part_kind kind;
	size_t column;
	char *text;
};

struct template
{
	const struct view *view;
	struct template_part *parts;
	size_t count;
	size_t room;
};

static struct template_part *
add_part(struct template *template, enum part_kind kind, size_t column)
{
	struct template_part *part;

	grow_array(template->parts, template->count, template->room);
	part = &template->parts[template->count++];
	*part = (struct template_part){ .kind = kind, .column = column };
	return part;
}

/* The text so far, if there is some, is a part. */
static void
end_text(struct template *template, struct buf *text)
{
	if (text->len > 0)
		add_part(template, PART_TEXT, 0)->text =
		    xstrndup(text->data, text->len);
	buf_clear(text);
}

static size_t
find_place(const struct view *view)
{
	size_t i = 0;

	while (i < view->count && view->columns[i].type != VALUE_PLACE)
		i++;
	return i;
}

static enum herd_error
add_field(struct template *template, struct span name, struct buf *message)
{
	const struct view *view = template->view;
	size_t column = view_find(view, name);
	bool is_lat = span_is(name, "lat");

	if (column == view->count && (is_lat || span_is(name, "lon")) &&
	    find_place(view) < view->count) {
		add_part(
		    template, is_lat ? PART_LAT : PART_LON, find_place(view));
		return HERD_OK;
	}
	if (column == view->count)
		return view_unknown(view, name, message);
	add_part(template,
	    span_is(name, view->columns[column].key) ? PART_MACHINES
						     : PART_PEOPLE,
	    column);
	return HERD_OK;
}

/* \t, \n, \\; any other backslash is one. */
static size_t
put_escape(struct buf *text, const char *at)
{
	static const char letters[] = "tn\\";
	static const char bytes[] = "\t\n\\";
	const char *found = at[1] == '\0' ? NULL : strchr(letters, at[1]);

	put_byte(text, found == NULL ? '\\' : bytes[found - letters]);
	return found == NULL ? 1 : 2;
}

/* One field, brace or escape; *at is moved after it. */
static enum herd_error
read_special(struct template *template, const char **at, struct buf *text,
    struct buf *message)
{
	const char *p = *at;
	const char *end;

	if (*p == '\\') {
		*at += put_escape(text, p);
		return HERD_OK;
	}
	if (p[1] == *p) {
		put_byte(text, *p);
		*at += 2;
		return HERD_OK;
	}
	end = *p == '{' ? strchr(p, '}') : NULL;
	if (end == NULL) {
		putf(message, "a `%c' alone; write `%c%c' for a brace", *p, *p,
		    *p);
		return HERD_ESYNTAX;
	}
	end_text(template, text);
	*at = end + 1;
	return add_field(
	    template, span_of(p + 1, (size_t)(end - p - 1)), message);
}

enum herd_error
template_parse(const char *text, const struct view *view, struct template **out,
    struct buf *message)
{
	struct template *template = xcalloc(1, sizeof(*template));
	struct buf plain = XBUF;
	enum herd_error error = HERD_OK;

	template->view = view;
	while (*text != '\0' && error == HERD_OK) {
		size_t len = strcspn(text, "{}\\");

		put(&plain, text, len);
		text += len;
		if (*text != '\0')
			error = read_special(template, &text, &plain, message);
	}
	end_text(template, &plain);
	buf_release(&plain);
	if (error != HERD_OK) {
		template_free(template);
		return error;
	}
	*out = template;
	return HERD_OK;
}

void
template_free(struct template *template)
{
	if (template == NULL)
		return;
	for (size_t i = 0; i < template->count; i++)
		free(template->parts[i].text);
	free(template->parts);
	free(template);
}

static void
put_part(struct buf *out, const struct template_part *part,
    const struct view *view, const struct value *row)
{
	const struct value *value = &row[part->column];

	switch (part->kind) {
	case PART_TEXT: put_text(out, part->text); return;
	case PART_MACHINES: value_for_machines(out, value); return;
	case PART_PEOPLE:
		value_for_people(
		    out, value, &view->columns[part->column], false);
		return;
	case PART_LAT:
	case PART_LON:
		if (value->known)
			put_number(out,
			    part->kind == PART_LAT ? value->lat : value->lon);
		return;
	}
}

void
template_write(struct buf *out, const struct template *template,
    const struct value *row, bool clean)
{
	struct buf text = XBUF;

	for (size_t i = 0; i < template->count; i++) {
		const struct template_part *part = &template->parts[i];

		buf_clear(&text);
		put_part(&text, part, template->view, row);
		/* The template's own tabs and line feeds are meant. */
		if (clean && part->kind != PART_TEXT)
			put_clean(out, buf_span(&text));
		else
			put_span(out, buf_span(&text));
	}
	put_byte(out, '\n');
	buf_release(&text);
}
