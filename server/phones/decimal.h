/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A number of JSON or of a query as plain decimal digits, exactly: no digit is
 * lost and none is made up, because no floating point is involved. Android
 * writes 5.0E-4 near the equator and Greenwich.
 */
#ifndef HERD_DECIMAL_H
#define HERD_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

#include "herd/span.h"

/* Characters of a result; a longer number is none. */
#define DECIMAL_MAX 64u

/*
 * Writes the number times 10^shift as [-]digits[.digits], unterminated;
 * returns its length. 0: it is no number, or longer than DECIMAL_MAX.
 */
size_t decimal_write(struct span number, int shift, char out[DECIMAL_MAX]);

#endif
