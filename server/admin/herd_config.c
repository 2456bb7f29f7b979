/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The running configuration: /v1/config. */
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "node/reload.h"

#define VALUE_MAX 8192u

static void
add_value(struct json *json, cJSON *row, const char *key,
    const struct setting *setting, const struct settings *settings)
{
	struct buf value;

	buf_init(&value, VALUE_MAX);
	if (setting_get(settings, setting, &value) != HERD_OK)
		json->failed = true;
	json_span(json, row, key,
	    setting->secret ? span_from("(secret)") : buf_span(&value));
	buf_release(&value);
}

/* The values that are in use, and those that wait for a restart. */
static void
add_settings(struct json *json, const struct node *node)
{
	cJSON *list = json_array(json, json->root, "settings");
	struct settings defaults;
	const struct setting *table;
	size_t count;

	if (settings_init(&defaults) != HERD_OK) {
		json->failed = true;
		return;
	}
	table = settings_table(&count);
	for (size_t i = 0; i < count; i++) {
		const struct settings *file = &node->file.settings;
		const struct settings *runs =
		    table[i].reloadable ? file : &node->boot.settings;
		bool same = setting_equal(&table[i], runs, &defaults);
		cJSON *row = json_object(json, list, NULL);

		json_string(json, row, "name", table[i].name);
		add_value(json, row, "value", &table[i], runs);
		if (!setting_equal(&table[i], runs, file))
			add_value(json, row, "at_restart", &table[i], file);
		json_string(json, row, "default", table[i].initial);
		json_string(json, row, "origin", same ? "default" : "file");
		json_bool(json, row, "reloadable", table[i].reloadable);
		json_string(json, row, "help", table[i].help);
	}
	settings_release(&defaults);
}

static void
add_herd(struct json *json, const struct herdfile *file)
{
	cJSON *list = json_array(json, json->root, "nodes");

	for (size_t i = 0; i < file->node_count; i++) {
		const struct herdfile_node *node = &file->nodes[i];
		cJSON *row = json_object(json, list, NULL);

		json_string(json, row, "node", node->name);
		row_address(json, row, "clients", &node->clients);
		row_address(json, row, "peers", &node->peers);
		row_address(json, row, "admin", &node->admin);
	}
	list = json_array(json, json->root, "links");
	for (size_t i = 0; i < file->link_count; i++) {
		const struct herdfile_link *link = &file->links[i];
		cJSON *row = json_object(json, list, NULL);

		json_string(json, row, "a", file->nodes[link->a].name);
		json_string(json, row, "b", file->nodes[link->b].name);
		json_string(json, row, "dial",
		    file->nodes[link->b_dials ? link->b : link->a].name);
	}
}

/* The file as it is on the disk now, if it can be read. */
static void
add_text(struct json *json, const char *path)
{
	struct buf text;

	buf_init(&text, HERDFILE_BYTES_MAX);
	if (file_read(path, HERDFILE_BYTES_MAX, &text) == HERD_OK)
		json_span(json, json->root, "text", buf_span(&text));
	else
		json_null(json, json->root, "text");
	buf_release(&text);
}

static void
serve_config(struct http_call *call)
{
	const struct node *node = call->node;
	struct json json;
	bool text;

	if (query_flag(&call->query, "text", &text) != HERD_OK) {
		http_call_fail(call, ADMIN_BAD_REQUEST, "text=1 or text=0",
		    "text is not a truth value");
		return;
	}
	json_init(&json);
	json_string(&json, json.root, "schema", "herd.config/1");
	json_string(&json, json.root, "path", node->file_path);
	if (text)
		add_text(&json, node->file_path);
	json_string(&json, json.root, "herd", node->herd);
	add_settings(&json, node);
	add_herd(&json, &node->file);
	http_call_json(call, &json);
}

const struct route route_config = {
	.method = ROUTE_GET,
	.path = "/v1/config",
	.access = ROUTE_READ,
	.params = "text",
	.serve = serve_config,
	.help = "the running configuration",
};

/* --- reload ----------------------------------------------------------- */

static void
add_names(
    struct json *json, const char *key, const char *const *names, size_t count)
{
	cJSON *list = json_array(json, json->root, key);

	for (size_t i = 0; i < count; i++)
		json_string(json, list, NULL, names[i]);
}

/* Errors, or warnings. */
static void
add_diagnostics(struct json *json, const char *key,
    const struct diagnostics *diagnostics, enum diagnostic_severity severity)
{
	cJSON *list = json_array(json, json->root, key);

	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];
		cJSON *row;

		if (item->severity != severity)
			continue;
		row = json_object(json, list, NULL);
		json_count(json, row, "line", item->line);
		json_count(json, row, "column", item->column);
		json_string(json, row, "text", item->text);
	}
}

static void
answer_rejected(struct http_call *call, const struct reload *reload)
{
	struct json json;
	cJSON *object;

	json_init(&json);
	object = json_object(&json, json.root, "error");
	json_string(
	    &json, object, "code", http_call_error_word(ADMIN_INVALID_CONFIG));
	json_string(&json, object, "message",
	    "the herd file has errors; the running configuration stays");
	json_string(&json, object, "hint", "fix the file and reload again");
	add_diagnostics(
	    &json, "diagnostics", &reload->diagnostics, DIAGNOSTIC_ERROR);
	http_call_json_status(
	    call, http_call_error_status(ADMIN_INVALID_CONFIG), &json);
}

static void
answer_applied(struct http_call *call, const struct reload *reload)
{
	struct json json;

	json_init(&json);
	add_names(&json, "applied", reload->applied, reload->applied_count);
	add_names(&json, "restart", reload->restart, reload->restart_count);
	add_names(&json, "rejected", NULL, 0);
	add_diagnostics(
	    &json, "warnings", &reload->diagnostics, DIAGNOSTIC_WARNING);
	http_call_json(call, &json);
}

static void
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

const struct route route_config_reload = {
	.method = ROUTE_POST,
	.path = "/v1/config/reload",
	.access = ROUTE_WRITE,
	.verb = "reload",
	.serve = serve_config_reload,
	.help = "read the herd file again",
};
