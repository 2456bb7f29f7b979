/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "herd/users_file.h"

#define ZEROS "00000000000000000000000000000000"
#define DIGEST_1 ZEROS "000000000000000000000000000000f1"
#define DIGEST_2 ZEROS "000000000000000000000000000000f2"

static struct users_file
parse(const char *text)
{
	struct users_file file = { 0 };
	struct buf message;

	buf_init(&message, 1000);
	if (users_file_parse(span_from(text), &file, &message) != HERD_OK)
		fail_msg("%s", buf_cstr(&message));
	assert_int_equal(message.len, 0);
	buf_release(&message);
	return file;
}

static const struct users_entry *
find(const struct users_file *file, const char *name)
{
	return users_file_find(file, span_from(name));
}

static void
test_users_and_keys_are_found(void **state HERD_UNUSED)
{
	static const char text[] = "\xef\xbb\xbf# who may report\n"
				   "\n"
				   "john:$6$salt$hash:phone,car\r\n"
				   "  jane:$y$j9T$salt$hash  \n"
				   "jane-2:$y$other\n"
				   "jane/car:key:" DIGEST_2 "\n"
				   "zo\xc3\xab/watch:key:" DIGEST_1;
	struct users_file file = parse(text);
	const struct users_entry *entry = find(&file, "jane");
	uint8_t digest[USERS_DIGEST] = { [31] = 0xf1 };

	assert_int_equal(file.count, 5);
	assert_span(entry->hash, "$y$j9T$salt$hash");
	assert_int_equal(entry->line, 4);
	assert_true(users_file_allows(entry, span_from("anything")));
	entry = find(&file, "john");
	assert_span(entry->devices, "phone,car");
	assert_true(users_file_allows(entry, span_from("phone")));
	assert_true(users_file_allows(entry, span_from("car")));
	assert_false(users_file_allows(entry, span_from("ca")));
	assert_false(users_file_allows(entry, span_from("phone,car")));
	assert_false(users_file_allows(entry, span_from("")));
	assert_null(find(&file, "jan"));
	assert_null(find(&file, ""));
	assert_span(users_file_key(&file, digest)->name, "zo\xc3\xab/watch");
	assert_span(users_file_key(&file, digest)->user, "zo\xc3\xab");
	digest[31] = 0xf2;
	assert_span(users_file_key(&file, digest)->device, "car");
	assert_ptr_equal(
	    users_file_key(&file, digest), find(&file, "jane/car"));
	digest[31] = 0xf3;
	assert_null(users_file_key(&file, digest));
	users_file_release(&file);
}

static void
test_an_empty_file_lets_nobody_in(void **state HERD_UNUSED)
{
	static const char *const texts[] = { "", "\n\n", "# nobody\n", "  \t" };
	static const uint8_t digest[USERS_DIGEST];

	for (size_t i = 0; i < HERD_ARRAY_LEN(texts); i++) {
		struct users_file file = parse(texts[i]);

		assert_int_equal(file.count, 0);
		assert_null(find(&file, "jane"));
		assert_null(users_file_key(&file, digest));
		users_file_release(&file);
		users_file_release(&file);
	}
}

static void
assert_refused(const char *text, enum herd_error want, const char *begin)
{
	struct users_file file = { .len = 7 };
	struct buf message;

	buf_init(&message, 1000);
	assert_int_equal(
	    users_file_parse(span_from(text), &file, &message), want);
	if (!span_begins(buf_span(&message), span_from(begin)))
		fail_msg("%s: %s", text, buf_cstr(&message));
	assert_null(strstr(buf_cstr(&message), "ecret"));
	assert_int_equal(file.len, 7);
	buf_release(&message);
}

static void
test_bad_lines_are_refused_with_their_number(void **state HERD_UNUSED)
{
	static const char *const lines[] = {
		"jane",
		"jane:",
		"jane:Secret",
		"jane:$",
		":$y$Secret",
		"jane:$y$Secret:",
		"jane:$y$Secret:a,,b",
		"jane:$y$Secret:a/b",
		"jane:$y$Secret:a:b",
		"jane:$y$Sec ret",
		"jane:$y$\x01Secret",
		"jane doe:$y$Secret",
		"ja\x1bne:$y$Secret",
		"ja\xffne:$y$x",
		"jane\xe2\x80\xae:$y$Secret",
		"ja,ne:$y$Secret",
		"jane/:key:" DIGEST_1,
		"/phone:key:" DIGEST_1,
		"jane/a/b:key:" DIGEST_1,
		"jane/phone:$y$Secret",
		"jane/phone:key:",
		"jane/phone:key:Secret",
		"jane/phone:key:" DIGEST_1 "0",
		"jane/phone:key:" DIGEST_1 ":x",
		"jane/phone:key:" ZEROS "000000000000000000000000000000F1",
		"jane/#x:key:" DIGEST_1,
	};
	char text[300];

	for (size_t i = 0; i < HERD_ARRAY_LEN(lines); i++) {
		(void)snprintf(
		    text, sizeof(text), "#\nok:$y$x\n%s\n", lines[i]);
		assert_refused(text, HERD_ESYNTAX, "line 3: ");
	}
	assert_refused("a:$y$1\nb:$y$2\na:$y$3\n", HERD_ESYNTAX,
	    "line 3: line 1 has that name already");
	assert_refused("b/p:key:" DIGEST_1 "\na/p:key:" DIGEST_1 "\n",
	    HERD_ESYNTAX, "line 2: line 1 has that key already");
}

