/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the commands about herdctl itself share, and those that have a file
 * of their own.
 */
#ifndef HERD_CLIENT_TOOL_H
#define HERD_CLIENT_TOOL_H

#include "run/run.h"

/* The tool's settings with their origins: `set', `config show --origin'. */
extern const struct view tool_settings_view;
enum status tool_show_settings(struct run *run);

/* cmd_context.c */
extern const struct view context_view;
extern const struct view context_record;
extern const struct argument context_optional[];
extern const struct argument context_required[];
extern const struct flag context_add_flags[];
extern const struct flag context_use_flags[];
enum status context_run_ls(struct run *run);
enum status context_run_show(struct run *run);
enum status context_run_add(struct run *run);
enum status context_run_rm(struct run *run);
enum status context_run_use(struct run *run);
enum status context_run_none(struct run *run);
enum status context_run_previous(struct run *run);

#endif
