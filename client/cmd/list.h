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
	OLD(iamat, data, 0) \
	OLD(whatsat, data, 1) \
	OLD(raw, data, 2) \
	X(ping) \
	OLD(trace, data, 3) \
	OLD(bench, data, 4) \
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
	OLD(client_ls, table, 0) \
	OLD(client_show, table, 1) \
	OLD(client_near, table, 2) \
	OLD(client_count, table, 3) \
	OLD(client_refused, table, 4) \
	OLD(client_forget, table, 5) \
	OLD(client_export, table, 6) \
	OLD(client_import, table, 7) \
	OLD(herd_status, herd, 0) \
	OLD(herd_wait, herd, 1) \
	OLD(herd_diff, herd, 2) \
	OLD(herd_check, herd, 3) \
	OLD(check, herd, 4) \
	OLD(places_status, places, 0) \
	OLD(places_test, places, 1) \
	OLD(places_cache, places, 2) \
	OLD(config_show, config, 0) \
	OLD(config_check, config, 1) \
	OLD(config_diff, config, 2) \
	OLD(config_reload, config, 3) \
	OLD(log_level, config, 4) \
	OLD(log_tail, config, 5) \
	OLD(events, watch, 0) \
	OLD(stats, watch, 1) \
	OLD(top, watch, 2) \
	OLD(map, watch, 3) \
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
