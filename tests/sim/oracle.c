/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold with every seed. */
#include <stdio.h>
#include <stdlib.h>

#include "herd/text.h"
#include "sim/sim.h"

#define LONG_ID 300u
#define TRACE_LINE 110

static const char *const WORDS[] = {
#define SIM_WORD_TEXT(word) #word,
	SIM_WORDS(SIM_WORD_TEXT)
#undef SIM_WORD_TEXT
};

/* --- versions ------------------------------------------------------------ */

static char *
client_id(struct world *world, unsigned number)
{
	size_t len = 16;
	char *id;

	if (world->plan.long_ids && random_percent(&world->random, 50))
		len += random_below(&world->random, LONG_ID);
	id = sim_alloc(len + 1, 1);
	memset(id, 'x', len);
	id[snprintf(id, len, "c%u_", number)] = 'y';
	return id;
}

void
oracle_init(struct world *world)
{
	struct oracle *oracle = &world->oracle;

	oracle->clients =
	    sim_alloc(world->plan.clients, sizeof(*oracle->clients));
	oracle->expected =
	    sim_alloc(world->plan.clients, sizeof(*oracle->expected));
	for (unsigned i = 0; i < world->plan.clients; i++)
		oracle->clients[i].id = client_id(world, i);
}

void
oracle_release(struct world *world)
{
	struct oracle *oracle = &world->oracle;

	for (unsigned i = 0; i < world->plan.clients; i++) {
		free(oracle->clients[i].id);
		free(oracle->clients[i].versions);
	}
	for (uint32_t i = 0; i < oracle->version_count; i++)
		free(oracle->versions[i].text);
	free(oracle->clients);
	free(oracle->versions);
	free(oracle->answers);
	free(oracle->expected);
}

/* The number of a client whose id we made; SIM_NONE for others. */
static unsigned
client_number(const struct world *world, struct span id)
{
	unsigned number = 0;
	size_t i = 1;

	for (; i < id.len && text_is_digit(id.data[i]) && number < 1000000; i++)
		number = number * 10 + (unsigned)(id.data[i] - '0');
	if (number >= world->plan.clients ||
	    !span_is(id, world->oracle.clients[number].id))
		return SIM_NONE;
	return number;
}

uint32_t
oracle_find(const struct world *world, const struct report *report)
{
	const struct oracle *oracle = &world->oracle;
	unsigned number = client_number(world, report->client);
	const struct sim_client *client;

	if (number == SIM_NONE)
		return SIM_NONE;
	client = &oracle->clients[number];
	for (unsigned i = client->version_count; i > 0; i--) {
		uint32_t version = client->versions[i - 1];

		if (report_compare(&oracle->versions[version].report, report) ==
		    0)
			return version;
	}
	return SIM_NONE;
}

uint32_t
oracle_note(struct world *world, const struct report *report)
{
	struct oracle *oracle = &world->oracle;
	unsigned number = client_number(world, report->client);
	struct sim_client *client = &oracle->clients[number];
	uint32_t known = oracle_find(world, report);
	struct version *version;

	if (known != SIM_NONE)
		return known;
	if (oracle->version_count == oracle->version_size) {
		oracle->version_size =
		    oracle->version_size == 0 ? 64 : oracle->version_size * 2;
		oracle->versions = sim_grow(oracle->versions,
		    oracle->version_size, sizeof(*oracle->versions));
	}
	if (client->version_count == client->version_size) {
		client->version_size =
		    client->version_size == 0 ? 16 : client->version_size * 2;
		client->versions = sim_grow(client->versions,
		    client->version_size, sizeof(*client->versions));
	}
	version = &oracle->versions[oracle->version_count];
	version->client = number;
	version->report = *report;
	version->text = sim_alloc(report_texts_len(report), 1);
	report_take_texts(&version->report, version->text);
	client->versions[client->version_count++] = oracle->version_count;
	return oracle->version_count++;
}

int
oracle_compare(const struct world *world, uint32_t a, uint32_t b)
{
	if (a == b)
		return 0;
	if (a == SIM_NONE || b == SIM_NONE)
		return a == SIM_NONE ? -1 : 1;
	return report_compare(&world->oracle.versions[a].report,
	    &world->oracle.versions[b].report);
}

/* --- tables -------------------------------------------------------------- */

struct reading {
	struct world *world;
	uint32_t *versions; /* per client */
};

static bool
on_read(void *arg, const struct report *report, uint32_t from)
{
	struct reading *reading = arg;
	uint32_t version = oracle_find(reading->world, report);

	(void)from;
	if (version == SIM_NONE)
		world_fail(reading->world, "a record that nobody accepted");
	else
		reading->versions[reading->world->oracle.versions[version]
				      .client] = version;
	return true;
}

