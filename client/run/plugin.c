/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/plugin.h"

#include <stdio.h>

#include "base/xbuf.h"

bool
plugin_is(const struct command *command)
{
	return command != NULL && (command->traits & COMMAND_PLUGIN) != 0;
}

enum plugin_state
plugin_worse(enum plugin_state a, enum plugin_state b)
{
	if (a == PLUGIN_CRITICAL || b == PLUGIN_CRITICAL)
		return PLUGIN_CRITICAL;
	return a > b ? a : b;
}

/* A | would begin the data. */
static void
put_part(struct buf *out, struct span text)
{
	size_t from = out->len;

	put_clean(out, text);
	for (size_t i = from; i < out->len; i++) {
		char *byte = &out->data[out->head + i];

		if (*byte == '|')
			*byte = '/';
	}
}

void
plugin_put(struct buf *out, enum plugin_state state, struct span text,
    struct span data)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL",
		"UNKNOWN" };

	putf(out, "HERD %s - ", words[state]);
	put_part(out, text);
	if (data.len > 0) {
		put_text(out, " |");
		put_part(out, data);
	}
	put_byte(out, '\n');
}

enum status
plugin_cannot_judge(struct span reason)
{
	struct buf line = XBUF;

	plugin_put(&line, PLUGIN_UNKNOWN, reason, span_from(""));
	fputs(text_of(&line), stdout);
	fflush(stdout);
	buf_release(&line);
	return (enum status)PLUGIN_UNKNOWN;
}
