/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of reports: what each format's reader makes of good, odd and hostile
 * input, however the bytes arrive.
 */
#include "unit.h"

#include "base/xbuf.h"
#include "input/import_guess.h"
#include "input/import_reader.h"

#define SMALL 200u /* bytes of the longest record in tests of that limit */

static struct import_options
options(void)
{
	return (struct import_options){ .record_max = SMALL * 100 };
}

/* "LINE CLIENT LOCATION TIME" or "LINE CLIENT! FAULT" for each record. */
static void
put_record(struct buf *out, const struct import_record *record)
{
	putf(out, "%lu ", record->line);
	put_span(out, import_record_text(record, FIELD_CLIENT));
	if (record->fault != NULL) {
		putf(out, "! %s\n", record->fault);
		return;
	}
	put_byte(out, ' ');
	put_span(out, import_record_text(record, FIELD_LOCATION));
	put_byte(out, ' ');
	put_span(out, import_record_text(record, FIELD_TIME));
	put_byte(out, '\n');
}

/* Reads the file in pieces of `size`; appends its rejects to `rejects`. */
static void
read_pieces(struct span text, const struct import_options *o,
    const char *format, size_t size, struct buf *out, struct buf *rejects)
{
	struct import_reader reader;
	struct import_record record;
	bool more = true;

	import_record_init(&record);
	import_reader_init(&reader, o);
	if (format != NULL)
		assert_true(import_reader_use(&reader, format));
	while (more) {
		size_t n = text.len < size ? text.len : size;

		switch (import_reader_next(&reader, &record)) {
		case IMPORT_RECORD:
			put_record(out, &record);
			if (record.fault == NULL)
				break;
			if (rejects->len == 0)
				import_reader_reject_head(&reader, rejects);
			import_reader_reject(&reader, &record, rejects);
			break;
		case IMPORT_MORE:
			if (n == 0)
				import_reader_end(&reader);
			else
				import_reader_feed(
				    &reader, span_of(text.data, n));
			text = span_of(text.data + n, text.len - n);
			break;
		case IMPORT_END: more = false; break;
		case IMPORT_FATAL:
			putf(out, "fatal: %s\n", reader.fatal);
			more = false;
			break;
		}
	}
	if (rejects->len > 0)
		import_reader_reject_tail(&reader, rejects);
	import_reader_release(&reader);
	import_record_release(&record);
}

/* The file, however it is cut, has these records and rejects (or NULL). */
static void
check_bytes(struct span text, const struct import_options *o,
    const char *format, const char *want, const char *want_rejects)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 64, 4096, 1u << 20 };

	for (size_t i = 0; i < HERD_ARRAY_LEN(sizes); i++) {
		struct buf out = XBUF;
		struct buf rejects = XBUF;

		read_pieces(text, o, format, sizes[i], &out, &rejects);
		assert_buf(&out, want);
		if (want_rejects != NULL)
			assert_buf(&rejects, want_rejects);
		buf_release(&out);
		buf_release(&rejects);
	}
}

static void
check(const char *text, const char *want)
{
	struct import_options o = options();

	check_bytes(span_from(text), &o, NULL, want, NULL);
}

static void
check_rejects(const char *text, const char *want, const char *rejects)
{
	struct import_options o = options();

	check_bytes(span_from(text), &o, NULL, want, rejects);
}

/* --- which format --------------------------------------------------------- */

