/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "repl/repl.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "herd/version.h"
#include "out/screen.h"
#include "repl/background.h"
#include "repl/editor.h"
#include "run/run.h"

#define QUEUE_MAX 10000u /* lines of one paste */

struct repl {
	struct app *app;
	struct background *background;
	struct editor *editor;
	struct complete_sources sources;
	struct event *input;
	struct loop_terminal terminal;
	bool editing; /* readline has the terminal */
	char **queue; /* lines to run */
	size_t queue_len;
	size_t queue_at;
	struct buf notices; /* to be printed when no command runs */
	char *noted_context;
	char *prompt;
	enum status last;
};

/*
 * readline's callbacks have no argument; there is one terminal, so there is
 * one session.
 */
static struct repl *the_repl;

/* --- the prompt ------------------------------------------------------ */

static char *
make_prompt(struct repl *r)
{
	struct app *app = r->app;
	const struct target *target = app_current(app);
	const char *several = app_several(app);
	const char *where = app->context;
	struct buf out = XBUF;

	if (where == NULL && app->herd_ready)
		where = app->herd.name;
	if (where != NULL) {
		put_clean(&out, span_from(where));
		put_byte(&out, '/');
	}
	if (several != NULL)
		put_clean(&out, span_from(several));
	else
		put_clean(
		    &out, span_from(target == NULL ? "herdctl" : target->name));
	/* The background knows of one node. */
	if (several == NULL && background_is_down(r->background))
		put_text(&out, " (down)");
	if (prefs_is(&app->prefs, PREF_READ_ONLY))
		put_text(&out, " (read-only)");
	put_text(&out, "> ");
	return text_take(&out);
}

static void
start_editing(struct repl *r)
{
	if (r->editing)
		return;
	free(r->prompt);
	r->prompt = make_prompt(r);
	editor_begin(r->editor, r->prompt);
	r->editing = true;
	if (event_add(r->input, NULL) != 0)
		out_of_memory();
}

static void
stop_editing(struct repl *r)
{
	if (!r->editing)
		return;
	editor_end(r->editor);
	r->editing = false;
	event_del(r->input);
}

/* An exit from anywhere must not leave the terminal raw. */
static void
put_terminal_back(void)
{
	if (the_repl != NULL)
		stop_editing(the_repl);
}

/* --- notices --------------------------------------------------------- */

static void
flush_notices(struct repl *r)
{
	if (r->notices.len == 0)
		return;
	if (r->editing)
		editor_print_above(text_of(&r->notices));
	else
		fputs(text_of(&r->notices), stdout);
	fflush(stdout);
	buf_clear(&r->notices);
}

static void
on_notice(void *arg, const char *text)
{
	struct repl *r = arg;

	putf(&r->notices, "%s\n", text);
	if (r->editing)
		flush_notices(r);
}

static void
on_changed(void *arg)
{
	struct repl *r = arg;
	char *prompt;

	if (!r->editing)
		return;
	prompt = make_prompt(r);
	if (strcmp(prompt, r->prompt) != 0)
		editor_set_prompt(prompt);
	free(r->prompt);
	r->prompt = prompt;
}

/* --- lines ----------------------------------------------------------- */

static void
clear_queue(struct repl *r)
{
	while (r->queue_at < r->queue_len)
		free(r->queue[r->queue_at++]);
	free(r->queue);
	r->queue = NULL;
	r->queue_len = 0;
	r->queue_at = 0;
}

/* A paste is one line with line feeds inside: several commands. */
static void
queue_lines(struct repl *r, const char *text)
{
	size_t room = 0;

	clear_queue(r);
	for (;;) {
		size_t len = strcspn(text, "\r\n");

		if (len > 0 && r->queue_len < QUEUE_MAX) {
			grow_array(r->queue, r->queue_len, room);
			r->queue[r->queue_len++] = xstrndup(text, len);
		}
		if (text[len] == '\0')
			return;
		text += len + 1;
	}
}

static void
on_line(char *line)
{
	struct repl *r = the_repl;

	stop_editing(r);
	if (line == NULL) {
		fputc('\n', stdout);
		r->app->leaving = true;
		return;
	}
	queue_lines(r, line);
	free(line);
}

static enum status
run_one(struct repl *r, const struct tokens *words)
{
	enum status status;

	loop_clear_interrupt(app_loop(r->app));
	status = run_parsed(r->app, words, NULL);
	return r->app->loop.interrupted ? STATUS_SIGINT : status;
}

static enum status
run_line(struct repl *r, const char *text)
{
	struct line line;
	enum words_error error =
	    line_split(span_from(text), command_is_verbatim, &line);
	enum status status = STATUS_OK;

	editor_remember(r->editor, text);
	if (error != WORDS_OK) {
		fprintf(stderr, "%s\n", tokens_strerror(error));
		status = STATUS_USAGE;
	}
	for (size_t i = 0;
	     i < line.count && status == STATUS_OK && !r->app->leaving; i++)
		status = run_one(r, &line.commands[i]);
	line_release(&line);
	fflush(stdout);
	return status;
}

