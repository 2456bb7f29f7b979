/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client import: reports out of a file. Each client is reported with its own
 * time and location; node and skew are then the importing node's, but for an
 * exact import. The file is read as its reports are taken, so that its length
 * does not matter.
 */
#include "cmd/list.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/import_job.h"
#include "cmd/import_progress.h"
#include "cmd/typed.h"
#include "herd/time.h"

#define MAX_ERRORS 100u

/* clang-format off */
#define IMPORT_COLUMNS(X) \
	X(IMPORT_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT) \
	X(IMPORT_READ, "read", "READ", VALUE_INTEGER) \
	X(IMPORT_TAKEN, "reported", "REPORTED", VALUE_INTEGER) \
	X(IMPORT_STALE, "stale", "STALE", VALUE_INTEGER, .traits = COLUMN_IF_ANY) \
	X(IMPORT_REFUSED, "refused", "REFUSED", VALUE_INTEGER) \
	X(IMPORT_BAD, "malformed", "MALFORMED", VALUE_INTEGER) \
	X(IMPORT_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE)
/* clang-format on */

COLUMN_TABLE(import_columns, IMPORT_COLUMNS);

static const struct view import_view =
    VIEW(import_columns, .schema = "herd.import/1", .list = "imports");

/* --- waiting -------------------------------------------------------------- */

/* Waits; the deadline is for a node that is silent, not for all of it. */
static enum status
wait_for(struct import_job *job, bool (*done)(const void *arg), const void *arg,
    bool forever)
{
	struct run *run = job->run;
	enum wait_result result;

	do {
		result = loop_wait(app_loop(run->app), done, arg,
		    forever ? NO_DEADLINE : run->deadline);
	} while (result == WAIT_TIMEOUT && run->deadline.ns > now_mono().ns);
	if (result == WAIT_TIMEOUT)
		import_job_close(job, STATUS_TIMEOUT, "no answer in time");
	return result == WAIT_INTERRUPTED ? STATUS_SIGINT : STATUS_OK;
}

static bool
has_room(const void *arg)
{
	const struct import_job *job = arg;

	return job->closed || job->sender->has_room(job);
}

static bool
is_through(const void *arg)
{
	const struct import_job *job = arg;

	return job->closed || job->sender->pending(job) == 0;
}

struct input {
	struct import_job *job;
	bool readable;
	bool awaited; /* answers are, so that there is a deadline */
};

static bool
has_news(const void *arg)
{
	const struct input *input = arg;

	return input->readable || input->job->closed ||
	       (input->awaited && is_through(input->job));
}

static bool
is_readable(int fd)
{
	struct pollfd at = { .fd = fd, .events = POLLIN };

	return poll(&at, 1, 0) != 0;
}

/* Until the file can be read; answers are taken meanwhile. */
static enum status
wait_for_input(struct import_job *job)
{
	struct input input = { .job = job };
	int fd = import_source_fd(&job->source);
	enum status status = STATUS_OK;
	struct event *event;

	if (is_readable(fd) || job->target == NULL)
		return STATUS_OK;
	job->sender->push(job);
	event = event_new(app_loop(job->run->app)->base, fd, EV_READ,
	    loop_set_flag, &input.readable);
	if (event == NULL)
		out_of_memory();
	if (event_add(event, NULL) != 0)
		input.readable = true;
	while (status == STATUS_OK && !input.readable && !job->closed) {
		input.awaited = job->sender->pending(job) > 0;
		status = wait_for(job, has_news, &input, !input.awaited);
		if (!input.readable && is_through(job))
			import_faults_explain(&job->faults, job->target);
	}
	event_free(event);
	return status;
}

/* --- records -------------------------------------------------------------- */

static void
note_fault(struct import_job *job)
{
	const struct import_record *record = &job->record;
	struct import_place at = { record->line, record->number };
	struct buf head = XBUF;
	struct buf reject = XBUF;

	job->counts.bad++;
	import_faults_say(&job->faults, STATUS_LOCAL, at,
	    import_record_text(record, FIELD_CLIENT), record->fault);
	import_reader_reject_head(&job->reader, &head);
	import_job_put_reject(job, &reject);
	import_faults_reject(&job->faults, buf_span(&head), buf_span(&reject));
	buf_release(&head);
	buf_release(&reject);
}

static enum status
take_record(struct import_job *job)
{
	enum status status = STATUS_OK;

	job->counts.read++;
	job->faults.unit = import_reader_unit(&job->reader);
	if (job->record.fault != NULL) {
		note_fault(job);
		return STATUS_OK;
	}
	if (job->target == NULL)
		return STATUS_OK;
	if (import_faults_has_refused(&job->faults))
		import_faults_explain(&job->faults, job->target);
	if (!job->closed && job->sender->is_full(job)) {
		job->sender->push(job);
		status = wait_for(job, has_room, job, false);
	}
	if (!job->closed && status == STATUS_OK &&
	    !import_faults_is_full(&job->faults))
		job->sender->add(job, &job->record);
	return status;
}

