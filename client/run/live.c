/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/live.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "out/screen.h"

struct live {
	struct loop *loop;
	struct sink *out;
	bool whole;
	bool utf8;
	bool has_keys; /* stdin is a terminal */
	struct event *input;
	struct event *resize;
	bool readable;
	bool resized;
	struct loop_terminal terminal;
	const struct loop_terminal *terminal_before;
};

static void
enter(struct live *live)
{
	live->has_keys = screen_keys_begin() == 0;
	sink_write(live->out,
	    span_from(live->whole ? SCREEN_ENTER : SCREEN_HIDE_CURSOR));
	sink_flush(live->out);
}

static void
leave(struct live *live)
{
	sink_write(live->out,
	    span_from(live->whole ? SCREEN_LEAVE : "\r\n" SCREEN_SHOW_CURSOR));
	sink_flush(live->out);
	screen_keys_end();
}

static void
on_leave(void *arg)
{
	leave(arg);
}

/* Other programs may have written over the picture meanwhile. */
static void
on_enter(void *arg)
{
	struct live *live = arg;

	enter(live);
	live->resized = true;
}

struct live *
live_begin(struct loop *loop, struct sink *out, bool whole, bool utf8)
{
	struct live *live = xcalloc(1, sizeof(*live));

	/* Ctrl-C must leave the terminal as it was. */
	loop_catch_signals(loop);
	live->loop = loop;
	live->out = out;
	live->whole = whole;
	live->utf8 = utf8;
	live->input = event_new(
	    loop->base, STDIN_FILENO, EV_READ, loop_set_flag, &live->readable);
	live->resize =
	    evsignal_new(loop->base, SIGWINCH, loop_set_flag, &live->resized);
	if (live->input == NULL || live->resize == NULL ||
	    event_add(live->resize, NULL) != 0)
		out_of_memory();
	live->terminal =
	    (struct loop_terminal){ on_leave, on_enter, NULL, live };
	live->terminal_before = loop_hold_terminal(loop, &live->terminal);
	enter(live);
	sink_write(out, span_from(SCREEN_CLEAR));
	return live;
}

void
live_draw(struct live *live, struct span text)
{
	struct buf frame = XBUF;

	screen_put_frame(&frame, text, live->utf8);
	sink_write(live->out, buf_span(&frame));
	sink_flush(live->out);
	buf_release(&frame);
}

static bool
has_news(const void *arg)
{
	const struct live *live = arg;

	return live->readable || live->resized;
}

/* False: there will be no more keys. */
static bool
read_key(struct live *live, char *key)
{
	live->readable = false;
	live->has_keys = read(STDIN_FILENO, key, 1) == 1;
	return live->has_keys;
}

enum live_event
live_rest(struct live *live, struct mono until, char *key)
{
	for (;;) {
		if (live->has_keys && event_add(live->input, NULL) != 0)
			out_of_memory();
		switch (loop_wait(live->loop, has_news, live, until)) {
		case WAIT_TIMEOUT: return LIVE_TIME;
		case WAIT_INTERRUPTED: return LIVE_INTERRUPTED;
		case WAIT_DONE: break;
		}
		if (live->resized) {
			live->resized = false;
			return LIVE_RESIZED;
		}
		if (read_key(live, key))
			return LIVE_KEY;
	}
}

void
live_end(struct live *live)
{
	leave(live);
	loop_hold_terminal(live->loop, live->terminal_before);
	event_free(live->input);
	event_free(live->resize);
	free(live);
}
