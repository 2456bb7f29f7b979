/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports out of a file, whatever its format: bytes in, records out, in memory
 * that is bounded. The format is what the content shows it to be. The bytes
 * are a stranger's; what is wrong with one record does not end the file.
 */
#ifndef HERD_CLIENT_IMPORT_READER_H
#define HERD_CLIENT_IMPORT_READER_H

#include "input/import_record.h"

struct import_format;

struct import_reader {
	const struct import_options *options;
	const struct import_shape *shape;
	const struct import_format *format; /* NULL: not known yet */
	void *state;                        /* the format's */
	struct buf in;
	size_t begin;   /* in `in': the record that is being looked for */
	size_t scanned; /* bytes of `in' that are known to hold no end of it */
	size_t done;    /* bytes of the record that was given last */
	bool ended;     /* no more bytes will come */
	bool finished;  /* the last record was given */
	bool open;      /* the file must not end here */
	bool too_long;  /* the record's beginning is dropped already */
	size_t record_max;
	unsigned long lines; /* LFs before `in' */
	unsigned long long_line;
	unsigned long count;
	const char *scan_fault; /* of the record that was cut off */
	const char *fatal;      /* why the whole file cannot be read */
};

enum import_result {
	IMPORT_RECORD, /* *record is the next one; look at its fault */
	IMPORT_MORE,   /* feed more, or end */
	IMPORT_END,
	IMPORT_FATAL, /* reader->fatal says why */
};

/* Borrows `options'. */
void import_reader_init(
    struct import_reader *reader, const struct import_options *options);
void import_reader_release(struct import_reader *reader);

/* The format by its name, where the content does not tell. False: no such. */
bool import_reader_use(struct import_reader *reader, const char *name);

/* "csv gpx geojson jsonl" */
const char *import_reader_formats(void);

/* Copies bytes of the file in. */
void import_reader_feed(struct import_reader *reader, struct span bytes);
void import_reader_end(struct import_reader *reader);

/*
 * The next record; its texts are valid until the next call or feed. A record
 * that is wrong is given too, so that it can be named.
 */
enum import_result import_reader_next(
    struct import_reader *reader, struct import_record *record);

/* What a format finds in the stream. */
enum import_scan {
	SCAN_RECORD, /* it is in[begin .. scanned) */
	SCAN_MORE,   /* what is before `begin' is not needed any more */
};

/* For formats: scans to the next LF, which belongs to the record. */
enum import_scan import_reader_scan_line(struct import_reader *reader);

/* For formats: the line without its end, and without a mark at the file's. */
struct span import_reader_line(
    const struct import_record *record, struct span raw);

/* "feature", "point": what the format's records are; NULL: lines. */
const char *import_reader_unit(const struct import_reader *reader);

/*
 * Appends what a file of rejected records begins with, the record that was
 * given last, and what ends the file, so that it can be imported again.
 */
void import_reader_reject_head(
    const struct import_reader *reader, struct buf *out);
void import_reader_reject(const struct import_reader *reader,
    const struct import_record *record, struct buf *out);
void import_reader_reject_tail(
    const struct import_reader *reader, struct buf *out);

#endif