static void
test_the_content_tells_the_format(void **state HERD_UNUSED)
{
	static const struct {
		const char *head;
		enum import_guess want;
	} cases[] = {
		{ "client,time\n", GUESS_CSV },
		{ "client\ttime\n", GUESS_CSV },
		{ "client;time\n", GUESS_CSV },
		{ "\xef\xbb\xbf"
		  "client,time\n",
		    GUESS_CSV },
		{ "client,time", GUESS_MORE },
		{ "nonsense\n", GUESS_NONE },
		{ "<?xml version='1.0'?>", GUESS_GPX },
		{ "\xef\xbb\xbf\n <gpx>", GUESS_GPX },
		{ "{\"client\":\"a\"}", GUESS_JSONL },
		{ "{\"client\":\"a\"", GUESS_MORE },
		{ "{\"x\":{\"type\":\"Feature\"},\"type\":\"a\"}",
		    GUESS_JSONL },
		{ "{\"type\":\"Feature\"", GUESS_GEOJSON },
		{ "{ \"type\" : \"FeatureCollection\"", GUESS_GEOJSON },
		{ "\x1e{\"geometry\":{", GUESS_GEOJSON },
		{ "{\"a\":\"features\",\"features\":[", GUESS_GEOJSON },
		{ "{\"a\":\"type\",\"b\":\"Feature\"}", GUESS_JSONL },
		{ "\xff\xfe<\0", GUESS_UTF16 },
		{ "\xfe\xff\0<", GUESS_MORE },
		{ "", GUESS_MORE },
		{ "\n\n\n", GUESS_MORE },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		assert_int_equal(import_guess(span_from(cases[i].head), false),
		    cases[i].want);
	}
	assert_int_equal(
	    import_guess(span_of("\xfe\xff\0<", 4), false), GUESS_UTF16);
	assert_int_equal(import_guess(span_from("a,b"), true), GUESS_CSV);
	assert_int_equal(import_guess(span_from("ab"), true), GUESS_NONE);
	assert_true(import_guess_gzip(span_of("\x1f\x8b\x08", 3)));
	assert_false(import_guess_gzip(span_of("\x1f", 1)));
}

static void
test_what_is_no_format_is_fatal(void **state HERD_UNUSED)
{
	check("", "");
	check("\n\n", "");
	check("nonsense\n",
	    "fatal: its content is neither csv, gpx, geojson nor jsonl: say "
	    "which by --from\n");
	check("\xff\xfe<g", "fatal: it is UTF-16; give it as UTF-8 (iconv -f "
			    "utf-16)\n");
}

/* --- csv ------------------------------------------------------------------ */

static void
test_csv_takes_columns_by_their_titles(void **state HERD_UNUSED)
{
	check("client,lat,lon,time\na,1.50,-2,5\nb,-3,+4.25,6.500\n",
	    "2 a +1.50-2 5\n3 b -3+4.25 6.500\n");
	check("Time , note,LONGITUDE,Latitude,Client\n5,x,-2,1.5,a",
	    "2 a +1.5-2 5\n");
	check("time;location;client\r\n2026-11-28T10:00Z;+1-2;a\r\n\r\n",
	    "2 a +1-2 1795860000.000000000\n");
	check("client,location,time\na,\"1.5, -2\",5\n", "2 a +1.5-2 5\n");
	check("\xef\xbb\xbf"
	      "client,location,time\na,'+1-2,5\n",
	    "2 a +1-2 5\n");
	check("client_b64,location,time\n/wE=,+1-2,5\n", "2 \xff\x01 +1-2 5\n");
	check("client,lat,lon,time\na,.5,1e-3,5\n", "2 a +0.5+0.001 5\n");
	/* Of two columns of one field the first one counts. */
	check("client,client,location,time\na,b,+1-2,5\n", "2 a +1-2 5\n");
}

static void
test_csv_quoting(void **state HERD_UNUSED)
{
	check("\"client\",location,time,\"no\nte\"\n"
	      "\"a\"\"b\",+1-2,5,\"x,\n\n\"\"y\"\"\"\nc,+1-2,6,\n",
	    "3 a\"b +1-2 5\n6 c +1-2 6\n");
	/* A quote within a field is a quote. */
	check("client,location,time\na\"b,+1-2,5\nc,+1-2,6\n",
	    "2 a\"b +1-2 5\n3 c +1-2 6\n");
	check("client,location,time\n\"a\"x,+1-2,5\n\"b\",+1-2,6\n",
	    "2 a! there is text after a closing quote\n3 b +1-2 6\n");
	/* A quote that is never closed costs its own line alone. */
	check("client,location,time\n\"a,+1-2,5\nb,+1-2,6\nc,+1-2,7\n",
	    "2 a,+1-2,5! a quote is not closed\n3 b +1-2 6\n4 c +1-2 7\n");
	check("client\tlocation\ttime\n\"a\"\\\\\t+1-2\t5\n",
	    "2 \"a\"\\ +1-2 5\n");
}

