/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "conf/contexts.h"
#include "herd/text.h"
#include "out/screen.h"
#include "out/width.h"
#include "run/help.h"
#include "run/plugin.h"
#include "run/rounds.h"
#include "run/sketch.h"
#include "run/watch.h"

#define PAGER_DEFAULT "less -FRX"

/* --- settings of one line -------------------------------------------- */

static enum status
read_settings(struct run *run, const struct run_origin *origin)
{
	struct app *app = run->app;
	enum status status;

	if (!origin->is_line) {
		/* The options of a one-shot are in the settings already. */
		prefs_copy(&run->prefs, &app->prefs);
		run->context =
		    app->context == NULL ? NULL : xstrdup(app->context);
		return STATUS_OK;
	}
	prefs_copy(&run->prefs, &app->base);
	status = prefs_read_options(
	    &run->prefs, run->args, ORIGIN_LINE, &run->message);
	if (status == STATUS_OK)
		status =
		    contexts_apply(&run->prefs, &run->context, &run->message);
	return status;
}

/* --- words and flags ------------------------------------------------- */

const char *
run_word(const struct run *run, size_t i)
{
	return i < run->args->count ? run->args->words[i] : NULL;
}

const char *
run_flag(const struct run *run, const char *name)
{
	return args_flag(run->args, name, false);
}

enum status
run_duration_flag(
    struct run *run, const char *name, uint64_t initial, uint64_t *out)
{
	const char *text = run_flag(run, name);

	*out = initial;
	if (text == NULL || duration_parse(span_from(text), out) == HERD_OK)
		return STATUS_OK;
	return run_fail(
	    run, STATUS_USAGE, "%s: not a duration like 500ms, 10s, 5m", text);
}

enum status
run_number_flag(struct run *run, const char *name, uint64_t initial,
    uint64_t min, uint64_t max, uint64_t *out)
{
	const char *text = run_flag(run, name);

	*out = initial;
	if (text == NULL ||
	    text_to_u64(span_from(text), min, max, out) == HERD_OK)
		return STATUS_OK;
	return run_fail(run, STATUS_USAGE,
	    "--%s: `%s' is not a number from %llu to %llu", name, text,
	    (unsigned long long)min, (unsigned long long)max);
}

/* --- output ---------------------------------------------------------- */

static bool
wants_color(const struct run *run)
{
	const char *color = prefs_text(&run->prefs, PREF_COLOR);

	if (strcmp(color, "auto") != 0)
		return strcmp(color, "always") == 0;
	return run->sink.terminal && !screen_is_dumb();
}

/* Of --output and --format the one that was given nearer counts. */
static bool
wants_template(const struct run *run)
{
	const struct pref_value *values = run->prefs.values;

	return values[PREF_TEMPLATE].text != NULL &&
	       values[PREF_TEMPLATE].origin >= values[PREF_OUTPUT].origin;
}

const struct format *
run_format(const struct run *run)
{
	const char *name = prefs_text(&run->prefs, PREF_OUTPUT);

	if (wants_template(run))
		return format_template();
	if (name == NULL)
		name = run->args->command->format;
	if (name == NULL)
		name = run->sink.terminal ? "table" : "plain";
	return format_find(name);
}

static void
fill_out_options(const struct run *run, struct out_options *options)
{
	const char *columns = prefs_text(&run->prefs, PREF_COLUMNS);

	*options = (struct out_options){
		.format = run_format(run),
		.template = prefs_text(&run->prefs, PREF_TEMPLATE),
		.columns =
		    columns == NULL ? run->args->command->columns : columns,
		.where = run->nodes_choose
			     ? NULL
			     : prefs_text(&run->prefs, PREF_WHERE),
		.sort = prefs_text(&run->prefs, PREF_SORT),
		.limit = prefs_number(&run->prefs, PREF_LIMIT),
		.header = prefs_is(&run->prefs, PREF_HEADER),
		.safe = prefs_is(&run->prefs, PREF_SAFE),
		.color = wants_color(run),
		.utf8 = run->app->utf8,
		.many_nodes = run->all_nodes,
	};
	/* Rounds below each other are one file of rows, which tell theirs. */
	if (run->watched && (options->format->traits & FORMAT_LINES) != 0) {
		options->header =
		    options->header && (!run->titled || run->sink.terminal);
		options->time = run->round_time;
	}
	for (size_t i = 0; run->herd != NULL && i < run->herd->count; i++) {
		size_t width = width_of(span_from(run->herd->targets[i].name));

		if (width > options->longest_node)
			options->longest_node = width;
	}
	if (run->sink.terminal && (options->format->traits & FORMAT_WIDE) == 0)
		options->width = screen_width();
}

