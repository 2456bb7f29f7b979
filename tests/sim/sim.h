/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulator: N nodes with the real core in one process, virtual time, a
 * network and a store that fail as a seed decides, and an oracle that checks
 * what must hold. One seed is one run; see README.md.
 */
#ifndef HERD_SIM_H
#define HERD_SIM_H

#include "core/commit.h"
#include "core/link_conn.h"
#include "core/session_hello.h"
#include "herd/eager.h"
#include "sim/random.h"
#include "sim/table_check.h"

#define SIM_WALL_BASE_S UINT64_C(1600000000)
#define SIM_START_NS (UINT64_C(1000) * HERD_NS_PER_S)
#define SIM_US UINT64_C(1000)
#define SIM_MS HERD_NS_PER_MS
#define SIM_S HERD_NS_PER_S
#define LATENCY_CALM_NS (30 * SIM_MS)
/* Between slices of a pass over a small table. */
#define WORK_CALM_NS (200 * SIM_US)
#define SIM_FAILURE_MAX 512u
#define SIM_NONE UINT32_MAX
/* Bytes that an end may have waiting for its socket, by contract. */
#define SIM_OUT_MAX (4u * SESSION_OUT_MAX)

struct world;
struct node;

/* --- what a run is (plan.c) ---------------------------------------------- */

enum sim_store {
	SIM_STORE_NONE,
	SIM_STORE_ASYNC,
	SIM_STORE_SYNC,
};

struct sim_edge {
	unsigned a; /* its name sorts first: it dials */
	unsigned b;
	uint64_t latency_ns; /* one way */
	uint64_t jitter_ns;
	uint64_t rate;   /* bytes/s, 0 = no limit */
	size_t capacity; /* bytes under way that the sender's system takes */
};

struct plan {
	unsigned nodes;
	unsigned clients;
	struct sim_edge *edges;
	unsigned edge_count;
	enum sim_store store;
	bool shared;    /* the store is one database of all nodes */
	bool write_all; /* each node writes what it learns, too */
	uint64_t max_clients;
	uint64_t expire_ns;
	uint64_t max_ahead_ns;
	uint64_t ping_ns;
	uint64_t dead_ns;
	uint64_t stall_ns;
	uint64_t verify_ns;
	uint64_t flush_ns;
	uint64_t redial_max_ns;
	uint64_t fault_ns; /* how long things go wrong */
	unsigned faults;
	unsigned inputs;
	unsigned burst;   /* reports per input */
	bool together;    /* all nodes start at the same time */
	uint64_t work_ns; /* at most between slices of a pass over the table */
	unsigned work_slices;     /* at most at a time */
	unsigned clock_spread_ms; /* nodes' clocks are off by up to this */
	unsigned step_percent;    /* of faults: a clock is set */
	unsigned forget_percent;  /* of inputs */
	unsigned tie_percent;
	unsigned old_percent;
	uint64_t older;  /* bits: which lives of which nodes lack `pairs` */
	bool sparse;     /* links that are not eager rest */
	uint64_t eldest; /* bits, as `older`: those that lack `sparse` */
	uint64_t rest_after_ns;
	bool long_ids;
	bool removals; /* operators take links out of the herd file */
};

/* `nodes`: 0 draws it as well. */
void plan_draw(struct plan *plan, struct random *random, unsigned nodes);
void plan_release(struct plan *plan);

/* A ring with chords: about 4-regular. `edges` has room for two per node. */
void plan_draw_ring(struct plan *plan, struct random *random);

/* What that life of a node lacks: bits of enum session_feature. */
unsigned plan_lacks(const struct plan *plan, unsigned node, unsigned life);

/* --- time (world.c) ------------------------------------------------------ */

enum event_kind {
	EVENT_LINK,      /* node, edge of it: its driver's timer */
	EVENT_ACCEPT,    /* connection: the dial has come to the acceptor */
	EVENT_SERVE,     /* connection: and is served by it */
	EVENT_CONNECTED, /* connection: and its answer back */
	EVENT_DIAL_FAILED,
	EVENT_DELIVER, /* connection, receiving side */
	EVENT_LOST,    /* connection, side that learns that it is gone */
	EVENT_WAKE,    /* connection, side */
	EVENT_WORK,
	EVENT_TICK,
	EVENT_STORE, /* node */
	EVENT_SWEEP, /* node */
	EVENT_JUDGE, /* node: looks at its clock */
	EVENT_START, /* node */
	EVENT_INPUT,
	EVENT_FAULT,
	EVENT_UNBLOCK, /* edge of the plan */
	EVENT_CRASH,   /* node */
	EVENT_ENABLE,  /* node, edge of it */
	EVENT_ADD,     /* node, edge of it */
	EVENT_CLOCK,   /* node: its clock is set right */
	EVENT_RELOAD,  /* node, edge of the plan that its file lacks */
	EVENT_SPARSE,  /* node: its file says sparse again */
};

