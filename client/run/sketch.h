/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines on the terminal for the time being: what is known of an
 * answer while the rest is waited for. They are written over by the next
 * sketch and go before the answer itself comes.
 */
#ifndef HERD_CLIENT_SKETCH_H
#define HERD_CLIENT_SKETCH_H

#include "run/run.h"

struct sketch {
	struct run *run;
	size_t lines; /* on the terminal now */
};

/* Can there be one: does stdout show a screen's format on a terminal? */
bool sketch_is_possible(const struct run *run);

/* In place of the last one, cut to the terminal. */
void sketch_draw(struct sketch *sketch, struct span text);
void sketch_clear(struct sketch *sketch);

/*
 * Runs the run's command once more, with what its rounds have, and draws what
 * it writes.
 */
void sketch_draw_command(struct sketch *sketch);

#endif