static void
test_csv_says_what_its_header_lacks(void **state HERD_UNUSED)
{
	struct import_options o = options();
	static const char no_time[] = "client,location\na,+1-2\n";
	static const char no_client[] = "time,location\n5,+1-2\n,+1-2\n";

	check(no_time, "fatal: its header has no column `time'; --time now, or "
		       "another time, is for all its reports\n");
	check("client,lat,time\n", "fatal: its header has neither `location' "
				   "nor `lat' and `lon'\n");
	check(no_client, "fatal: its header has no column `client', and no "
			 "--client says whose it is\n");
	o.time = span_from("77");
	check_bytes(span_from(no_time), &o, NULL, "2 a +1-2 77\n", NULL);
	o.client = span_from("me");
	check_bytes(span_from(no_client), &o, NULL,
	    "2 me +1-2 5\n3 me +1-2 77\n", NULL);
}

static void
test_csv_names_bad_rows_and_keeps_them(void **state HERD_UNUSED)
{
	check_rejects(
	    "client,lat,lon,time\r\na,91,2,5\r\nb,x,2,5\r\n,1,2,5\r\n"
	    "a b,1,2,5\r\nc,1,2\r\nd,1,2,1795860000000000\r\n"
	    "e,1,2,yesterday\r\nf,1,,5\r\ng,nan,0x1,5\r\nh,1e300,2,5\r\n"
	    "ok,1,2,5\r\n",
	    "2 a! the location is beyond 90 or 180 degrees\n"
	    "3 b! the location is none\n"
	    "4 ! no client with location and time: it has no client\n"
	    "5 a b! a client's id has no white space and no NUL\n"
	    "6 c! no client with location and time: it has no time\n"
	    "7 d! the time is out of range (is it in milliseconds?)\n"
	    "8 e! the time is neither epoch seconds nor ISO 8601\n"
	    "9 f! no client with location and time: it has no location\n"
	    "10 g! the location is none\n"
	    "11 h! the location is beyond 90 or 180 degrees\n"
	    "12 ok +1+2 5\n",
	    "client,lat,lon,time\r\na,91,2,5\r\nb,x,2,5\r\n,1,2,5\r\n"
	    "a b,1,2,5\r\nc,1,2\r\nd,1,2,1795860000000000\r\n"
	    "e,1,2,yesterday\r\nf,1,,5\r\ng,nan,0x1,5\r\nh,1e300,2,5\r\n");
}

/* --- jsonl ---------------------------------------------------------------- */

static void
test_jsonl_takes_what_export_writes(void **state HERD_UNUSED)
{
	check(
	    "{\"client\":\"a\",\"time\":\"5.50\",\"location\":\"+1.0-2\","
	    "\"lat\":1.0,\"lon\":-2,\"node\":\"Riley\",\"x\":[{\"y\":\"}\"}]}\n"
	    "\n \t\n"
	    "{\"client\":\"x\",\"client_b64\":\"/wE=\",\"time\":\"6\","
	    "\"location\":\"+1-2\"}\r\n"
	    " {\"lat\" : 1.230 , \"lon\":-4e1, \"time\":1479413884.392014450,"
	    "\"client\":\"\\u00e9\\ud83d\\ude00\\\"\\\\\\/\"} ",
	    "1 a +1.0-2 5.50\n4 \xff\x01 +1-2 6\n"
	    "5 \xc3\xa9\xf0\x9f\x98\x80\"\\/ +1.23-40 1479413884.392014450\n");
}