struct event {
	uint64_t at;
	uint64_t order; /* of scheduling: equal times keep it */
	enum event_kind kind;
	unsigned who;
	unsigned what;
	unsigned life;
};

struct event_queue {
	struct event *heap;
	size_t count;
	size_t size;
	uint64_t scheduled;
};

/* --- the network (pipe.c) ------------------------------------------------ */

/* Bytes that arrive together. */
struct segment {
	uint64_t at;
	size_t len;
};

/* One direction of a connection. */
struct pipe {
	struct buf bytes;
	struct segment *segments;
	unsigned head;
	unsigned count;
	unsigned size;
	uint64_t busy_until;
	uint64_t last_at;
	size_t swallowed; /* bytes that a dead host will never acknowledge */
	bool fin;         /* the sender closed: end of stream comes last */
	bool scheduled;   /* an EVENT_DELIVER is under way */
};

/* One side of a connection: a socket and its session. */
struct end {
	struct link_conn link; /* first: the driver's view of it */
	struct world *world;
	struct node *node;
	unsigned conn;
	unsigned side;
	bool open;   /* it has a session */
	bool closed; /* it had one, or its dial was given up */
	bool dies;   /* with its node: how it ends is decided */
	bool busy;   /* its session is on the stack: for the mutants' pauses */
	bool inherits; /* its outbox was kept: see mutant.c */
	bool wants_room;
	size_t tapped;    /* bytes of its output that the oracle has seen */
	uint64_t tick_at; /* of the scheduled EVENT_TICK */
	bool wake_due;
	bool work_due;

	/* what the oracle remembers */
	uint64_t snapshot_of;       /* exchange */
	uint32_t *snapshot;         /* version per client, when it began */
	uint64_t next_of;           /* exchange whose NEXT was looked at */
	struct crossing *crossings; /* per client */
};

struct conn {
	struct end ends[2];   /* 0 dialled */
	struct pipe pipes[2]; /* pipes[i]: bytes that ends[i] sends */
	unsigned edge;        /* of the plan */
	unsigned life;        /* of the dialling node */
	unsigned acceptor_life;
	bool given_up; /* the dialler has dropped it */
	bool dead;     /* half-open or a dead host: nothing arrives any more */
};

/* --- nodes --------------------------------------------------------------- */

struct node_edge {
	struct link link; /* first: the driver's view of it */
	unsigned edge;    /* of the plan */
	unsigned peer;    /* node */
	bool dials;
	bool used;       /* the node has the link now */
	uint64_t due_at; /* of the scheduled EVENT_LINK */
};

/* An answer that waits for durability. */
struct waiter {
	struct put_info ticket;
	uint32_t version;
};

enum store_state {
	STORE_IDLE,
	STORE_TAKING, /* a batch is open */
	STORE_COMMITTING,
};

struct store {
	struct outbox outbox;
	struct commit commit;
	enum store_state state;
	bool scheduled;
	unsigned takes;   /* left in this batch */
	bool pending;     /* shared: the batch is to be written again */
	bool loaded;      /* shared: all rows were read */
	bool final;       /* shared, a mutant: it has given up */
	unsigned load_at; /* client whose row is read next */
	uint32_t *batch;  /* version per client, SIM_NONE */
	uint32_t *disk;
	struct waiter *waiters;
	unsigned waiter_count;
	unsigned waiter_size;
};

