/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a format of import_reader.h is made of: it finds where a record ends in
 * the stream, and takes a whole record apart.
 */
#ifndef HERD_CLIENT_IMPORT_FORMATS_H
#define HERD_CLIENT_IMPORT_FORMATS_H

#include "input/import_reader.h"

struct import_format {
	const char *name;
	const char *unit; /* of a record; NULL: a line */
	size_t state_size;
	/* Goes on from `scanned'; sets `begin', `scanned', `open'. */
	enum import_scan (*scan)(struct import_reader *reader);
	/*
	 * Fills the record or sets its fault. False: these bytes are none (a
	 * blank line, a header), or `fatal' is set.
	 */
	bool (*parse)(struct import_reader *reader, struct span raw,
	    struct import_record *record);
	void (*release)(void *state); /* or NULL */
	/* Each may be NULL: nothing, the raw bytes as a line, nothing. */
	void (*reject_head)(const void *state, struct buf *out);
	void (*reject)(const void *state, const struct import_record *record,
	    struct buf *out);
	const char *reject_tail;
};

extern const struct import_format import_csv;
extern const struct import_format import_gpx;
extern const struct import_format import_geojson;
extern const struct import_format import_jsonl;
/* Places only, and never guessed: its files have no header. */
extern const struct import_format import_herd;

#endif
