/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

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

#define SEATS 2u

static bool
is_full(struct addresses *addresses, const char *host)
{
	const struct sockaddr_storage peer = peer_of(host);

	return addresses_is_full(addresses, &peer, 2);
}

static struct source *
enter(struct addresses *addresses, const char *host)
{
	const struct sockaddr_storage peer = peer_of(host);
	struct source *source = addresses_enter(addresses, &peer);

	assert_non_null(source);
	return source;
}

static void
assert_text(const char *host, const char *want)
{
	const struct sockaddr_storage peer = peer_of(host);
	char text[ADDRESS_TEXT_MAX];

	address_text(&peer, text);
	assert_string_equal(text, want);
}

static void
test_text_is_of_what_counts_as_one(void **state)
{
	const struct sockaddr_storage local = { .ss_family = AF_UNIX };
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_text("192.0.2.1", "192.0.2.1");
	assert_text("::ffff:192.0.2.1", "192.0.2.1");
	assert_text("::1", "::1");
	assert_text("2001:db8::5", "2001:db8::/64");
	assert_text("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
	address_text(&local, text);
	assert_string_equal(text, "unix");
}

/* Two from each: what counts as one address? */
static void
assert_counted(const char *one, const char *other, bool together)
{
	struct addresses *addresses;
	struct source *source;

	assert_int_equal(addresses_new(SEATS, &addresses), HERD_OK);
	(void)enter(addresses, one);
	assert_false(is_full(addresses, one));
	source = enter(addresses, one);
	assert_true(is_full(addresses, one));
	assert_int_equal(is_full(addresses, other), together);
	addresses_leave(addresses, source);
	assert_false(is_full(addresses, one));
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

	assert_int_equal(addresses_new(SEATS, &addresses), HERD_OK);
	for (unsigned i = 0; i < 5; i++) {
		assert_false(addresses_is_full(addresses, &peer, 2));
		assert_non_null(addresses_enter(addresses, &peer));
	}
	addresses_free(addresses);
	addresses_free(NULL);
}

/* --- who gives way -------------------------------------------------------- */

static void
rest(struct source *source, unsigned seat, uint64_t since)
{
	atomic_store(&source->seats[seat].since_ns, since);
}

static void
assert_idlest(
    struct addresses *addresses, const struct source *source, unsigned seat)
{
	unsigned got = 99;
	struct source *idlest = addresses_idlest(addresses, &got);

	assert_ptr_equal(idlest, source);
	if (idlest == NULL)
		return;
	assert_int_equal(got, seat);
	addresses_release(addresses, idlest);
}

static void
test_idlest_is_of_the_address_with_the_most(void **state HERD_UNUSED)
{
	struct addresses *addresses;
	struct source *one, *two;

	assert_int_equal(addresses_new(SEATS, &addresses), HERD_OK);
	assert_idlest(addresses, NULL, 0);
	one = enter(addresses, "192.0.2.1");
	two = enter(addresses, "192.0.2.2");
	(void)enter(addresses, "192.0.2.2");
	/* None of it rests: nobody gives way, others have fewer. */
	rest(one, 0, 1);
	assert_idlest(addresses, NULL, 0);
	rest(two, 1, 500);
	assert_idlest(addresses, two, 1);
	rest(two, 0, 400);
	assert_idlest(addresses, two, 0);
	/* As many: the one that has rested longest of both. */
	(void)enter(addresses, "192.0.2.1");
	assert_idlest(addresses, one, 0);
	addresses_leave(addresses, two);
	addresses_leave(addresses, two);
	assert_idlest(addresses, one, 0);
	addresses_free(addresses);
}

/* Who is held outlives its last connection. */
static void
test_idlest_stays_while_it_is_held(void **state HERD_UNUSED)
{
	struct addresses *addresses;
	struct source *one, *held;
	unsigned seat;

	assert_int_equal(addresses_new(SEATS, &addresses), HERD_OK);
	one = enter(addresses, "192.0.2.1");
	rest(one, 1, 7);
	held = addresses_idlest(addresses, &seat);
	assert_ptr_equal(held, one);
	addresses_leave(addresses, one);
	assert_true(held->connections == 0);
	addresses_release(addresses, held);
	assert_idlest(addresses, NULL, 0);
	addresses_free(addresses);
}

#define HOSTS 300u
#define STEPS 100000u

/* Beside a plain count of each address. */
static void
test_most_are_found_in_any_sequence(void **state HERD_UNUSED)
{
	struct unit_random random =
	    unit_random("test_most_are_found_in_any_sequence");
	struct source *sources[HOSTS] = { NULL };
	unsigned counts[HOSTS] = { 0 };
	struct addresses *addresses;

	assert_int_equal(addresses_new(SEATS, &addresses), HERD_OK);
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned host = (unsigned)unit_below(&random, HOSTS);
		unsigned most = 0, seat;
		struct source *idlest;
		char text[32];

		snprintf(
		    text, sizeof(text), "10.0.%u.%u", host / 256, host % 256);
		if (unit_below(&random, 2) == 0 && counts[host] > 0) {
			addresses_leave(addresses, sources[host]);
			counts[host]--;
		} else {
			sources[host] = enter(addresses, text);
			rest(sources[host], 0, i);
			counts[host]++;
		}
		for (unsigned j = 0; j < HOSTS; j++)
			most = counts[j] > most ? counts[j] : most;
		idlest = addresses_idlest(addresses, &seat);
		assert_int_equal(idlest == NULL, most == 0);
		if (idlest != NULL) {
			assert_true(idlest->connections == most);
			addresses_release(addresses, idlest);
		}
	}
	addresses_free(addresses);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_of_what_counts_as_one),
		cmocka_unit_test(test_addresses_count_each_ipv4_address),
		cmocka_unit_test(test_addresses_count_an_ipv6_network_as_one),
		cmocka_unit_test(
		    test_addresses_count_each_ipv4_address_behind_ipv6),
		cmocka_unit_test(
		    test_addresses_of_unix_sockets_are_not_counted),
		cmocka_unit_test(test_idlest_is_of_the_address_with_the_most),
		cmocka_unit_test(test_idlest_stays_while_it_is_held),
		cmocka_unit_test(test_most_are_found_in_any_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
