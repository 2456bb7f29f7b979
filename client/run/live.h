/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A picture on the terminal that is drawn again and again in place: `--watch`
 * and `top`. Meanwhile the cursor is hidden, keys come one by one without
 * echo, and keys and a new size of the terminal are told at once, whatever is
 * being waited for. Ctrl-Z gives the terminal back as it was, and `fg` draws
 * the picture again.
 */
#ifndef HERD_CLIENT_LIVE_H
#define HERD_CLIENT_LIVE_H

#include "base/loop.h"
#include "out/sink.h"

struct live;

/* Keys that are more than one character. */
enum live_key {
	LIVE_UP = 256,
	LIVE_DOWN,
	LIVE_RIGHT,
	LIVE_LEFT,
};

/* Come from the loop; may draw, must not wait. */
struct live_events {
	void (*on_key)(void *arg, int key); /* a byte, or enum live_key */
	void (*on_resize)(void *arg);
};

/*
 * Takes the terminal that `out` writes to (borrows both, `events` and `arg`).
 * `whole`: on the alternate screen, which leaves no trace; else the last
 * picture stays.
 */
struct live *live_begin(struct loop *loop, struct sink *out, bool whole,
    bool utf8, const struct live_events *events, void *arg);

/* Draws over the last picture, cut to the size of the terminal. */
void live_draw(struct live *live, struct span text);

/* Puts the terminal back and frees. */
void live_end(struct live *live);

#endif