/* What the node holds now, per client. */
static void
node_read(struct node *node, uint32_t *versions)
{
	struct world *world = node->world;
	struct reading reading = { world, versions };
	struct table_cursor cursor = { 0 };

	for (unsigned i = 0; i < world->plan.clients; i++)
		versions[i] = SIM_NONE;
	while (table_walk(node->table, &cursor, 1024, on_read, &reading))
		;
}

/*
 * May the node lack the version? Yes if it is not newer than `expired_ns`, or
 * if the table is full of greater ones.
 */
static bool
is_excused(const struct world *world, const uint32_t *versions,
    uint32_t version, uint64_t expired_ns)
{
	const struct plan *plan = &world->plan;
	const struct report *report = &world->oracle.versions[version].report;
	uint64_t greater = 0;

	if (report->time_ns <= expired_ns)
		return true;
	if (plan->max_clients == 0)
		return false;
	for (unsigned i = 0; i < plan->clients; i++) {
		if (versions[i] != SIM_NONE &&
		    report_compare_all(
			&world->oracle.versions[versions[i]].report, report) >
			0)
			greater++;
	}
	return greater == plan->max_clients;
}

static const char *
version_text(const struct world *world, uint32_t version)
{
	static char text[2][64];
	static unsigned turn;

	turn = 1 - turn;
	if (version == SIM_NONE)
		return "nothing";
	snprintf(text[turn], sizeof(text[turn]), "v%u of client %u", version,
	    world->oracle.versions[version].client);
	return text[turn];
}

static bool
on_watched(void *arg, const struct report *report)
{
	struct node *node = arg;
	struct world *world = node->world;
	uint32_t version = oracle_find(world, report);
	uint32_t *held;

	if (version == SIM_NONE) {
		world_fail(world, "%s holds what no node accepted", node->name);
		return true;
	}
	held = &node->held[world->oracle.versions[version].client];
	/* Of a record that expired here another node may hold an older version.
	 */
	if (oracle_compare(world, version, *held) < 0 &&
	    world->oracle.versions[*held].report.time_ns >
		world->oracle.horizon_ns)
		world_fail(world, "%s went back from %s to %s", node->name,
		    version_text(world, *held), version_text(world, version));
	*held = version;
	return true;
}

void
oracle_observe(struct node *node)
{
	if (!node->up || node->observed)
		return;
	node->observed = true;
	oracle_note_clock(node);
	while (outbox_take(&node->watcher, 256, on_watched, node) > 0)
		;
	node->observed = false;
}

/* --- answers ------------------------------------------------------------- */

/*
 * Did the table let the report expire before the store took it? A store that is
 * slow, or a clock that becomes trusted, lets that happen. Such a report is
 * answered and held nowhere, like one that is too old when it comes.
 */
static bool
has_expired_unwritten(const struct node *node, uint32_t version)
{
	const struct version *answered = &node->world->oracle.versions[version];

	return answered->report.time_ns <= node->horizon_ns &&
	       oracle_compare(node->world, node->store.disk[answered->client],
		   version) < 0;
}

static void
note_answer(struct node *node, uint32_t version)
{
	struct oracle *oracle = &node->world->oracle;

	if (oracle->answer_count == oracle->answer_size) {
		oracle->answer_size =
		    oracle->answer_size == 0 ? 64 : oracle->answer_size * 2;
		oracle->answers = sim_grow(oracle->answers, oracle->answer_size,
		    sizeof(*oracle->answers));
	}
	oracle->answers[oracle->answer_count++] =
	    (struct answer){ version, node->number, node->disk_lives };
}

void
oracle_answered(struct node *node, uint32_t version)
{
	world_trace(node->world, node, "answers v%u", version);
	if (node->world->plan.shared)
		database_check_answer(node, version);
	if (!has_expired_unwritten(node, version))
		note_answer(node, version);
	/* The worst moment for kill -9 is just after an answer. */
	if (random_percent(&node->world->random, 3))
		world_after(node->world,
		    random_below(&node->world->random, 2 * SIM_MS), EVENT_CRASH,
		    node->number, 0, node->life);
}

