/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/context_rows.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/contexts.h"

/* clang-format off */
#define CONTEXT_COLUMNS(X) \
	X(CONTEXT_NAME, "context", "CONTEXT", VALUE_TEXT, .traits = COLUMN_NAME) \
	X(CONTEXT_USED, "used", "USED", VALUE_BOOL) \
	X(CONTEXT_CONF, "conf", "CONF", VALUE_TEXT, .traits = COLUMN_SHRINK, .drop = 1) \
	X(CONTEXT_SERVER, "server", "SERVER", VALUE_TEXT, .traits = COLUMN_SHRINK, .drop = 1) \
	X(CONTEXT_NODE, "node", "NODE", VALUE_TEXT, .drop = 2) \
	X(CONTEXT_OUTPUT, "output", "OUTPUT", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(CONTEXT_READ_ONLY, "read_only", "READ ONLY", VALUE_BOOL, .drop = 3) \
	X(CONTEXT_PROTECTED, "protected", "PROTECTED", VALUE_BOOL, .drop = 3) \
	X(CONTEXT_TIMEOUT, "timeout", "TIMEOUT", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(CONTEXT_COLOR, "color", "COLOR", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(CONTEXT_TOKEN, "token_file", "TOKEN FILE", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(CONTEXT_CA, "ca_file", "CA FILE", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(CONTEXT_CERT, "cert_file", "CERT FILE", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(CONTEXT_KEY, "key_file", "KEY FILE", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(CONTEXT_INSECURE, "insecure", "INSECURE", VALUE_BOOL, .traits = COLUMN_WIDE) \
	X(CONTEXT_FILE, "file", "FILE", VALUE_TEXT, .traits = COLUMN_WIDE)
/* clang-format on */

COLUMN_TABLE(columns, CONTEXT_COLUMNS);

const struct view context_rows_view =
    VIEW(columns, .schema = "herdctl.contexts/1", .list = "contexts");

const struct view context_rows_record = VIEW(columns,
    .schema = "herdctl.contexts/1", .list = "contexts", .shape = VIEW_RECORD);

/* Which column shows which setting of a context. */
static const struct {
	size_t column;
	enum pref_id id;
} shown[] = {
	{ .column = CONTEXT_CONF, .id = PREF_CONF },
	{ .column = CONTEXT_SERVER, .id = PREF_SERVER },
	{ .column = CONTEXT_NODE, .id = PREF_NODE },
	{ .column = CONTEXT_OUTPUT, .id = PREF_OUTPUT },
	{ .column = CONTEXT_READ_ONLY, .id = PREF_READ_ONLY },
	{ .column = CONTEXT_PROTECTED, .id = PREF_PROTECTED },
	{ .column = CONTEXT_TIMEOUT, .id = PREF_TIMEOUT },
	{ .column = CONTEXT_COLOR, .id = PREF_COLOR },
	{ .column = CONTEXT_TOKEN, .id = PREF_TOKEN_FILE },
	{ .column = CONTEXT_CA, .id = PREF_CA_FILE },
	{ .column = CONTEXT_CERT, .id = PREF_CERT_FILE },
	{ .column = CONTEXT_KEY, .id = PREF_KEY_FILE },
	{ .column = CONTEXT_INSECURE, .id = PREF_INSECURE },
};

enum status
context_rows_add(struct run *run, const char *name)
{
	struct prefs prefs;
	char *path = context_path(name);
	enum status status;

	prefs_init(&prefs);
	status =
	    prefs_read_file(&prefs, path, ORIGIN_USER, NULL, &run->message);
	if (status != STATUS_OK)
		run_fail_message(run, status);
	out_word(&run->out, CONTEXT_NAME, name);
	out_bool(&run->out, CONTEXT_USED,
	    run->context != NULL && strcmp(run->context, name) == 0);
	out_word(&run->out, CONTEXT_FILE, path);
	for (size_t i = 0; i < HERD_ARRAY_LEN(shown); i++) {
		const struct pref_value *value = &prefs.values[shown[i].id];

		if (columns[shown[i].column].type == VALUE_BOOL)
			out_bool(&run->out, shown[i].column,
			    prefs_is(&prefs, shown[i].id));
		else if (value->from_context)
			out_word(&run->out, shown[i].column, value->text);
	}
	out_row(&run->out);
	prefs_release(&prefs);
	free(path);
	return status;
}

enum status
context_rows_find(struct run *run, const char *name)
{
	char *path = context_name_is_valid(name) ? context_path(name) : NULL;
	bool found = path != NULL && access(path, F_OK) == 0;

	free(path);
	if (found)
		return STATUS_OK;
	return run_fail(
	    run, STATUS_NEGATIVE, "no context `%s' (see `context ls')", name);
}