static void
test_jsonl_names_bad_lines(void **state HERD_UNUSED)
{
	check_rejects(
	    "{\"client\":\"a\"}\nnonsense\n[]\n{\"client\":\"b\",}\n"
	    "{\"client\":\"c\" \"d\":1}\n{\"client\":\"d\"}{}\n{\"a\":nope}\n"
	    "{\"client\":\"a\\u0000b\",\"location\":\"+1-2\",\"time\":\"5\"}\n"
	    "{\"client\":null,\"location\":\"+1-2\",\"time\":\"5\"}\n"
	    "{\"client\":\"e\",\"location\":\"+1-2\",\"time\":\"5\"",
	    "1 a! no client with location and time: it has no location\n"
	    "2 ! not a JSON object on one line\n"
	    "3 ! not a JSON object on one line\n"
	    "4 b! not a JSON object on one line\n"
	    "5 c! not a JSON object on one line\n"
	    "6 ! not a JSON object on one line\n"
	    "7 ! not a JSON object on one line\n"
	    "8 ! no client with location and time: it has no client\n"
	    "9 ! no client with location and time: it has no client\n"
	    "10 ! not a JSON object on one line\n",
	    "{\"client\":\"a\"}\nnonsense\n[]\n{\"client\":\"b\",}\n"
	    "{\"client\":\"c\" \"d\":1}\n{\"client\":\"d\"}{}\n{\"a\":nope}\n"
	    "{\"client\":\"a\\u0000b\",\"location\":\"+1-2\",\"time\":\"5\"}\n"
	    "{\"client\":null,\"location\":\"+1-2\",\"time\":\"5\"}\n"
	    "{\"client\":\"e\",\"location\":\"+1-2\",\"time\":\"5\"\n");
}

static void
test_jsonl_exact(void **state HERD_UNUSED)
{
	struct import_options o = options();
	static const char text[] =
	    "{\"client\":\"a\",\"time\":\"5\",\"location\":\"+1-2\","
	    "\"skew\":\"+0.100000000\",\"node\":\"Riley\",\"removed\":false}\n"
	    "{\"client\":\"b\",\"time\":\"6\",\"origin\":\"Riley\","
	    "\"removed\":true}\n"
	    "{\"client\":\"c\",\"time\":\"6\",\"location\":\"+1-2\"}\n"
	    "{\"client\":\"d\",\"time\":\"6\",\"location\":\"+1-2\","
	    "\"node\":\"no name\",\"skew\":\"+0.1\"}\n";
	struct import_record record;
	struct buf line = XBUF;

	check(text, "1 a +1-2 5\n2 b! a removal, which --exact imports\n"
		    "3 c +1-2 6\n4 d +1-2 6\n");
	o.exact = true;
	check_bytes(span_from(text), &o, NULL,
	    "1 a +1-2 5\n2 b  6\n"
	    "3 c! an exact import needs the origin (export --exact)\n"
	    "4 d! origin or skew are not what a node writes\n",
	    NULL);
	import_record_init(&record);
	import_record_put(&record, FIELD_CLIENT, span_from("b"));
	import_record_put(&record, FIELD_TIME, span_from("6"));
	import_record_put(&record, FIELD_ORIGIN, span_from("Riley"));
	record.removed = true;
	import_record_settle(&record, &o);
	assert_null(record.fault);
	import_record_request(&record, &o, &line);
	assert_buf(&line, "GONE Riley b 6");
	import_record_release(&record);
	buf_release(&line);
}

/* --- geojson -------------------------------------------------------------- */

#define POINT(lon, lat) \
	"\"geometry\":{\"type\":\"Point\",\"coordinates\":[" lon "," lat "]}"