/* More bytes for the reader. STATUS_LOCAL: the file failed, said already. */
static enum status
read_more(struct import_job *job, struct buf *bytes)
{
	struct import_source *source = &job->source;
	enum status status = wait_for_input(job);

	if (status != STATUS_OK)
		return status;
	buf_clear(bytes);
	switch (import_source_read(source, bytes)) {
	case SOURCE_BYTES:
		import_reader_feed(&job->reader, buf_span(bytes));
		return STATUS_OK;
	case SOURCE_END: import_reader_end(&job->reader); return STATUS_OK;
	case SOURCE_FAILED:
		return run_fail(job->run, STATUS_LOCAL, "%s: %s", job->path,
		    source->failure);
	}
	return STATUS_OK;
}

static enum status
fail_file(struct import_job *job)
{
	/* What its header lacks an option may give. */
	return run_fail(job->run,
	    job->reader.format == NULL ? STATUS_LOCAL : STATUS_USAGE, "%s: %s",
	    job->path, job->reader.fatal);
}

static enum status
stop_early(struct import_job *job)
{
	return run_fail(job->run,
	    job->counts.bad > 0 ? STATUS_LOCAL : STATUS_REFUSED,
	    "%s:%lu: stopped here after %llu errors (--max-errors)", job->path,
	    job->record.line, (unsigned long long)job->faults.count);
}

/* Reads the file to its end, or as far as it goes. */
static enum status
feed(struct import_job *job, struct import_progress *progress)
{
	struct buf bytes = XBUF;
	enum status status = STATUS_OK;
	bool more = true;

	while (status == STATUS_OK && more && !job->closed) {
		if (import_faults_is_full(&job->faults)) {
			status = stop_early(job);
			break;
		}
		switch (import_reader_next(&job->reader, &job->record)) {
		case IMPORT_RECORD: status = take_record(job); break;
		case IMPORT_MORE:
			import_progress_show(progress);
			status = read_more(job, &bytes);
			break;
		case IMPORT_END: more = false; break;
		case IMPORT_FATAL: status = fail_file(job); break;
		}
	}
	buf_release(&bytes);
	return status;
}

/* What is under way is answered, also after a failure of the file. */
static enum status
settle(struct import_job *job, enum status status)
{
	enum status waited = STATUS_OK;

	if (job->target == NULL || status == STATUS_SIGINT)
		return status;
	if (!job->closed) {
		job->sender->push(job);
		waited = wait_for(job, is_through, job, false);
	}
	import_faults_explain(&job->faults, job->target);
	return status == STATUS_OK ? waited : status;
}

/* --- the command ---------------------------------------------------------- */

static enum status
finish(struct import_job *job, enum status status)
{
	struct run *run = job->run;
	const struct import_counts *counts = &job->counts;
	struct out *out = &run->out;

	if (job->target != NULL)
		out_word(out, IMPORT_NODE, job->target->name);
	out_integer(out, IMPORT_READ, counts->read);
	out_integer(out, IMPORT_TAKEN, counts->taken);
	if (job->options.exact)
		out_integer(out, IMPORT_STALE, counts->stale);
	out_integer(out, IMPORT_REFUSED, counts->refused);
	out_integer(out, IMPORT_BAD, counts->bad);
	if (job->closed)
		out_word(out, IMPORT_ERROR, job->message);
	out_row(out);
	out_end(out);
	/* A dry run has no node that could be gone. */
	if (job->closed && job->target != NULL)
		return run_fail_node(
		    run, job->why, job->target->name, job->message, NULL);
	if (status != STATUS_OK)
		return status;
	if (counts->bad > 0)
		return STATUS_LOCAL;
	return counts->refused > 0 ? STATUS_REFUSED : STATUS_OK;
}

static enum status
import_all(struct import_job *job)
{
	struct import_progress progress;
	struct buf tail = XBUF;
	enum status status, written;

	if (job->target != NULL)
		job->sender->begin(job);
	import_progress_begin(&progress, job);
	job->faults.quiet = import_progress_hide;
	job->faults.arg = &progress;
	status = feed(job, &progress);
	status = settle(job, status);
	import_progress_end(&progress);
	job->faults.quiet = NULL;
	if (job->target != NULL)
		job->sender->end(job);
	import_reader_reject_tail(&job->reader, &tail);
	written = import_faults_end(&job->faults, buf_span(&tail));
	buf_release(&tail);
	status = finish(job, status);
	return status == STATUS_OK ? written : status;
}

