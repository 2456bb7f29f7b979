/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands that work in another context from now on: use, none, previous.
 */
#ifndef HERD_CONTEXT_SWITCH_H
#define HERD_CONTEXT_SWITCH_H

#include "run/run.h"

/* Their flag. */
#define CONTEXT_SWITCH_FLAGS \
	FLAGS(FLAG("save",   \
	    .help = "in a session: in later sessions and commands too"))

/*
 * Works in the context of that name, "none" for no context; says so if there
 * is none of that name. In a session only there, unless --save is given.
 */
enum status context_switch(struct run *run, const char *name);

/* The run function of `context use NAME' and of `context none'. */
enum status context_switch_run(struct run *run);

#endif
