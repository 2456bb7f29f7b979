/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A picture on the terminal that is drawn again and again in place: `--watch`
 * and `top`. Meanwhile the cursor is hidden, keys come one by one without
 * echo, and a new size of the terminal ends the rest between two pictures.
 * Ctrl-Z gives the terminal back as it was, and `fg` draws the picture again.
 */
#ifndef HERD_CLIENT_LIVE_H
#define HERD_CLIENT_LIVE_H

#include "base/loop.h"
#include "out/sink.h"

struct live;

enum live_event {
	LIVE_TIME,    /* the rest is over */
	LIVE_RESIZED, /* the picture has to be drawn again */
	LIVE_KEY,
	LIVE_INTERRUPTED, /* Ctrl-C, SIGTERM, SIGHUP */
};

/*
 * Takes the terminal that `out` writes to (borrows both). `whole`: on the
 * alternate screen, which leaves no trace; else the last picture stays.
 */
struct live *live_begin(
    struct loop *loop, struct sink *out, bool whole, bool utf8);

/* Draws over the last picture, cut to the size of the terminal. */
void live_draw(struct live *live, struct span text);

/* Rests until `until` or until there is something to do. */
enum live_event live_rest(struct live *live, struct mono until, char *key);

/* Puts the terminal back and frees. */
void live_end(struct live *live);

#endif
