/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats: the same rows in each of them; layout, widths, sorting. */
#include "unit.h"

#include <cjson/cJSON.h>
#include <locale.h>

#include "base/xbuf.h"
#include "out/layout.h"
#include "out/out.h"
#include "out/width.h"

enum { C_NODE, C_ID, C_PLACE, C_RTT, C_SENT, C_STATE, C_UP, C_ERROR, C_COUNT };

static const struct column columns[C_COUNT] = {
	[C_NODE] = { "node", "NODE", VALUE_TEXT, COLUMN_NODE | COLUMN_LABEL, 0,
	    NULL, 0 },
	[C_ID] = { "client", "CLIENT", VALUE_TEXT,
	    COLUMN_NAME | COLUMN_SHRINK | COLUMN_ID, 0, NULL, 0 },
	[C_PLACE] = { "location", "LOCATION", VALUE_PLACE, 0, 1, NULL, 0 },
	[C_RTT] = { "rtt_ms", "RTT", VALUE_MS, 0, 2, NULL, 0 },
	[C_SENT] = { "sent", "SENT", VALUE_INTEGER, COLUMN_COUNTER, 3, NULL,
	    0 },
	[C_STATE] = { "state", "STATE", VALUE_STATE, COLUMN_STATE, 0, NULL, 0 },
	[C_UP] = { "up", "UP", VALUE_BOOL, COLUMN_WIDE, 0, NULL, 0 },
	[C_ERROR] = { "error", "ERROR", VALUE_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL, 0 },
};

static const struct view view = { "test.rows/1", "rows", VIEW_LIST, columns,
	C_COUNT };
static const struct view record = { "test.rows/1", "rows", VIEW_RECORD, columns,
	C_COUNT };

static struct out_options
options_for(const char *format)
{
	return (struct out_options){
		.format = format_find(format), .header = true, .utf8 = true
	};
}

static void
add_rows(struct out *out)
{
	out_word(out, C_NODE, "Riley");
	out_word(out, C_ID, "kiwi");
	out_place(out, C_PLACE, span_from("+34.1-118.2"), 34.1, -118.2);
	out_real(out, C_RTT, 0.412);
	out_integer(out, C_SENT, 48120);
	out_word(out, C_STATE, "synced");
	out_bool(out, C_UP, true);
	out_row(out);
	out_word(out, C_NODE, "Juzang");
	out_text(out, C_ID, span_of("a,\"b\"\t\x1b[31m\xff", 12));
	out_word(out, C_STATE, "backoff");
	out_row(out);
}

/* What the format makes of the rows. */
static char *
write_with(const struct out_options *options, const struct view *v)
{
	struct sink sink;
	struct out out;
	struct buf message;
	char *text;

	sink_init_memory(&sink, false);
	buf_init(&message, XBUF_MAX);
	out_init(&out, options, &sink);
	assert_int_equal(out_begin(&out, v, false, &message), STATUS_OK);
	add_rows(&out);
	out_member_bool(&out, "complete", true);
	out_heading(&out, "above");
	out_footer(&out, "below");
	out_end(&out);
	out_release(&out);
	text = text_take(&sink.held);
	buf_release(&message);
	return text;
}

static void
assert_written(const char *format, const char *want)
{
	struct out_options options = options_for(format);
	char *got = write_with(&options, &view);

	assert_string_equal(got, want);
	free(got);
}

static void
test_table_aligns_and_has_footers(void **state HERD_UNUSED)
{
	assert_written("table",
	    "above\n"
	    "CLIENT                 LOCATION     RTT      SENT  STATE\n"
	    "kiwi                   +34.1-118.2  0.4ms  48,120  synced\n"
	    "a,\"b\"\\x09\\x1b[31m\\xff  -            -           -  "
	    "backoff\n"
	    "below\n");
}

static void
test_plain_cuts_nothing_and_has_tabs(void **state HERD_UNUSED)
{
	assert_written("plain",
	    "CLIENT\tLOCATION\tRTT\tSENT\tSTATE\n"
	    "kiwi\t+34.1-118.2\t0.4ms\t48120\tsynced\n"
	    "a,\"b\"\\x09\\x1b[31m\\xff\t-\t-\t-\tbackoff\n");
}

