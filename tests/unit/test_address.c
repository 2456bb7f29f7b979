/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/address.h"

static void
test_addresses_survive_the_round_trip(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		enum address_kind kind;
		const char *host;
		unsigned port;
		bool loopback;
	} cases[] = { { "127.0.0.1:12001", ADDRESS_TCP, "127.0.0.1", 12001,
			  true },
		{ "127.255.0.9:0", ADDRESS_TCP, "127.255.0.9", 0, true },
		{ "[::1]:80", ADDRESS_TCP, "::1", 80, true },
		{ "localhost:65535", ADDRESS_TCP, "localhost", 65535, true },
		{ "[::]:1", ADDRESS_TCP, "::", 1, false },
		{ "[fe80::1%a-b_Z]:1", ADDRESS_TCP, "fe80::1%a-b_Z", 1, false },
		{ "[fe80::1%eth0]:1", ADDRESS_TCP, "fe80::1%eth0", 1, false },
		{ "[2001:db8::A]:443", ADDRESS_TCP, "2001:db8::A", 443, false },
		{ "[::ffff:10.0.0.1]:1", ADDRESS_TCP, "::ffff:10.0.0.1", 1,
		    false },
		{ "0.0.0.0:1", ADDRESS_TCP, "0.0.0.0", 1, false },
		{ "10.0.0.1:1", ADDRESS_TCP, "10.0.0.1", 1, false },
		{ "127.evil.example:1", ADDRESS_TCP, "127.evil.example", 1,
		    false },
		{ "127.0.0.1.example:1", ADDRESS_TCP, "127.0.0.1.example", 1,
		    false },
		{ "127.0.0:1", ADDRESS_TCP, "127.0.0", 1, false },
		{ "127.0.0.256:1", ADDRESS_TCP, "127.0.0.256", 1, false },
		{ "127.0..1:1", ADDRESS_TCP, "127.0..1", 1, false },
		{ "node-1.lab_x.example:1", ADDRESS_TCP, "node-1.lab_x.example",
		    1, false },
		{ "/run/herd/Riley.sock", ADDRESS_UNIX, "", 0, true },
		{ "/a b:1", ADDRESS_UNIX, "", 0, true } };
	struct address address, again;
	struct buf text;
	size_t i;

	buf_init(&text, 300);
	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		assert_ok(address_parse(span_from(cases[i].text), &address));
		assert_int_equal(address.kind, cases[i].kind);
		assert_string_equal(address.host, cases[i].host);
		assert_int_equal(address.port, cases[i].port);
		if (address_is_loopback(&address) != cases[i].loopback)
			fail_msg("%s", cases[i].text);
		buf_clear(&text);
		assert_ok(address_format(&text, &address));
		assert_buf(&text, cases[i].text);
		assert_ok(address_parse(buf_span(&text), &again));
		assert_true(address_equal(&address, &again));
	}
	buf_release(&text);
}

static void
test_bad_addresses_are_refused(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		enum herd_error error;
	} cases[] = { { "", HERD_ESYNTAX }, { "localhost", HERD_ESYNTAX },
		{ ":80", HERD_ESYNTAX }, { "host:", HERD_ESYNTAX },
		{ "host:x", HERD_ESYNTAX }, { "host:+1", HERD_ESYNTAX },
		{ "host:-1", HERD_ESYNTAX }, { "host: 1", HERD_ESYNTAX },
		{ "host:65536", HERD_ERANGE },
		{ "host:99999999999999999999", HERD_ERANGE },
		{ "ho st:1", HERD_ESYNTAX }, { "::1:80", HERD_ESYNTAX },
		{ "[::1]", HERD_ESYNTAX }, { "[::1]80", HERD_ESYNTAX },
		{ "[::1:80", HERD_ESYNTAX }, { "[]:80", HERD_ESYNTAX },
		{ "[1:2%g:z]:80", HERD_ESYNTAX }, { "[G::1]:80", HERD_ESYNTAX },
		{ "[g::1]:80", HERD_ESYNTAX }, { "[host]:80", HERD_ESYNTAX },
		{ "[1:2%g_z/]:80", HERD_ESYNTAX }, { "[:]:80", HERD_ESYNTAX },
		{ "run/herd.sock", HERD_ESYNTAX }, { "/run/\n", HERD_ESYNTAX },
		{ "/run/\x7f", HERD_ESYNTAX },
		{ "http://host:80", HERD_ESYNTAX }, { "*:80", HERD_ESYNTAX } };
	struct address address = { .port = 4711 };
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++)
		if (address_parse(span_from(cases[i].text), &address) !=
		    cases[i].error)
			fail_msg("%s", cases[i].text);
	assert_int_equal(
	    address_parse(span_of("/a\0b", 4), &address), HERD_ESYNTAX);
	assert_int_equal(address.port, 4711);
}

