/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the herd file again, and the files that it names, and applies them to
 * the running node, whole or not at all. Nodes, links, the settings of rows
 * with ON_RELOAD and certificates apply at once; struct reload names what needs
 * a restart. Main thread only.
 */
#ifndef HERD_NODE_RELOAD_H
#define HERD_NODE_RELOAD_H

#include "node/node.h"

/* The result of a reload; names are settings' or "nodes", "links", static. */
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
 * Reads the herd file again and applies it, and opens the traffic log again,
 * whatever the file is. *reload, which the caller has
 * initialised, gets the result. `who` is for the log. HERD_ESYNTAX ...:
 * rejected, nothing changed.
 */
HERD_MUST_CHECK enum herd_error node_reload(
    struct node *node, const char *who, struct reload *reload);

/*
 * `apply` is called at each reload, after node->file and the settings were
 * replaced. If it returns HERD_ENOMEM it has changed nothing, and the reload is
 * rejected. A node has one such function: that of its links.
 */
void node_on_reload(
    struct node *node, enum herd_error (*apply)(void *arg), void *arg);

/*
 * Files that settings name, such as keys: each reload reads them again, before
 * it changes anything, so that one that cannot be read rejects the reload.
 * Their paths are those of the start (node->boot).
 */
struct reload_files {
	/*
	 * Reads them without using them yet, and tells reload_applies() what
	 * has changed. Errors: `message` says what is wrong.
	 */
	enum herd_error (*read)(
	    void *arg, struct reload *reload, struct buf *message);
	/* After read(): use what it has read, or forget it. */
	void (*end)(void *arg, bool use);
};

/* At most RELOAD_FILES_MAX in a node. `files` and `arg` are borrowed. */
void node_on_reload_files(
    struct node *node, const struct reload_files *files, void *arg);

/* A part of that name, which is static, has changed and applies now. */
void reload_applies(struct reload *reload, const char *name);

/*
 * `run` is called after each reload that was applied; NULL: no more. A node has
 * one such function: that of its admin listeners.
 */
void node_on_reloaded(struct node *node, void (*run)(void *arg), void *arg);

/*
 * Tells the table the names of that file's nodes; others are strange origins.
 * HERD_ENOMEM changes nothing.
 */
HERD_MUST_CHECK enum herd_error reload_names(
    struct node *node, const struct herdfile *file);

#endif
