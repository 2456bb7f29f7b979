/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "herd/diagnostics.h"
#include "herd/herdfile.h"

/* Enough for a sentence with two quoted names. */
#define DIAGNOSTIC_TEXT_MAX 1024u

void
diagnostics_init(struct diagnostics *diagnostics)
{
	*diagnostics = (struct diagnostics){ .max = HERDFILE_DIAGNOSTICS_MAX };
}

void
diagnostics_release(struct diagnostics *diagnostics)
{
	size_t i;

	for (i = 0; i < diagnostics->count; i++)
		free(diagnostics->items[i].text);
	free(diagnostics->items);
	diagnostics_init(diagnostics);
}

enum herd_error
diagnostics_addv(struct diagnostics *diagnostics,
    enum diagnostic_severity severity, unsigned line, unsigned column,
    const char *fmt, va_list args)
{
	struct diagnostic *item;
	struct buf text;
	enum herd_error error;

	if (diagnostics->count == diagnostics->max) {
		diagnostics->errors += severity == DIAGNOSTIC_ERROR;
		return HERD_OK;
	}
	if (diagnostics->items == NULL) {
		diagnostics->items =
		    calloc(diagnostics->max, sizeof(*diagnostics->items));
		if (diagnostics->items == NULL)
			return HERD_ENOMEM;
	}
	buf_init(&text, DIAGNOSTIC_TEXT_MAX);
	error = buf_addv(&text, fmt, args);
	if (error != HERD_OK || buf_cstr(&text) == NULL) {
		buf_release(&text);
		return HERD_ENOMEM;
	}
	item = &diagnostics->items[diagnostics->count++];
	*item = (struct diagnostic){ severity, line, column, text.data };
	diagnostics->errors += severity == DIAGNOSTIC_ERROR;
	return HERD_OK;
}

enum herd_error
diagnostics_add(struct diagnostics *diagnostics,
    enum diagnostic_severity severity, unsigned line, unsigned column,
    const char *fmt, ...)
{
	enum herd_error error;
	va_list args;

	va_start(args, fmt);
	error =
	    diagnostics_addv(diagnostics, severity, line, column, fmt, args);
	va_end(args);
	return error;
}

static bool
is_before(const struct diagnostic *a, const struct diagnostic *b)
{
	return a->line < b->line ||
	       (a->line == b->line && a->column < b->column);
}

/* By insertion: there are at most HERDFILE_DIAGNOSTICS_MAX. */
void
diagnostics_sort(struct diagnostics *diagnostics)
{
	struct diagnostic *items = diagnostics->items, moved;
	size_t i, j;

	for (i = 1; i < diagnostics->count; i++) {
		moved = items[i];
		for (j = i; j > 0 && is_before(&moved, &items[j - 1u]); j--)
			items[j] = items[j - 1u];
		items[j] = moved;
	}
}
