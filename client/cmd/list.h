/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one list of commands, in the order of help. Each is a constant
 * cmd_NAME in a file of its own, NAME.c (NAME_command.c when another room has
 * a file of that name); NAME is the command's path with `_' for ` ' and `-'.
 */
#ifndef HERD_CLIENT_LIST_H
#define HERD_CLIENT_LIST_H

#include "line/command.h"
#include "cmd/commands.h"

/* clang-format off */
#define COMMAND_LIST(X) \
	X(iamat) \
	X(whatsat) \
	X(raw) \
	X(ping) \
	X(trace) \
	X(bench) \
	OLD(status, node, 0) \
	OLD(node_ls, node, 1) \
	OLD(node_show, node, 2) \
	OLD(node_drain, node, 3) \
	OLD(node_undrain, node, 4) \
	OLD(node_stop, node, 5) \
	OLD(peer_ls, node, 6) \
	OLD(peer_show, node, 7) \
	OLD(peer_enable, node, 8) \
	OLD(peer_disable, node, 9) \
	OLD(peer_reconnect, node, 10) \
	OLD(peer_graph, node, 11) \
	X(client_ls) \
	X(client_show) \
	X(client_near) \
	X(client_count) \
	X(client_refused) \
	X(client_forget) \
	X(client_export) \
	X(client_import) \
	OLD(herd_status, herd, 0) \
	OLD(herd_wait, herd, 1) \
	OLD(herd_diff, herd, 2) \
	OLD(herd_check, herd, 3) \
	OLD(check, herd, 4) \
	X(places_status) \
	X(places_test) \
	X(places_cache) \
	OLD(config_show, config, 0) \
	OLD(config_check, config, 1) \
	OLD(config_diff, config, 2) \
	OLD(config_reload, config, 3) \
	OLD(log_level, config, 4) \
	OLD(log_tail, config, 5) \
	X(events) \
	X(stats) \
	X(top) \
	X(map) \
	OLD(context_ls, tool, 0) \
	OLD(context_show, tool, 1) \
	OLD(context_add, tool, 2) \
	OLD(context_rm, tool, 3) \
	OLD(context_use, tool, 4) \
	OLD(context_none, tool, 5) \
	OLD(context_previous, tool, 6) \
	OLD(set, tool, 7) \
	OLD(help, tool, 8) \
	OLD(version, tool, 9) \
	OLD(completion, tool, 10) \
	OLD(exit, tool, 11) \
	OLD(quit, tool, 12) \
	OLD(complete, tool, 13)
/* clang-format on */

#define COMMAND_DECLARE(name) extern const struct command cmd_##name;
#define OLD(name, family, i)
COMMAND_LIST(COMMAND_DECLARE)
#undef OLD
#undef COMMAND_DECLARE

#endif