static void
test_json_has_types_units_and_null(void **state HERD_UNUSED)
{
	assert_written("json",
	    "{\"schema\":\"test.rows/1\",\"rows\":[\n "
	    "{\"node\":\"Riley\",\"client\":\"kiwi\","
	    "\"location\":\"+34.1-118.2\",\"lat\":34.1,\"lon\":-118.2,"
	    "\"rtt_ms\":0.412,\"sent\":48120,\"state\":\"synced\","
	    "\"up\":true,\"error\":null},\n "
	    "{\"node\":\"Juzang\","
	    "\"client\":\"a,\\\"b\\\"\\t\\u001b[31m\xef\xbf\xbd\","
	    "\"client_b64\":\"YSwiYiIJG1szMW3/\","
	    "\"location\":null,\"lat\":null,\"lon\":null,\"rtt_ms\":null,"
	    "\"sent\":null,\"state\":\"backoff\",\"up\":null,\"error\":null}\n"
	    "],\"complete\":true}\n");
}

static void
test_csv_quotes_and_tsv_escapes(void **state HERD_UNUSED)
{
	assert_written("csv",
	    "node,client,location,lat,lon,rtt_ms,sent,state,up,error\n"
	    "Riley,kiwi,+34.1-118.2,34.1,-118.2,0.412,48120,synced,true,\n"
	    "Juzang,\"a,\"\"b\"\"\t\x1b[31m\xff\",,,,,,backoff,,\n");
	assert_written("tsv",
	    "node\tclient\tlocation\tlat\tlon\trtt_ms\tsent\tstate\tup\terror\n"
	    "Riley\tkiwi\t+34.1-118.2\t34.1\t-118.2\t0.412\t48120\tsynced\t"
	    "true\t\n"
	    "Juzang\ta,\"b\"\\t\x1b[31m\xff\t\t\t\t\t\tbackoff\t\t\n");
}

static void
test_name_kv_and_geojson_have_their_forms(void **state HERD_UNUSED)
{
	assert_written("name", "kiwi\na,\"b\"\t\x1b[31m\xff\n");
	assert_written("kv",
	    "node=Riley\nclient=kiwi\nlocation=+34.1-118.2\nlat=34.1\n"
	    "lon=-118.2\nrtt_ms=0.412\nsent=48120\nstate=synced\nup=true\n"
	    "error=\n\n"
	    "node=Juzang\nclient=a,\"b\"\\t\x1b[31m\xff\nlocation=\nrtt_ms=\n"
	    "sent=\nstate=backoff\nup=\nerror=\n");
}

static void
test_geojson_has_longitude_first(void **state HERD_UNUSED)
{
	struct out_options options = options_for("geojson");
	char *text = write_with(&options, &view);
	cJSON *json = cJSON_Parse(text);
	const cJSON *features =
	    cJSON_GetObjectItemCaseSensitive(json, "features");
	const cJSON *geometry = cJSON_GetObjectItemCaseSensitive(
	    cJSON_GetArrayItem(features, 0), "geometry");
	const cJSON *position =
	    cJSON_GetObjectItemCaseSensitive(geometry, "coordinates");

	assert_int_equal(cJSON_GetArraySize(features), 2);
	assert_true(cJSON_GetArrayItem(position, 0)->valuedouble < -118);
	assert_true(cJSON_GetArrayItem(position, 1)->valuedouble > 34);
	assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(
	    cJSON_GetArrayItem(features, 1), "geometry")));
	cJSON_Delete(json);
	free(text);
}

/* Client ids have no bound, so they are never labels: rows are counted. */
static void
test_prometheus_has_no_ids_as_labels(void **state HERD_UNUSED)
{
	assert_written("prometheus",
	    "# TYPE herdctl_rows_rows gauge\nherdctl_rows_rows 2\n");
}

