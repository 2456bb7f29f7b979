/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The families of commands, one file each; commands.c makes the table.
 */
#ifndef HERD_CLIENT_COMMANDS_H
#define HERD_CLIENT_COMMANDS_H

#include "line/command.h"

extern const struct command client_data_commands[];
extern const struct command client_table_commands[];
extern const struct command client_places_commands[];
extern const struct command client_watch_commands[];

#endif
