/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A script: a file or a pipe with a command line to each line. It stops at
 * the first error unless told to go on; errors say FILE:LINE.
 */
#ifndef HERD_CLIENT_SCRIPT_H
#define HERD_CLIENT_SCRIPT_H

#include "run/app.h"

/*
 * `path` NULL or "-" is stdin. The first status that is not OK, or with
 * `keep_going` the worst of all.
 */
enum status script_run(struct app *app, const char *path, bool keep_going);

#endif
