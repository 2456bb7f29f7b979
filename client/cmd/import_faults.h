/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports of an import that were not taken: each is named on stderr, with where
 * it is, whose it is and why; the file of rejects gets it as it was.
 */
#ifndef HERD_CLIENT_IMPORT_FAULTS_H
#define HERD_CLIENT_IMPORT_FAULTS_H

#include <stdio.h>

#include "run/run.h"

/* Where in the file a record is. */
struct import_place {
	unsigned long line;
	unsigned long number;
};

struct import_refusal {
	struct import_place at;
	struct span client; /* allocated */
	bool ahead;         /* of this machine's clock */
};

struct import_faults {
	struct run *run;
	const char *path; /* of the import */
	const char *unit; /* import_reader_unit() */
	uint64_t max;     /* errors; 0 = no bound */
	uint64_t count;
	const char *rejects_path; /* NULL: no such file */
	FILE *rejects;
	bool begun;                     /* the head is written */
	struct import_refusal *refused; /* without a reason so far */
	size_t refused_count;
	size_t refused_room;
	bool no_reasons;          /* the node does not say them */
	void (*quiet)(void *arg); /* before a line goes out; or NULL */
	void *arg;
};

/* Makes the file of rejects. STATUS_LOCAL, STATUS_USAGE: said already. */
enum status import_faults_begin(struct import_faults *faults, int input);

/* Ends the file of rejects with `tail'. STATUS_LOCAL: said already. */
enum status import_faults_end(struct import_faults *faults, struct span tail);

/* Were there as many as are borne? */
bool import_faults_is_full(const struct import_faults *faults);

/* Names one. `status': STATUS_LOCAL, or STATUS_REFUSED by the node. */
void import_faults_say(struct import_faults *faults, enum status status,
    struct import_place at, struct span client, const char *why);

/*
 * The node has refused it; `ahead': its time is after this machine's. It is
 * named by import_faults_explain(), because the reason has to be asked for.
 */
void import_faults_refuse(struct import_faults *faults, struct import_place at,
    struct span client, bool ahead);

/* Are so many to be named that it is worth to ask for their reasons? */
bool import_faults_has_refused(const struct import_faults *faults);

/* Asks the node for the reasons and names them. Not from a callback. */
void import_faults_explain(
    struct import_faults *faults, const struct target *target);

/* Writes `text' to the file of rejects, the first time after `head'. */
void import_faults_reject(
    struct import_faults *faults, struct span head, struct span text);

#endif
