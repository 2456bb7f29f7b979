/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the commands for configuration and log share, and those that have a
 * file of their own.
 */
#ifndef HERD_CONFIG_FAMILY_H
#define HERD_CONFIG_FAMILY_H

#include "run/run.h"

/* Reads a herd file's text. Says what fails. */
enum status config_read_text(
    struct run *run, const char *path, struct buf *text);

/* config_diff.c */
extern const struct view config_diff_view;
enum status config_diff_run(struct run *run);

/* log.c */
extern const struct view log_level_view;
extern const struct view log_view;
enum status log_run_level(struct run *run);
enum status log_run_tail(struct run *run);

#endif
