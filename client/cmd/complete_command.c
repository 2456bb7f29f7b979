/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * __complete: what the shells' completion scripts ask.
 */
#include "cmd/list.h"

#include <string.h>

#include "base/xbuf.h"
#include "repl/complete.h"
#include "run/run.h"

/*
 * Applies the options among `words`, because they choose the herd. A line that
 * is still being typed may be wrong; its valid options count.
 */
static void
read_typed_options(struct app *out, const struct app *from,
    const char *const *words, size_t count)
{
	struct args args;
	struct buf message = XBUF;

	*out = (struct app){ .utf8 = from->utf8 };
	prefs_copy(&out->base, &from->base);
	prefs_init(&out->prefs);
	(void)args_parse(words, count, &args, &message);
	(void)prefs_read_options(&out->base, &args, ORIGIN_FLAG, &message);
	(void)app_apply(out, &message);
	args_release(&args);
	buf_release(&message);
}

/*
 * Can the shell read it as one line and, after quoting it, give it to herdctl
 * as one argument? It has no control character, is no word for the shell's
 * script itself, and would not be an option.
 */
static bool
fits_on_a_line(const struct completions *found, const struct completion *item)
{
	for (const char *c = item->word; *c != '\0'; c++) {
		if ((*c >= 0 && *c < ' ') || *c == 0x7f)
			return false;
	}
	return item->word[0] != '\0' && strcmp(item->word, ":files") != 0 &&
	       !completion_wants_dashes(found, item);
}

/*
 * __complete WORD... PREFIX: the words after `herdctl' so far, the last one
 * is being typed. One suggestion to a line; a last line `:files' asks the
 * shell to add file names.
 */
static enum status
complete_run(struct run *run)
{
	const struct complete_sources sources = {
		.aliases = &run->app->aliases,
	};
	struct completions found;
	struct app app;
	size_t count = run->args->count;

	if (count == 0)
		return STATUS_USAGE;
	read_typed_options(&app, run->app, run->args->words, count - 1);
	complete(&app, run->args->words, count - 1, run->args->words[count - 1],
	    &sources, &found);
	for (size_t i = 0; i < found.count; i++) {
		const struct completion *item = &found.items[i];

		if (!fits_on_a_line(&found, item))
			continue;
		sink_write_foreign(&run->sink, span_from(item->word));
		sink_write(&run->sink, span_from("\n"));
	}
	if (found.files)
		sink_write(&run->sink, span_from(":files\n"));
	completions_release(&found);
	app_release(&app);
	return STATUS_OK;
}

const struct command cmd_complete = {
	.path = "__complete",
	.summary = "words that could come next",
	.group = GROUP_TOOL,
	.args = ARGS(ARG("WORD", .optional = true, .repeats = true)),
	.traits = COMMAND_HIDDEN | COMMAND_VERBATIM | COMMAND_HARMLESS,
	.run = complete_run,
};