static void
test_lists_are_arrays_whatever_their_length(void **state HERD_UNUSED)
{
	for (int rows = 0; rows < 2; rows++) {
		struct out_options options = options_for("json");
		struct sink sink;
		struct out out;
		struct buf message;
		cJSON *json;

		sink_init_memory(&sink, false);
		buf_init(&message, XBUF_MAX);
		out_init(&out, &options, &sink);
		assert_int_equal(
		    out_begin(&out, &view, false, &message), STATUS_OK);
		for (int i = 0; i < rows; i++)
			out_row(&out);
		out_end(&out);
		json = cJSON_Parse(text_of(&sink.held));
		assert_int_equal(
		    cJSON_GetArraySize(cJSON_GetObjectItem(json, "rows")),
		    rows);
		cJSON_Delete(json);
		out_release(&out);
		buf_release(&sink.held);
		buf_release(&message);
	}
}

static void
test_records_are_lines_of_values(void **state HERD_UNUSED)
{
	struct out_options options = options_for("plain");
	char *got;

	options.where = "client = kiwi";
	got = write_with(&options, &record);
	assert_string_equal(got,
	    "NODE\tRiley\nCLIENT\tkiwi\nLOCATION\t+34.1-118.2\nRTT\t0.4ms\n"
	    "SENT\t48120\nSTATE\tsynced\nUP\tyes\n");
	free(got);
}

/* A list of values has a line for each thing in it. */
static void
test_json_is_words_for_people(void **state HERD_UNUSED)
{
	static const struct column column = { "history", "HISTORY", VALUE_JSON,
		0, 0, NULL, 0 };
	struct value value = { .type = VALUE_JSON,
		.known = true,
		.text = span_from("[1,2]"),
		.shown = span_from("one\ntwo \033[31m") };
	struct json json;
	struct buf out;

	buf_init(&out, XBUF_MAX);
	value_for_people(&out, &value, &column, true);
	assert_buf(&out, "one; two \\x1b[31m");
	buf_clear(&out);
	json_begin(&json, &out, JSON_TERMINAL);
	json_object(&json, NULL);
	value_write(&json, &value, &column);
	json_object_end(&json);
	assert_int_equal(json_end(&json), HERD_OK);
	assert_buf(&out, "{\"history\":[1,2]}");
	buf_clear(&out);
	value.shown = span_from("");
	value_for_people(&out, &value, &column, true);
	assert_buf(&out, "-");
	buf_release(&out);
}

static void
test_numbers_that_name_have_no_commas(void **state HERD_UNUSED)
{
	struct column column = { "pid", "PID", VALUE_INTEGER, COLUMN_NUMERAL, 0,
		NULL, 0 };
	struct value value = {
		.type = VALUE_INTEGER, .known = true, .integer = 18356
	};
	struct buf out;

	buf_init(&out, XBUF_MAX);
	value_for_people(&out, &value, &column, true);
	assert_buf(&out, "18356");
	buf_clear(&out);
	column.traits = 0;
	value_for_people(&out, &value, &column, true);
	assert_buf(&out, "18,356");
	buf_clear(&out);
	column.digits = DIGITS_ALL;
	value.type = VALUE_REAL;
	value.real = 3;
	value_for_people(&out, &value, &column, true);
	assert_buf(&out, "3");
	buf_release(&out);
}

static void
test_columns_sort_and_limit_choose(void **state HERD_UNUSED)
{
	struct out_options options = options_for("csv");
	char *got;

	options.columns = "state,rtt";
	options.sort = "rtt:desc";
	got = write_with(&options, &view);
	/* what is unknown comes last either way */
	assert_string_equal(got, "state,rtt_ms\nsynced,0.412\nbackoff,\n");
	free(got);
	options.sort = "state,rtt";
	options.limit = 1;
	options.header = false;
	got = write_with(&options, &view);
	assert_string_equal(got, "backoff,\n");
	free(got);
}

static void
assert_refused(const struct out_options *options, const char *part)
{
	struct sink sink;
	struct out out;
	struct buf message;

	sink_init_memory(&sink, false);
	buf_init(&message, XBUF_MAX);
	out_init(&out, options, &sink);
	assert_int_equal(out_begin(&out, &view, false, &message), STATUS_USAGE);
	if (strstr(text_of(&message), part) == NULL) {
		print_error("%s\n", text_of(&message));
		fail();
	}
	out_release(&out);
	buf_release(&message);
}

