/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A secret that a person types or a script hands over, never as an argument:
 * other users of the machine see those.
 */
#ifndef HERD_PASSWORD_H
#define HERD_PASSWORD_H

#include "run/run.h"

#define PASSWORD_ROOM 512u

/*
 * Puts a password into `out`, which has the maximum PASSWORD_ROOM and room for
 * it: asked for twice on the terminal, without echo. Says what is wrong.
 */
enum status password_ask(struct run *run, const char *name, struct buf *out);

/*
 * The same from the file that the flag names: a file of mode 0600, or the first
 * line of standard input for "-".
 */
enum status password_read(struct run *run, const char *flag, struct buf *out);

/* Wipes it, and frees it. */
void password_release(struct buf *password);

#endif
