/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client line: what is a request, what is not.
 */
#include "unit.h"

#include "herd/report.h"
#include "herd/request.h"
#include "herd/text.h"

#define LOCATION "+34.068930-118.445127"
#define TIME "1621464827.959498503"

static enum request_kind
kind_of(struct span line)
{
	struct request request;

	request_parse(line, &request);
	return request.kind;
}

static void
test_iamat_gives_its_fields(void **state HERD_UNUSED)
{
	struct request request;

	request_parse(
	    span_from("IAMAT kiwi.cs.ucla.edu " LOCATION " " TIME), &request);
	assert_int_equal(request.kind, REQUEST_IAMAT);
	assert_span(request.client, "kiwi.cs.ucla.edu");
	assert_span(request.location, LOCATION);
	assert_span(request.time, TIME);
	assert_true(request.time_ns == UINT64_C(1621464827959498503));
}

static void
test_whatsat_gives_its_fields(void **state HERD_UNUSED)
{
	struct request request;

	request_parse(span_from("WHATSAT kiwi.cs.ucla.edu 10 5"), &request);
	assert_int_equal(request.kind, REQUEST_WHATSAT);
	assert_span(request.client, "kiwi.cs.ucla.edu");
	assert_true(request.radius_m == 10000.0);
	assert_int_equal(request.bound, 5);
}

static void
test_other_lines_are_invalid(void **state HERD_UNUSED)
{
	static const char *const lines[] = { "", " ", "\r", "IAMAT", "IAMAT ",
		"WHATSAT", "iamat kiwi " LOCATION " 1", "Iamat kiwi +1+1 1",
		"whatsat kiwi 10 5", "IAMATkiwi +1+1 1", "IAMAT kiwi",
		"IAMAT kiwi +1+1", "IAMAT kiwi +1+1 1 1", "IAMAT kiwi 1 +1+1",
		"IAMAT +1+1 1", "IAMAT kiwi +1+1 -1", "IAMAT kiwi +1+1 1e9",
		"IAMAT kiwi +91+1 1", "IAMAT kiwi +1+1 17179869184",
		"IAMAT kiwi +1 +1 1", "WHATSAT kiwi 10", "WHATSAT kiwi 10 5 5",
		"WHATSAT kiwi 0 5", "WHATSAT kiwi 51 5", "WHATSAT kiwi 10 0",
		"WHATSAT kiwi 10 21", "WHATSAT kiwi -10 5",
		"WHATSAT kiwi 10 5.0", "WHATSAT kiwi 10 +5", "WHATSAT 10 5",
		"AT Riley +0.263873386 kiwi " LOCATION " " TIME,
		"GONE Riley kiwi 1", "HELLO herd/1", "PING 1", "BYE stop x",
		"GET / HTTP/1.1", "Host: localhost", "%s%n%n%n", "\x16\x03\x01",
		"\xef\xbb\xbfIAMAT kiwi +1+1 1", "\"IAMAT\" kiwi +1+1 1",
		"IAMAT\xc2\xa0kiwi +1+1 1", "IAMAT kiwi +1+1 1\xc2\x85",
		"IAMAT kiwi +1+1 1;", "? IAMAT kiwi +1+1 1", "IAMATX a +1+1 1",
		"IAMA kiwi +1+1 1" };
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(lines); i++)
		if (kind_of(span_from(lines[i])) != REQUEST_INVALID)
			fail_msg("%s", lines[i]);
}