/* --- limits --------------------------------------------------------------- */

static void
test_names_have_a_limit(void **state HERD_UNUSED)
{
	char name[USERS_NAME_MAX + 1];

	memset(name, 'a', sizeof(name));
	assert_true(users_file_name_is_valid(span_of(name, USERS_NAME_MAX)));
	assert_false(
	    users_file_name_is_valid(span_of(name, USERS_NAME_MAX + 1)));
	assert_false(users_file_name_is_valid(span_of(name, 0)));
	assert_false(users_file_name_is_valid(span_of("a\0b", 3)));
}

/* A file of that many lines; `key` of a user's devices, else users. */
static void
put_lines(struct buf *text, unsigned count, bool key)
{
	buf_clear(text);
	for (unsigned i = 0; i < count; i++) {
		if (key)
			assert_ok(
			    buf_addf(text, "u/d%u:key:" ZEROS "%032x\n", i, i));
		else
			assert_ok(buf_addf(text, "u%u:$y$j9T$salt$%u\n", i, i));
	}
}

static enum herd_error
parse_lines(struct buf *text, unsigned count, bool key)
{
	struct users_file file = { 0 };
	enum herd_error error;
	struct buf message;

	buf_init(&message, 1000);
	put_lines(text, count, key);
	error = users_file_parse(buf_span(text), &file, &message);
	if (error == HERD_OK) {
		assert_int_equal(file.count, count);
		users_file_release(&file);
	}
	buf_release(&message);
	return error;
}

static void
test_files_have_limits(void **state HERD_UNUSED)
{
	struct users_file file;
	struct buf text, message;

	buf_init(&text, 2u * USERS_FILE_BYTES_MAX);
	buf_init(&message, 1000);
	/* What follows the last line end is a line too. */
	assert_ok(parse_lines(&text, USERS_FILE_LINES_MAX - 1, false));
	assert_int_equal(
	    parse_lines(&text, USERS_FILE_LINES_MAX, false), HERD_ELIMIT);
	assert_ok(parse_lines(&text, USERS_DEVICES_MAX, true));
	assert_int_equal(
	    parse_lines(&text, USERS_DEVICES_MAX + 1, true), HERD_ELIMIT);
	buf_clear(&text);
	assert_ok(buf_reserve(&text, USERS_FILE_BYTES_MAX + 1u));
	memset(buf_tail(&text), '#', USERS_FILE_BYTES_MAX + 1u);
	buf_grow(&text, USERS_FILE_BYTES_MAX);
	assert_ok(users_file_parse(buf_span(&text), &file, &message));
	users_file_release(&file);
	buf_grow(&text, 1);
	assert_int_equal(
	    users_file_parse(buf_span(&text), &file, &message), HERD_ELIMIT);
	buf_release(&text);
	buf_release(&message);
}

static void
test_a_list_has_at_most_32_devices(void **state HERD_UNUSED)
{
	struct users_entry entry;
	struct buf line;
	const char *why;

	buf_init(&line, 1000);
	assert_ok(buf_add_text(&line, "u:$y$x:d0"));
	for (unsigned i = 1; i < USERS_DEVICES_MAX; i++)
		assert_ok(buf_addf(&line, ",d%u", i));
	assert_true(users_file_line(buf_span(&line), &entry, &why));
	assert_ok(buf_add_text(&line, ",d32"));
	assert_false(users_file_line(buf_span(&line), &entry, &why));
	assert_non_null(why);
	buf_release(&line);
}

/* --- files ---------------------------------------------------------------- */

static enum herd_error
read_with_mode(const char *path, mode_t mode, struct buf *message)
{
	const struct keyfile from = { .name = "http.users_file",
		.value = path };
	struct users_file file = { 0 };
	enum herd_error error;

	assert_int_equal(chmod(path, mode), 0);
	error = users_file_read(&from, &file, message);
	if (error == HERD_OK)
		assert_int_equal(file.count, 1);
	users_file_release(&file);
	return error;
}

static void
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
test_a_file_is_its_owners_alone(void **state HERD_UNUSED)
{
	char path[] = "/tmp/herd-users-XXXXXX";
	struct buf message;
	char want[100];

	buf_init(&message, 1000);
	close(mkstemp(path));
	write_text(path, "jane:$y$x\n");
	assert_ok(read_with_mode(path, 0600, &message));
	assert_int_equal(message.len, 0);
	assert_int_equal(read_with_mode(path, 0640, &message), HERD_ESYSTEM);
	assert_non_null(strstr(buf_cstr(&message), "chmod 600"));
	buf_clear(&message);
	write_text(path, "jane:$y$x\njane\n");
	assert_int_equal(read_with_mode(path, 0600, &message), HERD_ESYNTAX);
	(void)snprintf(
	    want, sizeof(want), "http.users_file %s: line 2: ", path);
	assert_true(span_begins(buf_span(&message), span_from(want)));
	(void)unlink(path);
	buf_release(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users_and_keys_are_found),
		cmocka_unit_test(test_an_empty_file_lets_nobody_in),
		cmocka_unit_test(test_bad_lines_are_refused_with_their_number),
		cmocka_unit_test(test_names_have_a_limit),
		cmocka_unit_test(test_files_have_limits),
		cmocka_unit_test(test_a_list_has_at_most_32_devices),
		cmocka_unit_test(test_a_file_is_its_owners_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