/* The target may be another one now: another context, node, herd file. */
static void
follow_target(struct repl *r)
{
	struct herd *herd;
	struct buf message = XBUF;

	if (app_herd(r->app, &herd, &message) != STATUS_OK) {
		background_follow(r->background, NULL);
		fprintf(stderr, "%s\n", text_of(&message));
	} else {
		background_follow(r->background, app_current(r->app));
	}
	buf_release(&message);
}

static void
say_dropped(size_t lines)
{
	if (lines == 1)
		fputs("1 line after it was not run\n", stderr);
	else
		fprintf(stderr, "%zu lines after it were not run\n", lines);
}

/* Runs what is queued; the first failure drops the rest of a paste. */
static void
run_queue(struct repl *r)
{
	while (r->queue_at < r->queue_len && !r->app->leaving) {
		char *text = r->queue[r->queue_at++];

		if (r->queue_len > 1)
			printf("%s%s\n", r->prompt, text);
		r->last = run_line(r, text);
		free(text);
		if (r->last == STATUS_OK)
			continue;
		if (r->queue_at < r->queue_len)
			say_dropped(r->queue_len - r->queue_at);
		break;
	}
	clear_queue(r);
	/* Ctrl-C was for the command, not for the next line. */
	loop_clear_interrupt(app_loop(r->app));
	follow_target(r);
	flush_notices(r);
}

/* --- signals --------------------------------------------------------- */

static void
on_input(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED,
    void *arg HERD_UNUSED)
{
	editor_read();
}

/* Ctrl-Z: the shell gets the terminal as it was. */
static void
leave_terminal(void *arg)
{
	const struct repl *r = arg;

	if (r->editing)
		editor_pause();
}

static void
enter_terminal(void *arg)
{
	const struct repl *r = arg;

	if (r->editing)
		editor_resume();
}

/* The terminal has echoed ^C, and what comes next begins a line. */
static void
end_interrupted_line(void *arg)
{
	const struct repl *r = arg;

	if (r->editing)
		return;
	fputc('\n', stdout);
	fflush(stdout);
}

static void
ignore_sigpipe(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };

	sigemptyset(&action.sa_mask);
	sigaction(SIGPIPE, &action, NULL);
}

/* --- life ------------------------------------------------------------ */

static const char *const *
clients_for(void *arg, const char *prefix)
{
	struct repl *r = arg;

	return background_clients(r->background, prefix);
}

static const char *const *
metrics_for(void *arg)
{
	struct repl *r = arg;

	return background_metrics(r->background);
}

/* What somebody who has never been here has to know. */
static void
greet(const struct repl *r)
{
	if (!prefs_is(&r->app->prefs, PREF_QUIET))
		puts("herdctl " HERD_VERSION ": `help' lists the commands, Tab "
		     "completes, Ctrl-D leaves");
}

static void
set_up(struct repl *r)
{
	struct loop *loop = app_loop(r->app);

	loop_catch_signals(loop);
	ignore_sigpipe();
	buf_init(&r->notices, XBUF_MAX);
	r->background = background_new(r->app, on_notice, on_changed, r);
	r->sources = (struct complete_sources){ clients_for, metrics_for, r,
		&r->app->aliases };
	r->editor = editor_new(r->app, on_line, &r->sources);
	r->input = event_new(
	    loop->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, r);
	if (r->input == NULL)
		out_of_memory();
	r->terminal = (struct loop_terminal){ leave_terminal, enter_terminal,
		end_interrupted_line, r };
	loop_hold_terminal(loop, &r->terminal);
	the_repl = r;
	r->app->repl = r;
	atexit(put_terminal_back);
	follow_target(r);
}

static void
tear_down(struct repl *r)
{
	stop_editing(r);
	clear_queue(r);
	the_repl = NULL;
	r->app->repl = NULL;
	event_free(r->input);
	loop_hold_terminal(app_loop(r->app), NULL);
	editor_free(r->editor);
	background_free(r->background);
	buf_release(&r->notices);
	free(r->noted_context);
	free(r->prompt);
}

static void
turn(struct repl *r)
{
	struct loop *loop = app_loop(r->app);

	if (r->queue_at < r->queue_len) {
		run_queue(r);
		return;
	}
	start_editing(r);
	loop_turn(loop);
	if (loop->ended_by != 0)
		r->app->leaving = true;
	else if (loop->interrupted && r->editing)
		editor_interrupt();
	loop_clear_interrupt(loop);
}

enum status
repl_run(struct app *app)
{
	struct repl r = { .app = app };

	set_up(&r);
	greet(&r);
	while (!app->leaving)
		turn(&r);
	tear_down(&r);
	return r.last == STATUS_SIGINT ? STATUS_OK : r.last;
}

void
repl_note_context(struct repl *repl)
{
	free(repl->noted_context);
	repl->noted_context =
	    xstrdup(repl->app->context == NULL ? "none" : repl->app->context);
}

char *
repl_previous_context(const struct repl *repl)
{
	return repl->noted_context == NULL ? NULL
					   : xstrdup(repl->noted_context);
}
