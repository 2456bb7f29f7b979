/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes on and on while links rest: links that flap, a node that starts
 * again and again, an operator's orders, a herd file that changes node by node,
 * and a node of the herd that says what is not true of others.
 */
#include <stdio.h>

#include "sim/drive.h"
#include "sim/sim.h"

#define TURNS_MOST 30u
#define LIES_MOST 600u
#define REACH_NS (2 * SIM_S)

/* Lines of the herd until now. */
struct said {
	uint64_t at;
	uint64_t words;
	uint64_t checks;
};

static struct said
said_until_now(const struct world *world)
{
	return (struct said){ world->now, world->oracle.words[WORD_EAGER],
		world->oracle.words[WORD_CHECK] };
}

/*
 * A node's words leave over each side of each link once in SESSION_WORDS_NS,
 * however often they change.
 */
static void
expect_few_words(
    struct world *world, const struct said *before, unsigned changing)
{
	uint64_t turns = (world->now - before->at) / SESSION_WORDS_NS + 3;
	uint64_t most = 2 * world->plan.edge_count * turns * changing;
	uint64_t words = world->oracle.words[WORD_EAGER] - before->words;

	if (words > most)
		world_fail(world, "%llu words of %u nodes, not %llu",
		    (unsigned long long)words, changing,
		    (unsigned long long)most);
}

/*
 * Each side of a link wakes once in `link.rest_after`, and a wake is two CHECKs
 * at most. A clock may be a reason for more.
 */
static void
expect_few_wakes(struct world *world, const struct said *before)
{
	const struct plan *plan = &world->plan;
	uint64_t turns = (world->now - before->at) / plan->rest_after_ns + 2;
	uint64_t links = plan->edge_count - flood_eager_count(world);
	uint64_t most = 4 * links * turns;
	uint64_t checks = world->oracle.words[WORD_CHECK] - before->checks;

	if (plan->step_percent == 0 && plan->expire_ns == 0 && checks > most)
		world_fail(world, "%llu CHECKs over %llu links, not %llu",
		    (unsigned long long)checks, (unsigned long long)links,
		    (unsigned long long)most);
}

static void
report_somewhere(struct world *world, const char *what)
{
	struct node *node = flood_draw_up(world);
	unsigned client = flood_report(node);

	flood_expect_spread(
	    world, node, client, REACH_NS + 8 * flood_trip_ns(world), what);
}

static unsigned
draw_eager_edge(struct world *world)
{
	unsigned edge;

	do {
		edge = (unsigned)random_below(
		    &world->random, world->plan.edge_count);
	} while (!flood_is_eager(world, SIM_NONE, edge));
	return edge;
}

/* Reports that do not wait for anything: they must be there in the end. */
static void
run_and_report(struct world *world, uint64_t most)
{
	world_run_for(world, random_below(&world->random, most));
	if (random_percent(&world->random, 30))
		(void)flood_report(flood_draw_up(world));
}

static void
unrest_of_link(struct world *world)
{
	unsigned edge = draw_eager_edge(world);
	uint64_t turns = random_between(&world->random, 2, TURNS_MOST);

	while (turns-- > 0 && !world->failed) {
		flood_lose_edge(world, edge);
		run_and_report(world, 100 * SIM_MS);
		fault_unblock(world, edge);
		run_and_report(world, 2 * world->plan.rest_after_ns);
	}
}

static void
unrest_of_node(struct world *world)
{
	struct node *node = flood_draw_up(world);
	uint64_t turns = random_between(&world->random, 2, TURNS_MOST);

	while (turns-- > 0 && !world->failed) {
		node_stop(node, (enum end_death)random_below(&world->random, 3),
		    false);
		run_and_report(world, SIM_S);
		node_start(node);
		run_and_report(world, 2 * world->plan.rest_after_ns);
	}
}

static void
order(struct world *world, unsigned edge, enum link_verb verb)
{
	struct node *node = &world->nodes[world->plan.edges[edge].a];

	for (unsigned i = 0; i < node->edge_count; i++) {
		if (node->edges[i].edge == edge)
			link_command(&node->edges[i].link, verb,
			    world_mono(world), node_clock(node));
	}
}

/* An operator disables an eager link, and goes home. */
static void
unrest_of_order(struct world *world)
{
	unsigned edge = draw_eager_edge(world);

	order(world, edge, LINK_DISABLE);
	world->gone = edge;
	world_run_for(world, 20 * world->plan.dead_ns);
	for (unsigned i = 0; i < 4; i++)
		report_somewhere(world, "while a link is disabled");
	world->gone = SIM_NONE;
	order(world, edge, LINK_ENABLE);
}

