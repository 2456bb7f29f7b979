/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A report: what a client said, with the node that heard it; or a removal, by
 * which an operator made the herd forget a client. The texts are kept byte for
 * byte. Two reports are ordered by content alone, so that every node of the
 * herd keeps the same one.
 */
#ifndef HERD_REPORT_H
#define HERD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

enum report_kind {
	REPORT_POSITION = 0,
	REPORT_REMOVAL = 1, /* beats a position of the same time */
};

/* Borrows all texts. A removal's location and skew are empty. */
struct report {
	struct span client;
	struct span location;
	struct span time;
	struct span skew;
	struct span origin;
	uint64_t time_ns; /* value of `time` */
	enum report_kind kind;
};

/*
 * Field limits, the same on every node: a relay checks them.
 * The client id is bounded by the line.
 */
#define REPORT_CLIENT_MAX 65535u
#define REPORT_ORIGIN_MAX 64u
#define REPORT_SKEW_MAX 24u

/*
 * <0, 0, >0: time in ns, then kind, then the bytes of origin, location, skew
 * and time text. A strict total order over the reports of one client.
 * Source: herd-protocol(7), "Order".
 */
int report_compare(const struct report *a, const struct report *b);

/*
 * The order over the whole table, which eviction uses: as above with the
 * client id last (time, kind, origin, location, skew, time text, client).
 */
int report_compare_all(const struct report *a, const struct report *b);

/*
 * Reads "AT origin skew client location time" or "GONE origin client time",
 * one space between fields, no LF. Checks every field's syntax and range.
 * The report borrows `line`. HERD_ESYNTAX, HERD_ERANGE, HERD_ELIMIT.
 */
HERD_MUST_CHECK enum herd_error report_parse(
    struct span line, struct report *out);

/* Appends the line that report_parse reads, without LF. */
HERD_MUST_CHECK enum herd_error report_format(
    struct buf *out, const struct report *report);

/*
 * A copy that outlives what the report borrows: report_take_texts moves all
 * its texts into `text`, which has room for report_texts_len bytes.
 */
size_t report_texts_len(const struct report *report);
void report_take_texts(struct report *report, char *text);

/* Bytes of the line that report_format writes. */
size_t report_line_len(const struct report *report);

/*
 * When the origin got it: time + skew, ns since 1970; never below 0. A
 * removal: its time.
 */
uint64_t report_received_ns(const struct report *report);

/* A node's name: 1 to 64 of letters, digits, '.', '_' and '-'. */
bool node_name_is_valid(struct span name);

/* A client id: 1 to REPORT_CLIENT_MAX bytes, no white space, no NUL. */
bool client_id_is_valid(struct span id);

#endif
