/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that can be wrong with a herd, as one table in the order of harm:
 * `doctor', `herd check', `check' and FINDINGS of herdctl(1) read it. What is
 * wrong now is worked out from an exam, once for all of them.
 */
#ifndef HERD_FINDINGS_H
#define HERD_FINDINGS_H

#include "cmd/exam.h"
#include "run/plugin.h"

/* The probes of `check' but all; FACTS are for `herd check' alone. */
enum probe { PROBE_NODE, PROBE_PEERS, PROBE_PLACES, PROBE_TABLES, PROBE_FACTS };
#define PROBE_COUNT PROBE_FACTS
#define PROBE_BIT(probe) (1u << (probe))
#define PROBE_ALL (PROBE_BIT(PROBE_COUNT) - 1)

/*
 * What `herd check' has a row for: name, probe, the question that tells it,
 * what to say when nothing is wrong, what to say before what is.
 */
/* clang-format off */
#define TOPICS(X) \
	X(TOPIC_SHAPE, "parts", PROBE_FACTS, EXAM_STATUS, \
	    "the herd file joins every node to every other", "") \
	X(TOPIC_BRIDGES, "bridges", PROBE_FACTS, EXAM_STATUS, \
	    "no single link's loss splits the herd", \
	    "the loss of one of these splits the herd: ") \
	X(TOPIC_CUTS, "cut nodes", PROBE_FACTS, EXAM_STATUS, \
	    "no single node's loss splits the herd", \
	    "the loss of one of these splits the herd: ") \
	X(TOPIC_SILENT, "unreachable", PROBE_NODE, EXAM_STATUS, \
	    "all nodes answer", "") \
	X(TOPIC_SPLIT, "split", PROBE_PEERS, EXAM_STATUS, \
	    "the links that live join all nodes that answer", "") \
	X(TOPIC_TWINS, "twins", PROBE_PEERS, EXAM_STATUS, \
	    "no two processes have one node's name", "") \
	X(TOPIC_HERDS, "herds", PROBE_NODE, EXAM_STATUS, \
	    "all nodes are of the same herd", "") \
	X(TOPIC_STORES, "stores", PROBE_NODE, EXAM_STATUS, \
	    "no store has failed or lags", "") \
	X(TOPIC_TABLES, "tables", PROBE_TABLES, EXAM_DIGEST, \
	    "tables are equal", "") \
	X(TOPIC_LINKS, "links down", PROBE_PEERS, EXAM_STATUS, \
	    "all links are synced", "") \
	X(TOPIC_RESTLESS, "restless links", PROBE_PEERS, EXAM_PEERS, \
	    "no link comes and goes", "") \
	X(TOPIC_AWAKE, "sparse floods", PROBE_PEERS, EXAM_STATUS, \
	    "links rest that may, or it is known why they do not", "") \
	X(TOPIC_ISOLATED, "isolated", PROBE_NODE, EXAM_STATUS, \
	    "every node has a neighbour, or needs none", "") \
	X(TOPIC_STATES, "states", PROBE_NODE, EXAM_STATUS, \
	    "all nodes are ready", "") \
	X(TOPIC_OVERRULED, "wrong clocks", PROBE_NODE, EXAM_STATUS, \
	    "no node judges by its neighbours' clocks", "wrong clocks: ") \
	X(TOPIC_CLOCKS, "clocks", PROBE_NODE, EXAM_STATUS, \
	    "the clocks agree", "") \
	X(TOPIC_AHEAD, "clients ahead", PROBE_TABLES, EXAM_STATUS, \
	    "no report's time is ahead of now", "") \
	X(TOPIC_ORIGINS, "origins", PROBE_TABLES, EXAM_STATUS, \
	    "every report is of a node that the herd file has", \
	    "reports of nodes that the herd file does not have: ") \
	X(TOPIC_DISKS, "disks", PROBE_NODE, EXAM_STATUS, \
	    "the stores' disks have room", "") \
	X(TOPIC_BOUNDS, "bounds", PROBE_NODE, EXAM_STATUS, \
	    "memory, connections, files and clients are far from their bounds", \
	    "") \
	X(TOPIC_CERTIFICATES, "certificates", PROBE_NODE, EXAM_STATUS, \
	    "no certificate ends within 30 days", "") \
	X(TOPIC_PLACES, "places", PROBE_PLACES, EXAM_STATUS, \
	    "Places answer everywhere", "") \
	X(TOPIC_LISTENERS, "listeners", PROBE_NODE, EXAM_STATUS, \
	    "nodes that listen for phones have users", "") \
	X(TOPIC_FLOODS, "floods", PROBE_NODE, EXAM_TOP, \
	    "no client takes more than its part", "") \
	X(TOPIC_CONFIGS, "configurations", PROBE_NODE, EXAM_CONFIG, \
	    "all nodes run the same settings", "") \
	X(TOPIC_KEYS, "keys", PROBE_NODE, EXAM_CONFIG, \
	    "all nodes have the same keys and tokens", "") \
	X(TOPIC_FILES, "herd files", PROBE_NODE, EXAM_STATUS, \
	    "each node runs with its herd file as it is", "") \
	X(TOPIC_VERSIONS, "versions", PROBE_NODE, EXAM_STATUS, \
	    "all nodes run the same version", "")
