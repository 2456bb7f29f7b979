/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What nodes say of themselves, for a judgement of the herd: /v1/status first,
 * then the other questions to those that answered. Each question has its share
 * of the deadline, so that a silent node leaves time for the rest.
 */
#ifndef HERD_EXAM_H
#define HERD_EXAM_H

#include "cmd/exam_tables.h"
#include "run/ask.h"

/* name, path. The key of the digest only has to be the same for all. */
#define EXAM_PARTS_LIST(X)                                                \
	X(EXAM_STATUS, "/v1/status")                                      \
	X(EXAM_PEERS, "/v1/peers")                                        \
	X(EXAM_DIGEST, "/v1/digest?key=00112233445566778899aabbccddeeff") \
	X(EXAM_CONFIG, "/v1/config")                                      \
	X(EXAM_TOP, "/v1/top")

enum exam_part {
#define EXAM_PART_NAME(name, path) name,
	EXAM_PARTS_LIST(EXAM_PART_NAME)
#undef EXAM_PART_NAME
	    EXAM_PARTS
};

#define EXAM_BIT(part) (1u << (part))
#define EXAM_ALL (EXAM_BIT(EXAM_PARTS) - 1)

/* A link is restless that came up so often in the last so many seconds. */
#define EXAM_RESTLESS_TIMES 3.0
#define EXAM_RESTLESS_S 600.0
#define EXAM_RESTLESS_MAX 16u /* links that are looked at */

struct exam {
	struct run *run;
	unsigned parts; /* EXAM_BIT()s of what was asked */
	struct answers answers[EXAM_PARTS];
	/* With EXAM_PEERS: links with their history that may be restless. */
	struct answers restless;
	struct exam_tables tables;          /* with EXAM_DIGEST */
	struct exam_tables parts_of_tables; /* if those change too fast */
	struct mono deadline;               /* of the run */
};

/*
 * Asks all of the run's targets; EXAM_STATUS is always asked. With `counts` it
 * waits until the nodes have counted their tables, while its share lasts.
 * Not STATUS_OK (interrupted, no herd): said already. To be released anyway.
 */
enum status exam_begin(
    struct run *run, unsigned parts, bool counts, struct exam *out);
void exam_release(struct exam *exam);

/* The answers to EXAM_STATUS, for `-o raw'. */
void exam_raw(const struct exam *exam);

/* What the target said to that question: NULL unless the answer is good. */
const struct cJSON *exam_json(
    const struct exam *exam, enum exam_part part, const struct target *target);

/* Was the question one that the node does not know: an older version? */
bool exam_is_unknown_route(
    const struct exam *exam, enum exam_part part, const struct target *target);

/* Why there is no exam_json(): "no answer in time". */
const char *exam_why_not(
    const struct exam *exam, enum exam_part part, const struct target *target);

/* Appends the names of targets without a good answer; returns their number. */
size_t exam_list_silent(
    const struct exam *exam, enum exam_part part, struct buf *list);

/* Is the target's table that of most nodes? */
enum table_verdict exam_table(
    const struct exam *exam, const struct target *target);

#endif
