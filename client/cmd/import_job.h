/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An import under way: what its parts share. client_import.c reads the file,
 * one of two senders brings the reports to the node, import_faults.h names
 * those that were not taken.
 */
#ifndef HERD_CLIENT_IMPORT_JOB_H
#define HERD_CLIENT_IMPORT_JOB_H

#include "cmd/import_faults.h"
#include "input/import_reader.h"
#include "input/import_source.h"
#include "run/run.h"

struct import_counts {
	int64_t read;
	int64_t taken; /* the node has answered that it has them */
	int64_t stale; /* of them: the node had a newer one (exact only) */
	int64_t refused;
	int64_t bad; /* malformed */
};

struct import_job;

/* How reports reach the node. */
struct import_sender {
	void (*begin)(struct import_job *job);
	/* Takes a record without fault; there is room. */
	void (*add)(struct import_job *job, const struct import_record *record);
	/* Sends what was added, though more could go with it. */
	void (*push)(struct import_job *job);
	/* Is no more to be added before has_room()? */
	bool (*is_full)(const struct import_job *job);
	bool (*has_room)(const struct import_job *job);
	size_t (*pending)(const struct import_job *job);
	void (*end)(struct import_job *job);
};

/* IAMAT over the client protocol; POST /v1/clients for exact ones. */
extern const struct import_sender import_send;
extern const struct import_sender import_put;

struct import_job {
	struct run *run;
	const char *path;            /* for messages */
	const struct target *target; /* NULL: dry run */
	const struct import_sender *sender;
	void *state; /* the sender's */
	struct import_options options;
	struct import_source source;
	struct import_reader reader;
	struct import_record record;
	struct import_counts counts;
	struct import_faults faults;
	bool closed; /* the node is gone or not to be had */
	enum status why;
	char *message;
};

/* The node is gone; the first reason stays. */
void import_job_close(
    struct import_job *job, enum status why, const char *message);

/*
 * The text of the record that was given last for the file of rejects, if there
 * is one. Appends to `out'.
 */
void import_job_put_reject(const struct import_job *job, struct buf *out);

#endif