static enum status
begin(struct run *run, const struct view *view, bool streams)
{
	struct out_options options;
	enum status status;

	fill_out_options(run, &options);
	out_init(&run->out, &options, &run->sink);
	run->out_begun = true;
	status = out_begin(&run->out, view, streams, &run->message);
	if (status != STATUS_OK)
		return run_fail_message(run, status);
	return STATUS_OK;
}

enum status
run_begin(struct run *run, const struct view *view)
{
	return begin(run, view, false);
}

enum status
run_begin_stream(struct run *run, const struct view *view)
{
	run->sink.pager = NULL;
	return begin(run, view, true);
}

enum status
run_begin_long(struct run *run, const struct view *view)
{
	enum status status = begin(run, view, false);

	if (status == STATUS_OK)
		out_write_early(&run->out);
	return status;
}

/* The pager of --pager, or of the environment. */
static const char *
find_pager(const struct run *run)
{
	const char *pager = prefs_text(&run->prefs, PREF_PAGER);
	const char *usual = getenv("PAGER");

	if (!run->to_terminal || isatty(STDIN_FILENO) != 1 ||
	    screen_is_dumb() || strcmp(pager, "off") == 0 || pager[0] == '\0')
		return NULL;
	if (strcmp(pager, "auto") != 0 && strcmp(pager, "on") != 0)
		return pager;
	if (usual != NULL && usual[0] != '\0')
		return strcmp(usual, "cat") == 0 ? NULL : usual;
	return screen_has_program("less") ? PAGER_DEFAULT : NULL;
}

static enum status
open_sink(struct run *run, const struct run_origin *origin)
{
	const char *pager;

	if (origin->redirect != REDIRECT_NONE)
		return sink_init_redirect(&run->sink, origin->redirect,
		    origin->target, &run->message);
	sink_init(&run->sink, STDOUT_FILENO);
	run->to_terminal = run->sink.terminal;
	pager = find_pager(run);
	if (pager != NULL)
		sink_use_pager(&run->sink, pager, screen_height());
	return STATUS_OK;
}

static void
say_pager_failed(const struct run *run)
{
	const char *pager = find_pager(run);

	if (pager != NULL && !prefs_is(&run->prefs, PREF_QUIET))
		fprintf(stderr,
		    "the pager `%s' failed, so this is all of the output\n",
		    pager);
}

static enum status
close_sink(struct run *run, enum status status)
{
	enum status finished = sink_finish(&run->sink, &run->message);

	if (run->sink.pager_failed)
		say_pager_failed(run);

	fputs(text_of(&run->afterwards), stderr);
	buf_clear(&run->afterwards);
	if (finished == STATUS_LOCAL)
		return run_fail_message(run, finished);
	return status == STATUS_OK ? finished : status;
}

static void
release_out(struct run *run)
{
	if (run->out_begun) {
		run->titled = run->titled || run->out.titled;
		out_release(&run->out);
	}
	run->out_begun = false;
}

/* --- running --------------------------------------------------------- */

void
run_renew_deadline(struct run *run)
{
	run->deadline = deadline_in(prefs_ns(&run->prefs, PREF_TIMEOUT));
}

static enum status
run_round(struct run *run)
{
	run_renew_deadline(run);
	return run->args->command->run(run);
}

static void
draw_sketch(void *arg)
{
	sketch_draw_command(arg);
}

static void
clear_sketch(void *arg)
{
	sketch_clear(arg);
}

static const struct rounds_sketch sketching = { draw_sketch, clear_sketch };

