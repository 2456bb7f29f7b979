/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one list of commands, in the order of help. Each is a constant
 * cmd_NAME in a file of its own: NAME.c, or NAME_command.c when another room
 * has a file of that name. NAME is the command's path with `_' for ` ' and
 * `-'. A new command needs its file, a row here and one in the Makefile.
 */
#ifndef HERD_COMMAND_LIST_H
#define HERD_COMMAND_LIST_H

#include "line/command.h"

/* clang-format off */
#define COMMAND_LIST(X) \
	X(iamat) \
	X(whatsat) \
	X(raw) \
	X(ping) \
	X(trace) \
	X(bench) \
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
	X(conn_ls) \
	X(client_ls) \
	X(client_show) \
	X(client_near) \
	X(client_count) \
	X(client_refused) \
	X(client_top) \
	X(client_track) \
	X(client_forget) \
	X(client_erase) \
	X(client_export) \
	X(client_import) \
	X(store_status) \
	X(store_backup) \
	X(store_check) \
	X(store_restore) \
	X(store_retry) \
	X(herd_status) \
	X(herd_wait) \
	X(wait_client) \
	X(wait_link) \
	X(herd_diff) \
	X(herd_check) \
	X(doctor) \
	X(check) \
	X(places_status) \
	X(places_test) \
	X(places_cache) \
	X(places_import) \
	X(places_reload) \
	X(config_show) \
	X(config_check) \
	X(config_diff) \
	X(config_reload) \
	X(init) \
	X(cert_new) \
	X(key_new) \
	X(key_drop) \
	X(token_new) \
	X(token_drop) \
	X(user_ls) \
	X(user_add) \
	X(user_rm) \
	X(phone_url) \
	X(log_level) \
	X(log_tail) \
	X(events) \
	X(stats) \
	X(top) \
	X(map) \
	X(context_ls) \
	X(context_show) \
	X(context_add) \
	X(context_rm) \
	X(context_use) \
	X(context_none) \
	X(context_previous) \
	X(set) \
	X(alias) \
	X(unalias) \
	X(help) \
	X(version) \
	X(completion) \
	X(exit) \
	X(quit) \
	X(complete)
/* clang-format on */

#define COMMAND_DECLARE(name) extern const struct command cmd_##name;
COMMAND_LIST(COMMAND_DECLARE)
#undef COMMAND_DECLARE

#endif
