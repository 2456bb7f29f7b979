/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The completion scripts. They know nothing of the commands: each asks
 * `herdctl __complete' at every Tab, so they never go out of date.
 */
#ifndef HERD_CLIENT_SHELLS_H
#define HERD_CLIENT_SHELLS_H

/* "bash", "zsh" or "fish"; NULL for another. */
const char *shells_script(const char *shell);

#endif
