/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text for a search that minds neither case nor accents: "Cafe" finds "CAFÉ".
 * Latin letters lose their accents; Greek and Cyrillic ones become small.
 * Other characters stay as they are.
 */
#ifndef HERD_TEXT_FOLD_H
#define HERD_TEXT_FOLD_H

#include "herd/buf.h"

/* Appends it; at most twice as long as `text`. */
HERD_MUST_CHECK enum herd_error text_fold(struct buf *out, struct span text);

#endif
