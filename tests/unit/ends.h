/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two sessions back to back, or one with a script for a peer. What drives
 * them keeps to the contract of session.h: fill after input, a wake, a slice
 * of work, a tick that was due, and as long as there is more.
 */
#ifndef HERD_UNIT_ENDS_H
#define HERD_UNIT_ENDS_H

#include "core.h"

#include "core/session_exchange.h"
#include "core/session_hello.h"
#include "sim/drive.h"

#define S HERD_NS_PER_S
#define MS HERD_NS_PER_MS
#define ENDS_WALL_NS (UINT64_C(1600000000) * S)

struct end {
	struct table *table;
	struct board board;
	struct timekeeper timekeeper;
	struct session_node node;
	struct session session;
	struct buf out;
	bool has_session;
	bool due; /* session_fill() must be called */
	enum session_reason admits;
	struct buf sent; /* all that it said, when recorded */
	bool records;
};

/* Time of the driver: both ends have the same clock. */
struct ends_time {
	uint64_t ns;
};

static inline struct mono
ends_mono(const struct ends_time *time)
{
	return (struct mono){ time->ns };
}

static inline struct wall
ends_wall(const struct ends_time *time)
{
	return (struct wall){ ENDS_WALL_NS + time->ns };
}

static inline enum session_reason
end_admit(void *arg, struct session *session, unsigned *edge, struct mono now,
    struct wall clock)
{
	struct end *end = arg;

	(void)session;
	(void)now;
	(void)clock;
	*edge = 0;
	return end->admits;
}

static inline void
end_wake(void *arg)
{
	struct end *end = arg;

	end->due = true;
}

static inline void
end_init(struct end *end, const char *name)
{
	memset(end, 0, sizeof(*end));
	end->table = unit_table(0, 0);
	board_init(&end->board);
	timekeeper_init(&end->timekeeper, 0, (struct mono){ 0 },
	    (struct wall){ ENDS_WALL_NS });
	end->node = (struct session_node){ .table = end->table,
		.board = &end->board,
		.timekeeper = &end->timekeeper,
		.herd = span_from("ucla"),
		.name = span_from(name),
		.params = session_params(65536, 0, 0),
		.max_line = 65536,
		.ping_after_ns = 5 * S,
		.dead_after_ns = 15 * S,
		.stall_after_ns = 60 * S,
		.verify_every_ns = 600 * S,
		.flush_every_ns = 5 * MS };
	buf_init(&end->out, 2 * SESSION_OUT_MAX + 70000);
	buf_init(&end->sent, 64u << 20);
}

static inline void
end_connect(struct end *end, const char *peer, uint8_t nonce,
    const struct ends_time *time)
{
	struct session_config config = { .node = &end->node,
		.peer = span_from(peer),
		.admit = end_admit,
		.wake = end_wake,
		.arg = end };

	if (end->has_session)
		session_release(&end->session);
	buf_clear(&end->out);
	memset(config.nonce, nonce, sizeof(config.nonce));
	session_init(&end->session, &config, ends_mono(time));
	end->has_session = true;
	end->due = true;
}

static inline void
end_release(struct end *end)
{
	if (end->has_session)
		session_release(&end->session);
	table_free(end->table);
	buf_release(&end->out);
	buf_release(&end->sent);
}

/* Gives what the session has to say now; false if nothing moved. */
static inline bool
end_step(struct end *end, const struct ends_time *time)
{
	struct session *session = &end->session;
	size_t before = end->out.len;

	if (session_has_work(session)) {
		(void)session_work(session);
		end->due = true;
	}
	if (session_deadline(session).ns <= time->ns) {
		session_tick(session, ends_mono(time));
		end->due = true;
		assert_true(session_deadline(session).ns > time->ns);
	}
	if (end->due && end->out.len == 0)
		end->due = session_fill(session, &end->out, ends_mono(time));
	if (end->records && end->out.len > before)
		assert_ok(buf_add(&end->sent, buf_span(&end->out).data + before,
		    end->out.len - before));
	return end->out.len > 0 || end->due || session_has_work(session);
}

static inline void
end_feed(struct end *end, struct span data, const struct ends_time *time)
{
	if (end->session.state == SESSION_CLOSED)
		return;
	session_feed(&end->session, data, ends_mono(time), ends_wall(time));
	end->due = true;
}

