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
	const struct live_events *events;
	void *arg;
	struct event *input;
	struct event *resize;
	unsigned escape; /* bytes of an escape sequence so far */
	struct loop_terminal terminal;
	const struct loop_terminal *terminal_before;
};

static void
enter(struct live *live)
{
	/* Without a terminal there are no keys; a plain file has none. */
	if (screen_keys_begin() == 0)
		(void)event_add(live->input, NULL);
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
	event_del(live->input);
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
	live->events->on_resize(live->arg);
}

/* ESC [ A and ESC O A are the cursor keys; true: it is part of one. */
static bool
take_escape(struct live *live, unsigned char byte)
{
	if (byte == '\033') {
		live->escape = 1;
		return true;
	}
	if (live->escape == 1 && (byte == '[' || byte == 'O')) {
		live->escape = 2;
		return true;
	}
	if (live->escape < 2) {
		live->escape = 0;
		return false;
	}
	/* Parameters come before the letter: ESC [ 1 ; 5 A. */
	if (byte < '@') {
		return true;
	}
	live->escape = 0;
	if (byte >= 'A' && byte <= 'D')
		live->events->on_key(live->arg, LIVE_UP + byte - 'A');
	return true;
}

static void
on_input(int fd, short what HERD_UNUSED, void *arg)
{
	struct live *live = arg;
	unsigned char keys[64];
	ssize_t n = read(fd, keys, sizeof(keys));

	/* There will be no more keys. */
	if (n <= 0)
		event_del(live->input);
	for (ssize_t i = 0; i < n; i++) {
		if (!take_escape(live, keys[i]))
			live->events->on_key(live->arg, keys[i]);
	}
}

static void
on_resize(int number HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct live *live = arg;

	live->events->on_resize(live->arg);
}

struct live *
live_begin(struct loop *loop, struct sink *out, bool whole, bool utf8,
    const struct live_events *events, void *arg)
{
	struct live *live = xcalloc(1, sizeof(*live));

	/* Ctrl-C must leave the terminal as it was. */
	loop_catch_signals(loop);
	live->loop = loop;
	live->out = out;
	live->whole = whole;
	live->utf8 = utf8;
	live->events = events;
	live->arg = arg;
	live->input = event_new(
	    loop->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, live);
	live->resize = evsignal_new(loop->base, SIGWINCH, on_resize, live);
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

void
live_end(struct live *live)
{
	leave(live);
	loop_hold_terminal(live->loop, live->terminal_before);
	event_free(live->input);
	event_free(live->resize);
	free(live);
}
