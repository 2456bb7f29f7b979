/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each allocation of common/, and of libyaml below it, fails once: the call
 * must say so, leak nothing and leave no half result.
 */
#include "torture.h"

#include "herd/address.h"
#include "herd/framer.h"
#include "herd/graph.h"
#include "herd/herdfile.h"
#include "herd/location.h"
#include "herd/report.h"
#include "herd/text.h"
#include "herd/time.h"
#include "herd/users_file.h"

/* What each scenario does: HERD_OK, or the first error that it met. */
static const char bad_file[] =
    "herd: ucla\n"
    "nodes:\n"
    "  A: {clients: \"127.0.0.1:1\", peers: \"127.0.0.1:11\", admin: /a}\n"
    "  B: {clients: \"127.0.0.1:2\", peers: \"127.0.0.1:12\", admin: /b}\n"
    "  C: {clients: \"127.0.0.1:3\", peers: \"127.0.0.1:13\"}\n"
    "links: [[A, B], {between: [B, A], dial: B}]\n"
    "workers: [1]\n"
    "log: {level: inof}\n";

static const char good_bytes[1000];

static enum herd_error
read_file(const char *text, enum herd_error want)
{
	struct diagnostics diagnostics;
	struct herdfile file;
	enum herd_error error;
	struct buf buf;

	diagnostics_init(&diagnostics);
	buf_init(&buf, 10000);
	error = buf_add_text(&buf, text);
	if (error == HERD_OK)
		error = herdfile_parse(buf_span(&buf), &file, &diagnostics);
	if (error == HERD_OK)
		herdfile_release(&file);
	diagnostics_release(&diagnostics);
	buf_release(&buf);
	return error == want ? HERD_OK : error;
}

static enum herd_error
read_good_file(void)
{
	return read_file(
	    "herd: x\n"
	    "nodes:\n"
	    "  A: {clients: \"h:1\", peers: \"127.0.0.1:1\"}\n"
	    "  B: {clients: \"h:2\", peers: \"127.0.0.1:2\"}\n"
	    "  C: {clients: \"h:3\", peers: \"127.0.0.1:3\"}\n"
	    "links: [[A, B], {between: [B, C], dial: C}]\n"
	    "places: {provider: [google, gazetteer], key_file: k}\n"
	    "log: {traffic: x}\n",
	    HERD_OK);
}

static enum herd_error
read_bad_file(void)
{
	return read_file(bad_file, HERD_ESYNTAX);
}

static enum herd_error
read_broken_file(void)
{
	return read_file("herd: [x, &y\n", HERD_ESYNTAX);
}

static enum herd_error
read_file_with_warnings(void)
{
	return read_file("herd: x\nnodes: {A: {clients: \"h:1\"}, B: {clients: "
			 "\"h:2\"}}\n",
	    HERD_OK);
}

static enum herd_error
read_users(void)
{
	struct users_file file;
	enum herd_error error;
	struct buf message;

	buf_init(&message, 1000);
	error = users_file_parse(
	    span_from("jane:$y$x\n# him too\njohn:$y$y:phone\n"), &file,
	    &message);
	if (error == HERD_OK) {
		users_file_release(&file);
		error = users_file_parse(
		    span_from("jane:$y$x\njane:$y$y"), &file, &message);
		error = error == HERD_ESYNTAX ? HERD_OK : error;
	}
	buf_release(&message);
	return error;
}

static enum herd_error
use_settings(void)
{
	const struct setting *user = setting_find(span_from("user"));
	const struct setting *level = setting_find(span_from("log.level"));
	struct settings settings;
	enum herd_error error;
	struct buf text;

	error = settings_init(&settings);
	if (error != HERD_OK)
		return error;
	buf_init(&text, 1000);
	error = setting_set(&settings, user, span_from("somebody"), NULL);
	if (error == HERD_OK) {
		error = setting_set(&settings, level, span_from("x"), &text);
		if (error == HERD_ESYNTAX)
			error = setting_get(&settings, user, &text);
	}
	buf_release(&text);
	settings_release(&settings);
	return error;
}

static enum herd_error
study_graph(void)
{
	static const struct graph_edge edges[] = { { 0, 1 }, { 1, 2 } };
	struct graph_facts facts;
	enum herd_error error;

	error = graph_study(3, edges, HERD_ARRAY_LEN(edges), &facts);
	if (error == HERD_OK)
		graph_facts_release(&facts);
	return error;
}

static enum herd_error
read_from_disk(void)
{
	enum herd_error error;
	struct buf buf;

	buf_init(&buf, 1u << 22);
	error = file_read("/proc/self/exe", 1u << 22, &buf);
	buf_release(&buf);
	return error;
}

static enum herd_error
set_bytes(void)
{
	enum herd_error error;
	struct buf buf;

	buf_init(&buf, 10000);
	error = buf_set(&buf, good_bytes, 10);
	if (error == HERD_OK)
		error = buf_set(&buf, good_bytes, sizeof(good_bytes));
	buf_release(&buf);
	return error;
}

