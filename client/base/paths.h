/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where herdctl's own files are (XDG base directories). Each function gives
 * a text, or NULL when there is no home directory to put it in.
 */
#ifndef HERD_CLIENT_PATHS_H
#define HERD_CLIENT_PATHS_H

#include "herd/buf.h"

#define PATH_SYSTEM_RC "/etc/herd/herdctl.conf"
#define PATH_SYSTEM_HERD "/etc/herd/herd.yaml"

char *path_user_rc(void);       /* ~/.config/herdctl/rc */
char *path_user_herd(void);     /* ~/.config/herd/herd.yaml */
char *path_contexts(void);      /* ~/.config/herdctl/contexts */
char *path_history(void);       /* ~/.local/state/herdctl/history */
char *path_context_state(void); /* ~/.local/state/herdctl/context */

/* Makes the directories in front of the last `/`, mode 0700. -1: errno. */
int path_make_parents(const char *path);

/*
 * Replaces the file by `text`, mode 0600, whole or not at all. -1: errno.
 */
int path_write(const char *path, const char *text);

#endif