static void
test_geojson_features(void **state HERD_UNUSED)
{
	/* What `-o geojson` writes: the location's digits come back. */
	check(
	    "{\"type\":\"FeatureCollection\",\"schema\":\"x\",\"features\":["
	    "\n {\"type\":\"Feature\"," POINT("-118.445127",
		"34.06893") ",\"properties\":{\"client\":\"a\",\"time\":\"5.0\","
			    "\"location\":\"+34.068930-118.445127\",\"lat\":34.06893}},\n"
			    " {\"type\":\"Feature\"," POINT("1",
				"2.50,7") ",\"properties\":{\"id\":7,\"time\":6,\"location\":\"+9+9\"}}\n"
					  "],\"bbox\":[1,2]}\n",
	    "2 a +34.068930-118.445127 5.0\n3 7 +2.50+1 6\n");
	check(
	    "{\"type\":\"Feature\",\"id\":\"f[{\\\"\"," POINT("1e-3",
		"-2") ",\"properties\":{\"time\":\"5\"}}\n"
		      "\x1e{\"type\":\"Feature\",\n" POINT("3",
			  "4") ",\"properties\":{\"name\":\"n\",\"time\":\"6\"}}\n",
	    "1 f[{\" -2+0.001 5\n2 n +4+3 6\n");
}

static void
test_geojson_names_bad_features(void **state HERD_UNUSED)
{
	check_rejects(
	    "{\"features\":[null,5 ,\"a,]\",[1,[2]],{\"type\":\"Feature\","
	    "\"geometry\":null,\"properties\":{\"client\":\"a\"}},"
	    "{\"type\":\"Feature\",\"geometry\":{\"type\":\"LineString\","
	    "\"coordinates\":[[1,2]]},\"properties\":null},"
	    "{\"type\":\"Feature\"," POINT("\"1\"",
		"null") "},"
			"{\"type\":\"Feature\"," POINT("1",
			    "2") ",\"properties\":{\"client\":\"ok\",\"time\":\"1\"}}"
				 "],\"type\":\"FeatureCollection\"} what\n{\"a\":1}\n",
	    "1 ! not a JSON object\n1 ! not a JSON object\n"
	    "1 ! not a JSON object\n1 ! not a JSON object\n"
	    "1 a! its geometry is no Point\n"
	    "1 ! its geometry is no Point\n"
	    "1 ! its coordinates are not [lon, lat]\n"
	    "1 ok +2+1 1\n"
	    "1 ! not a JSON object\n2 ! it is no Feature\n",
	    "null\n5 \n\"a,]\"\n[1,[2]]\n{\"type\":\"Feature\","
	    "\"geometry\":null,\"properties\":{\"client\":\"a\"}}\n"
	    "{\"type\":\"Feature\",\"geometry\":{\"type\":\"LineString\","
	    "\"coordinates\":[[1,2]]},\"properties\":null}\n"
	    "{\"type\":\"Feature\"," POINT(
		"\"1\"", "null") "}\n"
				 "what\n{\"a\":1}\n");
}

static void
test_geojson_that_is_cut_or_broken(void **state HERD_UNUSED)
{
	check("{\"type\":\"FeatureCollection\",\"features\":[",
	    "1 ! the file ends in the middle of it\n");
	check("{\"type\":\"FeatureCollection\",\"features\":[{\"type\":",
	    "1 ! the file ends in the middle of it\n");
	check("{\"type\":\"FeatureCollection\",\"features\":[]",
	    "1 ! the file ends in the middle of it\n");
	/* The next text of a sequence is whole again. */
	check("\x1e{\"type\":\"Feature\",{{{\n\x1e{\"type\":\"Feature\"," POINT(
		  "1", "2") ",\"properties\":{\"id\":\"a\",\"time\":\"1\"}}",
	    "1 ! the object is not closed\n2 a +2+1 1\n");
	check("{\"type\":\"FeatureCollection\",\"features\":[]}", "");
	check("{\"type\":\"Feature\"}\n", "1 ! its geometry is no Point\n");
}

/* --- gpx ------------------------------------------------------------------ */