struct node {
	struct world *world;
	unsigned number;
	char name[16];
	bool up;
	unsigned life;    /* counts starts: events of earlier lives are void */
	int64_t clock_ns; /* its wall clock minus the world's */
	int64_t step_ns;  /* of it: by how much it was set wrong */
	int64_t seen_step_ns; /* the same, when it looked last */
	uint64_t set_at;      /* when it was set forward last */
	bool step_ends;
	struct timekeeper timekeeper;
	struct table *table;
	struct board board;
	struct session_node shared;
	struct link_driver driver;
	struct roster roster;
	bool sparse;           /* its herd file says so */
	unsigned missing;      /* edge that its file lacks, or SIM_NONE */
	uint64_t frozen_until; /* SIGSTOP: it does nothing before */
	struct node_edge *edges;
	unsigned edge_count;
	struct outbox watcher; /* the oracle's eye */
	uint32_t *held;        /* version seen last per client */
	struct store store;
	struct table_cursor sweep;
	unsigned disk_lives; /* counts lost disks */
	uint64_t judged_ns;  /* as the oracle has seen it last, an offset */
	uint64_t trusted_at; /* since when it is so and trusted; 0: it is not */
	uint64_t doubtful_at; /* it started, or its clock went forward */
	uint64_t horizon_ns;  /* latest time that it rightly let expire */
	bool observed;        /* the oracle looks at it just now */
	bool paused;          /* see mutant.c */
};

/* --- the oracle ---------------------------------------------------------- */

/* A report that some node accepted from a client. */
struct version {
	unsigned client;
	struct report report;
	char *text;
};

/* How often a version crossed a directed link on one session. */
struct crossing {
	uint32_t version;
	uint64_t exchange;
	bool before_owe; /* it was sent before the exchange owed */
};

struct answer {
	uint32_t version;
	unsigned node;
	unsigned disk_life;
};

struct sim_client {
	char *id;
	uint32_t *versions;
	unsigned version_count;
	unsigned version_size;
	uint64_t last_time_ns;
};

#define SIM_WORDS(X) \
	X(HELLO)     \
	X(EAGER)     \
	X(CHECK) X(DIGEST) X(NEXT) X(AT) X(GONE) X(ACK) X(PING) X(PONG) X(BYE)

enum sim_word {
#define SIM_WORD_ID(word) WORD_##word,
	SIM_WORDS(SIM_WORD_ID)
#undef SIM_WORD_ID
	    WORD_COUNT,
};

struct oracle {
	struct version *versions;
	uint32_t version_count;
	uint32_t version_size;
	struct sim_client *clients;
	struct answer *answers;
	unsigned answer_count;
	unsigned answer_size;
	uint32_t *expected; /* per client, of healing */
	/* Latest time that expired by a trusted clock: from table and disk. */
	uint64_t horizon_ns;
	uint64_t disk_horizon_ns;
	uint64_t words[WORD_COUNT]; /* lines sent */
};

/* The database of a shared store (database.c): a version per client each. */
struct database {
	struct random random;
	uint64_t down_until;
	uint32_t *rows;
	uint32_t *older; /* the state that a failover brings back */
	uint32_t *lost;  /* the newest that a failover has lost */
};

struct world {
	uint64_t seed;
	struct random random;
	struct plan plan;
	struct event_queue queue;
	uint64_t now;
	uint64_t events; /* handled */
	struct node *nodes;
	struct conn **conns;
	unsigned conn_count;
	unsigned conn_size;
	unsigned *blocked; /* per edge: how many causes */
	unsigned gone;     /* edge that carries nothing for another reason */
	struct eager
	    eager[2]; /* of the whole file; of one that lacks an edge */
	unsigned eager_missing[2];
	bool calm; /* healed: nothing goes wrong any more */
	bool trace;
	bool failed;
	char failure[SIM_FAILURE_MAX];
	struct oracle oracle;
	struct database database;
};

/* --- stages.c ------------------------------------------------------------ */

/* Runs one seed; false and world->failure if something did not hold. */
bool world_run(struct world *world, uint64_t seed, unsigned nodes, bool trace);
typedef bool world_holds(struct world *world);
/* Waits in steps; false when it does not hold after `ns`. */
bool world_wait(struct world *world, world_holds *holds, uint64_t ns);
/* Waits until all links are SYNCED and drained; false after `ns`. */
bool world_settle(struct world *world, uint64_t ns);

/* What updates and losses cost (cost.c); false if messages are too many. */
bool cost_of_five(void);
bool cost_of_flooding(void);

/* --- world.c ------------------------------------------------------------- */

/* A world without a run: open, fill plan, build. */
void world_open(struct world *world, uint64_t seed, bool trace);
void world_build(struct world *world);
void world_release(struct world *world);

/* A check failed: the run ends. Only the first failure is kept. */
void world_fail(struct world *world, const char *fmt, ...) HERD_PRINTF(2, 3);

void world_trace(const struct world *world, const struct node *node,
    const char *fmt, ...) HERD_PRINTF(3, 4);