/* Fields with every white space, and runs of it, in every position. */
static void
test_white_space_separates_in_every_position(void **state HERD_UNUSED)
{
	static const char spaces[] = " \t\r\n\f\v";
	static const char *const fields[][4] = { { "IAMAT", "kiwi", LOCATION,
						     TIME },
		{ "WHATSAT", "kiwi", "10.5", "05" } };
	char line[200];
	size_t form, where, which, run, gap, len, i;

	for (form = 0; form < 2; form++)
		for (where = 0; where <= 4; where++)
			for (which = 0; which < sizeof(spaces) - 1u; which++)
				for (run = 1; run <= 17; run += 4) {
					len = 0;
					for (gap = 0; gap <= 4; gap++) {
						for (i = 0;
						     gap == where && i < run;
						     i++)
							line[len++] =
							    spaces[which];
						if (gap != where && gap > 0 &&
						    gap < 4)
							line[len++] = ' ';
						if (gap == 4)
							break;
						memcpy(line + len,
						    fields[form][gap],
						    strlen(fields[form][gap]));
						len +=
						    strlen(fields[form][gap]);
					}
					assert_int_equal(
					    kind_of(span_of(line, len)),
					    form == 0 ? REQUEST_IAMAT
						      : REQUEST_WHATSAT);
				}
}

/* Every byte in every place of a client id: only white space and NUL matter. */
static void
test_client_id_takes_any_byte_but_white_space_and_nul(void **state HERD_UNUSED)
{
	struct request request;
	char line[] = "IAMAT abcdefghijklmnop +1+1 1";
	size_t place;
	int byte;
	bool fine;

	for (place = 6; place < 22; place++)
		for (byte = 0; byte < 256; byte++) {
			char kept = line[place];

			line[place] = (char)(unsigned char)byte;
			request_parse(
			    span_of(line, sizeof(line) - 1u), &request);
			/* White space at an end leaves a good, shorter id. */
			fine = byte != 0 && (!text_is_space(line[place]) ||
						place == 6 || place == 21);
			if ((request.kind == REQUEST_IAMAT) != fine)
				fail_msg("byte %d at %zu", byte, place);
			if (fine && !text_is_space(line[place]))
				assert_int_equal(request.client.len, 16);
			line[place] = kept;
		}
}

static void
test_nul_anywhere_is_invalid(void **state HERD_UNUSED)
{
	static const char *const good[] = { "IAMAT kiwi " LOCATION " " TIME,
		" WHATSAT kiwi 10 5 " };
	char line[100];
	size_t i, place, len;

	for (i = 0; i < HERD_ARRAY_LEN(good); i++) {
		len = strlen(good[i]);
		for (place = 0; place <= len; place++) {
			memcpy(line, good[i], place);
			line[place] = '\0';
			memcpy(line + place + 1u, good[i] + place, len - place);
			assert_int_equal(
			    kind_of(span_of(line, len + 1u)), REQUEST_INVALID);
		}
		assert_int_not_equal(
		    kind_of(span_of(good[i], len)), REQUEST_INVALID);
	}
}

static void
test_long_client_ids_are_kept_whole(void **state HERD_UNUSED)
{
	static const size_t lengths[] = { 1, 20000, REPORT_CLIENT_MAX,
		REPORT_CLIENT_MAX + 1u };
	struct request request;
	struct buf line;
	size_t i, n;

	buf_init(&line, 100000);
	for (i = 0; i < HERD_ARRAY_LEN(lengths); i++) {
		buf_clear(&line);
		assert_ok(buf_add_text(&line, "IAMAT "));
		for (n = 0; n < lengths[i]; n++)
			assert_ok(buf_add_byte(&line, 'x'));
		assert_ok(buf_add_text(&line, " +1+1 1"));
		request_parse(buf_span(&line), &request);
		if (lengths[i] > REPORT_CLIENT_MAX) {
			assert_int_equal(request.kind, REQUEST_INVALID);
			continue;
		}
		assert_int_equal(request.kind, REQUEST_IAMAT);
		assert_int_equal(request.client.len, lengths[i]);
	}
	buf_release(&line);
}

