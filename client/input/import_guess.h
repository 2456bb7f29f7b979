/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which format the beginning of a file is of. */
#ifndef HERD_CLIENT_IMPORT_GUESS_H
#define HERD_CLIENT_IMPORT_GUESS_H

#include <stdbool.h>

#include "herd/span.h"

enum import_guess {
	GUESS_MORE, /* more bytes would tell */
	GUESS_CSV,
	GUESS_GPX,
	GUESS_GEOJSON,
	GUESS_JSONL,
	GUESS_UTF16,
	GUESS_NONE,
};

/* `ended': there are no more bytes. */
enum import_guess import_guess(struct span head, bool ended);

/* Do the bytes begin as gzip's do (RFC 1952)? */
bool import_guess_gzip(struct span head);

#endif
