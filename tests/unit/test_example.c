/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The example of herd-protocol(7), byte for byte: two sessions say it again.
 * UNIT_UPDATE=1 in the environment writes what they say into the page.
 */
#include "ends.h"

#include "herd/herdfile.h"

#define PAGE "man/herd-protocol.7"
#define BEGIN ".\\\" BEGIN example\n"
#define END ".\\\" END example\n"
#define PAGE_MAX (1u << 20)

static const uint8_t ALICE_NONCE[SESSION_NONCE_LEN] = { 0, 1, 2, 3, 4, 5, 6, 7,
	8, 9, 10, 11, 12, 13, 14, 15 };
static const uint8_t RILEY_NONCE[SESSION_NONCE_LEN] = { 0xc7, 0x73, 0xf5, 0xfb,
	0x4b, 0xf4, 0x1c, 0x65, 0x44, 0x65, 0x8d, 0x99, 0x74, 0xbd, 0x12,
	0x32 };

/* Who holds it before, and the line. Kiwi's leaf is near lychee's. */
static const struct {
	bool alice;
	bool riley;
	const char *line;
} HELD[] = {
	{ true, true,
	    "AT Sam +0.004012563 apple.sensors.roof.cs.ucla.edu "
	    "+34.068930-118.445127 1599990000.25" },
	{ true, true,
	    "AT Sam +0.003907112 jujube.sensors.roof.cs.ucla.edu "
	    "+34.069017-118.444981 1599990001" },
	{ true, true,
	    "AT Riley +0.004103880 lychee.sensors.roof.cs.ucla.edu "
	    "+34.068882-118.445630 1599990001.5" },
	{ true, false,
	    "AT Alice +0.263873386 kiwi.sensors.roof.cs.ucla.edu "
	    "+34.068930-118.445127 1599990827.959498503" },
	{ false, true,
	    "AT Riley -0.001230417 kiwi.sensors.roof.cs.ucla.edu "
	    "+34.069120-118.443300 1599990830.112" },
};

static void
say_held(struct buf *text, const struct siphash_key *key, struct end *alice,
    struct end *riley)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(HELD); i++) {
		struct span line = span_from(HELD[i].line);
		struct report report;

		assert_ok(report_parse(line, &report));
		if (HELD[i].alice)
			assert_int_equal(
			    unit_put_at(alice->table, &report, FROM_CLIENT, 0),
			    PUT_ACCEPTED);
		if (HELD[i].riley)
			assert_int_equal(
			    unit_put_at(riley->table, &report, FROM_CLIENT, 0),
			    PUT_ACCEPTED);
		assert_ok(buf_addf(text, "%s ",
		    !HELD[i].riley  ? "Alice"
		    : HELD[i].alice ? "both "
				    : "Riley"));
		assert_ok(digest_path_format(
		    text, (struct digest_path){
			      DIGEST_DEPTH, digest_leaf(key, report.client) }));
		assert_ok(buf_addf(text, " %016llx " SPAN_FMT "\n",
		    (unsigned long long)siphash(key, line.data, line.len),
		    SPAN_ARG(line)));
	}
}

static void
say_key(struct buf *text, const struct siphash_key *key)
{
	uint8_t bytes[16];

	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(key->k0 >> 8 * i);
		bytes[8 + i] = (uint8_t)(key->k1 >> 8 * i);
	}
	assert_ok(buf_add_text(text, "key   "));
	assert_ok(digest_hex_format(text, bytes, sizeof(bytes)));
	assert_ok(buf_add_byte(text, '\n'));
}

static void
example_connect(struct end *end, const char *peer, const uint8_t *nonce,
    const struct ends_time *time)
{
	struct session_config config = { .node = &end->node,
		.peer = span_from(peer),
		.admit = end_admit,
		.wake = end_wake,
		.arg = end };

	memcpy(config.nonce, nonce, sizeof(config.nonce));
	session_init(&end->session, &config, ends_mono(time));
	end->has_session = true;
	end->due = true;
}

/* What `from` has written goes to `to`, and line by line into the text. */
static void
say_and_deliver(struct end *from, struct end *to, char mark, struct buf *text,
    const struct ends_time *time)
{
	struct span out = buf_span(&from->out);

	while (out.len > 0) {
		const char *lf = memchr(out.data, '\n', out.len);
		size_t len;

		assert_non_null(lf);
		len = (size_t)(lf - out.data) + 1;
		assert_ok(buf_addf(text, "%c ", mark));
		assert_ok(buf_add(text, out.data, len));
		out = span_of(lf + 1, out.len - len);
	}
	end_deliver(from, to, time);
}

static void
say_example(struct buf *text)
{
	const struct siphash_key key = digest_key(ALICE_NONCE, RILEY_NONCE, 1);
	struct ends_time time = { S };
	struct end alice;
	struct end riley;

	end_init(&alice, "Alice");
	end_init(&riley, "Riley");
	alice.node.params = session_params(65536, 10000000, 0);
	riley.node.params = alice.node.params;
	alice.node.boot = UINT64_C(0x1b0f3e5d7c9a8642);
	riley.node.boot = UINT64_C(0x90a7d2c4e6f81357);
	board_synced(&riley.board);
	say_key(text, &key);
	say_held(text, &key, &alice, &riley);
	assert_ok(buf_add_text(text, ".Ed\n.Pp\nThe lines of the link, with > "
				     "before Alice's and < before Riley's:\n"
				     ".Bd -literal\n"));
	example_connect(&alice, "Riley", ALICE_NONCE, &time);
	example_connect(&riley, "", RILEY_NONCE, &time);
	while (time.ns < 2 * S) {
		bool moved = end_step(&alice, &time);

		moved |= end_step(&riley, &time);
		say_and_deliver(&alice, &riley, '>', text, &time);
		say_and_deliver(&riley, &alice, '<', text, &time);
		if (!moved)
			time.ns += MS;
	}
	assert_int_equal(alice.session.state, SESSION_SYNCED);
	assert_int_equal(riley.session.state, SESSION_SYNCED);
	end_release(&alice);
	end_release(&riley);
}

static void
test_example_of_the_page_is_what_sessions_say(void **state)
{
	struct buf page;
	struct buf text;
	const char *begin;
	const char *end;

	(void)state;
	buf_init(&page, PAGE_MAX);
	buf_init(&text, PAGE_MAX);
	say_example(&text);
	assert_ok(file_read(PAGE, PAGE_MAX, &page));
	begin = strstr(buf_cstr(&page), BEGIN);
	assert_non_null(begin);
	begin += strlen(BEGIN);
	end = strstr(begin, END);
	assert_non_null(end);
	if (getenv("UNIT_UPDATE") != NULL) {
		FILE *file = fopen(PAGE, "w");

		assert_non_null(file);
		fprintf(file, "%.*s%s%s", (int)(begin - buf_cstr(&page)),
		    buf_cstr(&page), buf_cstr(&text), end);
		assert_int_equal(fclose(file), 0);
	} else if (text.len != (size_t)(end - begin) ||
		   memcmp(buf_cstr(&text), begin, text.len) != 0) {
		fail_msg("the sessions say:\n%s", buf_cstr(&text));
	}
	buf_release(&text);
	buf_release(&page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_of_the_page_is_what_sessions_say),
	};

	return cmocka_run_group_tests_name("example", tests, NULL, NULL);
}
