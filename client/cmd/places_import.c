/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * places import: files of places become a data file of the gazetteer. They
 * are read once, piece by piece; what is wrong with a place does not end it.
 * No node is asked: `places reload' makes nodes take the file.
 */
#include "cmd/list.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xbuf.h"
#include "cmd/import_progress.h"
#include "herd/text.h"
#include "herd/version.h"
#include "input/gazetteer_towns.h"
#include "input/import_reader.h"
#include "input/import_source.h"
#include "input/place_shape.h"

/* 48 bytes each while they are read: 240 MB is all that it takes. */
#define ROWS_MAX 5000000u
#define SAID_MAX 20u /* faults on stderr; the file of rejects has all */
#define SHOW_MS 200u
#define REJECT_SHOWN 200u /* bytes of a rejected record */

/* clang-format off */
#define TOTAL_COLUMNS(X) \
	X(TOTAL_WHAT, "what", "WHAT", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL) \
	X(TOTAL_PLACES, "places", "PLACES", VALUE_INTEGER)
/* clang-format on */

COLUMN_TABLE(total_columns, TOTAL_COLUMNS);

static const struct view total_view =
    VIEW(total_columns, .schema = "herd.places-import/1", .list = "totals");

enum total { READ, WRITTEN, PASSED_OVER, TWICE, REJECTED, TOTALS };

struct places_import {
	struct run *run;
	struct gazetteer_maker maker;
	struct import_options options;
	struct import_record record;
	struct buf notice;
	const char *format; /* of all files, or NULL */
	const char *rejects_path;
	FILE *rejects;
	uint64_t totals[TOTALS];
	bool shows;
	struct mono shown_at;
	/* of the file that is being read */
	const char *path;
	struct import_source source;
	struct import_reader reader;
};

/* --- progress and faults -------------------------------------------------- */

static void
hide_progress(const struct places_import *job)
{
	if (job->shows)
		fputs("\r\x1b[K", stderr);
}

static void
show_progress(struct places_import *job, const char *what)
{
	struct mono now = now_mono();
	double share = import_source_share(&job->source);
	struct buf line = XBUF;

	if (!job->shows ||
	    mono_since(now, job->shown_at) < SHOW_MS * HERD_NS_PER_MS)
		return;
	job->shown_at = now;
	putf(&line, "%s: ", what);
	put_grouped(&line, (int64_t)job->totals[READ]);
	put_text(&line, " read  ");
	put_grouped(&line, (int64_t)job->totals[WRITTEN]);
	put_text(&line, " places");
	if (share > 0)
		putf(&line, "  %.0f%%", 100 * share);
	fprintf(stderr, "\r%s\x1b[K", text_of(&line));
	fflush(stderr);
	buf_release(&line);
}

/* "FILE:LINE: why", and in the file of rejects what the record begins with. */
static void
reject(struct places_import *job, const char *why)
{
	const struct import_record *record = &job->record;
	struct span raw = text_trim(record->raw);
	struct buf text = XBUF;

	job->totals[REJECTED]++;
	if (job->rejects != NULL) {
		if (raw.len > REJECT_SHOWN)
			raw = text_utf8_whole(span_of(raw.data, REJECT_SHOWN));
		putf(&text, "%s:%lu: %s: ", job->path, record->line, why);
		put_clean(&text, raw);
		put_byte(&text, '\n');
		(void)fwrite(buf_span(&text).data, 1, text.len, job->rejects);
		buf_release(&text);
	}
	if (job->totals[REJECTED] > SAID_MAX)
		return;
	hide_progress(job);
	run_fail(job->run, STATUS_LOCAL, "%s:%lu: %s%s", job->path,
	    record->line, why,
	    job->totals[REJECTED] == SAID_MAX
		? "; further ones go to --rejects alone"
		: "");
}

/* --- reading -------------------------------------------------------------- */

static enum status
take_record(struct places_import *job)
{
	const struct import_record *record = &job->record;
	const char *fault = record->fault;
	struct maker_place place;

	job->totals[READ]++;
	if (fault == NULL && record->passed_over) {
		job->totals[PASSED_OVER]++;
		return STATUS_OK;
	}
	if (fault != NULL) {
		reject(job, fault);
		return STATUS_OK;
	}
	place_shape_read(record, &place);
	switch (gazetteer_maker_add(&job->maker, &place, &fault)) {
	case MAKER_TAKEN: job->totals[WRITTEN]++; break;
	case MAKER_DUPLICATE: job->totals[TWICE]++; break;
	case MAKER_REFUSED: reject(job, fault); break;
	case MAKER_FAILED:
		return run_fail(job->run, STATUS_LOCAL, "%s:%lu: %s", job->path,
		    record->line, text_of(&job->maker.why));
	}
	return STATUS_OK;
}

/* Until there are bytes; Ctrl-C is heard also where there always are. */
static enum status
wait_for_input(struct places_import *job)
{
	struct loop *loop = app_loop(job->run->app);
	int fd = import_source_fd(&job->source);
	struct pollfd at = { .fd = fd, .events = POLLIN };
	enum wait_result result =
	    poll(&at, 1, 0) != 0 ? loop_rest(loop, 0)
				 : loop_wait_readable(loop, fd, NO_DEADLINE);

	return result == WAIT_INTERRUPTED ? STATUS_SIGINT : STATUS_OK;
}

static enum status
read_more(struct places_import *job, struct buf *bytes)
{
	enum status status = wait_for_input(job);

	if (status != STATUS_OK)
		return status;
	show_progress(job, job->path);
	buf_clear(bytes);
	switch (import_source_read(&job->source, bytes)) {
	case SOURCE_BYTES:
		import_reader_feed(&job->reader, buf_span(bytes));
		return STATUS_OK;
	case SOURCE_END: import_reader_end(&job->reader); return STATUS_OK;
	case SOURCE_FAILED:
		hide_progress(job);
		return run_fail(job->run, STATUS_LOCAL, "%s: %s", job->path,
		    job->source.failure);
	}
	return STATUS_OK;
}

static enum status
read_records(struct places_import *job)
{
	struct buf bytes = XBUF;
	enum status status = STATUS_OK;
	bool more = true;

	while (status == STATUS_OK && more) {
		switch (import_reader_next(&job->reader, &job->record)) {
		case IMPORT_RECORD: status = take_record(job); break;
		case IMPORT_MORE: status = read_more(job, &bytes); break;
		case IMPORT_END: more = false; break;
		case IMPORT_FATAL:
			hide_progress(job);
			status = run_fail(job->run, STATUS_USAGE, "%s: %s",
			    job->path, job->reader.fatal);
			break;
		}
	}
	buf_release(&bytes);
	return status;
}

/* The reader of a format, by the word that --from has for it. */
static const struct {
	const char *word;
	const char *reader;
} FORMATS[] = {
	{ "geojson", "geojson" },
	{ "json", "geojson" },
	{ "geojsonseq", "geojson" },
	{ "geojsonl", "geojson" },
	{ "ndjson", "geojson" },
	{ "csv", "csv" },
	{ "tsv", "csv" },
	{ "herd", "herd" },
};

static const char *
find_format(const char *word, size_t len)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(FORMATS); i++) {
		if (strlen(FORMATS[i].word) == len &&
		    strncasecmp(FORMATS[i].word, word, len) == 0)
			return FORMATS[i].reader;
	}
	return NULL;
}

/* By the file's extension, before .gz; NULL: its content may tell. */
static const char *
format_of(const char *path)
{
	size_t len = strlen(path);
	size_t dot;

	if (len > 3 && strcmp(path + len - 3, ".gz") == 0)
		len -= 3;
	for (dot = len; dot > 0 && path[dot - 1] != '.'; dot--) {
		if (path[dot - 1] == '/')
			return NULL;
	}
	return dot > 0 ? find_format(path + dot, len - dot) : NULL;
}

static enum status
read_file(struct places_import *job, const char *path)
{
	const char *format =
	    job->format != NULL ? job->format : format_of(path);
	enum status status = STATUS_OK;

	job->path = strcmp(path, "-") == 0 ? "stdin" : path;
	if (import_source_open(&job->source, path) != 0)
		return run_fail(
		    job->run, STATUS_LOCAL, "%s: %s", path, strerror(errno));
	import_reader_init(&job->reader, &job->options);
	if (format != NULL && !import_reader_use(&job->reader, format))
		abort(); /* FORMATS has only readers that exist */
	status = read_records(job);
	import_reader_release(&job->reader);
	import_source_close(&job->source);
	hide_progress(job);
	return status;
}

static enum status
add_towns(struct places_import *job)
{
	struct buf path = XBUF;
	struct buf why = XBUF;
	uint64_t count = 0;
	enum status status = STATUS_OK;

	if (!gazetteer_towns_locate(&path))
		put_text(&why,
		    "--with-towns: the gazetteer that comes with Herd is not "
		    "installed beside this herdctl");
	else if (gazetteer_towns_add(
		     &job->maker, text_of(&path), &job->notice, &count, &why))
		job->totals[WRITTEN] += count;
	if (why.len > 0)
		status = run_fail(job->run, STATUS_LOCAL, "%s", text_of(&why));
	job->totals[READ] += count;
	buf_release(&path);
	buf_release(&why);
	return status;
}

/* --- the answer ----------------------------------------------------------- */

static void
add_total(struct out *out, const char *what, uint64_t places)
{
	out_word(out, TOTAL_WHAT, what);
	out_integer(out, TOTAL_PLACES, (int64_t)places);
	out_row(out);
}

static int
compare_lists(const void *a, const void *b)
{
	const struct maker_list *x = a;
	const struct maker_list *y = b;

	if (x->places != y->places)
		return x->places < y->places ? 1 : -1;
	return strcmp(x->types, y->types);
}

/* The first type of each list, with the lists that have the same one. */
static size_t
sum_types(struct gazetteer_maker *maker, struct maker_list *sums)
{
	size_t count = 0;

	for (unsigned i = 0; i < maker->list_count; i++) {
		char *types = maker->lists[i].types;
		size_t at = 0;

		types[strcspn(types, ",")] = '\0';
		while (at < count && strcmp(sums[at].types, types) != 0)
			at++;
		if (at == count)
			sums[count++] = (struct maker_list){ .types = types };
		sums[at].places += maker->lists[i].places;
	}
	qsort(sums, count, sizeof(*sums), compare_lists);
	return count;
}

/* The file is written: its lists are needed for this alone. */
static enum status
finish(struct places_import *job)
{
	static const char *const names[TOTALS] = { "read", "written",
		"passed over", "twice", "rejected" };
	struct maker_list *sums =
	    xcalloc(job->maker.list_count + 1u, sizeof(*sums));
	size_t count = sum_types(&job->maker, sums);
	struct out *out = &job->run->out;

	for (unsigned i = 0; i < TOTALS; i++)
		add_total(out, names[i], job->totals[i]);
	for (size_t i = 0; i < count; i++) {
		if (sums[i].places > 0)
			add_total(out, sums[i].types, sums[i].places);
	}
	free(sums);
	out_end(out);
	return job->totals[REJECTED] > 0 ? STATUS_LOCAL : STATUS_OK;
}

static enum status
write_file(struct places_import *job)
{
	const char *zone = run_flag(job->run, "time-zone");
	const struct maker_facts facts = {
		.notice = buf_span(&job->notice),
		.made_by = "herdctl " HERD_VERSION,
		.source = span_from(""),
		.zone = span_from(zone != NULL ? zone : ""),
	};

	if (!gazetteer_maker_finish(&job->maker, &facts))
		return run_fail(
		    job->run, STATUS_LOCAL, "%s", text_of(&job->maker.why));
	return STATUS_OK;
}

/* --- the command ---------------------------------------------------------- */

static enum status
import_all(struct places_import *job)
{
	struct run *run = job->run;
	enum status status = STATUS_OK;

	if (run_flag(run, "with-towns") != NULL)
		status = add_towns(job);
	for (size_t i = 0; status == STATUS_OK && run_word(run, i) != NULL; i++)
		status = read_file(job, run_word(run, i));
	if (status == STATUS_OK)
		status = write_file(job);
	if (status == STATUS_OK)
		status = run_begin(run, &total_view);
	return status == STATUS_OK ? finish(job) : status;
}

static enum status
read_options(struct places_import *job)
{
	struct run *run = job->run;
	const char *from = run_flag(run, "from");
	const char *notice = run_flag(run, "notice");
	const char *why = NULL;
	struct buf fault = XBUF;
	enum status status = STATUS_OK;

	job->options.columns = run_flag(run, "columns");
	job->rejects_path = run_flag(run, "rejects");
	if (from != NULL)
		job->format = find_format(from, strlen(from));
	if (run_flag(run, "to") == NULL)
		status = run_fail(run, STATUS_USAGE,
		    "name the file to write with -O, such as -O my.sqlite");
	else if (from != NULL && job->format == NULL)
		status = run_fail(run, STATUS_USAGE,
		    "--from: use geojson, geojsonseq, csv, tsv or herd, not "
		    "`%s'",
		    from);
	else if (job->options.columns != NULL &&
		 !place_shape_columns_are_good(job->options.columns, &why))
		status = run_fail(run, STATUS_USAGE, "--columns: %s", why);
	else if (notice == NULL)
		status = run_fail(run, STATUS_USAGE,
		    "name a file with who is to be named for the data and "
		    "their licence: -n FILE; each answer shows it");
	else if (!gazetteer_maker_notice(notice, &job->notice, &fault))
		status = run_fail(run, STATUS_LOCAL, "%s", text_of(&fault));
	buf_release(&fault);
	return status;
}

