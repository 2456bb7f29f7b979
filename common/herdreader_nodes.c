/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The herd file's nodes and links.
 */
#include "herdreader.h"

#include <stdlib.h>
#include <string.h>

#include "herd/text.h"

#define PAIR 2u

/* --- nodes ---------------------------------------------------------------- */

static const char *const address_keys[] = { "clients", "peers", "admin", "http",
	NULL };

/* `want`: what may be written. */
static void
read_address(struct herdreader *reader, const struct yamlnode *key,
    const struct yamlnode *value, bool may_be_path, const char *want,
    struct address *out)
{
	struct address address = { .kind = ADDRESS_NONE };
	enum herd_error error = HERD_ESYNTAX;

	if (value->kind == YAMLNODE_TEXT)
		error = address_parse(value->text, &address);
	if (error == HERD_OK && address.kind == ADDRESS_UNIX && !may_be_path)
		error = HERD_ESYNTAX;
	if (error == HERD_OK) {
		*out = address;
		return;
	}
	/* One complaint: an address that is wrong is not missing as well. */
	out->kind = ADDRESS_TCP;
	if (error == HERD_ERANGE)
		herdreader_complain(reader, herdreader_place(value),
		    "`%s`: the port is out of range: 0 to 65535",
		    herdreader_quote(key->text).text);
	else if (error == HERD_ELIMIT)
		herdreader_complain(reader, herdreader_place(value),
		    "`%s`: too long: a path has at most %u bytes, a host %u",
		    herdreader_quote(key->text).text, ADDRESS_PATH_MAX,
		    ADDRESS_HOST_MAX);
	else if (value->kind != YAMLNODE_TEXT)
		herdreader_complain(reader, herdreader_place(value),
		    "`%s`: expected %s, not %s",
		    herdreader_quote(key->text).text, want,
		    yamlnode_kind_name(value));
	else
		herdreader_complain(reader, herdreader_place(value),
		    "`%s`: expected %s, not `%s`",
		    herdreader_quote(key->text).text, want,
		    herdreader_quote(value->text).text);
}

/* One address or a list of them, each once. */
static void
read_admin(struct herdreader *reader, struct herdfile_node *node,
    const struct yamlnode *key, const struct yamlnode *value)
{
	static const char want[] = "/PATH or HOST:PORT";
	struct address_list *list = &node->admin;
	const struct yamlnode *item;

	if (value->kind != YAMLNODE_LIST) {
		read_address(reader, key, value, true, want,
		    &list->items[list->count++]);
		return;
	}
	if (value->count == 0 || value->count > ADDRESS_LIST_MAX) {
		herdreader_complain(reader, herdreader_place(value),
		    "`admin`: a list has 1 to %u addresses, not %zu",
		    ADDRESS_LIST_MAX, value->count);
		return;
	}
	for (item = value->first; item != NULL; item = item->next)
		read_address(
		    reader, key, item, true, want, &list->items[list->count++]);
}

/* False: there is no such key. */
static bool
read_key(struct herdreader *reader, struct herdfile_node *node,
    const struct yamlnode *key)
{
	if (span_is(key->text, "clients"))
		read_address(
		    reader, key, key->next, false, "HOST:PORT", &node->clients);
	else if (span_is(key->text, "peers"))
		read_address(
		    reader, key, key->next, false, "HOST:PORT", &node->peers);
	else if (span_is(key->text, "admin"))
		read_admin(reader, node, key, key->next);
	else if (span_is(key->text, "http"))
		read_address(
		    reader, key, key->next, false, "HOST:PORT", &node->http);
	else
		return false;
	return true;
}

static void
read_addresses(struct herdreader *reader, struct herdfile_node *node,
    struct yamlnode *value)
{
	const struct yamlnode *key;
	const char *near;

	if (!herdreader_mapping(reader, value, node->name, "key"))
		return;
	for (key = value->first; key != NULL; key = key->next->next) {
		if (key->kind != YAMLNODE_TEXT || key->duplicate)
			continue;
		if (read_key(reader, node, key))
			continue;
		near = herdreader_suggest(reader, key->text, address_keys);
		herdreader_complain(reader, herdreader_place(key),
		    "unknown key `%s` of node `%s`, %s `%s`%s",
		    herdreader_quote(key->text).text, node->name,
		    near != NULL ? "did you mean" : "which has",
		    near != NULL ? near
				 : "clients`, `peers`, `admin` and `http",
		    near != NULL ? "?" : "");
	}
}

