/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The embedded provider: 240,000 real places in a read-only SQLite file. A
 * tree over all of them lies in memory once for all readers; each reader has
 * a handle of its own for the places' texts. Readers share no lock.
 */
#ifndef HERD_PLACES_GAZETTEER_H
#define HERD_PLACES_GAZETTEER_H

#include "places/answer.h"
#include "places/places.h"

struct gazetteer;        /* what all readers share; constant once open */
struct gazetteer_reader; /* one thread's handle */

/*
 * Appends the path of the data file: `setting` (a path as the herd file has
 * it; %n, relative to `base_dir`) when it is not empty, else the first that
 * exists of gazetteer.sqlite beside the executable, in the folder above it
 * (the build tree), and in the installation's share folder. HERD_ENOTFOUND:
 * `message` says where it was looked for.
 */
HERD_MUST_CHECK enum herd_error gazetteer_locate(const char *setting,
    const char *node, const char *base_dir, struct buf *path,
    struct buf *message);

/*
 * Checks that `path` is a whole data file of this version. HERD_ESYSTEM (it
 * cannot be read), HERD_ESYNTAX (it is something else, old or damaged):
 * `message` says what is wrong and what to do.
 */
HERD_MUST_CHECK enum herd_error gazetteer_open(
    const char *path, struct buf *message, struct gazetteer **out);
void gazetteer_close(struct gazetteer *gazetteer);

/* How many places; where the file lies; both as long as it is open. */
uint64_t gazetteer_rows(const struct gazetteer *gazetteer);
const char *gazetteer_path(const struct gazetteer *gazetteer);
/* SHA-256 of the table that the file was made from, in hex. */
const char *gazetteer_source(const struct gazetteer *gazetteer);

/* HERD_ESYSTEM: the file cannot be opened any more. */
HERD_MUST_CHECK enum herd_error gazetteer_reader_open(
    const struct gazetteer *gazetteer, struct gazetteer_reader **out);
void gazetteer_reader_close(struct gazetteer_reader *reader);

/*
 * Appends the whole answer. HERD_ESYSTEM: the file could not be read, `error`
 * (not NULL; static or valid until the next call) says why, and `answer` is
 * as it was; HERD_ELIMIT, HERD_ENOMEM likewise.
 */
HERD_MUST_CHECK enum herd_error gazetteer_ask(struct gazetteer_reader *reader,
    const struct places_question *question, struct buf *answer,
    struct answer_facts *facts, const char **error);

#endif
