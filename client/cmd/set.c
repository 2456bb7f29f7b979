/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/prefs_rows.h"
#include "herd/text.h"

static enum status
unknown_setting(struct run *run, const char *name)
{
	const char *names[PREF_COUNT + 1];
	const char *near;
	size_t count = 0;

	for (size_t i = 0; i < PREF_COUNT; i++) {
		if ((pref_table()[i].traits & PREF_SETTABLE) != 0)
			names[count++] = pref_table()[i].name;
	}
	names[count] = NULL;
	near = text_did_you_mean(span_from(name), names);
	if (near == NULL)
		return run_fail(run, STATUS_USAGE,
		    "no setting `%s' (`set' lists them)", name);
	return run_fail(run, STATUS_USAGE,
	    "no setting `%s', did you mean `%s'?", name, near);
}

/*
 * `set` may end what `set read-only on` has begun. A flag, a variable, a file
 * or the context makes the whole session read-only.
 */
static bool
may_set_read_only(const struct run *run)
{
	const struct pref_value *value = &run->prefs.values[PREF_READ_ONLY];

	return !prefs_is(&run->prefs, PREF_READ_ONLY) ||
	       value->origin == ORIGIN_SESSION;
}

static enum status
set_run(struct run *run)
{
	struct app *app = run->app;
	const struct pref *pref;
	enum status status;

	if (run->args->count == 0)
		return prefs_rows_run(run);
	pref = pref_find(run_word(run, 0));
	if (pref == NULL || (pref->traits & PREF_SETTABLE) == 0)
		return unknown_setting(run, run_word(run, 0));
	if (pref->id == PREF_READ_ONLY && !may_set_read_only(run))
		return run_may_change(run);
	if (run->args->count == 1) {
		prefs_restore(&app->base, pref->id, &app->begun);
	} else {
		status = prefs_set(&app->base, pref->id, run_word(run, 1),
		    ORIGIN_SESSION, "set", &run->message);
		if (status != STATUS_OK)
			return run_fail_message(run, status);
	}
	status = app_apply(app, &run->message);
	return status == STATUS_OK ? status : run_fail_message(run, status);
}

const struct command cmd_set = {
	.path = "set",
	.summary = "change a setting for this session",
	.help =
	    "Without arguments it lists the settings with their values and "
	    "origins. Without a value it sets a setting back to what it was at the start.",
	.group = GROUP_TOOL,
	.args =
	    ARGS(ARG("SETTING", .complete = COMPLETE_SETTING, .optional = true),
		ARG("VALUE", .complete = COMPLETE_VALUE, .optional = true)),
	.view = &prefs_rows_view,
	.traits = COMMAND_BY_LINE,
	.run = set_run,
	.example = "set output json",
};
