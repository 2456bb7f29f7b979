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

/* Appends "PATH:LINE:COL: error: TEXT" lines. */
HERD_MUST_CHECK enum herd_error config_print(
    struct buf *out, const char *path, const struct diagnostics *diagnostics);

#endif