static enum status
run_once(struct run *run, const struct run_origin *origin)
{
	struct sketch sketch = { .run = run };
	enum status status = open_sink(run, origin);

	if (status != STATUS_OK)
		return run_fail_message(run, status);
	if ((run->args->command->traits & COMMAND_READ) != 0 &&
	    sketch_is_possible(run))
		run->rounds = rounds_new(ROUNDS_QUICK, &sketching, &sketch);
	status = run_round(run);
	rounds_free(run->rounds);
	run->rounds = NULL;
	status = close_sink(run, status);
	release_out(run);
	return status;
}

/* 2026-11-28T10:00:00.123Z */
static void
set_round_time(struct run *run)
{
	uint64_t ns = now_wall().ns;
	time_t seconds = (time_t)(ns / HERD_NS_PER_S);
	struct tm tm;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(
	    run->round_time, sizeof(run->round_time), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(run->round_time + len, sizeof(run->round_time) - len, ".%03uZ",
	    (unsigned)(ns % HERD_NS_PER_S / HERD_NS_PER_MS));
}

/* Each round writes to memory, which watch.c shows. */
static enum status
watched_round(void *arg, struct sink *sink)
{
	struct run *run = arg;
	enum status status;

	run->sink = *sink;
	set_round_time(run);
	status = run_round(run);
	release_out(run);
	*sink = run->sink;
	return status;
}

static enum status
run_watched(struct run *run, const struct run_origin *origin, uint64_t every)
{
	struct watch_options options = {
		.run = run,
		.every_ns = every,
	};
	const char *count = args_flag(run->args, "count", true);
	struct sink sink;
	enum status status = open_sink(run, origin);

	if (status != STATUS_OK)
		return run_fail_message(run, status);
	if (count != NULL && text_to_u64(span_from(count), 1, 1000000000,
				 &options.count) != HERD_OK)
		return run_fail(
		    run, STATUS_USAGE, "--count needs a number from 1 on");
	sink = run->sink;
	sink.pager = NULL;
	run->watched = true;
	status = watch_run(&options, &sink, watched_round, run);
	rounds_free(run->rounds);
	run->rounds = NULL;
	run->sink = sink;
	return close_sink(run, status);
}

/* A flag like --follow needs no --watch beside it. */
static bool
is_live(const struct run *run, const struct run_origin *origin)
{
	const char *flag = run->args->command->live_flag;
	const char *format = prefs_text(&run->prefs, PREF_OUTPUT);

	return flag != NULL && run_flag(run, flag) != NULL &&
	       origin->redirect == REDIRECT_NONE &&
	       isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1 &&
	       !screen_is_dumb() &&
	       (format == NULL ||
		   (format_find(format)->traits & FORMAT_LOOKS) != 0);
}

/* --watch[=S]; false when it is not there. */
static bool
find_watch(struct run *run, const struct run_origin *origin, uint64_t *every,
    enum status *status)
{
	const struct option *watch = args_option(run->args, "watch", true);
	double seconds = 2;

	*status = STATUS_OK;
	if (watch != NULL && watch->value != NULL &&
	    (value_parse(VALUE_SECONDS, span_from(watch->value), &seconds) !=
		    HERD_OK ||
		seconds < 0.1 || seconds > 86400))
		*status = run_fail(run, STATUS_USAGE,
		    "--watch needs seconds, from 0.1 on: --watch=2");
	*every = (uint64_t)(seconds * 1e9);
	return watch != NULL || args_option(run->args, "count", true) != NULL ||
	       is_live(run, origin);
}

enum status
run_may_change(struct run *run)
{
	if (!prefs_is(&run->prefs, PREF_READ_ONLY))
		return STATUS_OK;
	return run_fail(run, STATUS_USAGE,
	    "`%s' changes something, and this is read-only",
	    run->args->command->path);
}

static enum status
check(struct run *run)
{
	const struct command *command = run->args->command;
	enum status status = args_check(run->args, &run->message);

	if (status != STATUS_OK)
		return run_fail_message(run, status);
	/*
	 * A command without such a trait counts as one that changes something.
	 */
	if ((command->traits & COMMAND_EFFECTS & ~(unsigned)COMMAND_WRITE) == 0)
		return run_may_change(run);
	return STATUS_OK;
}

static const char *
why_unwatched(const struct run *run)
{
	unsigned traits = run->args->command->traits;

	if ((traits & (COMMAND_WRITE | COMMAND_BY_LINE)) != 0)
		return ": it changes something";
	if ((traits & COMMAND_STREAM) != 0)
		return ": it can go on by itself";
	return "";
}

static enum status
run_command(struct run *run, const struct run_origin *origin)
{
	enum status status = check(run);
	uint64_t every;

	if (status != STATUS_OK)
		return status;
	if (!find_watch(run, origin, &every, &status))
		return run_once(run, origin);
	if (status != STATUS_OK)
		return status;
	if ((run->args->command->traits & COMMAND_READ) == 0)
		return run_fail(run, STATUS_USAGE, "`%s' cannot be watched%s",
		    run->args->command->path, why_unwatched(run));
	return run_watched(run, origin, every);
}

static enum status
dispatch(struct run *run, const struct run_origin *origin)
{
	const struct args *args = run->args;
	enum status status;

	if (args->help) {
		status = open_sink(run, origin);
		if (status != STATUS_OK)
			return run_fail_message(run, status);
		help_print(
		    &run->sink, args->command, args->group, &run->app->aliases);
		return close_sink(run, STATUS_OK);
	}
	if (args->group != NULL) {
		put_text(&run->message, args->group);
		put_text(&run->message, " what? There is ");
		help_list_group(&run->message, args->group);
		return run_fail_message(run, STATUS_USAGE);
	}
	if (args->command == NULL)
		return run_fail(run, STATUS_USAGE,
		    "there is no command on this line (see `help')");
	return run_command(run, origin);
}

static void
release(struct run *run)
{
	if (run->owns_herd)
		herd_release(&run->own_herd);
	if (run->picture.release != NULL)
		run->picture.release(run->picture.state);
	prefs_release(&run->prefs);
	free(run->context);
	free(run->targets);
	buf_release(&run->message);
	buf_release(&run->where);
	buf_release(&run->afterwards);
	buf_release(&run->complaint);
}

static void
say_timing(struct run *run, struct mono began)
{
	struct buf text = XBUF;

	if (!prefs_is(&run->prefs, PREF_TIMING))
		return;
	put_duration(&text, (double)mono_since(now_mono(), began) / 1e9);
	fprintf(stderr, "time: %s\n", text_of(&text));
	buf_release(&text);
}

enum status
run_args(
    struct app *app, const struct args *args, const struct run_origin *origin)
{
	struct run run = { .app = app,
		.args = args,
		.place = origin->place,
		.message = XBUF,
		.where = XBUF,
		.afterwards = XBUF,
		.complaint = XBUF };
	struct mono began = now_mono();
	enum status status;

	status = read_settings(&run, origin);
	if (status != STATUS_OK)
		status = run_fail_message(&run, status);
	else
		status = dispatch(&run, origin);
	/* 2 would be CRITICAL there, so the status is UNKNOWN. */
	if (run.complaint.len > 0)
		status = plugin_cannot_judge(buf_span(&run.complaint));
	say_timing(&run, began);
	release(&run);
	return status;
}

enum status
run_words(struct app *app, const char *const *words, size_t count,
    const struct run_origin *origin)
{
	struct args args = { 0 };
	struct alias_line line;
	struct buf message = XBUF;
	enum status status =
	    alias_expand(&app->aliases, words, count, &line, &message);

	if (status == STATUS_OK)
		status = args_parse((const char *const *)line.words, line.count,
		    &args, &message);
	if (status != STATUS_OK)
		status = run_fail_words(app, &app->prefs, origin->place, words,
		    count, status, text_of(&message));
	else
		status = run_args(app, &args, origin);
	args_release(&args);
	alias_line_release(&line);
	buf_release(&message);
	return status;
}

enum status
run_parsed(struct app *app, const struct tokens *words, const char *place)
{
	struct run_origin origin = {
		.place = place,
		.redirect = words->redirect,
		.target = words->target,
		.is_line = true,
	};
	const char **texts = xcalloc(words->count, sizeof(*texts));
	enum status status;

	for (size_t i = 0; i < words->count; i++)
		texts[i] = words->words[i].text;
	status = run_words(app, texts, words->count, &origin);
	free(texts);
	return status;
}
