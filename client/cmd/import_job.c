/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/import_job.h"

#include "base/xbuf.h"

void
import_job_close(struct import_job *job, enum status why, const char *message)
{
	if (job->closed)
		return;
	job->closed = true;
	job->why = why;
	job->message = xstrdup(message);
}

void
import_job_put_reject(const struct import_job *job, struct buf *out)
{
	if (job->faults.rejects != NULL)
		import_reader_reject(&job->reader, &job->record, out);
}
