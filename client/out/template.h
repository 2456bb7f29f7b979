/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `--format TEMPLATE`: text with fields in braces, one line for each row.
 * {NAME} is a column by the names that --where takes. Its key, {age_s}, gives
 * the value as csv has it; its key without the unit, or its title, {age},
 * gives what people read. {lat} and {lon} are those of the view's place.
 * {{ and }} are braces; \t, \n and \\ a tab, a line feed, a backslash.
 */
#ifndef HERD_CLIENT_TEMPLATE_H
#define HERD_CLIENT_TEMPLATE_H

#include "out/values.h"

struct template;

/*
 * Gives the template in *out. HERD_ESYNTAX: `message` says what is wrong.
 */
HERD_MUST_CHECK enum herd_error template_parse(const char *text,
    const struct view *view, struct template **out, struct buf *message);
void template_free(struct template *template);

/* Appends the row's line with its LF; `clean`: for a terminal. */
void template_write(struct buf *out, const struct template *template,
    const struct value *row, bool clean);

#endif