/* clang-format on */

enum topic {
#define TOPIC_NAME(id, name, probe, part, fine, before) id,
	TOPICS(TOPIC_NAME)
#undef TOPIC_NAME
	    TOPIC_COUNT
};

struct topic_row {
	const char *name;
	enum probe probe;
	enum exam_part part;
	const char *fine;
	const char *before;
};

/*
 * The findings, the most harmful first: word, state, topic, what it means,
 * and the command to type next. In a command {node} is the finding's node,
 * {name} what else it names: a peer, a client, a place in the herd file.
 */
/* clang-format off */
#define FINDINGS(X) \
	X(FINDING_SPLIT, "split", PLUGIN_CRITICAL, TOPIC_SPLIT, \
	    "no live link joins the parts: a report stays in the part that heard it", \
	    "herdctl peer ls -n all --where 'state != synced'") \
	X(FINDING_TWIN, "twin", PLUGIN_CRITICAL, TOPIC_TWINS, \
	    "two processes run as one node: its neighbours refuse one of them", \
	    "systemctl stop herdd@{name}") \
	X(FINDING_OTHER_HERD, "other-herd", PLUGIN_CRITICAL, TOPIC_HERDS, \
	    "a node of another herd has that address: it gets no reports", \
	    "herdctl config diff -n {node}") \
	X(FINDING_STORE_FAILED, "store-failed", PLUGIN_CRITICAL, TOPIC_STORES, \
	    "nothing is stored until a restart; with durability sync clients are refused", \
	    "journalctl -u herdd@{node} -g store-failed") \
	X(FINDING_STORE_STALLED, "store-stalled", PLUGIN_CRITICAL, TOPIC_STORES, \
	    "with durability sync no client gets a reply while the store is away", \
	    "herdctl store status -n {node}") \
	X(FINDING_STORE_REFUSED, "store-refused", PLUGIN_CRITICAL, TOPIC_STORES, \
	    "the shared store does not take the node's reports until somebody changes that", \
	    "herdctl store retry -n {node}") \
	X(FINDING_DISK_FULL, "disk-full", PLUGIN_CRITICAL, TOPIC_DISKS, \
	    "the store fails when its disk is full, and then stores nothing until a restart", \
	    "herdctl config show -n {node} --where 'name = store.path'") \
	X(FINDING_DOWN, "down", PLUGIN_CRITICAL, TOPIC_SILENT, \
	    "nobody listens at the node's admin address: its clients need another node", \
	    "systemctl start herdd@{node}") \
	X(FINDING_HUNG, "hung", PLUGIN_CRITICAL, TOPIC_SILENT, \
	    "the node accepts connections and does not answer: its clients wait for nothing", \
	    "systemctl restart herdd@{node}") \
	X(FINDING_GARBLED, "garbled", PLUGIN_CRITICAL, TOPIC_SILENT, \
	    "what answers at the node's admin address is not the admin API, or fails", \
	    "systemctl status herdd@{node}") \
	X(FINDING_FORBIDDEN, "forbidden", PLUGIN_UNKNOWN, TOPIC_SILENT, \
	    "the node may not be asked: nothing is known of it", \
	    "herdctl config show --origin") \
	X(FINDING_CUT_OFF, "cut-off", PLUGIN_CRITICAL, TOPIC_LINKS, \
	    "no link of the node is synced: it neither gives nor gets reports", \
	    "herdctl peer ls -n {node}") \
	X(FINDING_TABLES, "tables-differ", PLUGIN_CRITICAL, TOPIC_TABLES, \
	    "the answer to a client depends on the node that it asks", \
	    "herdctl herd diff") \
	X(FINDING_EXPIRED, "certificate-expired", PLUGIN_CRITICAL, TOPIC_CERTIFICATES, \
	    "who checks the certificate, as herdctl does, refuses the node: make a new one, then", \
	    "herdctl config reload -n {node}") \
	X(FINDING_WRONG_KEY, "wrong-key", PLUGIN_WARNING, TOPIC_LINKS, \
	    "the key files of the two nodes differ, or a stranger has that address", \
	    "herdctl config show -n {node} --where 'name = key_file'") \
	X(FINDING_REFUSED, "link-refused", PLUGIN_WARNING, TOPIC_LINKS, \
	    "the two nodes do not agree about the herd, so no report crosses the link", \
	    "herdctl config diff -n {node},{name}") \
	X(FINDING_LINK_DOWN, "link-down", PLUGIN_WARNING, TOPIC_LINKS, \
	    "reports take another way, if there is one", \
	    "herdctl peer show {name} -n {node}") \
	X(FINDING_FLAPPING, "link-flapping", PLUGIN_WARNING, TOPIC_RESTLESS, \
	    "the link ends again and again, and each time the tables are compared", \
	    "herdctl peer show {name} -n {node}") \
	X(FINDING_AWAKE, "links-awake", PLUGIN_WARNING, TOPIC_AWAKE, \
	    "reports reach all nodes, but cost as many messages as with flood: all", \
	    "herdctl peer ls -n {node} --columns peer,state,flood") \
	X(FINDING_ISOLATED, "isolated", PLUGIN_WARNING, TOPIC_ISOLATED, \
	    "the node serves alone: its reports reach nobody until a neighbour is back", \
	    "herdctl peer ls -n {node}") \
	X(FINDING_STOPPING, "stopping", PLUGIN_CRITICAL, TOPIC_STATES, \
	    "the node ends", \
	    "systemctl start herdd@{node}") \
	X(FINDING_STARTING, "starting", PLUGIN_WARNING, TOPIC_STATES, \
	    "the node is not ready: it has no neighbour's table yet", \
	    "herdctl herd wait --timeout 60s") \
	X(FINDING_DRAINING, "draining", PLUGIN_WARNING, TOPIC_STATES, \
	    "the node is not ready: it refuses new clients until somebody says undrain", \
	    "herdctl node undrain {node}") \
	X(FINDING_DISABLED, "link-disabled", PLUGIN_WARNING, TOPIC_LINKS, \
	    "somebody closed the link, and it stays closed until it is enabled", \
	    "herdctl peer enable {name} -n {node}") \
	X(FINDING_OVERRULED, "wrong-clock", PLUGIN_WARNING, TOPIC_OVERRULED, \
	    "the machine's clock is wrong: the node judges by its neighbours' clocks", \
	    "timedatectl set-ntp true") \
	X(FINDING_CLOCK, "clock-off", PLUGIN_WARNING, TOPIC_CLOCKS, \
	    "the machine's clock is not that of the others: ages and skews there are wrong", \
	    "timedatectl set-ntp true") \
	X(FINDING_AHEAD, "clients-ahead", PLUGIN_WARNING, TOPIC_AHEAD, \
	    "until that time comes the report hides what the client reports with the right time", \
	    "herdctl client ls -n {node} --where 'ahead_s > 0'") \
	X(FINDING_STORE_AWAY, "store-away", PLUGIN_WARNING, TOPIC_STORES, \
	    "reports are in the nodes' memory alone until the shared store is back", \
	    "herdctl store status -n {node}") \
	X(FINDING_STORE_LAG, "store-lagging", PLUGIN_WARNING, TOPIC_STORES, \
	    "reports come faster than the store takes them; a crash loses those", \
	    "herdctl stats herd_store -n {node}") \
	X(FINDING_STORE_DAMAGED, "store-damaged", PLUGIN_WARNING, TOPIC_STORES, \
	    "the store had rows that could not be believed: the disk may be failing", \
	    "journalctl -u herdd@{node} -g store-row-damaged") \
	X(FINDING_DISK, "disk-nearly-full", PLUGIN_WARNING, TOPIC_DISKS, \
	    "the store fails when its disk is full", \
	    "herdctl config show -n {node} --where 'name = store.path'") \
	X(FINDING_PLACES, "places-failing", PLUGIN_WARNING, TOPIC_PLACES, \
	    "clients that ask for places get none, or another provider's", \
	    "herdctl places status -n {node}") \
	X(FINDING_EXPIRES, "certificate-ends", PLUGIN_WARNING, TOPIC_CERTIFICATES, \
	    "after that, who checks it refuses the node: make a new one, then", \
	    "herdctl config reload -n {node}") \
	X(FINDING_PROCESS, "process-bound", PLUGIN_WARNING, TOPIC_BOUNDS, \
	    "at the memory that its unit or machine gives it the kernel kills the node", \
	    "systemctl show herdd@{node} -p MemoryMax") \
	X(FINDING_MEMORY, "memory-bound", PLUGIN_WARNING, TOPIC_BOUNDS, \
	    "at max_memory the node refuses clients that it does not know", \
	    "herdctl config show -n {node} --where 'name = max_memory'") \
	X(FINDING_FULL, "clients-bound", PLUGIN_WARNING, TOPIC_BOUNDS, \
	    "at max_clients the node refuses new clients, or evicts the oldest reports", \
	    "herdctl config show -n {node} --where 'name = max_clients'") \
	X(FINDING_CONNECTIONS, "connections-bound", PLUGIN_WARNING, TOPIC_BOUNDS, \
	    "at max_connections a new client costs another one its connection", \
	    "herdctl stats herd_connections -n {node}") \
	X(FINDING_DESCRIPTORS, "files-bound", PLUGIN_WARNING, TOPIC_BOUNDS, \
	    "without file descriptors the node takes no connection", \
	    "systemctl show herdd@{node} -p LimitNOFILE") \
	X(FINDING_USERS, "no-users", PLUGIN_WARNING, TOPIC_LISTENERS, \
	    "the node listens for phones, and its users file names nobody", \
	    "herdctl user add NAME") \
	X(FINDING_FLOOD, "client-floods", PLUGIN_WARNING, TOPIC_FLOODS, \
	    "one client takes a large part of what the node can do", \
	    "herdctl client show -n {node} {name}") \
	X(FINDING_INVALID, "address-floods", PLUGIN_WARNING, TOPIC_FLOODS, \
	    "one address sends lines that are no requests", \
	    "herdctl client refused -n {node}") \
	X(FINDING_FILE, "config-changed", PLUGIN_WARNING, TOPIC_FILES, \
	    "the herd file is not what the node runs with: a restart would change it", \
	    "herdctl config reload -n {node}") \
	X(FINDING_KEYS, "keys-differ", PLUGIN_WARNING, TOPIC_KEYS, \
	    "a rotation is not done on all nodes: links or operators with the other word are refused", \
	    "herdctl config diff -n all") \
	X(FINDING_CONFIG, "config-differs", PLUGIN_WARNING, TOPIC_CONFIGS, \
	    "the node does not run with the settings of the others", \
	    "herdctl config diff -n {node}") \
	X(FINDING_VERSION, "version-differs", PLUGIN_WARNING, TOPIC_VERSIONS, \
	    "nodes of several versions work together, but not for good", \
	    "herdctl node ls --columns node,version") \
	X(FINDING_ORIGIN, "strange-origin", PLUGIN_WARNING, TOPIC_ORIGINS, \
	    "unless these nodes left the herd lately, somebody else has its key", \
	    "herdctl client ls -n {node} --columns client,origin,received_at") \
	X(FINDING_UNASKED, "unasked", PLUGIN_UNKNOWN, TOPIC_SILENT, \
	    "the node answers, but not to this question, so that is unknown", \
	    "herdctl ping {node}") \
	X(FINDING_SHAPE, "in-parts", PLUGIN_CRITICAL, TOPIC_SHAPE, \
	    "the herd file's links leave nodes that never hear of each other", \
	    "herdctl peer graph") \
	X(FINDING_BRIDGE, "bridge", PLUGIN_WARNING, TOPIC_BRIDGES, \
	    "the loss of this link splits the herd", \
	    "herdctl peer graph") \
	X(FINDING_CUT, "cut-node", PLUGIN_WARNING, TOPIC_CUTS, \
	    "the loss of this node splits the herd", \
	    "herdctl peer graph")
