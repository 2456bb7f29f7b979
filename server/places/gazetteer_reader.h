/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One thread's handle on the gazetteer. */
#ifndef HERD_PLACES_GAZETTEER_READER_H
#define HERD_PLACES_GAZETTEER_READER_H

#include "places/answer.h"
#include "places/gazetteer.h"
#include "places/places.h"

struct gazetteer_reader;

/* Holds the gazetteer. HERD_ESYSTEM: the file cannot be opened any more. */
HERD_MUST_CHECK enum herd_error gazetteer_reader_open(
    struct gazetteer *gazetteer, struct gazetteer_reader **out);
void gazetteer_reader_close(struct gazetteer_reader *reader);

/*
 * Appends the whole answer. HERD_ESYSTEM: the file could not be read, `error`
 * (not NULL; static or valid until the next call) says why, and `answer` is
 * as it was; HERD_ELIMIT, HERD_ENOMEM likewise.
 */
HERD_MUST_CHECK enum herd_error gazetteer_reader_ask(
    struct gazetteer_reader *reader, const struct places_question *question,
    struct buf *answer, struct answer_facts *facts, const char **error);

#endif
