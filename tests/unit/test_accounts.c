/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may report over HTTP, who sees whom, what is remembered of credentials
 * and of the addresses that show them.
 */
#include "unit.h"

#include <openssl/evp.h>

#include "phones/accounts.h"
#include "phones/visitors.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define HASH "$y$j9T$salt$hash"

static struct accounts *
make(const char *friends)
{
	struct users_file file;
	struct accounts *accounts;
	struct buf text, message;
	unsigned char sum[USERS_DIGEST];

	buf_init(&text, 4096);
	buf_init(&message, 4096);
	assert_int_equal(
	    EVP_Digest(KEY, strlen(KEY), sum, NULL, EVP_sha256(), NULL), 1);
	assert_ok(buf_add_text(&text, "jane/watch:key:"));
	for (size_t i = 0; i < sizeof(sum); i++)
		assert_ok(buf_addf(&text, "%02x", sum[i]));
	/* A name that sorts between jane and jane/watch. */
	assert_ok(buf_add_text(&text,
	    "\njane-x:" HASH "\njohn:" HASH "\njane:" HASH "\nann:" HASH "\n"));
	assert_ok(users_file_parse(buf_span(&text), &file, &message));
	assert_ok(accounts_new(&file, friends, &accounts));
	buf_release(&text);
	buf_release(&message);
	return accounts;
}

static struct account *
user(struct accounts *accounts, const char *name)
{
	return accounts_find(accounts, span_from(name));
}

static void
test_each_user_is_there_once(void **state HERD_UNUSED)
{
	struct accounts *accounts = make("");

	assert_int_equal(accounts_count(accounts), 4);
	assert_non_null(user(accounts, "jane"));
	assert_non_null(user(accounts, "jane")->password);
	assert_non_null(user(accounts, "jane-x"));
	assert_null(user(accounts, "jane/watch"));
	assert_null(user(accounts, "jan"));
	assert_null(user(accounts, ""));
	accounts_free(accounts);
}

static void
test_a_key_names_its_device(void **state HERD_UNUSED)
{
	struct accounts *accounts = make("");
	const struct users_entry *entry =
	    accounts_key(accounts, span_from(KEY));

	assert_non_null(entry);
	assert_span(entry->user, "jane");
	assert_span(entry->device, "watch");
	assert_null(accounts_key(accounts, span_from(KEY "0")));
	assert_null(accounts_key(accounts, span_from("")));
	accounts_free(accounts);
}

static void
test_friends_see_each_other(void **state HERD_UNUSED)
{
	struct accounts *accounts = make("jane john, john nobody ann, ann ann");
	struct account *jane = user(accounts, "jane");
	struct account *john = user(accounts, "john");
	struct account *ann = user(accounts, "ann");
	struct account *other = user(accounts, "jane-x");

	assert_true(account_sees(jane, john));
	assert_true(account_sees(john, ann));
	assert_false(account_sees(jane, ann));
	assert_true(account_sees(other, other));
	assert_false(account_sees(other, jane));
	accounts_free(accounts);
}

static void
test_right_credentials_are_remembered(void **state HERD_UNUSED)
{
	struct accounts *accounts = make("");
	struct accounts *again = make("");
	struct account *jane = user(accounts, "jane");
	struct credentials_digest digest, other;

	assert_true(accounts_digest(accounts, span_from("abc"), &digest));
	assert_true(accounts_digest(accounts, span_from("abd"), &other));
	assert_null(accounts_recall(accounts, &digest));
	accounts_remember(accounts, &digest, jane);
	assert_ptr_equal(accounts_recall(accounts, &digest), jane);
	assert_null(accounts_recall(accounts, &other));
	/* Another process, and a reload, has another secret. */
	assert_true(accounts_digest(again, span_from("abc"), &other));
	assert_memory_not_equal(&digest, &other, sizeof(digest));
	assert_null(accounts_recall(again, &digest));
	accounts_free(accounts);
	accounts_free(again);
}

static void
test_a_user_has_a_bounded_number_of_devices(void **state HERD_UNUSED)
{
	struct accounts *accounts = make("");
	struct accounts *again = make("");
	struct account *jane = user(accounts, "jane");
	char name[16];

	for (unsigned i = 0; i < USERS_DEVICES_MAX; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		assert_true(account_add_device(jane, span_from(name), i > 0));
		assert_true(account_add_device(jane, span_from(name), false));
	}
	assert_false(account_add_device(jane, span_from("made up"), false));
	assert_true(account_add_device(jane, span_from("one more"), true));
	assert_false(account_add_device(jane, span_from("too many"), true));
	assert_string_equal(jane->devices[0].name, "one more");
	accounts_take_devices(again, accounts);
	assert_int_equal(jane->device_count, 0);
	assert_int_equal(user(again, "jane")->device_count, USERS_DEVICES_MAX);
	assert_int_equal(user(again, "john")->device_count, 0);
	accounts_take_devices(again, NULL);
	accounts_free(accounts);
	accounts_free(again);
}

static void
test_an_address_has_a_bounded_number_of_tries(void **state HERD_UNUSED)
{
	struct visitors *visitors = calloc(1, sizeof(*visitors));
	struct mono now = { HERD_NS_PER_S };
	struct visitor *visitor;

	assert_non_null(visitors);
	for (unsigned i = 0; i < VISITORS_FAILURES_MAX; i++) {
		visitor = visitors_find(visitors, 7, now);
		assert_true(visitor_may_try(visitor, now));
		visitor_tries(visitor, now);
	}
	assert_false(visitor_may_try(visitors_find(visitors, 7, now), now));
	assert_true(visitor_may_try(visitors_find(visitors, 8, now), now));
	visitor_is_right(visitors_find(visitors, 7, now));
	assert_true(visitor_may_try(visitors_find(visitors, 7, now), now));
	visitor_tries(visitors_find(visitors, 7, now), now);
	now = mono_add(now, VISITORS_WINDOW_S * HERD_NS_PER_S);
	assert_true(visitor_may_try(visitors_find(visitors, 7, now), now));
	free(visitors);
}

/* A million strangers take no more room, and forget nobody who is there. */
static void
test_strangers_push_out_the_oldest(void **state HERD_UNUSED)
{
	struct visitors *visitors = calloc(1, sizeof(*visitors));
	struct mono now = { HERD_NS_PER_S };

	assert_non_null(visitors);
	visitor_tries(visitors_find(visitors, 7, now), now);
	for (uint64_t i = 0; i < 1000000; i++) {
		now = mono_add(now, 1);
		(void)visitors_find(visitors, 1000 + i, now);
		if (i % 100 == 0)
			assert_int_equal(
			    visitors_find(visitors, 7, now)->failures, 1);
	}
	free(visitors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_user_is_there_once),
		cmocka_unit_test(test_a_key_names_its_device),
		cmocka_unit_test(test_friends_see_each_other),
		cmocka_unit_test(test_right_credentials_are_remembered),
		cmocka_unit_test(test_a_user_has_a_bounded_number_of_devices),
		cmocka_unit_test(test_an_address_has_a_bounded_number_of_tries),
		cmocka_unit_test(test_strangers_push_out_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
