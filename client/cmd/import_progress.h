/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far an import is: one line on a terminal, drawn over again. */
#ifndef HERD_CLIENT_IMPORT_PROGRESS_H
#define HERD_CLIENT_IMPORT_PROGRESS_H

#include "cmd/import_job.h"

struct event;

struct import_progress {
	const struct import_job *job;
	struct event *tick;
	struct mono begun;
	struct mono shown_at;
	bool wanted; /* stderr is a terminal and may have it */
	bool shown;
};

/* May stderr have a line that is drawn over again? */
bool import_progress_is_wanted(const struct run *run);

void import_progress_begin(
    struct import_progress *progress, const struct import_job *job);
void import_progress_end(struct import_progress *progress);

/* Draws it if it is time to. */
void import_progress_show(struct import_progress *progress);

/* Takes the line away (a struct import_progress); it comes again. */
void import_progress_hide(void *progress);

/* Appends "1,000 read  998 reported  2 refused  200,000/s  ETA 3s". */
void import_progress_put(struct buf *out, const struct import_counts *counts,
    double seconds, double share);

#endif
