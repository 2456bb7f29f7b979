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
	X(status) \
	X(node_ls) \
	X(node_show) \
	X(node_drain) \
	X(node_undrain) \
	X(node_stop) \
	X(peer_ls) \
	X(peer_show) \
	X(peer_enable) \
	X(peer_disable) \
	X(peer_reconnect) \
	X(peer_graph) \
	OLD(client_ls, table, 0) \
	OLD(client_show, table, 1) \
	OLD(client_near, table, 2) \
	OLD(client_count, table, 3) \
	OLD(client_refused, table, 4) \
	OLD(client_forget, table, 5) \
	OLD(client_export, table, 6) \
	OLD(client_import, table, 7) \
	X(herd_status) \
	X(herd_wait) \
	X(herd_diff) \
	X(herd_check) \
	X(check) \
	OLD(places_status, places, 0) \
	OLD(places_test, places, 1) \
	OLD(places_cache, places, 2) \
	X(config_show) \
	X(config_check) \
	X(config_diff) \
	X(config_reload) \
	X(log_level) \
	X(log_tail) \
	OLD(events, watch, 0) \
	OLD(stats, watch, 1) \
	OLD(top, watch, 2) \
	OLD(map, watch, 3) \
	X(context_ls) \
	X(context_show) \
	X(context_add) \
	X(context_rm) \
	X(context_use) \
	X(context_none) \
	X(context_previous) \
	X(set) \
	X(help) \
	X(version) \
	X(completion) \
	X(exit) \
	X(quit) \
	X(complete)
/* clang-format on */

#define COMMAND_DECLARE(name) extern const struct command cmd_##name;
#define OLD(name, family, i)
COMMAND_LIST(COMMAND_DECLARE)
#undef OLD
#undef COMMAND_DECLARE

#endif
