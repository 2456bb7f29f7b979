/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line of /v1/clients?stream into a row, read once and without a tree,
 * because a table may have millions of them.
 */
#ifndef HERD_CLIENT_LINE_H
#define HERD_CLIENT_LINE_H

#include "out/out.h"

/*
 * Sets the columns of client_view that the line has; values of another type
 * stay unknown. False: it is no JSON object with a client; nothing is set.
 */
bool client_line_fill(struct out *out, struct span line);

#endif