/* What is pending stays with the framer when no memory of its own is there. */
static enum herd_error
lend_to_framer(void)
{
	struct framer framer;
	enum herd_error error;
	struct buf spare;
	char *room;
	size_t size;

	framer_init(&framer, 1000);
	buf_init(&spare, 10000);
	error = buf_reserve(&spare, 5000);
	if (error == HERD_OK) {
		framer_borrow(&framer, &spare);
		error = framer_space(&framer, 100, &room, &size);
	}
	if (error == HERD_OK) {
		memcpy(room, "pending", 7);
		framer_filled(&framer, 7);
		error = framer_give_back(&framer, &spare);
		assert_int_equal(framer_pending(&framer), 7);
	}
	framer_release(&framer);
	buf_release(&spare);
	return error;
}

static enum herd_error
frame_lines(void)
{
	struct framer framer;
	enum herd_error error;
	struct span line;
	size_t i;

	framer_init(&framer, 1000);
	error = framer_feed(&framer, span_from("a\nb\nc"));
	if (error == HERD_OK)
		error = framer_next(&framer, &line);
	for (i = 0; i < 50 && error == HERD_OK; i++)
		error = framer_feed(&framer, span_from("0123456789"));
	framer_release(&framer);
	return error;
}

/* Everything that appends: on failure nothing stays appended. */
static enum herd_error
append(struct buf *out, size_t which)
{
	struct address address = { .kind = ADDRESS_TCP, .host = "::1" };
	struct report report = { .client = span_from("kiwi"),
		.origin = span_from("Riley"),
		.time = span_from("1") };
	struct location location;
	struct span text = span_from("\xc3\xa9\x1b %");

	report.kind = REPORT_REMOVAL;
	switch (which) {
	case 0: return text_escape(out, text, 3);
	case 1: return text_to_utf8(out, text);
	case 2: return text_to_terminal(out, text);
	case 3: return text_to_base64(out, text);
	case 4: return text_from_base64(out, span_from("Zm9vYmFy"));
	case 5: return text_to_percent(out, text);
	case 6: return text_from_percent(out, span_from("%20x"));
	case 7: return duration_format(out, 3690 * HERD_NS_PER_S);
	case 8: return duration_for_people(out, 3690 * HERD_NS_PER_S);
	case 9: return report_format(out, &report);
	case 10: return address_format(out, &address);
	case 11: return location_from_human(span_from("1,2"), out, &location);
	case 12: return herdfile_expand(out, "%n", "Riley", "/x");
	case 13: return buf_cstr(out) == NULL ? HERD_ENOMEM : HERD_OK;
	case 14: return buf_set(out, "0123456789", 10);
	default: return HERD_ENOTFOUND;
	}
}

static enum herd_error
append_all(void)
{
	enum herd_error error = HERD_OK;
	size_t which, filled;
	struct buf out;

	/* Filled, so that each place of each call meets a full buffer. */
	for (which = 0; which < 15 && error == HERD_OK; which++)
		for (filled = 40; filled <= 64 && error == HERD_OK; filled++) {
			buf_init(&out, 1000);
			error = buf_addf(&out, "%*s", (int)filled, "");
			if (error == HERD_OK) {
				error = append(&out, which);
				assert_true(
				    error == HERD_OK || out.len == filled);
			}
			buf_release(&out);
		}
	return error;
}

static void torture(enum herd_error (*scenario)(void))
{
	enum herd_error error;
	size_t n = 0, limit = COUNTING ? 100000 : 1;
	long before;

	do {
		before = live;
		failed = false;
		calls_left = COUNTING ? n : SIZE_MAX;
		error = scenario();
		calls_left = SIZE_MAX;
		if (live != before)
			fail_msg(
			    "allocation %zu: %ld are lost", n, live - before);
		assert_int_equal(error, failed ? HERD_ENOMEM : HERD_OK);
	} while (failed && ++n < limit);
	print_message("%zu allocations\n", n);
	assert_true(!COUNTING || n > 0);
}

#define TORTURE(scenario)                                                     \
	static void test_##scenario##_survives_lack(void **state HERD_UNUSED) \
	{                                                                     \
		torture(scenario);                                            \
	}
TORTURE(read_good_file)
TORTURE(read_bad_file)
TORTURE(read_broken_file)
TORTURE(read_file_with_warnings)
TORTURE(read_users)
TORTURE(use_settings)
TORTURE(study_graph)
TORTURE(read_from_disk)
TORTURE(set_bytes)
TORTURE(lend_to_framer)
TORTURE(frame_lines)
TORTURE(append_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_good_file_survives_lack),
		cmocka_unit_test(test_read_bad_file_survives_lack),
		cmocka_unit_test(test_read_broken_file_survives_lack),
		cmocka_unit_test(test_read_file_with_warnings_survives_lack),
		cmocka_unit_test(test_read_users_survives_lack),
		cmocka_unit_test(test_use_settings_survives_lack),
		cmocka_unit_test(test_study_graph_survives_lack),
		cmocka_unit_test(test_read_from_disk_survives_lack),
		cmocka_unit_test(test_set_bytes_survives_lack),
		cmocka_unit_test(test_lend_to_framer_survives_lack),
		cmocka_unit_test(test_frame_lines_survives_lack),
		cmocka_unit_test(test_append_all_survives_lack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
