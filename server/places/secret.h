/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A provider's API key: where it is read from and how it is kept out of what
 * people read. It is never an argument, a log line, a status or an answer.
 */
#ifndef HERD_PLACES_SECRET_H
#define HERD_PLACES_SECRET_H

#include "herd/buf.h"

#define SECRET_LEN_MAX 512u

/* What stands in its place. */
#define SECRET_MASK "[key]"

struct secret {
	char text[SECRET_LEN_MAX + 1];
	size_t len; /* 0 = none */
};

/*
 * Reads the key that `setting` names; keyfile.h has the rules. HERD_ESYSTEM
 * ...: `message` says what is wrong, not the text.
 */
HERD_MUST_CHECK enum herd_error secret_load(const char *setting,
    const char *node, const char *base_dir, struct secret *out,
    struct buf *message);

/* Overwrites it. */
void secret_wipe(struct secret *secret);

bool secret_is_in(const struct secret *secret, struct span text);

/* Appends `text` with each occurrence of the key replaced. */
HERD_MUST_CHECK enum herd_error secret_mask(
    const struct secret *secret, struct span text, struct buf *out);

#endif