/* A link leaves the herd files node by node, and comes back. */
static void
unrest_of_files(struct world *world)
{
	unsigned edge =
	    (unsigned)random_below(&world->random, world->plan.edge_count);
	unsigned count = world->plan.nodes;
	unsigned first = (unsigned)random_below(&world->random, count);
	bool is_spared;

	world->gone = edge;
	is_spared =
	    !world->plan.removals || flood_count_parts(world, false) > 1;
	for (unsigned i = 0; i < 2 * count && !is_spared && !world->failed;
	     i++) {
		flood_reload(&world->nodes[(first + i) % count],
		    i < count ? edge : SIM_NONE);
		world_run_for(world, random_below(&world->random, SIM_S));
		if (random_percent(&world->random, 30))
			report_somewhere(world, "while herd files differ");
	}
	world->gone = SIM_NONE;
}

/* --- lies ----------------------------------------------------------------- */

/* A neighbour of `end` says something of `victim`, who may be that node. */
static void
lie(struct end *end, const struct node *victim, uint64_t number)
{
	struct world *world = end->world;
	const struct roster *roster = end->link.session.node->roster;
	struct random *random = &world->random;
	const char *down =
	    random_percent(random, 50) ? "-" : flood_draw_up(world)->name;
	uint64_t hash = random_percent(random, 60)   ? roster->self->hash
			: random_percent(random, 50) ? 0
						     : random_next(random);
	char line[128];
	int len;

	if (number == 0) {
		for (unsigned i = 0; i < roster->count; i++)
			if (strcmp(roster->words[i].name, victim->name) == 0)
				number = roster->words[i].number +
					 random_between(random, 1, 3);
	}
	len = snprintf(line, sizeof(line), "EAGER %s %llu %016llx %s\n",
	    victim->name, (unsigned long long)number, (unsigned long long)hash,
	    number == ROSTER_NUMBER_MAX ? "-" : down);
	end_feed(end, span_of(line, (size_t)len));
	end_pump(end);
}

/* A side of a link on which a whole line can come in; NULL if none was drawn.
 */
static struct end *
draw_listener(struct world *world)
{
	for (unsigned i = 0; i < 8; i++) {
		struct conn *conn = world->conns[random_below(
		    &world->random, world->conn_count)];
		struct end *end = &conn->ends[random_below(&world->random, 2)];

		if (end->open && !conn->dead &&
		    end->link.session.state == SESSION_SYNCED &&
		    framer_pending(&end->link.session.in) == 0)
			return end;
	}
	return NULL;
}

/* The truth is told again, and holds in the end. */
static void
unrest_of_words(struct world *world)
{
	const struct node *victim = flood_draw_up(world);
	uint64_t lies = random_between(&world->random, 1, LIES_MOST);
	struct said before = said_until_now(world);

	while (lies-- > 0 && !world->failed) {
		struct end *end = draw_listener(world);

		if (end != NULL)
			lie(end, victim, 0);
		run_and_report(world, 4 * SIM_MS);
	}
	world_run_for(world, SIM_S);
	expect_few_words(world, &before, 1);
	expect_few_wakes(world, &before);
	report_somewhere(world, "after lies");
}

static bool
nobody_rests(struct world *world)
{
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		if (roster_rests(&world->nodes[i].roster))
			return false;
	}
	return true;
}

/* Nobody can say more than the greatest number: all links flood from then on.
 */
static void
unrest_of_number(struct world *world)
{
	const struct node *victim = flood_draw_up(world);
	struct end *end = NULL;

	while (end == NULL)
		end = draw_listener(world);
	lie(end, victim, ROSTER_NUMBER_MAX);
	if (!world_wait(world, nobody_rests, REACH_NS + flood_trip_ns(world)))
		world_fail(world, "a number that cannot be true is believed");
	report_somewhere(world, "after the greatest number");
	world_run_for(world, 2 * world->plan.rest_after_ns);
	if (!nobody_rests(world))
		world_fail(world, "a number that cannot be true is forgotten");
}

bool
stage_unrest(struct world *world)
{
	static void (*const kinds[])(struct world *) = { unrest_of_link,
		unrest_of_node, unrest_of_order, unrest_of_files,
		unrest_of_words, unrest_of_words, unrest_of_number };
	size_t kind = random_below(&world->random, HERD_ARRAY_LEN(kinds));

	kinds[kind](world);
	return kinds[kind] != unrest_of_number;
}