static void
test_addresses_have_their_limits(void **state HERD_UNUSED)
{
	char text[ADDRESS_HOST_MAX + 10u];
	struct address address;

	memset(text, 'x', sizeof(text));
	text[0] = '/';
	assert_ok(address_parse(span_of(text, ADDRESS_PATH_MAX), &address));
	assert_int_equal(strlen(address.path), ADDRESS_PATH_MAX);
	assert_int_equal(
	    address_parse(span_of(text, ADDRESS_PATH_MAX + 1u), &address),
	    HERD_ELIMIT);
	text[0] = 'x';
	memcpy(text + ADDRESS_HOST_MAX, ":80", 3);
	assert_ok(
	    address_parse(span_of(text, ADDRESS_HOST_MAX + 3u), &address));
	assert_int_equal(strlen(address.host), ADDRESS_HOST_MAX);
	text[ADDRESS_HOST_MAX] = 'x';
	memcpy(text + ADDRESS_HOST_MAX + 1u, ":80", 3);
	assert_int_equal(
	    address_parse(span_of(text, ADDRESS_HOST_MAX + 4u), &address),
	    HERD_ELIMIT);
}

static void
test_equal_addresses_are_equal_in_all_parts(void **state HERD_UNUSED)
{
	static const char *const texts[] = { "a:1", "a:2", "b:1", "/a", "/b" };
	struct address none = { 0 }, a, b;
	struct buf text;
	size_t i, j;

	for (i = 0; i < HERD_ARRAY_LEN(texts); i++)
		for (j = 0; j < HERD_ARRAY_LEN(texts); j++) {
			assert_ok(address_parse(span_from(texts[i]), &a));
			assert_ok(address_parse(span_from(texts[j]), &b));
			assert_int_equal(address_equal(&a, &b), i == j);
			assert_false(address_equal(&a, &none));
		}
	assert_true(address_equal(&none, &none));
	assert_false(address_is_loopback(&none));
	buf_init(&text, 10);
	assert_ok(address_format(&text, &none));
	assert_int_equal(text.len, 0);
	buf_release(&text);
}

static void
test_url_is_https_or_of_this_machine(void **state HERD_UNUSED)
{
	static const struct {
		const char *url;
		const char *fault; /* a part of it; NULL: none */
	} cases[] = {
		{ "https://x", NULL },
		{ "https://x:8443/a/b@c", NULL },
		{ "http://127.0.0.1", NULL },
		{ "http://127.9.9.9:2322/", NULL },
		{ "http://localhost/x", NULL },
		{ "http://[::1]:2322", NULL },
		{ "http://[::1]", NULL },
		{ "http://x", "https://" },
		{ "http://10.0.0.1", "https://" },
		{ "http://127.0.0.1.evil.example/", "https://" },
		{ "http://127.0.0.1\\.evil", "https://" },
		{ "http:///x", "https://" },
		{ "ftp://127.0.0.1", "https://" },
		{ "x", "https://" },
		{ "", "https://" },
		{ "HTTPS://x", "https://" },
		{ "https://", "no host" },
		{ "https:///x", "no host" },
		{ "https://u@x", "user's name" },
		{ "https://u:p@x/", "user's name" },
		{ "http://127.0.0.1@evil/", "user's name" },
		{ "https://x/?a=b", "scheme, host and path" },
		{ "https://x/#a", "scheme, host and path" },
		{ "https://x/a b", "scheme, host and path" },
		{ "https://x/\xc3\xa9", "scheme, host and path" },
	};
	char longest[600] = "http://";

	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		const char *fault = address_url_fault(cases[i].url);

		if ((fault == NULL) != (cases[i].fault == NULL) ||
		    (fault != NULL && strstr(fault, cases[i].fault) == NULL))
			fail_msg("%s: %s", cases[i].url,
			    fault == NULL ? "taken" : fault);
	}
	memset(longest + 7, 'a', sizeof(longest) - 8);
	longest[sizeof(longest) - 1] = '\0';
	assert_non_null(address_url_fault(longest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url_is_https_or_of_this_machine),
		cmocka_unit_test(test_addresses_survive_the_round_trip),
		cmocka_unit_test(test_bad_addresses_are_refused),
		cmocka_unit_test(test_addresses_have_their_limits),
		cmocka_unit_test(test_equal_addresses_are_equal_in_all_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
