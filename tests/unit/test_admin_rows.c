/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/bearer_tokens.h"
#include "admin/client_row.h"

static struct report
kiwi(void)
{
	return (struct report){
		.client = span_from("kiwi.cs.ucla.edu"),
		.location = span_from("+34.068930-118.445127"),
		.time = span_from("1621464827.959498503"),
		.skew = span_from("+0.263873386"),
		.origin = span_from("Riley"),
		.time_ns = UINT64_C(1621464827959498503),
		.kind = REPORT_POSITION,
	};
}

static void
check_row(const struct report *report, uint32_t from, const char *expected)
{
	static struct node node;
	static struct client_scene scene;
	const struct client_row row = {
		.scene = &scene, .report = report, .from = from
	};
	struct json json;
	struct buf text;

	buf_init(&text, 1u << 20);
	json_begin(&json, &text, JSON_COMPACT);
	json_object(&json, NULL);
	client_scene_init(&scene, &node);
	scene.now.ns = UINT64_C(1621464830000000000);
	client_row_write(&json, &row);
	json_object_end(&json);
	assert_int_equal(json_end(&json), HERD_OK);
	assert_string_equal(buf_cstr(&text), expected);
	buf_release(&text);
}

/* A neighbour may give the origin its own report back. */
static void
test_rows_the_origin_has_it_from_the_client(void **state)
{
	struct report report = kiwi();
	struct node node = { .name = "Riley" };
	struct node other = { .name = "Rile" };

	(void)state;
	assert_int_equal(client_row_giver(&node, &report, 77), FROM_CLIENT);
	assert_int_equal(
	    client_row_giver(&node, &report, FROM_CLIENT), FROM_CLIENT);
	assert_int_equal(
	    client_row_giver(&node, &report, FROM_NOBODY), FROM_NOBODY);
	assert_int_equal(client_row_giver(&other, &report, 77), 77);
}

static void
test_rows_client_has_all_fields(void **state)
{
	struct report report = kiwi();

	(void)state;
	check_row(&report, FROM_CLIENT,
	    "{\"client\":\"kiwi.cs.ucla.edu\","
	    "\"time\":\"1621464827.959498503\","
	    "\"location\":\"+34.068930-118.445127\",\"lat\":34.06893,"
	    "\"lon\":-118.445127,\"node\":\"Riley\",\"skew\":\"+0.263873386\","
	    "\"received_at\":\"1621464828.223371889\",\"from\":\"client\",\"age_s\":2.040501}");
}

/* Its age is none, and the row says how far the client's clock is ahead. */
static void
test_rows_client_from_the_future_is_ahead(void **state)
{
	struct report report = kiwi();

	(void)state;
	report.time_ns = UINT64_C(1621464890500000000);
	report.time = span_from("1621464890.5");
	check_row(&report, FROM_CLIENT,
	    "{\"client\":\"kiwi.cs.ucla.edu\",\"time\":\"1621464890.5\","
	    "\"location\":\"+34.068930-118.445127\",\"lat\":34.06893,"
	    "\"lon\":-118.445127,\"node\":\"Riley\",\"skew\":\"+0.263873386\","
	    "\"received_at\":\"1621464890.763873386\",\"from\":\"client\","
	    "\"age_s\":0,\"ahead_s\":60.5}");
}

static void
test_rows_id_of_any_bytes_is_whole_in_base64(void **state)
{
	struct report report = kiwi();

	(void)state;
	report.client = span_of("a\xff\x1b", 3);
	check_row(&report, FROM_NOBODY,
	    "{\"client\":\"a\xef\xbf\xbd\\u001b\",\"client_b64\":\"Yf8b\","
	    "\"time\":\"1621464827.959498503\","
	    "\"location\":\"+34.068930-118.445127\",\"lat\":34.06893,"
	    "\"lon\":-118.445127,\"node\":\"Riley\",\"skew\":\"+0.263873386\","
	    "\"received_at\":\"1621464828.223371889\",\"from\":null,\"age_s\":2.040501}");
}

static void
test_rows_removal_says_so(void **state)
{
	struct report report = kiwi();

	(void)state;
	report.kind = REPORT_REMOVAL;
	report.location = span_from("");
	report.skew = span_from("");
	check_row(&report, FROM_CLIENT,
	    "{\"client\":\"kiwi.cs.ucla.edu\","
	    "\"time\":\"1621464827.959498503\",\"location\":null,"
	    "\"lat\":null,\"lon\":null,\"node\":\"Riley\",\"skew\":null,"
	    "\"received_at\":\"1621464827.959498503\",\"from\":\"client\","
	    "\"removed\":true}");
}

/* --- tokens ------------------------------------------------------------- */

