/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Contexts: named sets of settings (which herd, which node, read-only ...),
 * one file each, and which one is in use. The name `none` means none.
 */
#ifndef HERD_CLIENT_CONTEXTS_H
#define HERD_CLIENT_CONTEXTS_H

#include "conf/prefs.h"

#define CONTEXT_NAME_MAX 64u

/* Letters, digits, '.', '_' and '-', not first a dot. */
bool context_name_is_valid(const char *name);

/* Gives the path of a context's file; NULL without a home directory. */
char *context_path(const char *name);

/* Names in order. Gives an array ended by NULL; free with contexts_free. */
char **contexts_list(void);
void contexts_free(char **names);

/*
 * The one in use or NULL; the one before it, "none", or NULL if there never
 * was one. Gives both.
 */
void contexts_read_state(char **current, char **previous);

/* -1: errno. `name` NULL: none is in use. */
int contexts_use(const char *name);

/*
 * Takes the values of the context that the settings name (--context,
 * environment, rc file, or the one in use) into `prefs`, which has none of a
 * context yet. *name gets the context's name or NULL (gives).
 */
enum status contexts_apply(
    struct prefs *prefs, char **name, struct buf *message);

#endif
