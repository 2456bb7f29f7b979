/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Help out of the table of commands: the overview, a group, a command.
 */
#ifndef HERD_CLIENT_HELP_H
#define HERD_CLIENT_HELP_H

#include "line/alias.h"
#include "line/command.h"
#include "out/sink.h"

/*
 * Of the command, or of the group, or (both NULL) of everything, with the
 * aliases that there are.
 */
void help_print(struct sink *sink, const struct command *command,
    const char *group, const struct aliases *aliases);

/* Appends "ls, show, enable": a group's second words. */
void help_list_group(struct buf *out, const char *group);

#endif