static void
test_radius_is_up_to_50_km_inclusive(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		enum herd_error error;
		double metres;
	} cases[] = { { "10", HERD_OK, 10000 }, { "50", HERD_OK, 50000 },
		{ "50.0", HERD_OK, 50000 },
		{ "50.000000000000", HERD_OK, 50000 },
		{ "049.999999999", HERD_OK, 49999.999999 },
		{ "0.001", HERD_OK, 1 }, { "0.000000001", HERD_OK, 0.000001 },
		{ "0.00000000000000000000000000001", HERD_OK, 0.000001 },
		{ "00000000000000000000000000010", HERD_OK, 10000 },
		{ "10.5", HERD_OK, 10500 }, { "0", HERD_ERANGE, 0 },
		{ "0.0", HERD_ERANGE, 0 },
		{ "0.00000000000000000000", HERD_ERANGE, 0 },
		{ "50.000000001", HERD_ERANGE, 0 },
		{ "50.0000000000000001", HERD_ERANGE, 0 },
		{ "51", HERD_ERANGE, 0 },
		{ "18446744073709551616", HERD_ERANGE, 0 },
		{ "", HERD_ESYNTAX, 0 }, { "+10", HERD_ESYNTAX, 0 },
		{ "-10", HERD_ESYNTAX, 0 }, { "10.", HERD_ESYNTAX, 0 },
		{ ".5", HERD_ESYNTAX, 0 }, { "1e1", HERD_ESYNTAX, 0 },
		{ "10km", HERD_ESYNTAX, 0 }, { "1,5", HERD_ESYNTAX, 0 },
		{ "nan", HERD_ESYNTAX, 0 }, { "inf", HERD_ESYNTAX, 0 },
		{ "0x10", HERD_ESYNTAX, 0 }, { "1.5.5", HERD_ESYNTAX, 0 } };
	double metres;
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		metres = -1;
		if (radius_parse(span_from(cases[i].text), &metres) !=
		    cases[i].error)
			fail_msg("%s", cases[i].text);
		if (metres !=
		    (cases[i].error == HERD_OK ? cases[i].metres : -1))
			fail_msg("%s: %.17g", cases[i].text, metres);
	}
}

static void
test_bound_is_1_to_20(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		enum herd_error error;
		unsigned bound;
	} cases[] = { { "1", HERD_OK, 1 }, { "20", HERD_OK, 20 },
		{ "0000000000000000000000000020", HERD_OK, 20 },
		{ "0", HERD_ERANGE, 0 }, { "21", HERD_ERANGE, 0 },
		{ "4294967297", HERD_ERANGE, 0 },
		{ "18446744073709551617", HERD_ERANGE, 0 },
		{ "", HERD_ESYNTAX, 0 }, { "+5", HERD_ESYNTAX, 0 },
		{ "-5", HERD_ESYNTAX, 0 }, { "5.0", HERD_ESYNTAX, 0 },
		{ "5.", HERD_ESYNTAX, 0 }, { "5x", HERD_ESYNTAX, 0 } };
	unsigned bound;
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		bound = 4711;
		if (bound_parse(span_from(cases[i].text), &bound) !=
		    cases[i].error)
			fail_msg("%s", cases[i].text);
		assert_int_equal(
		    bound, cases[i].error == HERD_OK ? cases[i].bound : 4711);
	}
}

static bool
is_within(struct span part, struct span whole)
{
	return part.data >= whole.data &&
	       part.data + part.len <= whole.data + whole.len;
}

/* Good lines with a few bytes changed: nothing is read outside the line. */
static void
test_damaged_lines_are_read_within_their_bytes(void **state HERD_UNUSED)
{
	static const char *const good[] = { "IAMAT kiwi.cs.ucla.edu " LOCATION
					    " " TIME,
		"WHATSAT kiwi.cs.ucla.edu 10 5", "IAMAT k +1-1 1" };
	struct unit_random random = unit_random("damaged lines");
	struct unit_fence fence = unit_fence_new();
	struct request request;
	struct span line;
	char text[100];
	size_t step, len, n;

	for (step = 0; step < 1000000; step++) {
		const char *from = good[unit_below(&random, 3)];

		len = 1 + unit_below(&random, strlen(from));
		memcpy(text, from, len);
		for (n = unit_below(&random, 3); n > 0; n--)
			text[unit_below(&random, len)] =
			    (char)unit_below(&random, 256);
		line = span_of(text, len);
		line = step % 2 == 0 ? unit_fence_left(&fence, line)
				     : unit_fence_right(&fence, line);
		request_parse(line, &request);
		if (request.kind == REQUEST_INVALID)
			continue;
		assert_true(is_within(request.client, line));
		assert_true(client_id_is_valid(request.client));
	}
	unit_fence_free(&fence);
}

