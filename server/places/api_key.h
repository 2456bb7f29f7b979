/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A provider's API key: where it is read from and how it is kept out of what
 * people read. It is never an argument, a log line, a status or an answer.
 */
#ifndef HERD_PLACES_API_KEY_H
#define HERD_PLACES_API_KEY_H

#include "herd/buf.h"

#define API_KEY_LEN_MAX 512u

/* Shown in its place. */
#define API_KEY_MASK "[key]"

struct api_key {
	char text[API_KEY_LEN_MAX + 1];
	size_t len; /* 0 = none */
};

/*
 * Reads the key that `setting` names; keyfile.h has the rules. HERD_ESYSTEM
 * ...: `message` says what is wrong, not the text.
 */
HERD_MUST_CHECK enum herd_error api_key_load(const char *setting,
    const char *node, const char *base_dir, struct api_key *out,
    struct buf *message);

bool api_key_is_in(const struct api_key *key, struct span text);

/* Appends `text` with each occurrence of the key replaced. */
HERD_MUST_CHECK enum herd_error api_key_mask(
    const struct api_key *key, struct span text, struct buf *out);

#endif