static char *
write_token(const char *text, mode_t mode)
{
	char *path = strdup("/tmp/herd-token-XXXXXX");
	int fd;

	assert_non_null(path);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static enum herd_error
read_tokens(const char *write_path, const char *read_path, struct buf *message,
    struct bearer_tokens *tokens)
{
	const struct keyfile write_file = { "admin.token_file", write_path,
		"Ann", NULL, false };
	const struct keyfile read_file = { "admin.read_token_file", read_path,
		"Ann", NULL, false };

	return bearer_tokens_read(
	    &write_file, &read_file, tokens, tokens, message);
}

static void
drop_token(char *path)
{
	unlink(path);
	free(path);
}

static void
test_tokens_grant_what_their_file_says(void **state)
{
	char *write_path = write_token("write-0123456789abcdef\n", 0600);
	char *read_path = write_token("read-0123456789abcdef\n", 0600);
	struct bearer_tokens tokens = { 0 };
	struct buf message;

	(void)state;
	buf_init(&message, 1024);
	assert_int_equal(
	    read_tokens(write_path, read_path, &message, &tokens), HERD_OK);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "Bearer write-0123456789abcdef"),
	    TOKEN_WRITE);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "bearer  read-0123456789abcdef "),
	    TOKEN_READ);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "Bearer write-0123456789abcde"),
	    TOKEN_WRONG);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "Bearer write-0123456789abcdef0"),
	    TOKEN_WRONG);
	assert_int_equal(bearer_tokens_check(&tokens, "Bearer "), TOKEN_WRONG);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "Basic dXNlcg=="), TOKEN_NONE);
	assert_int_equal(bearer_tokens_check(&tokens, NULL), TOKEN_NONE);
	bearer_tokens_wipe(&tokens);

	/* A file that is not there grants nothing, not even to nothing. */
	assert_int_equal(
	    read_tokens("", read_path, &message, &tokens), HERD_OK);
	assert_int_equal(bearer_tokens_check(&tokens, "Bearer "), TOKEN_WRONG);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "Bearer write-0123456789abcdef"),
	    TOKEN_WRONG);
	bearer_tokens_wipe(&tokens);
	buf_release(&message);
	drop_token(write_path);
	drop_token(read_path);
}

static void
test_each_token_of_a_file_grants(void **state)
{
	char *path = write_token("# both, while they change\n"
				 "new-0123456789abcdef\n\n"
				 " old-0123456789abcdef\r\n",
	    0600);
	struct bearer_tokens tokens = { 0 };
	struct buf message;

	(void)state;
	buf_init(&message, 1024);
	assert_int_equal(read_tokens(path, "", &message, &tokens), HERD_OK);
	assert_int_equal(tokens.write.count, 2);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "Bearer new-0123456789abcdef"),
	    TOKEN_WRITE);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "Bearer old-0123456789abcdef"),
	    TOKEN_WRITE);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "Bearer # both, while they change"),
	    TOKEN_WRONG);
	bearer_tokens_wipe(&tokens);
	assert_int_equal(
	    bearer_tokens_check(&tokens, "Bearer old-0123456789abcdef"),
	    TOKEN_WRONG);
	buf_release(&message);
	drop_token(path);
}

static void
test_tokens_unsafe_files_are_refused(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *says;
	} CASES[] = {
		{ "0123456789abcdef", 0640, "chmod 600" },
		{ "0123456789abcdef", 0604, "chmod 600" },
		{ "0123456789abcde", 0600, "shorter than 16" },
		{ "", 0600, "holds no word of 16 bytes" },
		{ "# a\n\n", 0600, "holds no word of 16 bytes" },
		{ "0123456789abcdef\n0123456789abcde\n", 0600,
		    "line 2 is shorter than 16" },
		{ "0123456789abcdef two words", 0600, "printable ASCII" },
		{ "0123456789abcdef\xff", 0600, "printable ASCII" },
	};
	struct bearer_tokens tokens = { 0 };
	struct buf message;

	(void)state;
	buf_init(&message, 1024);
	for (size_t i = 0; i < HERD_ARRAY_LEN(CASES); i++) {
		char *path = write_token(CASES[i].text, CASES[i].mode);

		buf_clear(&message);
		assert_int_not_equal(
		    read_tokens(path, "", &message, &tokens), HERD_OK);
		assert_non_null(strstr(buf_cstr(&message), CASES[i].says));
		assert_non_null(strstr(buf_cstr(&message), "admin.token_file"));
		drop_token(path);
	}
	buf_clear(&message);
	assert_int_equal(
	    read_tokens("", "/nonexistent/token", &message, &tokens),
	    HERD_ESYSTEM);
	assert_non_null(strstr(buf_cstr(&message), "No such file"));
	buf_release(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_the_origin_has_it_from_the_client),
		cmocka_unit_test(test_rows_client_has_all_fields),
		cmocka_unit_test(test_rows_client_from_the_future_is_ahead),
		cmocka_unit_test(test_rows_id_of_any_bytes_is_whole_in_base64),
		cmocka_unit_test(test_rows_removal_says_so),
		cmocka_unit_test(test_tokens_grant_what_their_file_says),
		cmocka_unit_test(test_each_token_of_a_file_grants),
		cmocka_unit_test(test_tokens_unsafe_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