static enum request_speech
speech_of(const char *text)
{
	return request_speech(span_from(text));
}

static void
test_speech_of_http_is_told_by_its_method(void **state HERD_UNUSED)
{
	static const char *const foreign[] = { "POST / HTTP/1.1\r",
		"PUT /a HTTP/1.0", "OPTIONS * HTTP/1.1\r",
		"PATCH /x HTTP/1.1\r", "DELETE / HTTP/1.1\r",
		"CONNECT a:1 HTTP/1.1\r", "TRACE / HTTP/1.1\r",
		"PRI * HTTP/2.0\r", "IAMAT / HTTP/1.1\r", "get / HTTP/1.1",
		"X HTTP/9", "M-SEARCH * HTTP/1.1\r",
		"POST /%0aIAMAT%20x HTTP/1.1\r", "POST  /  HTTP/1.1 \t\r",
		"GETS / HTTP/1.1" };
	static const char *const plain[] = { "GET / HTTP/1.1\r",
		"HEAD /a HTTP/1.0", "GET /x?y=%0aIAMAT HTTP/1.1\r" };
	static const char *const herd[] = { "", " ", "hello", "GET /",
		" POST / HTTP/1.1", "POST / HTTP/", "POST / HTTP/x",
		"POST / HTTP/1.1 x", "HTTP/1.1", "HTTP/1.1 200 OK",
		"(x) / HTTP/1.1", "IAMAT a +1-1 1", "Host: HTTP/1.1",
		"POST / http/1.1" };
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(foreign); i++)
		assert_int_equal(speech_of(foreign[i]), SPEECH_FOREIGN);
	for (i = 0; i < HERD_ARRAY_LEN(plain); i++)
		assert_int_equal(speech_of(plain[i]), SPEECH_HTTP);
	for (i = 0; i < HERD_ARRAY_LEN(herd); i++)
		if (speech_of(herd[i]) != SPEECH_HERD)
			fail_msg("%s", herd[i]);
}

/* A browser also speaks TLS, and STUN for WebRTC, to any port. */
static void
test_speech_of_tls_and_stun_is_foreign(void **state HERD_UNUSED)
{
	static const struct span lines[] = {
		{ "\x16\x03\x01\x02\x00", 5 },
		{ "\x16\x03", 2 },
		{ "\x00\x01\x00\x08\x21\x12\xa4\x42", 8 },
		{ "\x00\x1c\x00\x01\x00\x08\x21\x12\xa4\x42x", 11 },
	};
	static const struct span others[] = {
		{ "\x16", 1 },
		{ "\x16\x02\x01", 3 },
		{ "\x00\x01\x00\x08\x21\x12\xa4", 7 },
		{ "\x00", 1 },
	};
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(lines); i++)
		assert_int_equal(request_speech(lines[i]), SPEECH_FOREIGN);
	for (i = 0; i < HERD_ARRAY_LEN(others); i++)
		assert_int_equal(request_speech(others[i]), SPEECH_HERD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iamat_gives_its_fields),
		cmocka_unit_test(test_whatsat_gives_its_fields),
		cmocka_unit_test(test_other_lines_are_invalid),
		cmocka_unit_test(test_white_space_separates_in_every_position),
		cmocka_unit_test(
		    test_client_id_takes_any_byte_but_white_space_and_nul),
		cmocka_unit_test(test_nul_anywhere_is_invalid),
		cmocka_unit_test(test_long_client_ids_are_kept_whole),
		cmocka_unit_test(test_radius_is_up_to_50_km_inclusive),
		cmocka_unit_test(test_bound_is_1_to_20),
		cmocka_unit_test(test_speech_of_http_is_told_by_its_method),
		cmocka_unit_test(test_speech_of_tls_and_stun_is_foreign),
		cmocka_unit_test(
		    test_damaged_lines_are_read_within_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