/* clang-format on */

enum finding_id {
#define FINDING_NAME(id, word, state, topic, means, next) id,
	FINDINGS(FINDING_NAME)
#undef FINDING_NAME
	    FINDING_COUNT
};

struct finding_row {
	const char *word;
	enum plugin_state state;
	enum topic topic;
	const char *means;
	const char *next;
};

const struct finding_row *finding_row(enum finding_id id);
const struct topic_row *finding_topic(enum topic topic);
const char *finding_probe_word(enum probe probe);

/* "ok", "warning", "critical", "unknown" */
const char *finding_state_word(enum plugin_state state);

struct finding {
	enum finding_id id;
	enum topic topic; /* the row's, but for FINDING_UNASKED */
	const char *node; /* static for the run; NULL: the herd */
	char *about;      /* the peer, client, address ... of it, or NULL */
	char *text;       /* what is wrong */
	char *why;        /* the reason, or what it means */
	char *next;       /* the command, ready to be typed */
	double value;     /* what was measured; NaN: nothing */
	bool follows;     /* from another finding, with which it ends */
};

struct findings {
	const struct exam *exam;
	struct finding *items; /* the most harmful first */
	size_t count;
	size_t room;
	/* What is neither known nor a finding: an older node lacks it. */
	unsigned lacking[TOPIC_COUNT]; /* nodes */
	/*
	 * What herd check shows besides, NaN without: parts of the herd file's
	 * shape, seconds between the earliest and the latest clock.
	 */
	double measured[TOPIC_COUNT];
};

