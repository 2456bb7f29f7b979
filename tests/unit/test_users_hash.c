/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/users_file.h"
#include "herd/users_hash.h"

static bool
fits(const char *hash, const char *password)
{
	return users_hash_fits(span_from(hash), span_from(password));
}

static void
test_a_hash_fits_its_password_alone(void **state HERD_UNUSED)
{
	static const char password[] = "correct horse b\xc3\xa4ttery";
	struct users_entry entry;
	struct buf line, again;
	const char *why;

	buf_init(&line, 1000);
	buf_init(&again, 1000);
	assert_ok(buf_add_text(&line, "jane:"));
	assert_ok(users_hash_make(span_from(password), &line));
	assert_true(users_file_line(buf_span(&line), &entry, &why));
	assert_true(users_hash_fits(entry.hash, span_from(password)));
	assert_false(users_hash_fits(entry.hash, span_from("correct horse")));
	assert_false(users_hash_fits(entry.hash, span_from("")));
	/* The salt is another one each time. */
	assert_ok(users_hash_make(span_from(password), &again));
	assert_false(span_equal(entry.hash, buf_span(&again)));
	buf_release(&line);
	buf_release(&again);
}

/* Cheap ones of "Hello world!", so that the test is short. */
static void
test_other_methods_fit_too(void **state HERD_UNUSED)
{
	static const char sha512[] =
	    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
	    "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
	static const char sha256[] =
	    "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5";

	assert_true(fits(sha512, "Hello world!"));
	assert_true(fits(sha256, "Hello world!"));
	assert_false(fits(sha256, "Hello world"));
}

static void
test_what_is_no_hash_fits_nothing(void **state HERD_UNUSED)
{
	static const char *const hashes[] = { "", "$", "*", "*0", "*1", "!",
		"$9$nothing", "$y$", "$6$", "x", "$1$" };
	char longest[USERS_HASH_MAX + 1];

	for (size_t i = 0; i < HERD_ARRAY_LEN(hashes); i++)
		assert_false(fits(hashes[i], "x"));
	memset(longest, 'a', sizeof(longest));
	assert_false(
	    users_hash_fits(span_of(longest, sizeof(longest)), span_from("x")));
}

static void
test_passwords_have_limits(void **state HERD_UNUSED)
{
	char password[USERS_PASSWORD_MAX + 1];
	struct buf out;

	buf_init(&out, 1000);
	memset(password, 'p', sizeof(password));
	assert_true(users_hash_takes(span_of(password, USERS_PASSWORD_MAX)));
	assert_false(users_hash_takes(span_of(password, sizeof(password))));
	assert_false(users_hash_takes(span_of("", 0)));
	assert_false(users_hash_takes(span_of("a\0b", 3)));
	assert_false(users_hash_takes(span_from("a\n")));
	assert_false(users_hash_takes(span_from("a\x7f")));
	assert_int_equal(
	    users_hash_make(span_of(password, sizeof(password)), &out),
	    HERD_ESYSTEM);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_hash_fits_its_password_alone),
		cmocka_unit_test(test_other_methods_fit_too),
		cmocka_unit_test(test_what_is_no_hash_fits_nothing),
		cmocka_unit_test(test_passwords_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
