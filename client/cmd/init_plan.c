/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/init_plan.h"

#include <string.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "cmd/node_certificates.h"
#include "herd/text.h"

/* --- reading -------------------------------------------------------------- */

/* "HOST", "HOST:PORT", "[V6]" or "[V6]:PORT". */
static bool
read_host(struct span text, struct init_node *node)
{
	struct buf whole = XBUF;
	struct address address;
	bool bracketed = text.len > 0 && text.data[0] == '[';
	bool has_port = text.len > 0 &&
			(bracketed ? text.data[text.len - 1] != ']'
				   : memchr(text.data, ':', text.len) != NULL);
	bool ok;

	put_span(&whole, text);
	if (!has_port)
		put_text(&whole, ":0");
	ok = text.len > 0 && text.data[0] != '/' &&
	     address_parse(buf_span(&whole), &address) == HERD_OK &&
	     address.kind == ADDRESS_TCP &&
	     (!has_port || (address.port > 0 &&
			       address.port <= UINT16_MAX + 1u - INIT_PORTS));
	if (ok) {
		memcpy(node->host, address.host, sizeof(node->host));
		node->port = address.port;
	}
	buf_release(&whole);
	return ok;
}

static bool
read_node(struct span text, struct init_node *node)
{
	const char *at = memchr(text.data, '@', text.len);
	struct span name;

	if (at == NULL)
		return false;
	name = span_of(text.data, (size_t)(at - text.data));
	if (!node_name_is_valid(name))
		return false;
	memcpy(node->name, name.data, name.len);
	node->name[name.len] = '\0';
	return read_host(span_of(at + 1, text.len - name.len - 1), node);
}

static bool
ports_meet(const struct init_node *a, const struct init_node *b)
{
	return strcmp(a->host, b->host) == 0 &&
	       a->port < b->port + INIT_PORTS && b->port < a->port + INIT_PORTS;
}

/* Gives each node without a port the first that is free on its host. */
static void
draw_ports(struct init_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct init_node *node = &plan->nodes[i];

		if (node->port != 0)
			continue;
		node->port = INIT_PORT;
		for (size_t j = 0; j < plan->count; j++) {
			if (j == i || plan->nodes[j].port == 0 ||
			    !ports_meet(node, &plan->nodes[j]))
				continue;
			node->port = (uint16_t)(node->port + 10);
			j = (size_t)-1; /* look at all of them again */
		}
	}
}

static struct address
address_of_host(const char *host)
{
	struct address address = { .kind = ADDRESS_TCP, .port = 1 };

	strncpy(address.host, host, sizeof(address.host) - 1);
	return address;
}

static enum status
check_nodes(struct run *run, const struct init_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct address at = address_of_host(plan->nodes[i].host);

		if (address_is_anywhere(&at))
			return run_fail(run, STATUS_USAGE,
			    "nobody can dial %s at %s: name its host",
			    plan->nodes[i].name, at.host);
		for (size_t j = 0; j < i; j++) {
			const struct init_node *a = &plan->nodes[j];
			const struct init_node *b = &plan->nodes[i];

			if (strcmp(a->name, b->name) == 0)
				return run_fail(run, STATUS_USAGE,
				    "--nodes has two nodes %s", a->name);
			if (ports_meet(a, b))
				return run_fail(run, STATUS_USAGE,
				    "the ports of %s and %s are the same: "
				    "each node takes %u from its own on",
				    a->name, b->name, INIT_PORTS);
		}
	}
	return STATUS_OK;
}

bool
init_host_is_loopback(const char *host)
{
	struct address address = address_of_host(host);

	return address_is_loopback(&address);
}

/* This machine's name up to the first dot, as far as it can be a node's. */
static void
default_node(struct init_node *node)
{
	char name[REPORT_ORIGIN_MAX + 1] = "";

	*node = (struct init_node){ .host = "127.0.0.1" };
	if (gethostname(name, sizeof(name) - 1) == 0)
		name[strcspn(name, ".")] = '\0';
	memcpy(node->name, name, sizeof(node->name));
	if (!node_name_is_valid(span_from(name)))
		strcpy(node->name, "node1");
}

bool
init_plan_shares(const struct init_plan *plan, size_t a, size_t b)
{
	const char *host = plan->nodes[a].host;
	const char *other = plan->nodes[b].host;

	return strcmp(host, other) == 0 ||
	       (init_host_is_loopback(host) && init_host_is_loopback(other));
}

enum status
init_plan_read(struct run *run, const char *herd, const char *nodes,
    struct init_plan *plan)
{
	struct span rest = span_from(nodes == NULL ? "" : nodes);

	*plan = (struct init_plan){ .herd = herd, .is_local = true };
	if (!node_name_is_valid(span_from(herd)))
		return run_fail(run, STATUS_USAGE,
		    "`%s' is no name for a herd: 1 to 64 letters, digits, "
		    "'.', '_' or '-'",
		    herd);
	if (nodes == NULL)
		default_node(&plan->nodes[plan->count++]);
	while (nodes != NULL && rest.data != NULL) {
		const char *comma = memchr(rest.data, ',', rest.len);
		size_t len =
		    comma == NULL ? rest.len : (size_t)(comma - rest.data);

		if (plan->count == INIT_NODES_MAX)
			return run_fail(run, STATUS_USAGE, "at most %u nodes",
			    INIT_NODES_MAX);
		if (!read_node(
			span_of(rest.data, len), &plan->nodes[plan->count++]))
			return run_fail(run, STATUS_USAGE,
			    "`%.*s' is not NODE@HOST or NODE@HOST:PORT",
			    (int)(len > 200 ? 200 : len), rest.data);
		rest = comma == NULL ? (struct span){ NULL, 0 }
				     : span_of(comma + 1, rest.len - len - 1);
	}
	draw_ports(plan);
	for (size_t i = 0; i < plan->count; i++)
		plan->is_local &= init_host_is_loopback(plan->nodes[i].host);
	return check_nodes(run, plan);
}

