/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A street and a house number in the order that the country writes them. */
#ifndef HERD_STREET_H
#define HERD_STREET_H

#include "herd/buf.h"

/*
 * Appends "Street 12" or "12 Street"; nothing when there is no street.
 * `country` is its code, two letters, or empty.
 */
HERD_MUST_CHECK enum herd_error street_format(struct buf *out,
    struct span country, struct span street, struct span number);

#endif
