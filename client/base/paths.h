/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Places of herdctl's own files (XDG base directories). Each function gives
 * a text, or NULL when there is no home directory to put it in.
 */
#ifndef HERD_CLIENT_PATHS_H
#define HERD_CLIENT_PATHS_H

#include "herd/buf.h"

#define PATH_SYSTEM_RC "/etc/herd/herdctl.conf"
#define PATH_SYSTEM_HERD "/etc/herd/herd.yaml"

char *path_config(const char *name); /* ~/.config/NAME */
char *path_state(const char *name);  /* ~/.local/state/NAME */

#define PATH_USER_RC "herdctl/rc"
#define PATH_USER_HERD "herd/herd.yaml"
#define PATH_CONTEXTS "herdctl/contexts"
#define PATH_CONTEXT_STATE "herdctl/context"
#define PATH_HISTORY "herdctl/history"

/* Makes the directories before the last `/`, mode 0700. -1: errno. */
int path_make_parents(const char *path);

/*
 * Replaces the file by `text`, mode 0600, whole or not at all. -1: errno.
 */
int path_write(const char *path, const char *text);

#endif
