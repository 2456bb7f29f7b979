/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/context_rows.h"
#include "conf/contexts.h"

static enum status
context_ls_run(struct run *run)
{
	char **names = contexts_list();
	enum status worst = STATUS_OK;
	enum status status = run_begin(run, &context_rows_view);

	for (char **name = names; *name != NULL && status == STATUS_OK; name++)
		worst = exit_status_worst(worst, context_rows_add(run, *name));
	if (status == STATUS_OK)
		out_end(&run->out);
	if (status == STATUS_OK && names[0] == NULL)
		run_hint(run, "`context add NAME -c FILE` makes one");
	contexts_free(names);
	return status != STATUS_OK ? status : worst;
}

const struct command cmd_context_ls = {
	.path = "context ls",
	.summary = "list the contexts",
	.group = GROUP_TOOL,
	.view = &context_rows_view,
	.traits = COMMAND_READ,
	.run = context_ls_run,
	.example = "context ls",
};
