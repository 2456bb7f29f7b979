/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The herd file as herdd reads it: whole, with every error as FILE:LINE:COL.
 * The start, --check-config and a reload use the same code.
 */
#ifndef HERD_CONFIG_H
#define HERD_CONFIG_H

#include "herd/herdfile.h"
#include "node/node.h"

/*
 * Reads and checks `path` for node `name` ("" = no particular node). *file
 * and *self are given on success. Errors and warnings are in *diagnostics,
 * which the caller has initialised; a file that can't be read is one error
 * at line 0.
 */
HERD_MUST_CHECK enum herd_error config_load(const char *path, const char *name,
    struct herdfile *file, size_t *self, struct diagnostics *diagnostics);

/* Adds an error of the file as a whole. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error config_note(
    struct diagnostics *diagnostics, const char *text);

/*
 * Appends "PATH:LINE:COL: error: TEXT" lines, with log_priority() before each
 * if they are for the journal.
 */
HERD_MUST_CHECK enum herd_error config_print(struct buf *out, const char *path,
    const struct diagnostics *diagnostics, bool to_journal);

/* The herd file on disk, compared by its text with what the node runs with. */
enum config_on_disk { CONFIG_SAME, CONFIG_CHANGED, CONFIG_UNREADABLE };

/* Reads the file. Main thread only. */
enum config_on_disk config_on_disk(const struct node *node);

#endif
