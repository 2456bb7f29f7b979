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
#include <stdint.h>

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

/* Records of another shape have other fields, numbered from 0 too. */
#define IMPORT_FIELDS_MAX 20u

struct json_item;
struct import_options;
struct import_record;

/* What the records of a file are: reports, or places. */
struct import_shape {
	/* The field of a csv column; IMPORT_FIELDS_MAX: of none. */
	unsigned (*field_of)(
	    const struct import_options *options, struct span title);
	/*
	 * What a csv header lacks, NULL: nothing. `fields' has bit f where it
	 * has field f.
	 */
	const char *(*missing)(
	    const struct import_options *options, uint32_t fields);
	/* Fills the record out of an object of GeoJSON's list, or its fault. */
	const char *(*read_object)(
	    const struct json_item *object, struct import_record *record);
	/* The list's name beside "features"; NULL: none. */
	const char *list;
	/* Judges the record, and brings its texts into form. */
	void (*settle)(
	    struct import_record *record, const struct import_options *options);
};

extern const struct import_shape import_reports;

struct import_record {
	unsigned long line;   /* of the file, where it begins; from 1 */
	unsigned long number; /* from 1 */
	struct span raw;      /* its bytes; "" if it was too long to keep */
	struct buf fields[IMPORT_FIELDS_MAX];
	struct buf scratch;
	bool removed;      /* a removal: it has no location */
	bool passed_over;  /* nothing that is looked for, and no fault */
	const char *fault; /* why it cannot be reported; NULL: it can */
};

/* What records lack, or have to be. */
struct import_options {
	const struct import_shape *shape; /* NULL: import_reports */
	const char *columns; /* of csv, as `place_shape.h' has them; or NULL */
	struct span client;  /* of all records; "" = as the file says */
	struct span time;    /* of records without one; "" = they are wrong */
	bool exact;          /* with origin and skew; removals too */
	size_t record_max;   /* bytes; 0: IMPORT_RECORD_MAX */
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
    const struct import_record *record, unsigned field);

/* Appends to a field. */
void import_record_put(
    struct import_record *record, unsigned field, struct span text);

/* A number as programs write it, "1e-5" and ".5" too; not "nan", not "0x1". */
bool import_record_number(struct span text, double *out);

/*
 * The settle() of reports: sets `fault', or brings client, location and time
 * into the protocol's form: the location of location or of lat and lon, the
 * time of epoch seconds or ISO 8601. A record that has a fault keeps it.
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
