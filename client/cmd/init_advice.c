/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/init_advice.h"

#include <string.h>

#include "base/xbuf.h"
#include "cmd/node_certificates.h"

/* --- pieces --------------------------------------------------------------- */

/*
 * A path that any shell takes as one word and no program as an option; scp
 * takes HOST:PATH for another machine's unless a slash comes first.
 */
static void
put_path(struct buf *out, const char *dir, const char *name)
{
	put_byte(out, '\'');
	if (dir[0] == '-' || strchr(dir, ':') != NULL)
		put_text(out, "./");
	for (const char *p = dir; *p != '\0'; p++) {
		if (*p == '\'')
			put_text(out, "'\\'");
		put_byte(out, *p);
	}
	putf(out, "/%s'", name);
}

static bool
is_plain(const char *dir)
{
	return dir[0] != '-' &&
	       dir[strspn(dir, "abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+")] ==
		   '\0';
}

/* " DIR/NAME", in quotes only if it needs them. */
static void
put_file(struct buf *out, const char *dir, const char *name)
{
	put_byte(out, ' ');
	if (is_plain(dir))
		putf(out, "%s/%s", dir, name);
	else
		put_path(out, dir, name);
}

static void
put_node_file(
    struct buf *out, const char *dir, const char *setting, const char *node)
{
	struct buf name = XBUF;

	must(herdfile_expand(&name, setting, node, NULL));
	put_file(out, dir, text_of(&name));
	buf_release(&name);
}

/* "ssh root@HOST ", nothing for this machine. */
static void
put_remote(struct buf *out, const char *host)
{
	if (!init_host_is_loopback(host))
		putf(out, "ssh root@%s ", host);
}

/* Where a copy goes. */
static void
put_target(struct buf *out, const char *host)
{
	bool is_v6 = strchr(host, ':') != NULL;

	if (init_host_is_loopback(host))
		put_text(out, " " INIT_FOLDER "\n");
	else
		putf(out, is_v6 ? " 'root@[%s]:%s'\n" : " root@%s:%s\n", host,
		    INIT_FOLDER);
}

static void
put_copy(struct buf *out, const char *host)
{
	put_text(out, init_host_is_loopback(host) ? "cp" : "scp");
}

/* --- a new herd ----------------------------------------------------------- */

static void
put_machine_certificates(struct buf *out, const struct init_plan *plan,
    size_t first, const char *dir, bool keys_only)
{
	for (size_t i = first; !plan->is_local && i < plan->count; i++) {
		if (!init_plan_shares(plan, first, i))
			continue;
		if (!keys_only)
			put_node_file(
			    out, dir, CERTIFICATES_CERT, plan->nodes[i].name);
		put_node_file(out, dir, CERTIFICATES_KEY, plan->nodes[i].name);
	}
}

static void
put_machine_copy(struct buf *out, const struct init_plan *plan, size_t first,
    const char *dir)
{
	put_copy(out, plan->nodes[first].host);
	put_file(out, dir, INIT_HERD_FILE);
	put_file(out, dir, INIT_KEY_FILE);
	put_file(out, dir, INIT_TOKEN_FILE);
	put_file(out, dir, INIT_READ_TOKEN_FILE);
	if (!plan->is_local)
		put_file(out, dir, CERTIFICATES_CA);
	put_machine_certificates(out, plan, first, dir, false);
	put_target(out, plan->nodes[first].host);
}

static void
put_machine(struct buf *out, const struct init_plan *plan, size_t first,
    const char *dir)
{
	const char *host = plan->nodes[first].host;

	putf(
	    out, "# %s\n", init_host_is_loopback(host) ? "this machine" : host);
	put_remote(out, host);
	put_text(out, "install -d " INIT_FOLDER "\n");
	put_machine_copy(out, plan, first, dir);
	put_remote(out, host);
	put_text(out, "chown herd:herd");
	put_file(out, INIT_FOLDER, INIT_KEY_FILE);
	put_file(out, INIT_FOLDER, INIT_TOKEN_FILE);
	put_file(out, INIT_FOLDER, INIT_READ_TOKEN_FILE);
	put_machine_certificates(out, plan, first, INIT_FOLDER, true);
	put_byte(out, '\n');
	put_remote(out, host);
	put_text(out, "systemctl enable --now");
	for (size_t i = first; i < plan->count; i++) {
		if (init_plan_shares(plan, first, i))
			putf(out, " herdd@%s", plan->nodes[i].name);
	}
	put_byte(out, '\n');
}

static bool
is_first_of_machine(const struct init_plan *plan, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (init_plan_shares(plan, i, at))
			return false;
	}
	return true;
}

/* Nodes of other machines cannot be tried on this one. */
static void
put_trial(struct buf *out, const struct init_plan *plan, const char *dir)
{
	if (!plan->is_local)
		return;
	put_text(out, "\nOr try it here first, each node in a terminal of its "
		      "own:\n\nherdd -c");
	put_file(out, dir, INIT_HERD_FILE);
	putf(out, " %s\n", plan->nodes[0].name);
}

void
init_advice_herd(const struct init_plan *plan, const char *dir, struct buf *out)
{
	put_text(out, "Copy its files to every machine, and start its "
		      "nodes:\n\n");
	for (size_t i = 0; i < plan->count; i++) {
		if (is_first_of_machine(plan, i))
			put_machine(out, plan, i, dir);
	}
	put_trial(out, plan, dir);
	put_text(out, "\nThe herd from here, and from any machine that has the "
		      "folder:\n\nherdctl -c");
	put_file(out, dir, INIT_HERD_FILE);
	put_text(out, " herd status\n");
	if (!plan->is_local)
		putf(out,
		    "\nThe certificates are good for 825 days; `herdctl "
		    "cert new' makes new ones with\n%s, which no node "
		    "needs: keep it from them.\n",
		    CERTIFICATES_CA_KEY);
	putf(out,
	    "\nsystemd/ is for /etc/systemd/system of each machine; "
	    "monitoring/prometheus.yml%s\nand %s are for the machine of "
	    "Prometheus.\n",
	    plan->is_local ? "" : ", " CERTIFICATES_CA, INIT_READ_TOKEN_FILE);
}

/* --- a new certificate ---------------------------------------------------- */

/* The first host over TCP; "localhost": this machine. */
static const char *
host_of(const struct herdfile_node *node)
{
	for (unsigned i = 0; i < node->admin.count; i++) {
		if (node->admin.items[i].kind == ADDRESS_TCP)
			return node->admin.items[i].host;
	}
	return node->clients.kind == ADDRESS_TCP ? node->clients.host
						 : "localhost";
}

void
init_advice_certificate(
    const struct herdfile_node *node, const char *dir, struct buf *out)
{
	const char *host = host_of(node);

	put_copy(out, host);
	put_file(out, dir, CERTIFICATES_CA);
	put_node_file(out, dir, CERTIFICATES_CERT, node->name);
	put_node_file(out, dir, CERTIFICATES_KEY, node->name);
	put_target(out, host);
	put_remote(out, host);
	put_text(out, "chown herd:herd");
	put_node_file(out, INIT_FOLDER, CERTIFICATES_KEY, node->name);
	put_byte(out, '\n');
	put_remote(out, host);
	putf(out, "herdctl -n %s config reload\n", node->name);
}