static void
test_unknown_columns_are_usage_errors(void **state HERD_UNUSED)
{
	struct out_options options = options_for("table");

	options.columns = "node,staet";
	assert_refused(&options, "did you mean `state'?");
	options.columns = NULL;
	options.sort = "zzzzzzzz";
	assert_refused(&options, "there are node, client");
	options.sort = "rtt:down";
	assert_refused(&options, "KEY:asc or KEY:desc");
	options.sort = NULL;
	options.where = "nix = 3";
	assert_refused(&options, "--where: no column `nix'");
}

/* Every width from 1 on: no line is wider. */
static void
test_tables_fit_every_width(void **state HERD_UNUSED)
{
	struct out_options options = options_for("table");

	for (size_t width = 1; width < 90; width++) {
		char *got;
		char *line;
		char *rest;

		options.width = width;
		got = write_with(&options, &view);
		for (line = strtok_r(got, "\n", &rest); line != NULL;
		     line = strtok_r(NULL, "\n", &rest)) {
			if (strcmp(line, "above") == 0 ||
			    strcmp(line, "below") == 0)
				continue;
			assert_true(width_of(span_from(line)) <= width);
		}
		free(got);
	}
}

static void
test_narrow_tables_drop_what_matters_least(void **state HERD_UNUSED)
{
	struct layout_column c[] = {
		{ .natural = 10, .shrinks = true },
		{ .natural = 10, .drop = 2 },
		{ .natural = 10, .drop = 1 },
	};

	layout_fit(c, 3, 0);
	assert_int_equal(c[1].width, 10);
	layout_fit(c, 3, 34);
	assert_int_equal(c[1].width, 10);
	layout_fit(c, 3, 33);
	assert_int_equal(c[1].width, 0);
	assert_int_equal(c[2].width, 10);
	layout_fit(c, 3, 21);
	assert_int_equal(c[2].width, 0);
	assert_int_equal(c[0].width, 10);
	layout_fit(c, 3, 9);
	assert_int_equal(c[0].width, 9);
	layout_fit(c, 3, 3);
	assert_int_equal(c[0].width, 3);
}

static void
test_long_texts_are_shortened_before_a_column_goes(void **state HERD_UNUSED)
{
	struct layout_column c[] = {
		{ .natural = 200, .shrinks = true },
		{ .natural = 20, .least = 20, .drop = 2 },
		{ .natural = 300, .shrinks = true, .drop = 1 },
	};

	layout_fit(c, 3, 80);
	assert_int_equal(c[1].width, 20);
	assert_int_equal(layout_total(c, 3), 80);
	layout_fit(c, 3, 48);
	assert_int_equal(c[0].width, 12);
	assert_int_equal(c[1].width, 20);
	assert_int_equal(c[2].width, 12);
	/* What a dropped column leaves goes to the others. */
	layout_fit(c, 3, 47);
	assert_int_equal(c[1].width, 0);
	assert_int_equal(layout_total(c, 3), 47);
}

static void
test_named_columns_and_numbers_stay(void **state HERD_UNUSED)
{
	struct layout_column c[] = {
		{ .natural = 40, .shrinks = true, .asked = true },
		{ .natural = 20, .least = 20, .drop = 2, .asked = true },
		{ .natural = 9, .drop = 1, .asked = true },
	};

	layout_fit(c, 3, 41);
	assert_int_equal(c[0].width, 8);
	assert_int_equal(c[1].width, 20);
	assert_int_equal(c[2].width, 9);
	layout_fit(c, 3, 32);
	assert_int_equal(c[0].width, 4);
	assert_int_equal(c[1].width, 20);
	assert_int_equal(c[2].width, 4);
	layout_fit(c, 3, 10);
	assert_int_equal(c[1].width, 20);
	assert_true(c[0].width > 0 && c[2].width > 0);
}

