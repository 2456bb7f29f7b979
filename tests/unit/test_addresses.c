/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "herd/compiler.h"
#include "net/addresses.h"

static struct sockaddr_storage
peer_of(const char *host)
{
	struct sockaddr_storage peer = { 0 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		memcpy(&peer, &v4, sizeof(v4));
	} else {
		assert_int_equal(inet_pton(AF_INET6, host, &v6.sin6_addr), 1);
		memcpy(&peer, &v6, sizeof(v6));
	}
	return peer;
}

static bool
enters(struct addresses *addresses, const char *host)
{
	const struct sockaddr_storage peer = peer_of(host);

	return addresses_enter(addresses, &peer, 2);
}

static void
leaves(struct addresses *addresses, const char *host)
{
	const struct sockaddr_storage peer = peer_of(host);

	addresses_leave(addresses, &peer);
}

/* Two from each: what counts as one address? */
static void
assert_counted(const char *one, const char *other, bool together)
{
	struct addresses *addresses;

	assert_int_equal(addresses_new(&addresses), HERD_OK);
	assert_true(enters(addresses, one));
	assert_true(enters(addresses, one));
	assert_false(enters(addresses, one));
	assert_int_equal(enters(addresses, other), !together);
	leaves(addresses, one);
	assert_true(enters(addresses, one));
	addresses_free(addresses);
}

static void
test_addresses_count_each_ipv4_address(void **state HERD_UNUSED)
{
	assert_counted("192.0.2.1", "192.0.2.1", true);
	assert_counted("192.0.2.1", "192.0.2.2", false);
}

static void
test_addresses_count_an_ipv6_network_as_one(void **state HERD_UNUSED)
{
	assert_counted("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true);
	assert_counted("2001:db8:0:1::1", "2001:db8:0:2::1", false);
}

/* As a listener on [::] sees those who come by IPv4. */
static void
test_addresses_count_each_ipv4_address_behind_ipv6(void **state HERD_UNUSED)
{
	assert_counted("::ffff:192.0.2.1", "::ffff:192.0.2.2", false);
	assert_counted("::ffff:192.0.2.1", "192.0.2.1", true);
	assert_counted("::1", "::ffff:192.0.2.1", false);
}

static void
test_addresses_of_unix_sockets_are_not_counted(void **state HERD_UNUSED)
{
	const struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	struct addresses *addresses;

	assert_int_equal(addresses_new(&addresses), HERD_OK);
	for (unsigned i = 0; i < 5; i++)
		assert_true(addresses_enter(addresses, &peer, 2));
	addresses_leave(addresses, &peer);
	addresses_free(addresses);
	addresses_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_count_each_ipv4_address),
		cmocka_unit_test(test_addresses_count_an_ipv6_network_as_one),
		cmocka_unit_test(
		    test_addresses_count_each_ipv4_address_behind_ipv6),
		cmocka_unit_test(
		    test_addresses_of_unix_sockets_are_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