static enum status
begin_rejects(struct places_import *job)
{
	if (job->rejects_path == NULL)
		return STATUS_OK;
	job->rejects = fopen(job->rejects_path, "we");
	if (job->rejects == NULL)
		return run_fail(job->run, STATUS_LOCAL, "%s: %s",
		    job->rejects_path, strerror(errno));
	return STATUS_OK;
}

static enum status
end_rejects(struct places_import *job, enum status status)
{
	bool failed;

	if (job->rejects == NULL)
		return status;
	failed = ferror(job->rejects) != 0;
	failed = fclose(job->rejects) != 0 || failed;
	if (failed)
		return run_fail(job->run, STATUS_LOCAL,
		    "%s: the rejects could not be written", job->rejects_path);
	return status;
}

static enum status
places_import_run(struct run *run)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct places_import job = {
		.run = run,
		.options = { .shape = &place_shape },
		.notice = { .max = GAZETTEER_NOTICE_MAX },
		.shows = import_progress_is_wanted(run),
	};
	enum status status = read_options(&job);

	/* At the file-size limit the write fails, and the file is removed. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	if (status == STATUS_OK)
		status = begin_rejects(&job);
	if (status == STATUS_OK) {
		import_record_init(&job.record);
		if (gazetteer_maker_open(
			&job.maker, run_flag(run, "to"), ROWS_MAX))
			status = import_all(&job);
		else
			status = run_fail(
			    run, STATUS_LOCAL, "%s", text_of(&job.maker.why));
		gazetteer_maker_release(&job.maker);
		import_record_release(&job.record);
		status = end_rejects(&job, status);
	}
	buf_release(&job.notice);
	return status;
}

/* clang-format off */
static const struct flag flags[] = {
	FLAG("to", .letter = 'O', .value = "OUT", .complete = COMPLETE_FILE, .help = "the file to write, which places.data will name"),
	FLAG("notice", .letter = 'n', .value = "FILE", .complete = COMPLETE_FILE, .help = "who is to be named for the data, up to 16 lines"),
	FLAG("from", .value = "FORMAT", .complete = COMPLETE_WORDS, .words = "geojson geojsonseq csv tsv herd", .help = "the format, where the file's name and content do not tell"),
	FLAG("columns", .value = "FIELD=COLUMN,...", .help = "which columns of csv or tsv hold id, name, lat, lon, types, category, address, town, country, hours"),
	FLAG("with-towns", .help = "with the towns, airports and stations that Herd comes with"),
	FLAG("time-zone", .value = "ZONE", .help = "where all the places are, such as Europe/Berlin, for their opening hours"),
	FLAG("rejects", .value = "FILE", .complete = COMPLETE_FILE, .help = "write what is rejected here, each with its line's number"),
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_places_import = {
	.path = "places import",
	.summary = "make a data file of places of one's own",
	.help =
	    "FILE is GeoJSON (of osmium, Overture, QGIS), JSON of Overpass, csv "
	    "or tsv with a header (of Foursquare), or the table of "
	    "mkgazetteer(1), each also packed by gzip; - is stdin. Of two "
	    "places with one id the first one counts. What has closed, has no "
	    "name or is no place is passed over. At most 5,000,000 places go "
	    "into a file. `places reload' makes a node read it.",
	.group = GROUP_PLACES,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE, .repeats = true)),
	.flags = flags,
	.view = &total_view,
	.traits = COMMAND_HARMLESS,
	.run = places_import_run,
	.example = "places import cafes.geojson -O cafes.sqlite -n NOTICE",
};
