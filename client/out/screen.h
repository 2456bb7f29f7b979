/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Facts of the terminal, and a full screen on it.
 */
#ifndef HERD_CLIENT_SCREEN_H
#define HERD_CLIENT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "herd/buf.h"

/* Columns and lines of the terminal; 80 and 24 when it does not say. */
size_t screen_width(void);
size_t screen_height(void);

/* TERM is unset, empty or "dumb": no escape sequences at all. */
bool screen_is_dumb(void);

/* Is there a program of that name in PATH? */
bool screen_has_program(const char *name);

/*
 * A picture of several lines in place of the last one: cursor home, each line
 * cut to the width and cleared to its end, the rest of the screen cleared.
 * Nothing is erased before it is written over, so nothing flickers. Of a
 * picture that does not fit the last line stays, which sums it up or says who
 * is silent; below it those that are left out are counted.
 */
void screen_put_frame(struct buf *out, struct span text, bool utf8);

/*
 * Appends lines as they are below the cursor, each cut to the width, and at
 * most so many that one line of the screen is left; returns how many.
 */
size_t screen_put_lines(struct buf *out, struct span text, bool utf8);

#define SCREEN_CLEAR "\033[2J"
#define SCREEN_HIDE_CURSOR "\033[?25l"
#define SCREEN_SHOW_CURSOR "\033[?25h"
/* The alternate screen without cursor, and back. */
#define SCREEN_ENTER "\033[?1049h" SCREEN_HIDE_CURSOR
#define SCREEN_LEAVE SCREEN_SHOW_CURSOR "\033[?1049l"

/*
 * The terminal gives keys one by one, without echo, until screen_keys_end();
 * also undone when herdctl exits. -1: stdin is no terminal.
 */
int screen_keys_begin(void);
void screen_keys_end(void);

/* The same for lines of which nothing is shown, until screen_echo_begin(). */
int screen_echo_end(void);
void screen_echo_begin(void);

#endif