void world_after(struct world *world, uint64_t delay_ns, enum event_kind kind,
    unsigned who, unsigned what, unsigned life);

/* Handles what is due until `ns` have gone by or something failed. */
void world_run_for(struct world *world, uint64_t ns);

static inline struct mono
world_mono(const struct world *world)
{
	return (struct mono){ world->now };
}

/* malloc that ends the process when there is none. */
void *sim_alloc(size_t count, size_t size);
void *sim_grow(void *old, size_t count, size_t size);

/* --- pipe.c -------------------------------------------------------------- */

/* Does the sender's system take anything now? */
bool pipe_room(
    const struct world *world, const struct conn *conn, unsigned side);
/* Bytes of `data` that the sender's system takes now. */
size_t pipe_write(struct world *world, struct conn *conn, unsigned side,
    const char *data, size_t len);
/* Bytes are due for ends[side]. */
void pipe_deliver(struct world *world, unsigned conn, unsigned side);
/* Nothing stops the bytes any more: schedules those that are due. */
void pipe_resume(struct world *world, unsigned conn);
/* The link is fast again: bytes under way arrive soon. */
void pipe_hurry(struct world *world, unsigned conn);
bool conn_is_stuck(const struct world *world, const struct conn *conn);
void pipe_release(struct pipe *pipe);

/* --- host.c -------------------------------------------------------------- */

/* The node has started: its driver and all its links. */
void host_open(struct node *node);
void host_add_link(struct node *node, unsigned edge);
void host_remove_link(struct node *node, unsigned edge);
void host_add_again(struct node *node, unsigned edge);
/* A dial; the driver may not have asked for it. */
void host_dial(struct node *node, struct link *link);
void host_accept(struct world *world, unsigned conn);
void host_serve(struct world *world, unsigned conn);
void host_connected(struct world *world, unsigned conn);
void host_dial_failed(struct world *world, unsigned conn);
void host_on_link(struct node *node, unsigned edge);

/* What the node owes its peers leaves at some time without anybody's doing. */
void host_check_debts(const struct node *node);

/* Bytes came in for an end; they are fed in pieces. */
void end_feed(struct end *end, struct span data);
/* Fills and writes until the socket is full or nothing is left. */
void end_pump(struct end *end);
void end_on_wake(struct end *end);
void end_on_work(struct end *end);
void end_on_tick(struct end *end);
void end_lost(struct end *end, const char *why);

/* How an end goes when its node does. */
enum end_death {
	DEATH_FIN,    /* what was written arrives, then the end of stream */
	DEATH_RESET,  /* the peer learns of it, bytes are lost */
	DEATH_SILENT, /* the host is gone: the peer learns nothing */
};
void end_kill(struct end *end, enum end_death death);

/* --- node.c -------------------------------------------------------------- */

void node_init(struct node *node, struct world *world, unsigned number);
void node_release(struct node *node);
void node_start(struct node *node);
void node_stop(struct node *node, enum end_death death, bool lose_disk);
/* Its wall clock, right or wrong. */
struct wall node_clock(const struct node *node);
/* The time by which it judges clients' times. */
struct wall node_judged(const struct node *node);
void node_judge_clock(struct node *node);
/* Sets its wall clock: so far from the right time. */
void node_set_clock(struct node *node, int64_t step_ns);
void node_sweep(struct node *node);

/* A client speaks to the node: IAMAT or an operator's forget. */
void node_report(struct node *node, unsigned client, uint64_t time_ns);
void node_forget(struct node *node, unsigned client);
/* Draws the time of the client's next report. */
uint64_t world_draw_time(struct world *world, unsigned client);
/* A random client reports to a random node. */
void world_input(struct world *world);

/* --- flood.c ---------------------------------------------------------------
 */

/* Is it an eager link by a herd file that lacks that edge, or none? */
bool flood_is_eager(struct world *world, unsigned missing, unsigned edge);
/* Links over which an update floods, when nothing has happened for long. */
unsigned flood_eager_count(struct world *world);
/* From one end of the herd to the other, over them. */
uint64_t flood_trip_ns(struct world *world);
/* Before links change because of the herd file, and after. */
void flood_read_file(struct node *node);
void flood_begin(struct node *node);
/* The node's file lacks that edge from now on, or none. */
void flood_reload(struct node *node, unsigned missing);
void flood_switch(struct node *node, bool sparse);
void fault_roll(struct world *world);
void fault_switch(struct world *world);
/* A node that is up, by the world's random. */
struct node *flood_draw_up(struct world *world);
/* A report by that node that is newer than all before; the client's number. */
unsigned flood_report(struct node *node);
/* Nodes that `node` can reach; *have: those that hold what it holds. */
unsigned flood_reach(struct world *world, const struct node *node,
    unsigned client, unsigned *have);
