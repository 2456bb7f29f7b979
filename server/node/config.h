/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The herd file as herdd uses it: read whole, every error shown as
 * FILE:LINE:COL, at start, with --check-config and on reload by the same
 * code; and what of a changed file can apply to a running node.
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

/* Appends "PATH:LINE:COL: error: TEXT" lines. */
HERD_MUST_CHECK enum herd_error config_print(
    struct buf *out, const char *path, const struct diagnostics *diagnostics);

/* What a reload did; names are settings' or "nodes", "links", static. */
#define RELOAD_NAMES_MAX 128u
struct reload {
	const char *applied[RELOAD_NAMES_MAX];
	size_t applied_count;
	const char *restart[RELOAD_NAMES_MAX]; /* take effect at a restart */
	size_t restart_count;
	struct diagnostics diagnostics; /* why it was rejected, or warnings */
};

void reload_init(struct reload *reload);
void reload_release(struct reload *reload);

/*
 * Sorts what differs in the new file into `reload`: from `running` what
 * applies now, from `boot` what still waits for a restart, so that it is said
 * again at each reload. `boot_self` and `self` are this node's indices in
 * boot and in the new file.
 */
void config_compare(struct reload *reload, const struct herdfile *boot,
    size_t boot_self, const struct herdfile *running,
    const struct herdfile *file, size_t self);

/*
 * Reads the herd file again and applies it whole or not at all. *reload, which
 * the caller has initialised, says what became of it. `who` is for the log.
 * HERD_ESYNTAX ...: rejected, nothing changed.
 */
HERD_MUST_CHECK enum herd_error node_reload(
    struct node *node, const char *who, struct reload *reload);

#endif