/* "now", or a time; appends the protocol's form. */
static enum status
read_time(struct run *run, const char *typed, struct buf *out)
{
	char digits[TIME_FORMAT_MAX];
	uint64_t ns = now_wall().ns;

	if (typed == NULL)
		return STATUS_OK;
	if (strcmp(typed, "now") != 0 &&
	    time_parse(span_from(typed), &ns) != HERD_OK &&
	    time_from_iso(span_from(typed), &ns) != HERD_OK)
		return run_fail(run, STATUS_USAGE,
		    "--time: use now, epoch seconds or ISO 8601, not `%s'",
		    typed);
	put(out, digits, time_format(ns, digits));
	return STATUS_OK;
}

static enum status
read_options(struct import_job *job, struct buf *time)
{
	struct run *run = job->run;
	const char *client = run_flag(run, "client");
	const char *format = run_flag(run, "from");
	enum status status = read_time(run, run_flag(run, "time"), time);

	job->options.time = buf_span(time);
	job->options.exact = run_flag(run, "exact") != NULL;
	job->faults.rejects_path = run_flag(run, "rejects");
	if (status == STATUS_OK && client != NULL)
		status = typed_client(run, client);
	if (client != NULL)
		job->options.client = span_from(client);
	if (status == STATUS_OK)
		status = run_number_flag(run, "max-errors", MAX_ERRORS, 0,
		    UINT64_MAX, &job->faults.max);
	if (status == STATUS_OK && format != NULL &&
	    !import_reader_use(&job->reader, format))
		status = run_fail(run, STATUS_USAGE,
		    "--from: no format `%s'; there are %s", format,
		    import_reader_formats());
	return status;
}

static enum status
import_from(struct import_job *job)
{
	struct run *run = job->run;
	struct buf time = XBUF;
	enum status status = read_options(job, &time);

	if (status == STATUS_OK && run_flag(run, "dry-run") == NULL) {
		status = run_may_change(run);
		if (status == STATUS_OK)
			status = run_one_target(run, &job->target);
	}
	job->sender = job->options.exact ? &import_put : &import_send;
	if (status == STATUS_OK)
		status = import_faults_begin(&job->faults, job->source.input);
	if (status == STATUS_OK)
		status = run_begin(run, &import_view);
	if (status == STATUS_OK)
		status = import_all(job);
	else
		(void)import_faults_end(&job->faults, span_of("", 0));
	buf_release(&time);
	return status;
}

static enum status
client_import_run(struct run *run)
{
	const char *path = run_word(run, 0);
	struct import_job job = { .run = run, .path = path };
	enum status status;

	if (strcmp(path, "-") == 0) {
		/* In a script stdin is the script. */
		if (run->place != NULL || run->app->repl != NULL)
			return run_fail(run, STATUS_USAGE,
			    "stdin is not free here: name a file");
		job.path = "stdin";
	}
	if (import_source_open(&job.source, path) != 0)
		return run_fail(
		    run, STATUS_LOCAL, "%s: %s", path, strerror(errno));
	job.faults.run = run;
	job.faults.path = job.path;
	import_record_init(&job.record);
	import_reader_init(&job.reader, &job.options);
	status = import_from(&job);
	import_reader_release(&job.reader);
	import_record_release(&job.record);
	import_source_close(&job.source);
	free(job.message);
	return status;
}

/* clang-format off */
static const struct flag flags[] = {
	FLAG("from", .value = "FORMAT", .complete = COMPLETE_WORDS, .words = "csv gpx geojson jsonl", .help = "the format, where the content does not tell"),
	FLAG("client", .value = "ID", .complete = COMPLETE_CLIENT, .help = "all reports are this client's"),
	FLAG("time", .value = "TIME", .help = "the time of reports that have none, or `now'"),
	FLAG("exact", .help = "with origin, skew and removals, as `client export --exact' has them"),
	FLAG("rejects", .value = "FILE", .complete = COMPLETE_FILE, .help = "write what is refused or malformed here, to be imported again"),
	FLAG("max-errors", .value = "N", .help = "stop after N refused or malformed reports (100; 0: never)"),
	FLAG("dry-run", .help = "check the whole file and send nothing"),
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_client_import = {
	.path = "client import",
	.summary = "report the clients of a file to a node",
	.help =
	    "FILE is csv, gpx, geojson or jsonl, each also packed by gzip; its "
	    "content tells which. - is stdin. csv has a header with the columns "
	    "client, time, and location or lat and lon. Each client is reported "
	    "with its own time, so nothing newer is overwritten. Each report "
	    "that is not taken is named on stderr.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE)),
	.flags = flags,
	.view = &import_view,
	.traits = COMMAND_BY_LINE,
	.run = client_import_run,
	.example = "client import clients.jsonl --rejects bad.jsonl",
};
