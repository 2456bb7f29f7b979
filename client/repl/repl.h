/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The interactive session: readline in callback mode inside the event loop.
 * readline's callback queues lines; the main loop runs them while readline
 * does not use the terminal.
 */
#ifndef HERD_CLIENT_REPL_H
#define HERD_CLIENT_REPL_H

#include "base/exit_status.h"
#include "run/app.h"

/* Runs until Ctrl-D or exit. The status of the last command. */
enum status repl_run(struct app *app);

/* Remembers the context in force, before another one is used. */
void repl_note_context(struct repl *repl);
/* Gives the one that was noted, or NULL. */
char *repl_previous_context(const struct repl *repl);

#endif
