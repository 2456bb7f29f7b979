/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The process's signals. SIGTERM, SIGINT and SIGHUP are held back from the
 * first line of main() on: those that come during the start are handled when
 * the loop runs, those that come during the stop never. A broken pipe
 * (SIGPIPE) or the file-size limit (SIGXFSZ) is an error of the write.
 */
#ifndef HERD_SIGNALS_H
#define HERD_SIGNALS_H

#include <stdbool.h>

/* Ignores what must not end the process and holds the others back. */
void signals_hold(void);

/* Lets through what signals_hold() held back: the loop's handlers are set. */
void signals_release(void);

/*
 * The name of a signal that is held back and asks the node to stop, or NULL;
 * for long work at the start. Any thread.
 */
const char *signals_stop_wanted(void);

#endif
