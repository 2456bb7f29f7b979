/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lookups with a resolver of the test's own: names that lead nowhere, to many
 * addresses, or have no answer until the test says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "herd/compiler.h"
#include "herd/resolver.h"

/* --- the system's resolver, as the test has it --------------------------- */

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static unsigned stuck;    /* lookups that wait */
static bool gate_is_open; /* they need not */

static struct addrinfo *
made_address(unsigned last, const char *port, struct addrinfo *next)
{
	struct addrinfo *made = calloc(1, sizeof(*made));
	struct sockaddr_in *in = calloc(1, sizeof(*in));

	assert_non_null(made);
	assert_non_null(in);
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	in->sin_addr.s_addr = htonl(0x7f000000u + last);
	made->ai_addr = (struct sockaddr *)in;
	made->ai_addrlen = sizeof(*in);
	made->ai_next = next;
	return made;
}

static void
wait_at_gate(void)
{
	pthread_mutex_lock(&gate_lock);
	stuck++;
	pthread_cond_broadcast(&gate_moved);
	while (!gate_is_open)
		pthread_cond_wait(&gate_moved, &gate_lock);
	stuck--;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate_lock);
}

static void
wait_for_stuck(unsigned count)
{
	pthread_mutex_lock(&gate_lock);
	while (stuck != count)
		pthread_cond_wait(&gate_moved, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
}

static void
set_gate(bool open)
{
	pthread_mutex_lock(&gate_lock);
	gate_is_open = open;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate_lock);
}

/* "many": 127.0.0.1 to .40, each twice. "stuck": .1, once the gate is open. */
int
getaddrinfo(const char *restrict name, const char *restrict port,
    const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
	*out = NULL;
	if (strcmp(name, "127.0.0.9") == 0) {
		*out = made_address(9, port, NULL);
		return 0;
	}
	if ((hints->ai_flags & AI_NUMERICHOST) != 0)
		return EAI_NONAME;
	if (strcmp(name, "stuck") == 0)
		wait_at_gate();
	if (strcmp(name, "many") == 0) {
		for (unsigned i = 40; i > 0; i--)
			*out =
			    made_address(i, port, made_address(i, port, *out));
	} else if (strcmp(name, "none") != 0) {
		*out = made_address(1, port, NULL);
	}
	return *out == NULL ? EAI_NONAME : 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	while (list != NULL) {
		struct addrinfo *next = list->ai_next;

		free(list->ai_addr);
		free(list);
		list = next;
	}
}

/* --- a loop -------------------------------------------------------------- */

#define LOOKUPS 8u

struct loop {
	struct event_base *base;
	struct event *events[LOOKUPS];
	struct resolution *lookups[LOOKUPS];
	unsigned begun;
	unsigned answers;
	struct endpoints found;
	char error[128];
};

static void
on_found(evutil_socket_t fd, short what HERD_UNUSED, void *arg)
{
	struct loop *loop = arg;
	const struct endpoints *found;
	const char *error = NULL;

	for (unsigned i = 0; i < loop->begun; i++) {
		if (loop->lookups[i] != NULL &&
		    resolver_fd(loop->lookups[i]) == fd) {
			error = resolver_result(loop->lookups[i], &found);
			loop->found = *found;
		}
	}
	loop->answers++;
	snprintf(
	    loop->error, sizeof(loop->error), "%s", error == NULL ? "" : error);
	event_base_loopbreak(loop->base);
}

static int
set_up(void **state)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	assert_non_null(loop);
	loop->base = event_base_new();
	assert_non_null(loop->base);
	set_gate(false);
	*state = loop;
	return 0;
}

static int
tear_down(void **state)
{
	struct loop *loop = *state;

	set_gate(true);
	wait_for_stuck(0);
	for (unsigned i = 0; i < loop->begun; i++) {
		event_free(loop->events[i]);
		resolver_free(loop->lookups[i]);
	}
	event_base_free(loop->base);
	free(loop);
	return 0;
}

static struct address
address_of(const char *host)
{
	struct address address = { .kind = ADDRESS_TCP, .port = 4001 };

	snprintf(address.host, sizeof(address.host), "%s", host);
	return address;
}

static struct resolution *
begin(const char *host)
{
	const struct address address = address_of(host);
	struct resolution *lookup = NULL;

	assert_int_equal(resolver_begin(&address, &lookup), HERD_OK);
	assert_non_null(lookup);
	return lookup;
}

/* Begins, and tells on_found() when it is over. */
static void
ask(struct loop *loop, const char *host)
{
	unsigned i = loop->begun++;

	assert_true(i < LOOKUPS);
	loop->lookups[i] = begin(host);
	loop->events[i] = event_new(
	    loop->base, resolver_fd(loop->lookups[i]), EV_READ, on_found, loop);
	assert_non_null(loop->events[i]);
	assert_int_equal(event_add(loop->events[i], NULL), 0);
}

static void
wait_for_answer(struct loop *loop)
{
	unsigned before = loop->answers;

	while (loop->answers == before)
		assert_int_equal(event_base_dispatch(loop->base), 0);
}

