/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The running configuration: /v1/config. */

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "net/peering.h"
#include "node/reload.h"

#define VALUE_MAX 8192u

static void
add_value(struct json *json, const char *key, const struct setting *setting,
    const struct settings *settings)
{
	struct buf value;

	buf_init(&value, VALUE_MAX);
	row_text(json, key, &value,
	    setting->secret ? buf_add_text(&value, "(secret)")
			    : setting_get(settings, setting, &value));
}

/* The values that are in use, and those that wait for a restart. */
static void
add_settings(struct json *json, const struct node *node)
{
	struct settings defaults;
	const struct setting *table;
	size_t count;

	if (settings_init(&defaults) != HERD_OK) {
		json_fail(json, HERD_ENOMEM);
		return;
	}
	table = settings_table(&count);
	json_array(json, "settings");
	for (size_t i = 0; i < count; i++) {
		const struct settings *file = &node->file.settings;
		const struct settings *runs =
		    table[i].reloadable ? file : &node->boot.settings;
		bool same = setting_equal(&table[i], runs, &defaults);

		json_object(json, NULL);
		json_word(json, "name", table[i].name);
		add_value(json, "value", &table[i], runs);
		if (!setting_equal(&table[i], runs, file))
			add_value(json, "at_restart", &table[i], file);
		json_word(json, "default", table[i].initial);
		json_word(json, "origin", same ? "default" : "file");
		json_bool(json, "reloadable", table[i].reloadable);
		json_word(json, "help", table[i].help);
		json_object_end(json);
	}
	json_array_end(json);
	settings_release(&defaults);
}

static void
add_ring(struct json *json, const char *setting, const struct keyring *ring)
{
	if (ring->count == 0)
		return;
	json_object(json, NULL);
	json_word(json, "name", setting);
	json_array(json, "fingerprints");
	for (unsigned i = 0; i < ring->count; i++)
		json_word(json, NULL, ring->keys[i].fingerprint);
	json_array_end(json);
	json_object_end(json);
}

/* What names the keys of the key files that are in use, never a key. */
static void
add_keys(struct json *json, const struct http_call *call)
{
	json_array(json, "keys");
	add_ring(json, "key_file", peering_keys(call->node->peering));
	add_ring(json, TOKEN_SETTING, &call->admin->tokens.write);
	add_ring(json, READ_TOKEN_SETTING, &call->admin->tokens.read);
	json_array_end(json);
}

static void
add_herd(struct json *json, const struct herdfile *file)
{
	json_array(json, "nodes");
	for (size_t i = 0; i < file->node_count; i++) {
		const struct herdfile_node *node = &file->nodes[i];

		json_object(json, NULL);
		json_word(json, "node", node->name);
		row_address(json, "clients", &node->clients);
		row_address(json, "peers", &node->peers);
		row_addresses(json, "admin", &node->admin);
		row_address(json, "http", &node->http);
		json_object_end(json);
	}
	json_array_end(json);
	json_array(json, "links");
	for (size_t i = 0; i < file->link_count; i++) {
		const struct herdfile_link *link = &file->links[i];

		json_object(json, NULL);
		json_word(json, "a", file->nodes[link->a].name);
		json_word(json, "b", file->nodes[link->b].name);
		json_word(json, "dial",
		    file->nodes[link->b_dials ? link->b : link->a].name);
		json_object_end(json);
	}
	json_array_end(json);
}

/* The file as it is on the disk now, if it can be read. */
static void
add_text(struct json *json, const char *path)
{
	struct buf text;

	buf_init(&text, HERDFILE_BYTES_MAX);
	if (file_read(path, HERDFILE_BYTES_MAX, &text) == HERD_OK)
		json_text(json, "text", buf_span(&text));
	else
		json_null(json, "text");
	buf_release(&text);
}

void
serve_config(struct http_call *call)
{
	const struct node *node = call->node;
	struct json *json = http_call_answer(call);
	bool text;

	if (query_flag(&call->query, "text", &text) != HERD_OK) {
		http_call_fail(call, ADMIN_BAD_REQUEST, "text=1 or text=0",
		    "text is not a truth value");
		return;
	}
	json_word(json, "schema", "herd.config/1");
	json_word(json, "path", node->file_path);
	if (text)
		add_text(json, node->file_path);
	json_word(json, "herd", node->herd);
	add_settings(json, node);
	add_keys(json, call);
	add_herd(json, &node->file);
	http_call_json(call);
}

/* --- reload ----------------------------------------------------------- */

static void
add_names(
    struct json *json, const char *key, const char *const *names, size_t count)
{
	json_array(json, key);
	for (size_t i = 0; i < count; i++)
		json_word(json, NULL, names[i]);
	json_array_end(json);
}

/* Errors, or warnings. */
static void
add_diagnostics(struct json *json, const char *key,
    const struct diagnostics *diagnostics, enum diagnostic_severity severity)
{
	json_array(json, key);
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];

		if (item->severity != severity)
			continue;
		json_object(json, NULL);
		json_count(json, "line", item->line);
		json_count(json, "column", item->column);
		json_word(json, "text", item->text);
		json_object_end(json);
	}
	json_array_end(json);
}

static void
answer_rejected(struct http_call *call, const struct reload *reload)
{
	struct json *json = http_call_error(call, ADMIN_INVALID_CONFIG,
	    "fix the file and reload again",
	    span_from(
		"the herd file has errors; the running configuration stays"));

	add_diagnostics(
	    json, "diagnostics", &reload->diagnostics, DIAGNOSTIC_ERROR);
	http_call_json(call);
}

static void
answer_applied(struct http_call *call, const struct reload *reload)
{
	struct json *json = http_call_answer(call);

	add_names(json, "applied", reload->applied, reload->applied_count);
	add_names(json, "restart", reload->restart, reload->restart_count);
	add_names(json, "rejected", NULL, 0);
	add_diagnostics(
	    json, "warnings", &reload->diagnostics, DIAGNOSTIC_WARNING);
	http_call_json(call);
}

void
serve_config_reload(struct http_call *call)
{
	struct reload reload;
	enum herd_error error;

	reload_init(&reload);
	error = node_reload(call->node, call->who, &reload);
	http_call_log(call, error == HERD_OK ? "applied" : "rejected");
	if (error == HERD_OK)
		answer_applied(call, &reload);
	else if (error == HERD_ENOMEM)
		http_call_out_of_memory(call);
	else
		answer_rejected(call, &reload);
	reload_release(&reload);
}
