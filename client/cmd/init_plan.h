/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The herd that `init' is to make, and the texts of its files.
 */
#ifndef HERD_INIT_PLAN_H
#define HERD_INIT_PLAN_H

#include "herd/address.h"
#include "herd/report.h"
#include "run/run.h"

#define INIT_NODES_MAX 100u
#define INIT_PORT 12000u /* of the clients of a machine's first node */
#define INIT_PORTS 3u    /* of a node: clients, peers, admin */
#define INIT_MESH_MAX 4u /* up to here all nodes are linked */
#define INIT_FOLDER "/etc/herd"

#define INIT_HERD_FILE "herd.yaml"
#define INIT_KEY_FILE "links.key"
#define INIT_TOKEN_FILE "admin.token"
#define INIT_READ_TOKEN_FILE "read.token"

struct init_node {
	char name[REPORT_ORIGIN_MAX + 1];
	char host[ADDRESS_HOST_MAX + 1]; /* without brackets */
	uint16_t port;                   /* of clients; the others follow */
};

struct init_plan {
	const char *herd;
	struct init_node nodes[INIT_NODES_MAX];
	size_t count;
	bool is_local; /* every node is on this machine, on loopback */
};

/*
 * Reads `--nodes', "A@HOST[:PORT],B@HOST...", NULL: one node of this machine.
 * Says what is wrong.
 */
enum status init_plan_read(struct run *run, const char *herd, const char *nodes,
    struct init_plan *plan);

/* Appends the herd file. */
void init_plan_herd_file(const struct init_plan *plan, struct buf *out);

/* Appends what Prometheus needs to ask all nodes. */
void init_plan_scrape(const struct init_plan *plan, struct buf *out);

/* Appends the drop-in of the unit. */
void init_plan_drop_in(struct buf *out);

/* Is it this machine? */
bool init_host_is_loopback(const char *host);

/* Are two nodes on one machine? All loopback addresses are this one. */
bool init_plan_shares(const struct init_plan *plan, size_t a, size_t b);

#endif
