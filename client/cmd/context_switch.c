/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/context_switch.h"

#include <errno.h>
#include <string.h>

#include "cmd/context_rows.h"
#include "conf/contexts.h"
#include "repl/repl.h"

enum status
context_switch(struct run *run, const char *name)
{
	struct app *app = run->app;
	bool session = app->repl != NULL || run->place != NULL;
	bool saves = !session || run_flag(run, "save") != NULL;
	bool leaves = strcmp(name, "none") == 0;
	struct prefs before;
	enum status status = leaves ? STATUS_OK : context_rows_find(run, name);

	/* A read-only context may be left. */
	if (status == STATUS_OK && saves &&
	    !run->prefs.values[PREF_READ_ONLY].from_context)
		status = run_may_change(run);
	if (status != STATUS_OK)
		return status;
	if (saves) {
		if (contexts_use(leaves ? NULL : name) != 0)
			return run_fail(run, STATUS_LOCAL,
			    "cannot write the context in use: %s",
			    strerror(errno));
	}
	if (!session)
		return STATUS_OK;
	if (app->repl != NULL)
		repl_note_context(app->repl);
	prefs_copy(&before, &app->base);
	/* The node of the old context means nothing in the new one. */
	prefs_unset(&app->base, PREF_NODE);
	status = prefs_set(&app->base, PREF_CONTEXT, name, ORIGIN_SESSION,
	    "context use", &run->message);
	if (status == STATUS_OK)
		status = app_apply(app, &run->message);
	if (status != STATUS_OK) {
		prefs_release(&app->base);
		app->base = before;
		return run_fail_message(run, status);
	}
	prefs_release(&before);
	return STATUS_OK;
}

enum status
context_switch_run(struct run *run)
{
	const char *name = run_word(run, 0);

	return context_switch(run, name == NULL ? "none" : name);
}
