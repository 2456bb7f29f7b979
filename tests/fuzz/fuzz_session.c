/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a peer may send over a link. The first byte: bit 0, a good HELLO comes
 * first; bit 1, and CHECK 1; bit 2, the node holds some records; bit 3, HELLO
 * has all features; the rest is the size of the pieces. Whatever comes, queues
 * stay bounded, what goes out is whole lines, and a closed session is closed
 * for good.
 */
#include <stdio.h>

#include "core/session_exchange.h"
#include "core/session_hello.h"
#include "sim/drive.h"

#include "fuzz.h"

#define CLOCK_NS (UINT64_C(1600000000) * HERD_NS_PER_S)

static enum session_reason
on_admit(void *arg, struct session *session, unsigned *edge, struct mono now,
    struct wall clock)
{
	(void)arg;
	(void)session;
	(void)now;
	(void)clock;
	*edge = 0;
	return BYE_NONE;
}

static void
on_wake(void *arg)
{
	(void)arg;
}

static void
put_some(struct table *table)
{
	for (unsigned i = 0; i < 20; i++) {
		char id[16];
		struct report report = { .location = span_from("+1-1"),
			.time = span_from("1500000000"),
			.skew = span_from("+0.000000001"),
			.origin = span_from("Bob"),
			.time_ns = UINT64_C(1500000000) * HERD_NS_PER_S };

		snprintf(id, sizeof(id), "c%u", i);
		report.client = span_from(id);
		(void)table_put(table, &report, FROM_CLIENT,
		    (struct wall){ CLOCK_NS }, NULL, NULL);
	}
}

/* Lets it say and do all it wants. */
static void
serve(struct session *session, struct buf *out, uint64_t *now_ns)
{
	struct mono now = { *now_ns };
	bool more = true;

	for (unsigned i = 0; i < TABLE_SHARDS && session_has_work(session); i++)
		(void)session_work(session);
	session_tick(session, now);
	assert(session_deadline(session).ns > now.ns);
	while (more) {
		buf_clear(out);
		more = session_fill(session, out, now);
		assert(session->control.len == 0);
		assert(out->len == 0 ||
		       out->data[out->head + out->len - 1] == '\n');
		session_sent(session, out->len, now);
	}
	*now_ns += HERD_NS_PER_MS;
}

static void
feed(struct session *session, struct span data, struct buf *out,
    uint64_t *now_ns)
{
	enum session_state before = session->state;

	session_feed(session, data, (struct mono){ *now_ns },
	    (struct wall){ CLOCK_NS + *now_ns });
	assert(before != SESSION_CLOSED || session->state == SESSION_CLOSED);
	assert(session->control.len <= SESSION_OUT_MAX);
	assert(session->stats.acked <= session->stats.sent);
	serve(session, out, now_ns);
}

static void
talk(struct session *session, unsigned how, struct span stream, struct buf *out)
{
	uint64_t now_ns = HERD_NS_PER_S;
	size_t piece = 1 + (how >> 4) * 16u;
	char hello[256];

	snprintf(hello, sizeof(hello),
	    "HELLO herd/1 herd=ucla node=Zoe "
	    "nonce=00112233445566778899aabbccddeeff params=%016llx fresh=1%s\n",
	    (unsigned long long)session->node->params,
	    (how & 8) != 0 ? " features=knock,limits,pairs,sparse" : "");
	serve(session, out, &now_ns);
	if ((how & 1) != 0)
		feed(session, span_from(hello), out, &now_ns);
	if ((how & 3) == 3)
		feed(session, span_from("CHECK 1 0\n"), out, &now_ns);
	while (stream.len > 0 && session->state != SESSION_CLOSED) {
		size_t n = piece < stream.len ? piece : stream.len;

		feed(session, span_of(stream.data, n), out, &now_ns);
		stream.data += n;
		stream.len -= n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct table_config config = { 50, 0, { 1, 2 } };
	struct session_node node = { .herd = span_from("ucla"),
		.name = span_from("Bob"),
		.params = session_params(2048, 50, 0),
		.max_line = 2048,
		.ping_after_ns = 5 * HERD_NS_PER_S,
		.dead_after_ns = 15 * HERD_NS_PER_S,
		.stall_after_ns = 60 * HERD_NS_PER_S,
		.verify_every_ns = 50 * HERD_NS_PER_MS,
		.flush_every_ns = 5 * HERD_NS_PER_MS };
	struct session_config how = {
		.node = &node, .admit = on_admit, .wake = on_wake
	};
	static const roster_name names[] = { "Ann", "Bob", "Zoe" };
	struct timekeeper timekeeper;
	struct session session;
	struct roster roster;
	struct board board;
	struct buf out;

	if (size < 1)
		return 0;
	if (table_new(&config, &node.table) != HERD_OK)
		abort();
	roster_init(&roster);
	if (roster_set(&roster, names, HERD_ARRAY_LEN(names), node.name) !=
	    HERD_OK)
		abort();
	roster_say(&roster, 5, "");
	node.roster = &roster;
	board_init(&board);
	node.board = &board;
	timekeeper_init(
	    &timekeeper, 0, (struct mono){ 0 }, (struct wall){ CLOCK_NS });
	node.timekeeper = &timekeeper;
	if ((data[0] & 4) != 0)
		put_some(node.table);
	buf_init(&out, 3 * SESSION_OUT_MAX);
	session_init(&session, &how, (struct mono){ HERD_NS_PER_S });
	talk(
	    &session, data[0], span_of((const char *)data + 1, size - 1), &out);
	session_release(&session);
	assert(atomic_load(&board.synced) == 0);
	assert(atomic_load(&board.exchanging) == 0);
	buf_release(&out);
	table_free(node.table);
	roster_release(&roster);
	return 0;
}