static void
test_gpx_points(void **state HERD_UNUSED)
{
	check(
	    "<?xml version=\"1.0\"?>\n<!DOCTYPE gpx [<!ENTITY a \"<wpt>\">]>\n"
	    "<gpx creator='a>b'>\n<metadata><name>no</name></metadata>\n"
	    "<wpt lat=\"1.50\" lon='-2'><ele>3</ele>"
	    "<time> 2026-11-28T10:00:00.25Z </time><name>w&#x41;&amp;</name>"
	    "<extensions><name>x</name><time>y</time></extensions></wpt>\n"
	    "<trk><!-- <trkpt> -- > --><name><![CDATA[bike]]>-1</name><trkseg>\n"
	    "<trkpt lon=\"4\" lat=\"3\"><time>2026-11-28T10:00:00Z</time>"
	    "</trkpt>\n<trkpt lat='3' lon='5'><name>own</name>"
	    "<time>2026-11-28T11:00:00+01:00</time></trkpt></trkseg></trk>\n"
	    "<trk><trkseg><trkpt lat='3' lon='5'><name>own</name>"
	    "<time>5</time></trkpt></trkseg></trk>"
	    "<g:rte><g:name>r</g:name><g:rtept lat='1' lon='1'><g:time>"
	    "2026-11-28T10:00:00Z</g:time></g:rtept></g:rte></gpx>",
	    "5 wA& +1.50-2 1795860000.250000000\n"
	    "7 bike-1 +3+4 1795860000.000000000\n"
	    "8 bike-1 +3+5 1795860000.000000000\n"
	    "9 own +3+5 5\n"
	    "9 r +1+1 1795860000.000000000\n");
}

/* Between two points as well: what is lacking may have been most of it. */
static void
test_gpx_that_is_cut(void **state HERD_UNUSED)
{
	check("<gpx><wpt lat='1' lon='2'><name>a</name><time>5</time></wpt>\n",
	    "1 a +1+2 5\n2 ! the file ends in the middle of it\n");
	check(
	    "<g:gpx><trk><trkseg>", "1 ! the file ends in the middle of it\n");
	check("<gpx></gpx>\n", "");
	check("<gpx/>", "");
}

static void
test_gpx_names_bad_points(void **state HERD_UNUSED)
{
	check_rejects(
	    "<gpx><wpt lat='1' lon='2'/><wpt lat='1'><time>5</time>"
	    "<name>a</name></wpt><wpt lat='1' lon='2'><name>&lol;</name></wpt>"
	    "<wpt lat='1' lon='2'><name>a b</name><time>5</time></wpt>"
	    "<trk><name>t&amp;&lt;</name><trkseg>"
	    "<trkpt lat='1' lon='2'><trkpt lat='1' lon='2'></trkpt>"
	    "</trkseg></trk><wpt",
	    "1 ! no client with location and time: it has no client\n"
	    "1 a! no client with location and time: it has no location\n"
	    "1 ! it has an entity that is not XML's own\n"
	    "1 a b! a client's id has no white space and no NUL\n"
	    "1 t&<! the point is not closed\n"
	    "1 t&<! no client with location and time: it has no time\n"
	    "1 ! the file ends in the middle of it\n",
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<gpx version=\"1.1\" creator=\"herdctl\">\n"
	    "<wpt lat='1' lon='2'/>\n<wpt lat='1'><time>5</time>"
	    "<name>a</name></wpt>\n<wpt lat='1' lon='2'><name>&lol;</name>"
	    "</wpt>\n<wpt lat='1' lon='2'><name>a b</name><time>5</time></wpt>\n"
	    "<trk><name>t&amp;&lt;</name><trkseg><trkpt lat='1' lon='2'>"
	    "</trkseg></trk>\n"
	    "<trk><name>t&amp;&lt;</name><trkseg><trkpt lat='1' lon='2'>"
	    "</trkpt></trkseg></trk>\n<wpt\n</gpx>\n");
}

/* --- limits --------------------------------------------------------------- */

/* A record of which a part is longer than the limit, among two good ones. */
static void
check_long(const char *before, const char *begin, char fill, const char *end,
    const char *after, const char *want)
{
	struct import_options o = { .record_max = SMALL };
	struct buf text = XBUF;

	put_text(&text, before);
	put_text(&text, begin);
	put_fill(&text, fill, 100000);
	put_text(&text, end);
	put_text(&text, after);
	check_bytes(buf_span(&text), &o, NULL, want, NULL);
	buf_release(&text);
}

#define LONG "it is longer than 1 MB and was passed over\n"

