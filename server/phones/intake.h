/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a phone's request says, whatever its format: fixes, each with the
 * location and time of a report, and the id that the app claims. The formats'
 * readers fill it; they do no I/O.
 */
#ifndef HERD_INTAKE_H
#define HERD_INTAKE_H

#include "herd/json_members.h"
#include "herd/time.h"
#include "phones/decimal.h"

/* Fixes of one request; a batch of Overland has 200. */
#define INTAKE_FIXES_MAX 4096u
#define INTAKE_CLAIM_MAX 128u
/* A query's longest value that is read. */
#define INTAKE_VALUE_MAX 256u

/* Why something that a request has is no fix: id, word of metrics and log. */
#define INTAKE_FAULTS(X)                                                      \
	X(INTAKE_FORMAT, "format")       /* not what the app writes */        \
	X(INTAKE_LOCATION, "location")   /* none, or not on Earth */          \
	X(INTAKE_TIME, "time")           /* none, or not from 1970 to 2514 */ \
	X(INTAKE_ENCRYPTED, "encrypted") /* OwnTracks' payload key */         \
	X(INTAKE_NUMBER, "number")       /* more fixes than INTAKE_FIXES_MAX */

enum intake_fault {
#define HERD_INTAKE_FAULT_ID(id, word) id,
	INTAKE_FAULTS(HERD_INTAKE_FAULT_ID)
#undef HERD_INTAKE_FAULT_ID
};

#define HERD_INTAKE_FAULT_ONE(id, word) +1
enum { INTAKE_FAULT_COUNT = INTAKE_FAULTS(HERD_INTAKE_FAULT_ONE) };
#undef HERD_INTAKE_FAULT_ONE

struct fix {
	char location[2 * (DECIMAL_MAX + 1)]; /* as IAMAT has it */
	char time[HERD_TIME_TEXT_MAX];
	uint8_t location_len;
	uint8_t time_len;
	uint64_t time_ns;
};

struct intake {
	struct wall now;   /* the time of a fix that needs none */
	struct fix *fixes; /* in the request's order */
	size_t count;
	size_t room;
	struct fix one; /* the room of the first */
	/* How many of what the request has were no fixes, by reason. */
	unsigned faults[INTAKE_FAULT_COUNT];
	bool out_of_memory;
	char claim[INTAKE_CLAIM_MAX]; /* a device's name, or its key */
	size_t claim_len;             /* 0: it claims none */
};

/* A fix as the format has it; an empty span is nothing. */
struct fix_source {
	struct span lat;
	struct span lon;
	struct span time;
	bool or_now; /* without a time, it is now */
};

void intake_init(struct intake *intake, struct wall now);
void intake_release(struct intake *intake);

/*
 * Adds a fix, or counts why it is none. Coordinates are decimal numbers. A time
 * is a number of seconds, or of milliseconds if it is that large, or ISO 8601,
 * in UTC if it has no zone.
 */
void intake_add(struct intake *intake, const struct fix_source *source);
void intake_fault(struct intake *intake, enum intake_fault fault);

/* The request claims that id; the first one counts. */
void intake_claim(struct intake *intake, struct span id);
/* The same for a member of JSON. */
void intake_claim_json(struct intake *intake, const struct json_item *id);

/* A number or text of JSON as it is written; empty: it is neither. */
struct span intake_value(const struct json_item *item);

/* The body's one value; false: it is no JSON. A byte order mark is passed. */
bool intake_json(struct span body, struct json_item *out);

/* "location" */
const char *intake_fault_word(enum intake_fault fault);

#endif
