/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * readline as the REPL uses it: callback mode, our signals, our history file,
 * our completion. All of readline's odd rules are in editor.c.
 */
#ifndef HERD_CLIENT_EDITOR_H
#define HERD_CLIENT_EDITOR_H

#include "repl/complete.h"

struct editor;

/*
 * Gives the editor; there is one at most. on_line gets each line (takes it;
 * NULL at the end of the input) from within editor_read(). Completion asks
 * `sources` (borrows).
 */
struct editor *editor_new(struct app *app, void (*on_line)(char *line),
    const struct complete_sources *sources);
void editor_free(struct editor *editor);

/*
 * Gives the terminal to readline, with this prompt (borrowed); takes it back.
 */
void editor_begin(struct editor *editor, const char *prompt);
void editor_end(struct editor *editor);

/* Standard input is readable; on_line may be called. Does not wait. */
void editor_read(void);

/* While editing: gives the terminal away for a time; takes it again. */
void editor_pause(void);
void editor_resume(void);

/* While editing: text above the line; another prompt; Ctrl-C. */
void editor_print_above(const char *text);
void editor_set_prompt(const char *prompt);
void editor_interrupt(void);

/* Adds to the history and its file, unless the line begins with a space. */
void editor_remember(struct editor *editor, const char *line);

#endif
