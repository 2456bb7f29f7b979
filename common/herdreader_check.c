/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks that need the whole herd file: settings that exclude each other, and
 * the herd's shape.
 */
#include "herdreader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herd/graph.h"

static struct file_place
place_of(const struct herdfile_node *node)
{
	return (struct file_place){ node->line, node->column };
}

/* The place of the setting's value; the file as a whole if it has none. */
static struct file_place
setting_place(const struct herdreader *reader, const char *name)
{
	size_t count;
	const struct setting *setting = setting_find(span_from(name));

	return reader->settings[setting - settings_table(&count)];
}

/* --- addresses ------------------------------------------------------------ */

struct listened {
	const struct herdfile_node *node;
	const char *key;
	const struct address *address;
};

static int
address_compare(const struct address *a, const struct address *b)
{
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	order = strcmp(a->host, b->host);
	return order != 0 ? order : strcmp(a->path, b->path);
}

/* Equal addresses in the file's order. */
static int
listener_compare(const void *a, const void *b)
{
	const struct listened *one = a, *other = b;
	int order = address_compare(one->address, other->address);

	if (order == 0)
		order = (one->node > other->node) - (one->node < other->node);
	/* A node's addresses lie in it in this order. */
	if (order == 0)
		order = (one->address > other->address) -
			(one->address < other->address);
	return order;
}

/* Port 0, and an address that was complained of, are never equal. */
static size_t
add_listener(struct listened *to, const struct herdfile_node *node,
    const char *key, const struct address *address)
{
	if (address->kind == ADDRESS_NONE ||
	    (address->kind == ADDRESS_TCP && address->port == 0))
		return 0;
	*to = (struct listened){ node, key, address };
	return 1;
}

