/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers of the client protocol: where one ends in the stream, and what it
 * says. Pure: bytes in, facts out.
 */
#ifndef HERD_CLIENT_REPLY_H
#define HERD_CLIENT_REPLY_H

#include "herd/report.h"

/* AT line of the longest request and the largest Places answer. */
#define REPLY_MAX ((size_t)4 << 20)

enum reply_kind {
	REPLY_LINE,    /* one line */
	REPLY_WHATSAT, /* AT line, JSON, empty line; or one `? ' line */
};

/* The kind of answer that the server gives to that line (without LF). */
enum reply_kind reply_expected(struct span request);

/* State of the search for the end of one answer; zero at its start. */
struct reply_scan {
	size_t looked; /* bytes known not to end it */
	size_t at_len; /* WHATSAT: length of the AT line with its LF */
};

/*
 * Length of the answer at the start of `in`, its last LF included.
 * HERD_EAGAIN: not complete. HERD_EPROTOCOL: this is no answer.
 * HERD_ELIMIT: longer than any answer.
 */
HERD_MUST_CHECK enum herd_error reply_measure(
    struct span in, enum reply_kind kind, struct reply_scan *scan, size_t *len);

/* A whole answer, taken apart; borrows its bytes. */
struct reply {
	bool refused;     /* `? ...' */
	struct span line; /* first line without LF */
	struct report report;
	struct span json; /* WHATSAT: without the closing newlines */
};

/* HERD_EPROTOCOL: it does not follow the protocol. */
HERD_MUST_CHECK enum herd_error reply_parse(
    struct span bytes, enum reply_kind kind, struct reply *out);

#endif
