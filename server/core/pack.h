/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A record's texts in half their size. Location, time and skew hold only
 * digits, '+', '-' and '.', so each character takes four bits; a mark ends
 * each text. Packing loses nothing.
 */
#ifndef HERD_PACK_H
#define HERD_PACK_H

#include "herd/report.h"

/* Bytes that the client id and the packed texts of `report` take. */
size_t pack_size(const struct report *report);

/* Writes pack_size() bytes. The texts hold only the characters above. */
void pack_write(const struct report *report, uint8_t *out);

/* Bytes of scratch that pack_read needs for a blob of that size. */
size_t pack_scratch(size_t blob_len, size_t client_len);

/*
 * The texts of a blob: client borrows `blob`; location, time and skew borrow
 * `scratch`. Leaves the other fields of *report alone.
 */
void pack_read(const uint8_t *blob, size_t blob_len, size_t client_len,
    char *scratch, struct report *report);

#endif
