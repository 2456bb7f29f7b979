/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mkgazetteer: turns a table of places on standard input into the data file
 * of the gazetteer. Columns, tab, UTF-8, no header: id, lat, lng, kind, name,
 * vicinity (empty = name), country, admin1, population (empty = 0), and if one
 * likes types and opening hours. A bad line ends the run with its number.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/xbuf.h"
#include "herd/file.h"
#include "herd/version.h"
#include "input/gazetteer_maker.h"
#include "input/import_reader.h"
#include "input/place_shape.h"

#define LINE_BYTES_MAX 8190u
#define PIECE_BYTES 65536u

struct place_table {
	struct gazetteer_maker maker;
	struct import_options options;
	struct import_reader reader;
	struct import_record record;
	EVP_MD_CTX *hash;
};

/* Prints what is wrong; returns false for the caller to return. */
static bool HERD_PRINTF(1, 2) fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("mkgazetteer: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	return false;
}

static bool
take_record(struct place_table *table)
{
	const struct import_record *record = &table->record;
	const char *fault = record->fault;
	struct maker_place place;

	if (fault == NULL && record->passed_over)
		fault = "the name is empty or too long";
	if (fault != NULL)
		return fail("line %lu: %s", record->line, fault);
	place_shape_read(record, &place);
	switch (gazetteer_maker_add(&table->maker, &place, &fault)) {
	case MAKER_TAKEN: return true;
	case MAKER_REFUSED: return fail("line %lu: %s", record->line, fault);
	case MAKER_DUPLICATE:
		return fail("line %lu: two places have the id " SPAN_FMT,
		    record->line, SPAN_ARG(place.id));
	case MAKER_FAILED: return fail("%s", text_of(&table->maker.why));
	}
	return false;
}

/* False: said already. */
static bool
feed(struct place_table *table, FILE *in)
{
	static char piece[PIECE_BYTES];
	size_t len = fread(piece, 1, sizeof(piece), in);

	if (len == 0 && ferror(in))
		return fail("standard input: %s", strerror(errno));
	if (len == 0) {
		import_reader_end(&table->reader);
		return true;
	}
	EVP_DigestUpdate(table->hash, piece, len);
	import_reader_feed(&table->reader, span_of(piece, len));
	return true;
}

static bool
read_table(struct place_table *table, FILE *in)
{
	bool done = import_reader_use(&table->reader, "herd");

	while (done) {
		switch (import_reader_next(&table->reader, &table->record)) {
		case IMPORT_RECORD: done = take_record(table); break;
		case IMPORT_MORE: done = feed(table, in); break;
		case IMPORT_END: return true;
		case IMPORT_FATAL: return fail("%s", table->reader.fatal);
		}
	}
	return false;
}

/* SHA-256 of the table, in hex. */
static struct span
finish_hash(struct place_table *table, char out[2 * EVP_MAX_MD_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_DigestFinal_ex(table->hash, digest, &len) != 1)
		len = 0;
	for (unsigned i = 0; i < len; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
	return span_of(out, 2u * len);
}

static bool
finish(struct place_table *table, struct span notice)
{
	char source[2 * EVP_MAX_MD_SIZE];
	const struct maker_facts facts = {
		.notice = notice,
		.made_by = "mkgazetteer " HERD_VERSION,
		.source = finish_hash(table, source),
		.zone = span_from(""),
	};

	if (!gazetteer_maker_finish(&table->maker, &facts))
		return fail("%s", text_of(&table->maker.why));
	return true;
}

static bool
make(const char *path, struct span notice)
{
	struct place_table table = {
		.options = { .shape = &place_shape,
		    .record_max = LINE_BYTES_MAX },
		.hash = EVP_MD_CTX_new(),
	};
	bool done = table.hash != NULL &&
		    EVP_DigestInit_ex(table.hash, EVP_sha256(), NULL) == 1;

	import_reader_init(&table.reader, &table.options);
	import_record_init(&table.record);
	if (!gazetteer_maker_open(&table.maker, path, GAZETTEER_ROWS_MAX))
		done = fail("%s", text_of(&table.maker.why));
	done = done && read_table(&table, stdin) && finish(&table, notice);
	gazetteer_maker_release(&table.maker);
	import_record_release(&table.record);
	import_reader_release(&table.reader);
	EVP_MD_CTX_free(table.hash);
	return done;
}

static bool
read_notice(const char *path, struct buf *out)
{
	struct buf why = XBUF;
	bool done = gazetteer_maker_notice(path, out, &why) ||
		    fail("%s", text_of(&why));

	buf_release(&why);
	return done;
}

int
main(int argc, char **argv)
{
	static const char usage[] =
	    "usage: mkgazetteer [-n NOTICE] FILE <TABLE\n"
	    "Makes the gazetteer's data FILE of the tab-separated TABLE:\n"
	    "id lat lng kind name vicinity country admin1 population\n"
	    "[types [hours]].\n"
	    "Each line of the file NOTICE is shown with every answer.\n";
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct buf notice;
	bool done = true;
	int option;

	if (file_hold_standard() != HERD_OK)
		return EXIT_FAILURE;
	/* At the file-size limit the write fails, and the file is removed. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	buf_init(&notice, GAZETTEER_NOTICE_MAX);
	while ((option = getopt(argc, argv, "hn:V")) != -1) {
		switch (option) {
		case 'h': fputs(usage, stdout); return EXIT_SUCCESS;
		case 'V':
			puts("mkgazetteer " HERD_VERSION);
			return EXIT_SUCCESS;
		case 'n': done = read_notice(optarg, &notice) && done; break;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		return 2;
	}
	done = done && make(argv[optind], buf_span(&notice));
	buf_release(&notice);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
