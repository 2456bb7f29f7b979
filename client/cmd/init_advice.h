/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What to type after `init' and `cert new': commands for a shell, that copy
 * the files of a folder to the machines that need them.
 */
#ifndef HERD_INIT_ADVICE_H
#define HERD_INIT_ADVICE_H

#include "cmd/init_plan.h"
#include "herd/herdfile.h"

/* Appends what starts the herd whose files are in `dir`. */
void init_advice_herd(
    const struct init_plan *plan, const char *dir, struct buf *out);

/* Appends what gives this node its new certificate. */
void init_advice_certificate(
    const struct herdfile_node *node, const char *dir, struct buf *out);

#endif