/* Fails if they do not have it within `ns`. */
void flood_expect_spread(struct world *world, const struct node *node,
    unsigned client, uint64_t ns, const char *what);
/* Parts of the herd as it is now, or of its eager links. */
unsigned flood_count_parts(struct world *world, bool eager);
/* The edge is cut, and blocked until fault_unblock(). */
void flood_lose_edge(struct world *world, unsigned edge);
/* Links rest if all nodes say so, otherwise none does. */
void stage_rest(struct world *world);
/* Nodes and eager links are lost while links rest. False: none rests. */
bool stage_losses(struct world *world);

/* --- unrest.c ------------------------------------------------------------ */

/* Something changes all the time. False: links rest no more in this run. */
bool stage_unrest(struct world *world);

/* --- mutant.c ------------------------------------------------------------ */

/* The run under way. */
extern struct world *mutant_world;

struct mutant_row {
	const char *name;
	const char *text;
};

/* MUTANT_COUNT rows. */
extern const struct mutant_row MUTANTS[];

/* Frees outboxes that were kept; before table_free(). */
void mutant_release(struct table *table);

/* --- store.c ------------------------------------------------------------- */

void store_init(struct store *store, const struct world *world);
void store_release(struct store *store);
void store_start(struct node *node);
void store_stop(struct node *node, bool lose_disk);
void store_step(struct node *node);
/* The answer to `version` goes now or when the ticket is covered. */
void store_answer(struct node *node, enum put_result result,
    const struct put_info *ticket, uint32_t version);

/* SIM_NONE per client. */
uint32_t *sim_rows(const struct world *world);
/* A shared store has nothing left to do. */
bool store_is_settled(const struct node *node);

/* --- database.c ---------------------------------------------------------- */

void database_init(struct world *world);
void database_release(struct world *world);
bool database_is_up(const struct world *world);
/* How long a write takes. */
uint64_t database_delay(struct world *world);
/* Writes the node's batch; false: there is no answer. */
bool database_write(struct node *node);
/* The node dies while its batch is being written. */
void database_on_crash(struct node *node);
/* Reads a page; false: there is more, or no contact. */
bool database_load(struct node *node);
/* The node compares its table with all rows, and corrects both. */
void database_compare(struct node *node);
/* The node answers with durability sync. */
void database_check_answer(struct node *node, uint32_t version);
/* At the end: what the first node holds is there. */
void database_check_rows(struct world *world);

/* --- fault.c ------------------------------------------------------------- */

void fault_happen(struct world *world);
void fault_heal(struct world *world);
void fault_unblock(struct world *world, unsigned edge);
void fault_enable(struct node *node, unsigned edge);
void fault_add(struct node *node, unsigned edge);
void fault_set_right(struct node *node);
/* kill -9, and a start later; the disk stays. */
void fault_crash_node(struct node *node, bool lose_disk);

/* --- oracle.c, oracle_clock.c -------------------------------------------- */

void oracle_init(struct world *world);
void oracle_release(struct world *world);

/* The version of a report; SIM_NONE if no node ever accepted it. */
uint32_t oracle_find(const struct world *world, const struct report *report);
/* A node accepts this from a client: returns the version. */
uint32_t oracle_note(struct world *world, const struct report *report);
/* Order of two versions of one client; SIM_NONE is before all. */
int oracle_compare(const struct world *world, uint32_t a, uint32_t b);

/* The node has looked at its clock, or acts on it. */
void oracle_note_clock(struct node *node);
/* At the end: each node must judge as the majority that it can see. */
void oracle_check_clocks(struct world *world);
void oracle_answered(struct node *node, uint32_t version);
/* After each event of a node: its records must only become newer. */
void oracle_observe(struct node *node);
/* After each event of an end's session: checks exchange and bounds. */
void oracle_observe_end(struct end *end);
/* The lines of `text` go to the socket. */
void oracle_tap(struct end *end, struct span text);
/* A node is back: what it answered with durability sync must be there. */
void oracle_check_start(struct node *node);
void oracle_expect(struct world *world);
void oracle_check_equal(struct world *world);

#endif