/* Works out all that is wrong. Gives *out; release it before the exam. */
void findings_find(const struct exam *exam, struct findings *out);
void findings_release(struct findings *findings);

#define findings_each(f, findings)                  \
	for (struct finding *f = (findings)->items; \
	     f < (findings)->items + (findings)->count; f++)

/* The questions that topics of these PROBE_BIT()s need, as EXAM_BIT()s. */
unsigned findings_parts(unsigned probes);

/*
 * Of how many nodes the topic is unknown, whose names are appended to `list`.
 */
size_t findings_unknown(
    const struct findings *findings, enum topic topic, struct buf *list);

/* --- for those that find --------------------------------------------- */

/*
 * Adds one of this target, or of the herd if that is NULL. `name` is for
 * {name} of the command, or NULL; the text follows as a format. Gives what may
 * be completed until the next call.
 */
struct finding *findings_add(struct findings *findings, enum finding_id id,
    const struct target *target, const char *name, const char *fmt, ...)
    HERD_PRINTF(5, 6);

/* Sets the reason, instead of what such a finding means. */
void finding_say_why(struct finding *finding, const char *fmt, ...)
    HERD_PRINTF(2, 3);

/* The answer lacks what tells this topic, as those of older nodes may. */
void findings_lack(struct findings *findings, enum topic topic);

/* The target does not say `what' ("its state"), which every node knows. */
void findings_miss(struct findings *findings, enum topic topic,
    const struct target *target, const char *what, const char *why);

#endif