static void
test_a_long_record_is_passed_over(void **state HERD_UNUSED)
{
	static const char good[] =
	    "{\"client\":\"a\",\"location\":\"+1-2\",\"time\":\"5\"}\n";
	static const char feature[] = "{\"type\":\"Feature\"," POINT(
	    "1", "2") ",\"properties\":{\"id\":\"f\",\"time\":\"5\"}}";
	static const char wpt[] =
	    "<wpt lat='1' lon='2'><name>w</name><time>5</time></wpt>";

	check_long(good, "{\"x\":\"", 'x', "\"}\n", good,
	    "1 a +1-2 5\n2 ! " LONG "3 a +1-2 5\n");
	check_long("client,location,time\na,+1-2,5\n", "b,", 'x', "\n",
	    "c,+1-2,5\n", "2 a +1-2 5\n3 ! " LONG "4 c +1-2 5\n");
	check_long("client,location,time\na,+1-2,5\n", "b,\"", '\n', "",
	    "\nc,+1-2,5\n",
	    "2 a +1-2 5\n3 b! a quote is not closed\n"
	    "100004 c +1-2 5\n");
	check_long(feature, "{\"x\":\"", 'x', "\"}", feature,
	    "1 f +2+1 5\n1 ! " LONG "1 f +2+1 5\n");
	/* What is beside the features may be of any length. */
	check_long("{\"type\":\"FeatureCollection\",", "\"x\":\"", 'x',
	    "\",\"features\":[", "]}", "");
	check_long(wpt, "<wpt lat='1' lon='2'><name>", 'x', "</name></wpt>",
	    wpt, "1 w +1+2 5\n1 ! " LONG "1 w +1+2 5\n");
	check_long(wpt, "<!--", '-', "-->", wpt, "1 w +1+2 5\n1 w +1+2 5\n");
	check_long(wpt, "<a b='", 'x', "'>", wpt, "1 w +1+2 5\n1 w +1+2 5\n");
	check_long(wpt, "<wpt lat='1' lon='2'><![CDATA[", ']', "]]></wpt>", wpt,
	    "1 w +1+2 5\n1 ! " LONG "1 w +1+2 5\n");
	check_long(wpt, "", 'x', "", wpt, "1 w +1+2 5\n1 w +1+2 5\n");
}

static void
test_a_request_is_no_longer_than_a_node_takes(void **state HERD_UNUSED)
{
	struct import_options o = { .record_max = 1u << 20 };
	struct buf text = XBUF;
	struct buf out = XBUF;
	struct buf rejects = XBUF;

	put_text(&text, "{\"location\":\"+1-2\",\"time\":\"5\",\"client\":\"");
	put_fill(&text, 'x', 65500);
	put_text(&text, "\"}\n");
	read_pieces(buf_span(&text), &o, NULL, 1u << 20, &out, &rejects);
	assert_non_null(
	    strstr(text_of(&out), "! it is longer than a request may be"));
	buf_release(&text);
	buf_release(&out);
	buf_release(&rejects);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_content_tells_the_format),
		cmocka_unit_test(test_what_is_no_format_is_fatal),
		cmocka_unit_test(test_csv_takes_columns_by_their_titles),
		cmocka_unit_test(test_csv_quoting),
		cmocka_unit_test(test_csv_says_what_its_header_lacks),
		cmocka_unit_test(test_csv_names_bad_rows_and_keeps_them),
		cmocka_unit_test(test_jsonl_takes_what_export_writes),
		cmocka_unit_test(test_jsonl_names_bad_lines),
		cmocka_unit_test(test_jsonl_exact),
		cmocka_unit_test(test_geojson_features),
		cmocka_unit_test(test_geojson_names_bad_features),
		cmocka_unit_test(test_geojson_that_is_cut_or_broken),
		cmocka_unit_test(test_gpx_points),
		cmocka_unit_test(test_gpx_that_is_cut),
		cmocka_unit_test(test_gpx_names_bad_points),
		cmocka_unit_test(test_a_long_record_is_passed_over),
		cmocka_unit_test(test_a_request_is_no_longer_than_a_node_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