/* Names are used in file names and on command lines. */
static bool
name_is_good(struct span name)
{
	return node_name_is_valid(name) && name.data[0] != '.' &&
	       name.data[0] != '_' && name.data[0] != '-';
}

static void
read_node(struct herdreader *reader, const struct yamlnode *key,
    struct yamlnode *value)
{
	struct herdfile *file = reader->file;
	struct herdfile_node *node;

	if (!name_is_good(key->text)) {
		herdreader_complain(reader, herdreader_place(key),
		    "`%s` is no name for a node: 1 to %u letters, digits, '.', "
		    "'_' or '-', the first one a letter or digit",
		    herdreader_quote(key->text).text, REPORT_ORIGIN_MAX);
		return;
	}
	node = &file->nodes[file->node_count];
	*node =
	    (struct herdfile_node){ .line = key->line, .column = key->column };
	node->name = strndup(key->text.data, key->text.len);
	if (node->name == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	file->node_count++;
	read_addresses(reader, node, value);
	if (node->clients.kind == ADDRESS_NONE)
		herdreader_complain(reader, herdreader_place(key),
		    "node `%s` lacks `clients`: the address where it listens "
		    "for clients, such as \"127.0.0.1:12001\"",
		    node->name);
}

static int
node_compare(const void *a, const void *b)
{
	const struct herdfile_node *node_a =
	    *(const struct herdfile_node *const *)a;
	const struct herdfile_node *node_b =
	    *(const struct herdfile_node *const *)b;

	return strcmp(node_a->name, node_b->name);
}

/* An index by name: a link's ends are looked up in it. */
static void
sort_names(struct herdreader *reader)
{
	const struct herdfile *file = reader->file;
	size_t i;

	reader->by_name =
	    malloc((file->node_count + 1u) * sizeof(*reader->by_name));
	reader->names =
	    malloc((file->node_count + 1u) * sizeof(*reader->names));
	if (reader->by_name == NULL || reader->names == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	for (i = 0; i < file->node_count; i++)
		reader->by_name[i] = &file->nodes[i];
	qsort(reader->by_name, file->node_count, sizeof(*reader->by_name),
	    node_compare);
	for (i = 0; i < file->node_count; i++)
		reader->names[i] = reader->by_name[i]->name;
	reader->names[i] = NULL;
}

void
herdreader_nodes(struct herdreader *reader, struct yamlnode *value)
{
	struct yamlnode *key;

	if (!herdreader_mapping(reader, value, "nodes", "node") ||
	    value->count == 0) {
		if (value->kind == YAMLNODE_MAPPING || yamlnode_is_null(value))
			herdreader_complain(reader, herdreader_place(value),
			    "`nodes` is empty: a herd has at least one node");
		return;
	}
	if (value->count > HERDFILE_NODES_MAX) {
		herdreader_complain(reader, herdreader_place(value),
		    "%zu nodes: a herd has at most %u", value->count,
		    HERDFILE_NODES_MAX);
		return;
	}
	reader->file->nodes =
	    calloc(value->count, sizeof(*reader->file->nodes));
	if (reader->file->nodes == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	for (key = value->first; key != NULL; key = key->next->next)
		if (key->kind == YAMLNODE_TEXT && !key->duplicate)
			read_node(reader, key, key->next);
	sort_names(reader);
}

/* --- links ---------------------------------------------------------------- */

/* NULL: there is no such node; complained of. */
static const struct herdfile_node *
find_node(struct herdreader *reader, const struct yamlnode *name)
{
	size_t low = 0, high = reader->file->node_count, middle;
	const char *near;
	int order;

	if (name->kind != YAMLNODE_TEXT) {
		herdreader_complain(reader, herdreader_place(name),
		    "expected the name of a node, not %s",
		    yamlnode_kind_name(name));
		return NULL;
	}
	while (low < high) {
		middle = low + (high - low) / 2u;
		order =
		    span_compare(name->text, span_from(reader->names[middle]));
		if (order == 0)
			return reader->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1u;
	}
	near = herdreader_suggest(reader, name->text, reader->names);
	if (near != NULL)
		herdreader_complain(reader, herdreader_place(name),
		    "unknown node `%s`, did you mean `%s`?",
		    herdreader_quote(name->text).text, near);
	else
		herdreader_complain(reader, herdreader_place(name),
		    "unknown node `%s`", herdreader_quote(name->text).text);
	return NULL;
}

/* Two names; `link` gets them in the order of names. */
static bool
read_pair(struct herdreader *reader, const struct yamlnode *pair,
    struct herdfile_link *link)
{
	const struct herdfile_node *a, *b, *swap;

	if (pair->kind != YAMLNODE_LIST || pair->count != PAIR) {
		herdreader_complain(reader, herdreader_place(pair),
		    "a link is two nodes: [A, B] or {between: [A, B], dial: "
		    "A}");
		return false;
	}
	a = find_node(reader, pair->first);
	b = find_node(reader, pair->last);
	if (a == NULL || b == NULL)
		return false;
	if (a == b) {
		herdreader_complain(reader, herdreader_place(pair),
		    "a link from `%s` to itself", a->name);
		return false;
	}
	if (strcmp(a->name, b->name) > 0) {
		swap = a;
		a = b;
		b = swap;
	}
	link->a = (size_t)(a - reader->file->nodes);
	link->b = (size_t)(b - reader->file->nodes);
	return true;
}

static void
read_dial(struct herdreader *reader, const struct yamlnode *dial,
    struct herdfile_link *link)
{
	const struct herdfile_node *nodes = reader->file->nodes, *node;

	node = find_node(reader, dial);
	if (node == NULL)
		return;
	if (node != &nodes[link->a] && node != &nodes[link->b])
		herdreader_complain(reader, herdreader_place(dial),
		    "`dial` must be one of the link's nodes, `%s` or `%s`",
		    nodes[link->a].name, nodes[link->b].name);
	link->b_dials = node == &nodes[link->b];
}

/* {between: [A, B], dial: A} */
static bool
read_detailed(struct herdreader *reader, struct yamlnode *item,
    struct herdfile_link *link)
{
	static const char *const keys[] = { "between", "dial", NULL };
	const struct yamlnode *key, *between = NULL, *dial = NULL;
	const char *near;

	(void)herdreader_mapping(reader, item, "links", "key");
	for (key = item->first; key != NULL; key = key->next->next) {
		if (key->kind != YAMLNODE_TEXT || key->duplicate)
			continue;
		if (span_is(key->text, keys[0])) {
			between = key->next;
		} else if (span_is(key->text, keys[1])) {
			dial = key->next;
		} else {
			near = herdreader_suggest(reader, key->text, keys);
			herdreader_complain(reader, herdreader_place(key),
			    near != NULL
				? "unknown key `%s` of a link, did you mean `%s`?"
				: "unknown key `%s` of a link, which has "
				  "`between` and `dial`%s",
			    herdreader_quote(key->text).text,
			    near != NULL ? near : "");
		}
	}
	if (between == NULL) {
		herdreader_complain(reader, herdreader_place(item),
		    "a link lacks `between`: its two nodes, [A, B]");
		return false;
	}
	if (!read_pair(reader, between, link))
		return false;
	if (dial != NULL)
		read_dial(reader, dial, link);
	return true;
}

void
herdreader_links(struct herdreader *reader, struct yamlnode *value)
{
	struct herdfile *file = reader->file;
	struct herdfile_link link;
	struct yamlnode *item;
	bool good;

	if (value->kind != YAMLNODE_LIST) {
		if (!yamlnode_is_null(value))
			herdreader_complain(reader, herdreader_place(value),
			    "`links` takes a list such as [[A, B], [B, C]], "
			    "not %s",
			    yamlnode_kind_name(value));
		return;
	}
	if (value->count > HERDFILE_LINKS_MAX) {
		herdreader_complain(reader, herdreader_place(value),
		    "%zu links: a herd has at most %u", value->count,
		    HERDFILE_LINKS_MAX);
		return;
	}
	/* Without nodes, of which was complained, no name is known. */
	if (file->node_count == 0 || reader->names == NULL)
		return;
	file->links = calloc(value->count + 1u, sizeof(*file->links));
	if (file->links == NULL) {
		reader->error = HERD_ENOMEM;
		return;
	}
	for (item = value->first; item != NULL; item = item->next) {
		link = (struct herdfile_link){ .line = item->line,
			.column = item->column };
		if (item->kind == YAMLNODE_MAPPING)
			good = read_detailed(reader, item, &link);
		else
			good = read_pair(reader, item, &link);
		if (good)
			file->links[file->link_count++] = link;
	}
}