/* One long id neither pushes the columns apart nor takes them. */
static void
test_streams_keep_their_columns(void **state HERD_UNUSED)
{
	struct out_options options = options_for("table");
	struct sink sink;
	struct out out;
	struct buf message;
	char id[201] = { 0 };
	struct span text;
	size_t at = 0;

	memset(id, 'a', 200);
	options.width = 80;
	sink_init_memory(&sink, false);
	buf_init(&message, XBUF_MAX);
	out_init(&out, &options, &sink);
	assert_int_equal(out_begin(&out, &view, true, &message), STATUS_OK);
	for (int i = 0; i < 3; i++) {
		out_word(&out, C_ID, i == 1 ? id : "kiwi");
		out_integer(&out, C_SENT, 48120);
		out_word(&out, C_STATE, "synced");
		out_row(&out);
	}
	out_end(&out);
	text = buf_span(&sink.held);
	(void)width_take_line(&text, 0);
	for (int i = 0; i < 3; i++) {
		struct span line = width_take_line(&text, 0);
		const char *word = memmem(line.data, line.len, "synced", 6);
		size_t before;

		assert_true(width_of(line) <= 80);
		assert_non_null(word);
		before =
		    width_of(span_of(line.data, (size_t)(word - line.data)));
		at = i == 0 ? before : at;
		assert_int_equal(before, at);
	}
	out_release(&out);
	buf_release(&sink.held);
	buf_release(&message);
}

/* --- templates ------------------------------------------------------- */

static void
assert_template(const char *template, const char *want)
{
	struct out_options options = options_for("csv");
	char *got;

	options.format = format_template();
	options.template = template;
	got = write_with(&options, &view);
	assert_string_equal(got, want);
	free(got);
}

static void
test_templates_have_fields_of_columns(void **state HERD_UNUSED)
{
	assert_template("{node}", "Riley\nJuzang\n");
	assert_template("{node}: {sent}, {rtt_ms}, {rtt}, {RTT}|",
	    "Riley: 48120, 0.412, 0.4ms, 0.4ms|\nJuzang: , , -, -|\n");
	assert_template("{lat} {lon}", "34.1 -118.2\n \n");
	assert_template("{location}", "+34.1-118.2\n\n");
	assert_template(
	    "{{{node}}}\\t\\n\\\\\\x", "{Riley}\t\n\\\\x\n{Juzang}\t\n\\\\x\n");
	assert_template("", "\n\n");
	/* A pipe gets the bytes. */
	assert_template("{client}", "kiwi\na,\"b\"\t\x1b[31m\xff\n");
}

static void
test_templates_without_such_a_field_are_refused(void **state HERD_UNUSED)
{
	struct out_options options = options_for("csv");

	options.format = format_template();
	options.template = "{clinet}";
	assert_refused(
	    &options, "--format: no column `clinet', did you mean `client'?");
	options.template = "{nix}";
	assert_refused(&options, "there are node, client");
	options.template = "a {node";
	assert_refused(&options, "a `{' alone");
	options.template = "a } b";
	assert_refused(&options, "a `}' alone");
}

/* What a terminal would obey is shown; the template's own tab is one. */
static void
test_templates_are_clean_on_a_terminal(void **state HERD_UNUSED)
{
	struct template *template;
	struct value row[C_COUNT] = { 0 };
	struct buf out;

	buf_init(&out, XBUF_MAX);
	row[C_ID] = (struct value){ .type = VALUE_TEXT,
		.known = true,
		.text = span_from("x\n\x1b[31m") };
	assert_ok(template_parse("{client}\\t", &view, &template, &out));
	template_write(&out, template, row, true);
	assert_buf(&out, "x\\x0a\\x1b[31m\t\n");
	template_free(template);
	buf_release(&out);
}

/* --- csv --safe ------------------------------------------------------ */

static void
test_safe_csv_has_no_formulas(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "=1+1", "'=1+1" },
		{ "+1+1", "'+1+1" },
		{ "@x", "'@x" },
		{ "-x", "'-x" },
		{ "\tx", "'\tx" },
		{ "-", "'-" },
		{ "-1.5", "-1.5" },
		{ "+0.000318361", "+0.000318361" },
		{ "12", "12" },
		{ "kiwi", "kiwi" },
		{ "a=b", "a=b" },
		{ "-1.5.5", "'-1.5.5" },
		{ "+34.1-118.2", "'+34.1-118.2" },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		struct out_options options = options_for("csv");
		struct sink sink;
		struct out out;
		struct buf message;

		options.safe = true;
		options.header = false;
		options.columns = "client";
		sink_init_memory(&sink, false);
		buf_init(&message, XBUF_MAX);
		out_init(&out, &options, &sink);
		assert_int_equal(
		    out_begin(&out, &view, false, &message), STATUS_OK);
		out_word(&out, C_ID, cases[i].text);
		out_row(&out);
		out_end(&out);
		sink.held.len--;
		assert_buf(&sink.held, cases[i].want);
		out_release(&out);
		buf_release(&sink.held);
		buf_release(&message);
	}
}

