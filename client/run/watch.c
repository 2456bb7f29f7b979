/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/watch.h"

#include <event2/event.h>
#include <time.h>

#include "base/xbuf.h"
#include "out/screen.h"
#include "run/live.h"
#include "run/rounds.h"

/* A round that takes longer than this does not hold up a new size. */
#define RESIZE_US (50 * 1000)

/* A picture on the terminal. */
struct watching {
	const struct watch_options *options;
	struct loop *loop;
	struct live *live;
	struct buf shown;      /* the last picture */
	struct event *resized; /* it does not fit any more */
	bool over;             /* q */
	bool again;            /* a round is wanted now */
	bool in_round;
};

static void
put_title(struct buf *out, const struct watch_options *options)
{
	time_t now = time(NULL);
	struct tm tm;
	char clock[16];

	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	putf(out, "%s  every ", options->run->args->command->path);
	must(duration_for_people(out, options->every_ns));
	putf(out, "  %s  (q ends)\n\n", clock);
}

/* A pipe and a dumb terminal get one answer below the other. */
static enum status
append(const struct watch_options *options, struct sink *out,
    watch_round *round, void *arg)
{
	struct loop *loop = app_loop(options->run->app);

	options->run->rounds = rounds_new(ROUNDS_PATIENT, NULL, NULL);
	for (uint64_t n = 1;; n++) {
		struct sink memory;
		enum status status;

		sink_init_memory(&memory, out->terminal);
		status = round(arg, &memory);
		sink_write(out, buf_span(&memory.held));
		sink_flush(out);
		buf_release(&memory.held);
		if (loop->interrupted)
			return STATUS_SIGINT;
		if (out->gone || status == STATUS_USAGE || n == options->count)
			return status;
		if (loop_rest(loop, options->every_ns) == WAIT_INTERRUPTED)
			return STATUS_SIGINT;
	}
}

static void
draw(struct watching *w, struct span picture)
{
	buf_clear(&w->shown);
	put_title(&w->shown, w->options);
	put_span(&w->shown, picture);
	event_del(w->resized);
	live_draw(w->live, buf_span(&w->shown));
}

/* The command changes its picture by itself, even in the middle of a round. */
static void
draw_changed(struct watching *w)
{
	const struct run_picture *picture = &w->options->run->picture;
	struct sink memory;

	sink_init_memory(&memory, true);
	picture->draw(picture->state, &memory);
	draw(w, buf_span(&memory.held));
	buf_release(&memory.held);
}

static void
on_key(void *arg, int key)
{
	struct watching *w = arg;
	const struct run_picture *picture = &w->options->run->picture;

	if (key == 'q') {
		w->over = true;
		/* What the round waits for is not wanted any more. */
		w->loop->interrupted = w->loop->interrupted || w->in_round;
	} else if (picture->key != NULL && picture->key(picture->state, key)) {
		draw_changed(w);
	}
}

/* The next round fits the new size; until then the last one is cut to it. */
static void
on_resize(void *arg)
{
	const struct timeval soon = { .tv_usec = RESIZE_US };
	struct watching *w = arg;

	w->again = true;
	if (w->options->run->picture.draw != NULL)
		draw_changed(w);
	else if (event_add(w->resized, &soon) != 0)
		out_of_memory();
}

static void
on_resized(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct watching *w = arg;

	if (w->shown.len > 0)
		live_draw(w->live, buf_span(&w->shown));
}

static const struct live_events events = { on_key, on_resize };

static bool
is_wanted(const void *arg)
{
	const struct watching *w = arg;

	return w->over || w->again || rounds_have_news(w->options->run->rounds);
}

/* The last of the counted rounds also waits for those that are late. */
static bool
is_whole(const void *arg)
{
	const struct watching *w = arg;

	return is_wanted(w) || rounds_are_complete(w->options->run->rounds);
}

static enum status
draw_round(struct watching *w, watch_round *round, void *arg)
{
	struct sink memory;
	enum status status;

	w->again = false;
	rounds_next(w->options->run->rounds);
	sink_init_memory(&memory, true);
	w->in_round = true;
	status = round(arg, &memory);
	w->in_round = false;
	if (!w->loop->interrupted)
		draw(w, buf_span(&memory.held));
	buf_release(&memory.held);
	return status;
}

/*
 * Rounds until one of the counted ones is whole. False: that was the end.
 */
static bool
rest(struct watching *w, bool last)
{
	bool (*done)(const void *arg) = last ? is_whole : is_wanted;
	struct mono until =
	    last ? NO_DEADLINE : mono_add(now_mono(), w->options->every_ns);

	if (w->over || (last && rounds_are_complete(w->options->run->rounds)))
		return false;
	(void)loop_wait(w->loop, done, w, until);
	return !w->over && !w->loop->interrupted;
}

/* Rounds until q, Ctrl-C or their number: the status of the last one. */
static enum status
draw_rounds(struct watching *w, watch_round *round, struct sink *out, void *arg)
{
	const struct watch_options *options = w->options;
	enum status status = STATUS_OK;
	enum status before;
	uint64_t n = 0;
	bool more;

	do {
		bool extra = w->again || rounds_have_news(options->run->rounds);

		before = status;
		status = draw_round(w, round, arg);
		n += !extra || n == 0;
		more = !out->gone && status != STATUS_USAGE &&
		       !w->loop->interrupted &&
		       rest(w, options->count > 0 && n >= options->count);
	} while (more);
	/* q took the round's time away, so it says nothing. */
	return w->over && w->loop->interrupted ? before : status;
}

static enum status
redraw(const struct watch_options *options, struct sink *out,
    watch_round *round, void *arg)
{
	struct run *run = options->run;
	struct watching w = {
		.options = options, .loop = app_loop(run->app), .shown = XBUF
	};
	enum status status;

	run->rounds = rounds_new(ROUNDS_QUICK, NULL, NULL);
	w.resized = evtimer_new(w.loop->base, on_resized, &w);
	if (w.resized == NULL)
		out_of_memory();
	w.live = live_begin(w.loop, out, false, run->app->utf8, &events, &w);
	status = draw_rounds(&w, round, out, arg);
	live_end(w.live);
	event_free(w.resized);
	buf_release(&w.shown);
	if (w.over)
		loop_clear_interrupt(w.loop);
	return w.loop->interrupted ? STATUS_SIGINT : status;
}

enum status
watch_run(const struct watch_options *options, struct sink *out,
    watch_round *round, void *arg)
{
	if (out->terminal && !screen_is_dumb())
		return redraw(options, out, round, arg);
	return append(options, out, round, arg);
}
