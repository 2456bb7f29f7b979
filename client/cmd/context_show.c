/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/context_rows.h"

static enum status
context_show_run(struct run *run)
{
	const char *name = run_word(run, 0);
	enum status status;

	if (name == NULL)
		name = run->context;
	if (name == NULL)
		return run_fail(run, STATUS_NEGATIVE, "no context is in use");
	status = context_rows_find(run, name);
	if (status == STATUS_OK)
		status = run_begin(run, &context_rows_record);
	if (status == STATUS_OK)
		status = context_rows_add(run, name);
	if (status == STATUS_OK)
		out_end(&run->out);
	return status;
}

const struct command cmd_context_show = {
	.path = "context show",
	.summary = "show a context (else the one in use)",
	.group = GROUP_TOOL,
	.args =
	    ARGS(ARG("NAME", .complete = COMPLETE_CONTEXT, .optional = true)),
	.view = &context_rows_record,
	.traits = COMMAND_READ,
	.run = context_show_run,
	.example = "context show lab",
};