void
oracle_check_start(struct node *node)
{
	struct world *world = node->world;
	uint32_t *versions;

	/* A shared store is loaded later; see database_check_answer(). */
	if (world->plan.shared)
		return;
	versions = sim_alloc(world->plan.clients, sizeof(*versions));
	node_read(node, versions);
	for (unsigned i = 0; i < world->oracle.answer_count; i++) {
		const struct answer *answer = &world->oracle.answers[i];
		unsigned client =
		    world->oracle.versions[answer->version].client;

		if (answer->node == node->number &&
		    answer->disk_life == node->disk_lives &&
		    oracle_compare(world, versions[client], answer->version) <
			0 &&
		    !is_excused(world, versions, answer->version,
			world->oracle.disk_horizon_ns))
			world_fail(world, "%s answered %s and lost it",
			    node->name, version_text(world, answer->version));
	}
	free(versions);
}

/* --- healing ------------------------------------------------------------- */

static void
expect(struct world *world, uint32_t version)
{
	uint32_t *expected;

	if (version == SIM_NONE)
		return;
	expected =
	    &world->oracle.expected[world->oracle.versions[version].client];
	if (oracle_compare(world, version, *expected) > 0)
		*expected = version;
}

/* All nodes must get what a live node holds, and what was answered. */
void
oracle_expect(struct world *world)
{
	struct oracle *oracle = &world->oracle;
	uint32_t *versions = sim_alloc(world->plan.clients, sizeof(*versions));

	for (unsigned i = 0; i < world->plan.clients; i++)
		oracle->expected[i] = SIM_NONE;
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		node_read(&world->nodes[i], versions);
		for (unsigned j = 0; j < world->plan.clients; j++)
			expect(world, versions[j]);
	}
	for (unsigned i = 0; world->plan.shared && i < world->plan.clients; i++)
		expect(world, world->database.rows[i]);
	for (unsigned i = 0; i < oracle->answer_count && !world->plan.shared;
	     i++) {
		const struct answer *answer = &oracle->answers[i];

		if (answer->disk_life == world->nodes[answer->node].disk_lives)
			expect(world, answer->version);
	}
	free(versions);
}

/*
 * Versions up to this time may be missing, because they expire within the
 * margin by the fastest clock that is right or trusted. A right clock counts
 * even when all nodes were set wrong since: one may have let them expire
 * before.
 */
static uint64_t
expired_by_fastest(const struct world *world)
{
	uint64_t margin = world->nodes[0].timekeeper.margin_ns;
	uint64_t expire = world->plan.expire_ns;
	uint64_t fastest = SIM_WALL_BASE_S * SIM_S + world->now;

	for (unsigned i = 0; i < world->plan.nodes; i++) {
		const struct node *node = &world->nodes[i];
		uint64_t judged = node_judged(node).ns;

		if (judged > fastest &&
		    (node->step_ns == 0 ||
			atomic_load(&node->timekeeper.state) != TIME_WAITING))
			fastest = judged;
	}
	return expire == 0 || fastest + margin < expire
		   ? 0
		   : fastest + margin - expire;
}

/* The node's table against what was expected and what the first one holds. */
static void
check_node_equal(
    struct world *world, unsigned number, uint32_t *all, uint32_t *first)
{
	const struct node *node = &world->nodes[number];
	uint64_t expired = expired_by_fastest(world);
	uint64_t horizon = world->oracle.horizon_ns;

	for (unsigned i = 0; i < world->plan.clients; i++) {
		uint32_t due = world->oracle.expected[i];
		int order;

		if (oracle_compare(world, first[i], due) > 0)
			due = first[i];
		order = oracle_compare(world, all[i], due);
		/*
		 * The node with the older version lacks it: this one, or the
		 * first one, or both if it has expired everywhere.
		 */
		if (order == 0 ||
		    (order < 0 && is_excused(world, all, due, expired)) ||
		    (order < 0 && due != first[i] &&
			is_excused(world, all, due, horizon)) ||
		    (order > 0 && is_excused(world, first, all[i], expired)))
			continue;
		world_fail(world, "healed, but %s holds %s instead of %s",
		    node->name, version_text(world, all[i]),
		    version_text(world, due));
	}
}

void
oracle_check_equal(struct world *world)
{
	uint32_t *first = sim_alloc(world->plan.clients, sizeof(*first));
	uint32_t *other = sim_alloc(world->plan.clients, sizeof(*other));

	if (world->failed)
		goto out;
	node_read(&world->nodes[0], first);
	check_node_equal(world, 0, first, first);
	for (unsigned i = 1; i < world->plan.nodes; i++) {
		node_read(&world->nodes[i], other);
		check_node_equal(world, i, other, first);
	}
out:
	free(first);
	free(other);
}

/* --- sessions ------------------------------------------------------------ */