static unsigned
last_byte(const struct endpoint *endpoint)
{
	struct sockaddr_in in;

	assert_int_equal(endpoint->len, sizeof(in));
	memcpy(&in, &endpoint->addr, sizeof(in));
	assert_int_equal(in.sin_family, AF_INET);
	assert_int_equal(ntohs(in.sin_port), 4001);
	return ntohl(in.sin_addr.s_addr) & 255u;
}

/* --- tests --------------------------------------------------------------- */

static void
test_resolver_reads_numeric_hosts_and_paths_at_once(void **state HERD_UNUSED)
{
	struct address address = address_of("127.0.0.9");
	struct endpoints found;
	struct sockaddr_un un;

	assert_int_equal(resolver_numeric(&address, &found), HERD_OK);
	assert_int_equal(found.count, 1);
	assert_int_equal(last_byte(&found.list[0]), 9);
	address = address_of("some.host");
	assert_int_equal(resolver_numeric(&address, &found), HERD_ENOTFOUND);
	address = (struct address){ .kind = ADDRESS_UNIX, .path = "/a/path" };
	assert_int_equal(resolver_numeric(&address, &found), HERD_OK);
	assert_int_equal(found.count, 1);
	memcpy(&un, &found.list[0].addr, sizeof(un));
	assert_int_equal(un.sun_family, AF_UNIX);
	assert_string_equal(un.sun_path, "/a/path");
}

static void
test_resolver_wait_finds_or_says_why(void **state HERD_UNUSED)
{
	struct address address = address_of("some.host");
	struct endpoints found;
	const char *error = NULL;

	assert_int_equal(resolver_wait(&address, &found, &error), HERD_OK);
	assert_null(error);
	assert_int_equal(last_byte(&found.list[0]), 1);
	address = address_of("none");
	assert_int_equal(
	    resolver_wait(&address, &found, &error), HERD_ENOTFOUND);
	assert_string_equal(error, gai_strerror(EAI_NONAME));
}

static void
test_resolver_finds_all_addresses_once_up_to_its_limit(void **state)
{
	struct loop *loop = *state;

	ask(loop, "many");
	wait_for_answer(loop);
	assert_string_equal(loop->error, "");
	assert_int_equal(loop->found.count, RESOLVER_ADDRESSES_MAX);
	for (unsigned i = 0; i < RESOLVER_ADDRESSES_MAX; i++)
		assert_int_equal(last_byte(&loop->found.list[i]), i + 1);
}

static void
test_resolver_says_why_a_name_has_no_address(void **state)
{
	struct loop *loop = *state;

	ask(loop, "none");
	wait_for_answer(loop);
	assert_int_equal(loop->found.count, 0);
	assert_string_equal(loop->error, gai_strerror(EAI_NONAME));
}

static void
test_resolver_stuck_lookup_keeps_no_other_waiting(void **state)
{
	struct loop *loop = *state;

	ask(loop, "stuck");
	wait_for_stuck(1);
	ask(loop, "some.host");
	wait_for_answer(loop);
	assert_int_equal(loop->answers, 1);
	set_gate(true);
	wait_for_answer(loop);
	assert_int_equal(loop->answers, 2);
	assert_int_equal(last_byte(&loop->found.list[0]), 1);
}

static void
test_resolver_freed_lookup_is_forgotten(void **state)
{
	struct loop *loop = *state;

	resolver_free(NULL);
	resolver_free(begin("stuck"));
	wait_for_stuck(1);
	set_gate(true);
	wait_for_stuck(0);
	ask(loop, "some.host");
	wait_for_answer(loop);
	assert_int_not_equal(event_base_loop(loop->base, EVLOOP_NONBLOCK), -1);
	assert_int_equal(loop->answers, 1);
}

static void
test_resolver_has_a_limit_of_lookups_forgotten_ones_included(void **state)
{
	const struct address address = address_of("stuck");
	struct loop *loop = *state;
	struct resolution *lookup;
	enum herd_error error;

	for (unsigned i = 0; i < RESOLVER_LOOKUPS_MAX; i++) {
		/* The last test's thread may be about to end. */
		do {
			error = resolver_begin(&address, &lookup);
		} while (error == HERD_ELIMIT);
		assert_int_equal(error, HERD_OK);
		resolver_free(lookup);
	}
	wait_for_stuck(RESOLVER_LOOKUPS_MAX);
	assert_int_equal(resolver_begin(&address, &lookup), HERD_ELIMIT);
	set_gate(true);
	wait_for_stuck(0);
	while (resolver_begin(&address, &lookup) == HERD_ELIMIT)
		;
	resolver_free(lookup);
	ask(loop, "some.host");
	wait_for_answer(loop);
	assert_int_equal(loop->answers, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_resolver_reads_numeric_hosts_and_paths_at_once),
		cmocka_unit_test(test_resolver_wait_finds_or_says_why),
#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_LOOP(
		    test_resolver_finds_all_addresses_once_up_to_its_limit),
		WITH_LOOP(test_resolver_says_why_a_name_has_no_address),
		WITH_LOOP(test_resolver_stuck_lookup_keeps_no_other_waiting),
		WITH_LOOP(test_resolver_freed_lookup_is_forgotten),
		WITH_LOOP(
		    test_resolver_has_a_limit_of_lookups_forgotten_ones_included),
#undef WITH_LOOP
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
