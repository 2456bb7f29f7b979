/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of a node's store, or a backup of it, looked at here: it is only
 * read, and trusted no further than that.
 */
#ifndef HERD_CLIENT_STORE_FILE_H
#define HERD_CLIENT_STORE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/exit_status.h"
#include "herd/buf.h"

struct store_file {
	int64_t format; /* 0: it says none */
	uint64_t bytes;
	uint64_t rows; /* removals among them */
	uint64_t removals;
	uint64_t damaged; /* rows that are not as they were put */
	struct buf fault; /* what else is wrong, "" if nothing is */
	bool is_whole;    /* no row is damaged, and nothing else is wrong */
};

/*
 * Reads it: header, structure, every row. STATUS_OK: it could be looked at,
 * whatever it is; release *out. STATUS_LOCAL: `message` says why not.
 */
enum status store_file_read(
    const char *path, struct store_file *out, struct buf *message);
void store_file_release(struct store_file *file);

#define STORE_FILE_HEAD 100u /* bytes */

/*
 * The size that a file of SQLite says of itself in its first bytes; 0: it is
 * none, or does not say.
 */
uint64_t store_file_size(const unsigned char head[STORE_FILE_HEAD]);

#endif