static void
test_widths_count_columns_not_bytes(void **state HERD_UNUSED)
{
	struct buf cut;

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		skip();
	assert_int_equal(width_of(span_from("abc")), 3);
	assert_int_equal(width_of(span_from("\xc3\xa9")), 1);
	assert_int_equal(width_of(span_from("\xe6\x9d\xb1")), 2);
	assert_int_equal(width_of(span_from("e\xcc\x81")), 1);
	assert_int_equal(width_of(span_from("\xff\xfe")), 2);
	buf_init(&cut, XBUF_MAX);
	width_cut(&cut, span_from("\xe6\x9d\xb1\xe4\xba\xac"), 3, true);
	assert_buf(&cut, "\xe6\x9d\xb1\xe2\x80\xa6");
	buf_clear(&cut);
	width_cut(&cut, span_from("abcdef"), 4, false);
	assert_buf(&cut, "abc~");
	buf_clear(&cut);
	width_shorten(&cut, span_from("abcdefghij"), 6, false);
	assert_buf(&cut, "ab~hij");
	buf_clear(&cut);
	width_shorten(&cut, span_from("abcdefghij"), 10, false);
	assert_buf(&cut, "abcdefghij");
	buf_release(&cut);
}

static void
test_numbers_are_short_and_read_back(void **state HERD_UNUSED)
{
	struct buf out;
	static const struct {
		double number;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 0.1, "0.1" },
		{ -118.445127, "-118.445127" },
		{ 4090200, "4090200" },
		{ 1e15, "1e+15" },
		{ 123456789012345, "123456789012345" },
	};

	buf_init(&out, XBUF_MAX);
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		put_number(&out, cases[i].number);
		assert_buf(&out, cases[i].text);
	}
	buf_clear(&out);
	put_grouped(&out, -1234567);
	put_text(&out, " ");
	put_grouped(&out, 999);
	put_text(&out, " ");
	put_grouped(&out, 1000);
	assert_buf(&out, "-1,234,567 999 1,000");
	buf_clear(&out);
	put_distance(&out, 850.4);
	put_text(&out, " ");
	put_distance(&out, 1250);
	put_text(&out, " ");
	put_distance(&out, 123456);
	assert_buf(&out, "850 m 1.2 km 123 km");
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_aligns_and_has_footers),
		cmocka_unit_test(test_plain_cuts_nothing_and_has_tabs),
		cmocka_unit_test(test_json_has_types_units_and_null),
		cmocka_unit_test(test_csv_quotes_and_tsv_escapes),
		cmocka_unit_test(test_name_kv_and_geojson_have_their_forms),
		cmocka_unit_test(test_geojson_has_longitude_first),
		cmocka_unit_test(test_prometheus_has_no_ids_as_labels),
		cmocka_unit_test(test_lists_are_arrays_whatever_their_length),
		cmocka_unit_test(test_records_are_lines_of_values),
		cmocka_unit_test(test_json_is_words_for_people),
		cmocka_unit_test(test_numbers_that_name_have_no_commas),
		cmocka_unit_test(test_columns_sort_and_limit_choose),
		cmocka_unit_test(test_unknown_columns_are_usage_errors),
		cmocka_unit_test(test_tables_fit_every_width),
		cmocka_unit_test(test_narrow_tables_drop_what_matters_least),
		cmocka_unit_test(
		    test_long_texts_are_shortened_before_a_column_goes),
		cmocka_unit_test(test_named_columns_and_numbers_stay),
		cmocka_unit_test(test_streams_keep_their_columns),
		cmocka_unit_test(test_templates_have_fields_of_columns),
		cmocka_unit_test(
		    test_templates_without_such_a_field_are_refused),
		cmocka_unit_test(test_templates_are_clean_on_a_terminal),
		cmocka_unit_test(test_safe_csv_has_no_formulas),
		cmocka_unit_test(test_widths_count_columns_not_bytes),
		cmocka_unit_test(test_numbers_are_short_and_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