static void
check_addresses(struct herdreader *reader)
{
	const struct herdfile *file = reader->file;
	struct listened *all, *one, *before;
	const struct herdfile_node *node;
	size_t count = 0, i, j;

	all = calloc(
	    (3u + ADDRESS_LIST_MAX) * file->node_count + 1u, sizeof(*all));
	if (all == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	for (i = 0; i < file->node_count; i++) {
		node = &file->nodes[i];
		count +=
		    add_listener(all + count, node, "clients", &node->clients);
		count += add_listener(all + count, node, "peers", &node->peers);
		count += add_listener(all + count, node, "http", &node->http);
		for (j = 0; j < node->admin.count; j++)
			count += add_listener(
			    all + count, node, "admin", &node->admin.items[j]);
	}
	qsort(all, count, sizeof(*all), listener_compare);
	for (i = 1; i < count; i++) {
		one = &all[i];
		before = &all[i - 1u];
		if (address_compare(one->address, before->address) == 0)
			herdreader_complain(reader, place_of(one->node),
			    "`%s` of node `%s` is the same address as `%s` of "
			    "node `%s` on line %u",
			    one->key, one->node->name, before->key,
			    before->node->name, before->node->line);
	}
	free(all);
}

/* --- links ---------------------------------------------------------------- */

static int
link_compare(const void *a, const void *b)
{
	const struct herdfile_link *one = *(struct herdfile_link *const *)a;
	const struct herdfile_link *other = *(struct herdfile_link *const *)b;

	if (one->a != other->a)
		return one->a < other->a ? -1 : 1;
	if (one->b != other->b)
		return one->b < other->b ? -1 : 1;
	return one < other ? -1 : one > other;
}

static void
check_duplicate_links(struct herdreader *reader)
{
	const struct herdfile *file = reader->file;
	const struct herdfile_link **links, *first;
	size_t i;

	links = calloc(file->link_count + 1u, sizeof(*links));
	if (links == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	for (i = 0; i < file->link_count; i++)
		links[i] = &file->links[i];
	qsort(links, file->link_count, sizeof(*links), link_compare);
	first = links[0];
	for (i = 1; i < file->link_count; i++) {
		if (links[i]->a != first->a || links[i]->b != first->b) {
			first = links[i];
			continue;
		}
		herdreader_complain(reader,
		    (struct file_place){ links[i]->line, links[i]->column },
		    "duplicate link between `%s` and `%s`, first on line %u",
		    file->nodes[first->a].name, file->nodes[first->b].name,
		    first->line);
	}
	free(links);
}

/* One end of a link: where it can be dialled, how many links it has. */
static void
check_end(struct herdreader *reader, const struct herdfile_link *link,
    size_t end, size_t *degrees)
{
	const struct herdfile_node *node = &reader->file->nodes[end];
	struct file_place place = { link->line, link->column };

	if (node->peers.kind == ADDRESS_NONE && degrees[end] == 0)
		herdreader_complain(reader, place_of(node),
		    "node `%s` has links but no `peers`: the address where it "
		    "listens for other nodes, such as \"127.0.0.1:12101\"",
		    node->name);
	if (++degrees[end] == HERDFILE_DEGREE_MAX + 1u)
		herdreader_complain(reader, place,
		    "node `%s` has more than %u links", node->name,
		    HERDFILE_DEGREE_MAX);
}

static void
check_links(struct herdreader *reader)
{
	const struct herdfile *file = reader->file;
	const struct herdfile_link *link;
	size_t *degrees, i;

	degrees = calloc(file->node_count + 1u, sizeof(*degrees));
	if (degrees == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	for (i = 0; i < file->link_count; i++) {
		link = &file->links[i];
		check_end(reader, link, link->a, degrees);
		check_end(reader, link, link->b, degrees);
	}
	free(degrees);
}

static void
warn_of_loners(struct herdreader *reader)
{
	const struct herdfile *file = reader->file;
	bool *linked;
	size_t i;

	linked = calloc(file->node_count + 1u, sizeof(*linked));
	if (linked == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	for (i = 0; i < file->link_count; i++)
		linked[file->links[i].a] = linked[file->links[i].b] = true;
	for (i = 0; i < file->node_count && file->node_count > 1; i++)
		if (!linked[i])
			herdreader_warn(reader, place_of(&file->nodes[i]),
			    "node `%s` has no links: it gets no reports from "
			    "other nodes",
			    file->nodes[i].name);
	free(linked);
}

static void
warn_of_parts(struct herdreader *reader)
{
	const struct herdfile *file = reader->file;
	struct graph_facts facts;
	struct graph_edge *edges;
	size_t i;

	edges = calloc(file->link_count + 1u, sizeof(*edges));
	if (edges == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	for (i = 0; i < file->link_count; i++)
		edges[i] =
		    (struct graph_edge){ file->links[i].a, file->links[i].b };
	reader->error =
	    graph_study(file->node_count, edges, file->link_count, &facts);
	free(edges);
	if (reader->error != HERD_OK)
		return;
	if (facts.parts > 1)
		herdreader_warn(reader, reader->links,
		    "the links leave the herd in %zu parts that exchange no "
		    "reports",
		    facts.parts);
	graph_facts_release(&facts);
}

/* --- settings ------------------------------------------------------------- */

static void
check_security(struct herdreader *reader)
{
	const struct herdfile *file = reader->file;
	const struct settings *settings = &file->settings;
	const struct herdfile_node *node;
	size_t i;

	if (settings->link_security == LINK_SECURITY_NONE ||
	    *settings->key_file != '\0')
		return;
	if (settings->link_security == LINK_SECURITY_TLS) {
		herdreader_complain(reader,
		    setting_place(reader, "link_security"),
		    "`link_security: tls` needs `key_file`");
		return;
	}
	for (i = 0; i < file->node_count; i++) {
		node = &file->nodes[i];
		if (node->peers.kind == ADDRESS_NONE ||
		    *node->peers.host == '\0' ||
		    address_is_loopback(&node->peers))
			continue;
		herdreader_complain(reader, place_of(node),
		    "`peers` of node `%s` can be reached from other machines: "
		    "set `key_file`, or `link_security: none` to go without "
		    "encryption",
		    node->name);
	}
}

/* Settings that go together: the file must have both or none. */
static void
check_tls_of(struct herdreader *reader, const char *name, const char *cert,
    const char *key, const char *ca)
{
	const char *has = *cert != '\0' ? "tls_cert" : "tls_key";
	const char *lacks = *cert != '\0' ? "tls_key" : "tls_cert";
	char setting[64];

	if ((*cert == '\0') != (*key == '\0')) {
		snprintf(setting, sizeof(setting), "%s.%s", name, has);
		herdreader_complain(reader, setting_place(reader, setting),
		    "`%s` needs `%s.%s`", setting, name, lacks);
	}
	if (*ca != '\0' && *cert == '\0') {
		snprintf(setting, sizeof(setting), "%s.client_ca", name);
		herdreader_complain(reader, setting_place(reader, setting),
		    "`%s` needs `%s.tls_cert`: certificates are shown over "
		    "TLS only",
		    setting, name);
	}
}

static void
check_tls(struct herdreader *reader)
{
	const struct settings *settings = &reader->file->settings;

	check_tls_of(reader, "admin", settings->admin.tls_cert,
	    settings->admin.tls_key, settings->admin.client_ca);
	check_tls_of(reader, "clients", settings->clients.tls_cert,
	    settings->clients.tls_key, settings->clients.client_ca);
	check_tls_of(reader, "http", settings->http.tls_cert,
	    settings->http.tls_key, "");
	if (settings->clients.bind_ids && *settings->clients.client_ca == '\0')
		herdreader_complain(reader,
		    setting_place(reader, "clients.bind_ids"),
		    "`clients.bind_ids` needs `clients.client_ca`: the names "
		    "are those of clients' certificates");
}

/*
 * The first address over TCP, or the first that other machines reach; NULL:
 * there is none, or it was complained of.
 */
static const struct address *
admin_over_tcp(const struct address_list *admin, bool by_others)
{
	for (unsigned i = 0; i < admin->count; i++)
		if (*admin->items[i].host != '\0' &&
		    !(by_others && address_is_loopback(&admin->items[i])))
			return &admin->items[i];
	return NULL;
}

/* A token in clear is everybody's on the way. */
static void
check_plaintext(struct herdreader *reader)
{
	static const char next[] =
	    "set `admin.tls_cert` and `admin.tls_key`, or `admin.plaintext: "
	    "yes` to send its tokens in clear";
	const struct herdfile *file = reader->file;
	const struct settings *settings = &file->settings;
	struct address listen;

	if (*settings->admin.tls_cert != '\0' || settings->admin.plaintext)
		return;
	if (address_parse(span_from(settings->admin.listen), &listen) ==
		HERD_OK &&
	    !address_is_loopback(&listen))
		herdreader_complain(reader,
		    setting_place(reader, "admin.listen"),
		    "`admin.listen` can be reached from other machines: %s",
		    next);
	for (size_t i = 0; i < file->node_count; i++)
		if (admin_over_tcp(&file->nodes[i].admin, true) != NULL)
			herdreader_complain(reader, place_of(&file->nodes[i]),
			    "`admin` of node `%s` can be reached from other "
			    "machines: %s",
			    file->nodes[i].name, next);
}

static void
check_admin(struct herdreader *reader)
{
	const struct herdfile *file = reader->file;
	const struct settings *settings = &file->settings;
	size_t i;

	if (*settings->admin.token_file != '\0' ||
	    *settings->admin.read_token_file != '\0' ||
	    *settings->admin.client_ca != '\0')
		return;
	if (*settings->admin.listen != '\0')
		herdreader_complain(reader,
		    setting_place(reader, "admin.listen"),
		    "`admin.listen` needs `admin.token_file` or "
		    "`admin.read_token_file`");
	for (i = 0; i < file->node_count; i++)
		if (admin_over_tcp(&file->nodes[i].admin, false) != NULL)
			herdreader_complain(reader, place_of(&file->nodes[i]),
			    "`admin` of node `%s` is a TCP address, which "
			    "needs `admin.token_file` or "
			    "`admin.read_token_file`; a /PATH does not",
			    file->nodes[i].name);
}

/*
 * A password in clear is everybody's on the way, unless a proxy before the node
 * ends TLS.
 */
static void
check_http(struct herdreader *reader)
{
	const struct herdfile *file = reader->file;
	const struct settings *settings = &file->settings;
	bool is_private = *settings->http.tls_cert != '\0' ||
			  *settings->http.trust_proxy != '\0';

	if (!address_is_numeric(span_from(settings->http.trust_proxy)))
		herdreader_complain(reader,
		    setting_place(reader, "http.trust_proxy"),
		    "`http.trust_proxy` takes a numeric address such as "
		    "10.0.0.1 or fd00::1, without a port");
	for (size_t i = 0; i < file->node_count; i++) {
		const struct herdfile_node *node = &file->nodes[i];

		if (node->http.kind == ADDRESS_NONE || *node->http.host == '\0')
			continue;
		if (*settings->http.users_file == '\0')
			herdreader_complain(reader, place_of(node),
			    "`http` of node `%s` needs `http.users_file`: the "
			    "file that `herdctl user add` makes",
			    node->name);
		if (!is_private && !address_is_loopback(&node->http))
			herdreader_complain(reader, place_of(node),
			    "`http` of node `%s` can be reached from other "
			    "machines: set `http.tls_cert` and "
			    "`http.tls_key`, or `http.trust_proxy` if a proxy "
			    "ends TLS",
			    node->name);
	}
}

static void
check_places(struct herdreader *reader)
{
	const struct settings *settings = &reader->file->settings;
	const struct setting_list *chain = &settings->places.provider;
	const char *url = settings->places.base_url;
	const char *fault = *url == '\0' ? NULL : address_url_fault(url);
	const char *icons = settings->places.icon_base;
	struct file_place place = setting_place(reader, "places.provider");
	unsigned network = 0;

	if (strlen(icons) > SETTING_ICON_BASE_MAX)
		herdreader_complain(reader,
		    setting_place(reader, "places.icon_base"),
		    "`places.icon_base` has more than %u characters",
		    SETTING_ICON_BASE_MAX);
	else if (*icons != '\0' && address_url_fault(icons) != NULL)
		herdreader_complain(reader,
		    setting_place(reader, "places.icon_base"),
		    "`places.icon_base` %s", address_url_fault(icons));

	for (unsigned i = 0; i < chain->count; i++) {
		enum places_kind kind = (enum places_kind)chain->items[i];
		const char *key = places_kind_key(kind);

		network += places_kind_is_remote(kind);
		if (kind == PLACES_NONE && chain->count > 1)
			herdreader_complain(reader, place,
			    "`none` must be the only word of "
			    "`places.provider`");
		if (key != NULL && *settings->places.key_file == '\0')
			herdreader_complain(reader, place,
			    "%s needs an API key: put it into a file of "
			    "mode 0600 and name that with `places.key_file`",
			    key);
	}
	place = setting_place(reader, "places.base_url");
	if (fault != NULL)
		herdreader_complain(
		    reader, place, "`places.base_url` %s", fault);
	else if (*url != '\0' && network > 1)
		herdreader_complain(reader, place,
		    "`places.base_url` is for one provider, and "
		    "`places.provider` has several on the network");
}

/* What is asked of one kind of store, and set for the other. */
static void
check_store_kind(struct herdreader *reader, bool is_shared)
{
	static const char *const shared[] = { "store.url_file", "store.write",
		"store.batch", "store.timeout", "store.require",
		"store.history" };
	struct file_place place = setting_place(reader, "store.path");

	if (is_shared && place.line > 0)
		herdreader_complain(reader, place,
		    "`store.path` is for a store in a file, and "
		    "`store.engine` names a server");
	for (size_t i = 0; i < HERD_ARRAY_LEN(shared) && !is_shared; i++) {
		place = setting_place(reader, shared[i]);
		if (place.line > 0)
			herdreader_complain(reader, place,
			    "`%s` is for a store that nodes share, and "
			    "`store.engine` names a file",
			    shared[i]);
	}
}

static void
check_store(struct herdreader *reader)
{
	const struct settings *settings = &reader->file->settings;
	enum store_engine engine = (enum store_engine)settings->store.engine;
	bool is_sync = settings->store.durability == DURABILITY_SYNC;
	bool is_shared = store_engine_is_shared(engine);

	if (is_sync && engine == STORE_NONE)
		herdreader_complain(reader,
		    setting_place(reader, "store.durability"),
		    "`store.durability: sync` needs a `store.engine`");
	if (engine != STORE_NONE)
		check_store_kind(reader, is_shared);
	if (is_shared && settings->store.url_file[0] == '\0')
		herdreader_complain(reader,
		    setting_place(reader, "store.engine"),
		    "this `store.engine` needs a `store.url_file`");
	/* A record is evicted for others, which this node must then write. */
	if (is_shared && is_sync && settings->at_limit == AT_LIMIT_EVICT &&
	    settings->store.write == STORE_WRITE_ORIGIN)
		herdreader_complain(reader, setting_place(reader, "at_limit"),
		    "`at_limit: evict` with `store.durability: sync` needs "
		    "`store.write: all`");
}

static void
check_settings(struct herdreader *reader)
{
	const struct settings *settings = &reader->file->settings;
	struct file_place dead = setting_place(reader, "link.dead_after");

	check_store(reader);
	if (settings->link.dead_after <= settings->link.ping_after)
		herdreader_complain(reader,
		    dead.line > 0 ? dead
				  : setting_place(reader, "link.ping_after"),
		    "`link.dead_after` must be longer than `link.ping_after`");
}

/*
 * A report has to outlive its delays: the wait for the comparison that finds
 * it missing, and for a link that was lost. Source: expire_after in
 * herd.yaml(5).
 */
static void
warn_of_short_life(struct herdreader *reader)
{
	const struct settings *settings = &reader->file->settings;
	uint64_t expire = settings->expire_after;
	uint64_t verify = settings->link.verify_every / 5 * 6;
	uint64_t outage =
	    10 * (settings->link.dead_after + settings->link.redial_max);
	bool by_verify = verify > outage;

	if (expire == 0 || reader->file->link_count == 0 ||
	    expire >= (by_verify ? verify : outage))
		return;
	herdreader_warn(reader, setting_place(reader, "expire_after"),
	    by_verify
		? "`expire_after` is shorter than 1.2 times "
		  "`link.verify_every`: a report that a link lost expires "
		  "before a comparison finds it"
		: "`expire_after` is shorter than 10 times `link.dead_after` "
		  "and `link.redial_max`: many reports expire while a link is "
		  "down");
}

/* Each check looks only at what was read without a complaint. */
void
herdreader_check(struct herdreader *reader)
{
	/* A list of providers may have been read in part. */
	if (reader->diagnostics->errors == 0)
		check_places(reader);
	check_addresses(reader);
	check_duplicate_links(reader);
	check_links(reader);
	check_security(reader);
	check_admin(reader);
	check_tls(reader);
	check_settings(reader);
	/* Addresses that are wrong are not where they seem to be. */
	if (reader->diagnostics->errors == 0) {
		check_plaintext(reader);
		check_http(reader);
	}
	/* A herd file with errors does not have the shape that was meant. */
	if (reader->diagnostics->errors > 0 || reader->error != HERD_OK)
		return;
	warn_of_short_life(reader);
	warn_of_loners(reader);
	if (reader->error == HERD_OK)
		warn_of_parts(reader);
}
