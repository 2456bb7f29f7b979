/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which costs less: to go down the tree of hashes and send what differs, or
 * to send all below the root's children that differ? Both sides must decide
 * alike, or one would wait for DIGESTs that never come. So the decision uses
 * only the two DIGESTs of the root, and whole numbers.
 * Source: herd-protocol(7), SHORT CUT.
 */
#ifndef HERD_SHORT_CUT_H
#define HERD_SHORT_CUT_H

#include "core/digest.h"

/* Does sending all cost less? The order of the roots does not matter. */
bool short_cut_pays(const struct digest_node *a, const struct digest_node *b);

#endif