/* --- the herd file -------------------------------------------------------- */

static void
put_address(struct buf *out, const struct init_node *node, unsigned which)
{
	bool is_v6 = strchr(node->host, ':') != NULL;

	putf(out, "\"%s%s%s:%u\"", is_v6 ? "[" : "", node->host,
	    is_v6 ? "]" : "", node->port + which);
}

static void
put_nodes(const struct init_plan *plan, struct buf *out)
{
	put_text(out, "nodes:\n");
	for (size_t i = 0; i < plan->count; i++) {
		const struct init_node *node = &plan->nodes[i];

		putf(out, "  \"%s\":\n    clients: ", node->name);
		put_address(out, node, 0);
		put_text(out, "\n    peers: ");
		put_address(out, node, 1);
		put_text(out, "\n    admin: ");
		if (!plan->is_local)
			putf(out, "[\"/run/herd/%s.sock\", ", node->name);
		put_address(out, node, 2);
		put_text(out, plan->is_local ? "\n" : "]\n");
	}
}

static void
put_link(const struct init_plan *plan, struct buf *out, size_t a, size_t b)
{
	putf(out, "  - [\"%s\", \"%s\"]\n", plan->nodes[a].name,
	    plan->nodes[b].name);
}

static void
put_links(const struct init_plan *plan, struct buf *out)
{
	if (plan->count < 2)
		return;
	if (plan->count <= INIT_MESH_MAX) {
		put_text(out, "# Every node with every other.\nlinks:\n");
		for (size_t a = 0; a < plan->count; a++) {
			for (size_t b = a + 1; b < plan->count; b++)
				put_link(plan, out, a, b);
		}
		return;
	}
	put_text(out, "# A ring: any one node or link may fail.\nlinks:\n");
	for (size_t a = 0; a < plan->count; a++)
		put_link(plan, out, a, (a + 1) % plan->count);
}

static void
put_admin(const struct init_plan *plan, struct buf *out)
{
	put_text(out, "\n# For the admin API over TCP; a Unix socket needs "
		      "none. The second one may\n# only read, as monitoring "
		      "does.\nadmin:\n  token_file: " INIT_TOKEN_FILE
		      "\n  read_token_file: " INIT_READ_TOKEN_FILE "\n");
	if (!plan->is_local)
		put_text(out,
		    "  tls_cert: \"" CERTIFICATES_CERT
		    "\"\n  tls_key: \"" CERTIFICATES_KEY
		    "\"\n# Who has signed them; herdctl cert new "
		    "makes new ones.\nca_file: " CERTIFICATES_CA "\n");
}

void
init_plan_herd_file(const struct init_plan *plan, struct buf *out)
{
	putf(out,
	    "# The herd file, the same on all machines: herd.yaml(5).\n"
	    "herd: \"%s\"\n",
	    plan->herd);
	put_nodes(plan, out);
	put_links(plan, out);
	put_text(out,
	    "\n# The key that makes a node a neighbour, one a line; "
	    "herdd(8) has how it changes.\nkey_file: " INIT_KEY_FILE "\n");
	put_admin(plan, out);
	put_text(out,
	    "\n# Relative paths of what a node writes are in the service's "
	    "folders: the store in\n# /var/lib/herd, a traffic log in "
	    "/var/log/herd. Without systemd: beside this file.\n"
	    "store:\n  engine: sqlite\n  path: \"%n.sqlite\"\n"
	    "log:\n  level: info\n  # Every request and reply, with "
	    "positions:\n  # traffic: \"%n.traffic\"\n");
}

/* --- around it ------------------------------------------------------------ */

void
init_plan_scrape(const struct init_plan *plan, struct buf *out)
{
	putf(out,
	    "# For scrape_configs: of prometheus.yml.\n"
	    "- job_name: \"herd-%s\"\n"
	    "  authorization:\n"
	    "    credentials_file: /etc/prometheus/herd-read.token\n"
	    "%s  static_configs:\n",
	    plan->herd,
	    plan->is_local
		? ""
		: "  scheme: https\n  tls_config:\n"
		  "    ca_file: /etc/prometheus/herd-" CERTIFICATES_CA "\n");
	for (size_t i = 0; i < plan->count; i++) {
		const struct init_node *node = &plan->nodes[i];

		put_text(out, "  - targets: [");
		put_address(out, node, 2);
		putf(out, "]\n    labels: {node: \"%s\"}\n", node->name);
	}
}

void
init_plan_drop_in(struct buf *out)
{
	put_text(out,
	    "# /etc/systemd/system/herdd@.service.d/herd.conf: what this herd\n"
	    "# changes of the unit. It starts without this file too.\n"
	    "[Service]\n"
	    "# Where log.traffic goes if its path is relative.\n"
	    "LogsDirectory=herd\n"
	    "LogsDirectoryMode=0700\n"
	    "# More clients at one time need more descriptors:\n"
	    "#LimitNOFILE=65536\n");
}
