/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A report as a file has it: who, where, when, and for an exact import what
 * the node that took it added. The format's reader fills the texts in; then
 * import_record_settle() brings them into the protocol's form, so that all
 * formats are judged alike.
 */
#ifndef HERD_CLIENT_IMPORT_RECORD_H
#define HERD_CLIENT_IMPORT_RECORD_H

#include <stdbool.h>

#include "herd/buf.h"

/* Fields of a record, and the titles that csv files and JSON have for them. */
enum import_field {
	FIELD_CLIENT,
	FIELD_CLIENT_B64, /* bytes that are not UTF-8, in base64 */
	FIELD_LOCATION,
	FIELD_LAT,
	FIELD_LON,
	FIELD_TIME,
	FIELD_ORIGIN,
	FIELD_SKEW,
	FIELD_COUNT
};

struct import_record {
	unsigned long line;   /* of the file, where it begins; from 1 */
	unsigned long number; /* from 1 */
	struct span raw;      /* its bytes; "" if it was too long to keep */
	struct buf fields[FIELD_COUNT];
	struct buf scratch;
	bool removed;      /* a removal: it has no location */
	const char *fault; /* why it cannot be reported; NULL: it can */
};

/* What records lack, or have to be. */
struct import_options {
	struct span client; /* of all records; "" = as the file says */
	struct span time;   /* of records without one; "" = they are wrong */
	bool exact;         /* with origin and skew; removals too */
	size_t record_max;  /* bytes; 0: IMPORT_RECORD_MAX */
};

/* A longer record is passed over: memory is bounded whatever the file is. */
#define IMPORT_RECORD_MAX ((size_t)1 << 20)

/*
 * A request's longest line, which is the node's default. A longer one would
 * end the connection.
 */
#define IMPORT_LINE_MAX 65536u

void import_record_init(struct import_record *record);
void import_record_release(struct import_record *record);

/* Forgets the content, keeps the memory. */
void import_record_clear(struct import_record *record);

/* The field's text; "" if there is none. */
struct span import_record_text(
    const struct import_record *record, enum import_field field);

/* Appends to a field. */
void import_record_put(
    struct import_record *record, enum import_field field, struct span text);

/* A number as programs write it, "1e-5" and ".5" too; not "nan", not "0x1". */
bool import_record_number(struct span text, double *out);

/*
 * Sets `fault', or brings client, location and time into the protocol's form:
 * the location of location or of lat and lon, the time of epoch seconds or ISO
 * 8601. A record that has a fault already keeps it.
 */
void import_record_settle(
    struct import_record *record, const struct import_options *options);

/*
 * Appends the request "IAMAT client location time", or for an exact import the
 * line "AT origin ..." or "GONE origin ...". Only of a record without fault.
 */
void import_record_request(const struct import_record *record,
    const struct import_options *options, struct buf *out);

#endif