/* `from` has written: `to` gets it. */
static inline void
end_deliver(struct end *from, struct end *to, const struct ends_time *time)
{
	if (from->out.len == 0)
		return;
	session_sent(&from->session, from->out.len, ends_mono(time));
	end_feed(to, buf_span(&from->out), time);
	buf_clear(&from->out);
}

/* Lets both talk for `ns`, time passing when nothing moves. */
static inline void
ends_run(struct end *a, struct end *b, struct ends_time *time, uint64_t ns)
{
	uint64_t until = time->ns + ns;

	while (time->ns < until) {
		bool moved = end_step(a, time);

		moved |= end_step(b, time);
		end_deliver(a, b, time);
		end_deliver(b, a, time);
		if (!moved)
			time->ns += MS;
	}
}

/* --- a script for a peer ------------------------------------------------- */

/* What the session says until it is quiet, as one text in end->sent. */
static inline const char *
end_says(struct end *end, const struct ends_time *time)
{
	const char *text;

	buf_clear(&end->sent);
	while (end_step(end, time)) {
		assert_ok(buf_add_span(&end->sent, buf_span(&end->out)));
		if (end->out.len > 0)
			session_sent(
			    &end->session, end->out.len, ends_mono(time));
		buf_clear(&end->out);
	}
	text = buf_cstr(&end->sent);
	assert_non_null(text);
	return text;
}

static inline void
end_hears(struct end *end, const char *line, const struct ends_time *time)
{
	end_feed(end, span_from(line), time);
	end_feed(end, span_from("\n"), time);
}

static inline void
assert_says(struct end *end, const char *want, const struct ends_time *time)
{
	const char *said = end_says(end, time);

	if (strstr(said, want) == NULL)
		fail_msg("wanted \"%s\" in \"%s\"", want, said);
}

#define HELLO_FROM_ZOE                              \
	"HELLO herd/1 herd=ucla node=Zoe peer=Bob " \
	"nonce=00112233445566778899aabbccddeeff params="

/* HELLO of Zoe to Bob with Bob's own params. */
static inline void
end_hears_hello(struct end *end, bool fresh, const struct ends_time *time)
{
	char line[256];

	snprintf(line, sizeof(line), HELLO_FROM_ZOE "%016llx fresh=%d",
	    (unsigned long long)end->node.params, fresh);
	end_hears(end, line, time);
}

/* --- Bob, and Zoe who is a script ---------------------------------------- */

static inline void
bob_init(struct end *bob, struct ends_time *time)
{
	time->ns = S;
	end_init(bob, "Bob");
	end_connect(bob, "", 2, time);
	(void)end_says(bob, time);
}

static inline void
assert_bye(struct end *bob, const char *bye, struct ends_time *time)
{
	assert_says(bob, bye, time);
	assert_int_equal(bob->session.state, SESSION_CLOSED);
	assert_false(bob->session.by_peer);
	assert_true(session_deadline(&bob->session).ns == UINT64_MAX);
}

/* Up to both CHECKs: Bob hashes, or is done with an empty table. */
static inline void
bob_checks(struct end *bob, struct ends_time *time)
{
	bob_init(bob, time);
	end_hears_hello(bob, true, time);
	end_hears(bob, "CHECK 1 0", time);
	assert_says(bob, "CHECK 1 0\n", time);
}

/* A DIGEST whose 64 hashes are all the same. */
static inline void
hears_digest(
    struct end *bob, const char *path, const char *hash, struct ends_time *time)
{
	struct buf line;

	buf_init(&line, 2048);
	assert_ok(buf_addf(&line, "DIGEST %s ", path));
	for (unsigned i = 0; i < DIGEST_FAN; i++)
		assert_ok(buf_add_text(&line, hash));
	assert_ok(buf_add_byte(&line, '\n'));
	end_feed(bob, buf_span(&line), time);
	buf_release(&line);
}

/* SYNCED with an empty Zoe. */
static inline void
bob_syncs(struct end *bob, struct ends_time *time)
{
	bob_checks(bob, time);
	hears_digest(bob, "-", "0000000000000000", time);
	assert_says(bob, "NEXT\n", time);
	end_hears(bob, "NEXT", time);
	(void)end_says(bob, time);
	assert_int_equal(bob->session.state, SESSION_SYNCED);
}

#endif
