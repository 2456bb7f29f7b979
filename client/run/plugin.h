/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a monitoring plugin (Nagios, Icinga ...) says: one line on stdout with
 * performance data after |, and an exit status of its own.
 */
#ifndef HERD_CLIENT_PLUGIN_H
#define HERD_CLIENT_PLUGIN_H

#include "line/command.h"

/* The exit statuses; a name of each is in the line. */
enum plugin_state {
	PLUGIN_OK,
	PLUGIN_WARNING,
	PLUGIN_CRITICAL,
	PLUGIN_UNKNOWN,
};

/* Does the command (or NULL) have these exit statuses? */
bool plugin_is(const struct command *command);

/* The worse of two: UNKNOWN is worse than WARNING, CRITICAL than both. */
enum plugin_state plugin_worse(enum plugin_state a, enum plugin_state b);

/*
 * Appends "HERD OK - TEXT |DATA" and a line feed, without | if there are no
 * data. Both are cleaned: neither can begin the data or a second line.
 */
void plugin_put(struct buf *out, enum plugin_state state, struct span text,
    struct span data);

/* Prints a line UNKNOWN with this reason; returns its exit status. */
enum status plugin_cannot_judge(struct span reason);

#endif
