/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts a byte stream into lines, however the bytes arrive: read straight
 * into framer_space(), then ask framer_next() until it has no more. Each byte
 * is looked at once. Clients and links use the same framer.
 */
#ifndef HERD_FRAMER_H
#define HERD_FRAMER_H

#include "herd/buf.h"

/* Most bytes that may be pending beyond one line: reading must stop there. */
#define FRAMER_AHEAD_MAX (4u << 20)
#define FRAMER_MOVE_MAX 4096u

struct framer {
	struct buf in;
	size_t scanned;  /* bytes of content known to hold no LF */
	size_t max_line; /* longest line, LF not counted */
};

/* Lines of at most `max_line` bytes. */
void framer_init(struct framer *framer, size_t max_line);
void framer_release(struct framer *framer);

/*
 * Room to read into: at least `want` bytes at *data, *room of them. The
 * lines that framer_next() gave are invalid from here on. HERD_ENOMEM;
 * HERD_ELIMIT beyond FRAMER_AHEAD_MAX.
 */
HERD_MUST_CHECK enum herd_error framer_space(
    struct framer *framer, size_t want, char **data, size_t *room);

/* From now on lines of up to `max_line` bytes; not less than before. */
void framer_widen(struct framer *framer, size_t max_line);

/*
 * An idle framer has no memory; one that is being read into borrows *spare,
 * so that many connections share one large buffer. Borrow before
 * framer_space(), give back after the lines were handled: what is pending
 * then moves to memory of its own size. More than FRAMER_MOVE_MAX pending
 * bytes are not moved for each read: that framer reads into its own memory.
 * HERD_ENOMEM.
 */
void framer_borrow(struct framer *framer, struct buf *spare);
HERD_MUST_CHECK enum herd_error framer_give_back(
    struct framer *framer, struct buf *spare);

/* `len` bytes were read into framer_space(). */
void framer_filled(struct framer *framer, size_t len);

/* Copies `data` in: framer_space, memcpy, framer_filled. */
HERD_MUST_CHECK enum herd_error framer_feed(
    struct framer *framer, struct span data);

/*
 * The next line without its LF, valid until framer_space() or _feed().
 * HERD_EAGAIN: no complete line yet. HERD_ELIMIT: the pending line is longer
 * than max_line; *line is its first max_line + 1 bytes, which stay pending.
 */
HERD_MUST_CHECK enum herd_error framer_next(
    struct framer *framer, struct span *line);

/* What is pending without LF, taken out: the last line of a stream. */
struct span framer_last(struct framer *framer);

/* Bytes pending, complete lines or not. */
size_t framer_pending(const struct framer *framer);

#endif
