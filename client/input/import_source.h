/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of a file, of stdin or of a pipe that are imported; what gzip has
 * packed comes unpacked.
 */
#ifndef HERD_CLIENT_IMPORT_SOURCE_H
#define HERD_CLIENT_IMPORT_SOURCE_H

#include "base/child.h"
#include "herd/buf.h"

struct import_source {
	int input;  /* the file */
	bool owned; /* `input' is ours to close */
	bool begun; /* its first bytes were looked at */
	bool filtered;
	struct child_filter gzip; /* when `filtered' */
	off_t size;               /* of a regular file; 0: not known */
	const char *failure;      /* why import_source_read() failed */
};

/* "-" is stdin. -1: errno. */
int import_source_open(struct import_source *source, const char *path);
void import_source_close(struct import_source *source);

/* What to wait for before import_source_read(), so that it does not block. */
int import_source_fd(const struct import_source *source);

enum import_source_result {
	SOURCE_BYTES, /* maybe none yet */
	SOURCE_END,
	SOURCE_FAILED, /* source->failure says why */
};

/* Appends what there is, at most IMPORT_SOURCE_BYTES. */
#define IMPORT_SOURCE_BYTES ((size_t)256 << 10)
enum import_source_result import_source_read(
    struct import_source *source, struct buf *out);

/* The part of the file that was read, 0 to 1; below 0: not known. */
double import_source_share(const struct import_source *source);

#endif