/* The peer sent NEXT: all that it had at the beginning must be here. */
static void
check_next(struct end *end, const struct end *peer)
{
	struct node *node = end->node;
	struct world *world = end->world;
	uint32_t *here = sim_alloc(world->plan.clients, sizeof(*here));
	uint32_t *there = sim_alloc(world->plan.clients, sizeof(*there));

	/* It may have let reports expire since its clock was looked at. */
	oracle_note_clock(node);
	node_read(node, here);
	if (peer->node->up)
		node_read(peer->node, there);
	for (unsigned i = 0; i < world->plan.clients; i++) {
		uint32_t version = peer->snapshot[i];

		if (version == SIM_NONE ||
		    oracle_compare(world, node->held[i], version) >= 0 ||
		    world->oracle.versions[version].report.time_ns <=
			end->link.session.exchange.cut_ns ||
		    is_excused(world, here, version, world->oracle.horizon_ns))
			continue;
		/* Evicted there before it could be sent. */
		if (world->plan.max_clients != 0 &&
		    (!peer->node->up ||
			oracle_compare(world, there[i], version) < 0))
			continue;
		world_fail(world, "%s has NEXT of %s but not its %s",
		    node->name, peer->node->name, version_text(world, version));
	}
	free(here);
	free(there);
}

static void
check_bounds(struct end *end)
{
	if (end->link.session.control.len > SESSION_OUT_MAX ||
	    end->link.out.len > 2 * SESSION_OUT_MAX + 2 * SESSION_HELLO_MAX ||
	    framer_pending(&end->link.session.in) >
		end->link.session.in.max_line + FRAMER_AHEAD_MAX)
		world_fail(
		    end->world, "%s: a queue is too long", end->node->name);
}

void
oracle_observe_end(struct end *end)
{
	const struct session *session = &end->link.session;
	struct world *world = end->world;
	const struct end *peer = &world->conns[end->conn]->ends[1 - end->side];

	oracle_observe(end->node);
	check_bounds(end);
	if (end->snapshot_of < session->exchange.number &&
	    (session->state == SESSION_SCAN ||
		session->state == SESSION_COMPARE ||
		session->state == SESSION_OWE)) {
		end->snapshot_of = session->exchange.number;
		memcpy(end->snapshot, end->node->held,
		    world->plan.clients * sizeof(*end->snapshot));
	}
	if (session->exchange.next_received &&
	    end->next_of < session->exchange.number) {
		end->next_of = session->exchange.number;
		if (peer->snapshot_of == session->exchange.number)
			check_next(end, peer);
	}
}

/*
 * A version crosses a link once per session, and once more per exchange: the
 * exchange owes whole leaves, with records that the flood has just sent. One
 * that has expired on some node may come back to it.
 */
static void
check_crossing(struct end *end, uint32_t version)
{
	const struct session *session = &end->link.session;
	struct world *world = end->world;
	struct crossing *crossing =
	    &end->crossings[world->oracle.versions[version].client];

	if (crossing->version == version &&
	    crossing->exchange == session->exchange.number &&
	    !crossing->before_owe &&
	    world->oracle.versions[version].report.time_ns >
		world->oracle.horizon_ns)
		world_fail(world, "%s sends %s twice to %s", end->node->name,
		    version_text(world, version), session->peer);
	*crossing = (struct crossing){ version, session->exchange.number,
		crossing->version != version &&
		    session->state < SESSION_DRAIN };
}

static void
tap_line(struct end *end, struct span line)
{
	struct world *world = end->world;
	struct span rest = line;
	struct span word = text_next_field(&rest);
	struct report report;
	uint32_t version;

	if (world->trace && line.len > TRACE_LINE)
		world_trace(world, end->node, "%u> %.*s...", end->conn,
		    TRACE_LINE, line.data);
	else
		world_trace(world, end->node, "%u> " SPAN_FMT, end->conn,
		    SPAN_ARG(line));
	for (unsigned i = 0; i < WORD_COUNT; i++) {
		if (span_is(word, WORDS[i]))
			world->oracle.words[i]++;
	}
	if (!span_is(word, "AT") && !span_is(word, "GONE"))
		return;
	if (report_parse(line, &report) != HERD_OK ||
	    (version = oracle_find(world, &report)) == SIM_NONE)
		world_fail(
		    world, "%s sends what no node accepted", end->node->name);
	else
		check_crossing(end, version);
}

void
oracle_tap(struct end *end, struct span text)
{
	while (text.len > 0) {
		const char *lf = memchr(text.data, '\n', text.len);
		size_t len;

		if (lf == NULL) {
			world_fail(end->world, "%s sends half a line",
			    end->node->name);
			return;
		}
		len = (size_t)(lf - text.data);
		tap_line(end, span_of(text.data, len));
		text.data += len + 1;
		text.len -= len + 1;
	}
}
