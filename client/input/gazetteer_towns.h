/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The places of a gazetteer's file, to go into another one. */
#ifndef HERD_CLIENT_GAZETTEER_TOWNS_H
#define HERD_CLIENT_GAZETTEER_TOWNS_H

#include "input/gazetteer_maker.h"

/*
 * Appends the path of the gazetteer that is installed with this program:
 * beside it, in the folder above (the build tree), or in ../share/herd. False:
 * there is none.
 */
bool gazetteer_towns_locate(struct buf *out);

/*
 * Adds the places of the file to `maker', of two with one id the first, and
 * its notice to `notice'. *count is how many were added. False: `why'.
 */
bool gazetteer_towns_add(struct gazetteer_maker *maker, const char *path,
    struct buf *notice, uint64_t *count, struct buf *why);

#endif
