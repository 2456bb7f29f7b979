/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/prefs_rows.h"

/* clang-format off */
#define SET_COLUMNS(X) \
	X(SET_NAME, "setting", "SETTING", VALUE_TEXT, .traits = COLUMN_NAME) \
	X(SET_VALUE, "value", "VALUE", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(SET_ORIGIN, "origin", "ORIGIN", VALUE_TEXT) \
	X(SET_WHERE, "where", "WHERE", VALUE_TEXT, .traits = COLUMN_SHRINK, .drop = 3) \
	X(SET_HELP, "help", "MEANING", VALUE_TEXT, .traits = COLUMN_SHRINK, .drop = 1)
/* clang-format on */

COLUMN_TABLE(columns, SET_COLUMNS);

const struct view prefs_rows_view =
    VIEW(columns, .schema = "herdctl.settings/1", .list = "settings");

enum status
prefs_rows_run(struct run *run)
{
	enum status status = run_begin(run, &prefs_rows_view);

	for (size_t i = 0; i < PREF_COUNT && status == STATUS_OK; i++) {
		const struct pref *pref = &pref_table()[i];
		const struct pref_value *value = &run->prefs.values[i];

		out_word(&run->out, SET_NAME, pref->name);
		out_word(&run->out, SET_VALUE, value->text);
		out_word(&run->out, SET_ORIGIN,
		    value->from_context ? "context"
					: pref_origin_word(value->origin));
		out_word(&run->out, SET_WHERE, value->where);
		out_word(&run->out, SET_HELP, pref->help);
		out_row(&run->out);
	}
	if (status == STATUS_OK)
		out_end(&run->out);
	return status;
}
