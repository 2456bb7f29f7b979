/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/herdfile.h"

#define HERD "herd: ucla\n"
#define A "  A: {clients: \"127.0.0.1:1\", peers: \"127.0.0.1:11\"}\n"
#define B "  B: {clients: \"127.0.0.1:2\", peers: \"127.0.0.1:12\"}\n"
#define C "  C: {clients: \"127.0.0.1:3\", peers: \"127.0.0.1:13\"}\n"
/* Six lines; settings under test begin on line 6. */
#define GOOD HERD "nodes:\n" A B "links: [[A, B]]\n"

/* All diagnostics as "LINE:COLUMN TEXT", warnings with "warning: ". */
static enum herd_error
parse(struct span text, struct buf *out, struct herdfile *file)
{
	struct diagnostics diagnostics;
	const struct diagnostic *item;
	enum herd_error error;
	size_t i, errors = 0;

	diagnostics_init(&diagnostics);
	error = herdfile_parse(text, file, &diagnostics);
	for (i = 0; i < diagnostics.count; i++) {
		item = &diagnostics.items[i];
		errors += item->severity == DIAGNOSTIC_ERROR;
		assert_ok(
		    buf_addf(out, "%u:%u %s%s\n", item->line, item->column,
			item->severity == DIAGNOSTIC_WARNING ? "warning: " : "",
			item->text));
	}
	if (diagnostics.count < diagnostics.max)
		assert_int_equal(diagnostics.errors, errors);
	assert_int_equal(
	    error, diagnostics.errors > 0 ? HERD_ESYNTAX : HERD_OK);
	diagnostics_release(&diagnostics);
	return error;
}

struct sample {
	const char *text;
	const char *diagnostics;
};

static void
check_cases(const struct sample *cases, size_t count)
{
	struct herdfile file;
	struct buf got;
	size_t i;

	buf_init(&got, 100000);
	for (i = 0; i < count; i++) {
		buf_clear(&got);
		if (parse(span_from(cases[i].text), &got, &file) == HERD_OK)
			herdfile_release(&file);
		if (!span_is(buf_span(&got), cases[i].diagnostics)) {
			print_error("%s", cases[i].text);
			assert_buf(&got, cases[i].diagnostics);
		}
	}
	buf_release(&got);
}

static void
test_file_gives_herd_nodes_links_and_settings(void **state HERD_UNUSED)
{
	static const char text[] =
	    "herd: ucla\n"
	    "nodes:\n"
	    "  Riley:  {clients: \"127.0.0.1:12001\", peers: "
	    "\"127.0.0.1:12101\", admin: \"/run/herd/Riley.sock\"}\n"
	    "  Jaquez: {clients: \"127.0.0.1:12002\", peers: "
	    "\"127.0.0.1:12102\", admin: [\"/run/herd/Jaquez.sock\", "
	    "\"127.0.0.1:12202\"]}\n"
	    "  Juzang:\n"
	    "    http: 127.0.0.1:12303\n"
	    "    clients: 127.0.0.1:12003\n"
	    "    peers: 127.0.0.1:12103\n"
	    "links: [[Riley, Jaquez], {between: [Riley, Juzang], dial: "
	    "Riley}]\n"
	    "workers: 2\n"
	    "places: {provider: [google, gazetteer], key_file: k}\n"
	    "store: {engine: none}\n"
	    "log: {level: info, format: logfmt, traffic: "
	    "\"traffic-%n.log\"}\n"
	    "link:\n"
	    "admin: {token_file: t}\n"
	    "http: {users_file: u, friends: [[jane, john], [ann]]}\n"
	    "max_ahead: 24h\n";
	struct herdfile file;
	struct buf got;
	size_t index, peer;

	buf_init(&got, 1000);
	assert_ok(parse(span_from(text), &got, &file));
	assert_buf(&got, "");
	assert_string_equal(file.herd, "ucla");
	assert_int_equal(file.node_count, 3);
	assert_string_equal(file.nodes[0].name, "Riley");
	assert_int_equal(file.nodes[0].line, 3);
	assert_int_equal(file.nodes[0].column, 3);
	assert_int_equal(file.nodes[1].clients.port, 12002);
	assert_int_equal(file.nodes[1].peers.port, 12102);
	assert_string_equal(
	    file.nodes[0].admin.items[0].path, "/run/herd/Riley.sock");
	assert_int_equal(file.nodes[1].admin.count, 2);
	assert_int_equal(file.nodes[1].admin.items[1].port, 12202);
	assert_int_equal(file.nodes[2].admin.count, 0);
	assert_int_equal(file.nodes[2].http.port, 12303);
	assert_int_equal(file.nodes[0].http.kind, ADDRESS_NONE);
	assert_string_equal(file.settings.http.friends, "jane john, ann");
	assert_int_equal(file.link_count, 2);
	assert_int_equal(file.links[0].a, 1);
	assert_int_equal(file.links[0].b, 0);
	assert_int_equal(file.links[0].line, 9);
	assert_int_equal(file.links[0].column, 9);
	assert_false(file.links[0].b_dials);
	assert_true(herdfile_dials(&file.links[0], 1));
	assert_false(herdfile_dials(&file.links[0], 0));
	assert_int_equal(file.links[1].a, 2);
	assert_true(file.links[1].b_dials);
	assert_true(herdfile_dials(&file.links[1], 0));
	assert_ok(herdfile_link_peer(&file, &file.links[0], 0, &peer));
	assert_int_equal(peer, 1);
	assert_ok(herdfile_link_peer(&file, &file.links[0], 1, &peer));
	assert_int_equal(peer, 0);
	assert_int_equal(herdfile_link_peer(&file, &file.links[0], 2, &peer),
	    HERD_ENOTFOUND);
	assert_ok(herdfile_find(&file, span_from("Juzang"), &index));
	assert_int_equal(index, 2);
	assert_int_equal(
	    herdfile_find(&file, span_from("Juz"), &index), HERD_ENOTFOUND);
	assert_true(file.settings.workers == 2);
	assert_int_equal(file.settings.places.provider.count, 2);
	assert_int_equal(file.settings.places.provider.items[0], PLACES_GOOGLE);
	assert_string_equal(file.settings.log.traffic, "traffic-%n.log");
	herdfile_release(&file);
	buf_release(&got);
}

static void
test_smallest_files_are_good(void **state HERD_UNUSED)
{
	static const struct sample cases[] = {
		{ "herd: x\nnodes: {a: {clients: \"h:1\"}}\n", "" },
		{ "{herd: x, nodes: {a: {clients: \"h:1\"}}}", "" },
		{ "\xef\xbb\xbfherd: x\nnodes: {a: {clients: \"h:1\"}}", "" },
		{ "%YAML 1.1\n---\nherd: x\nnodes: {a: {clients: \"h:1\"}}\n"
		  "...\n",
		    "" },
		{ "# no tabs\r\nherd: x\r\nnodes:\r\n  a:\r\n    clients: "
		  "h:1\r\n",
		    "" },
		{ "herd: x\nnodes: {a: {clients: \"h:1\"}}\nlinks: []\n", "" },
		{ "herd: x\nnodes: {a: {clients: \"h:1\"}}\nlinks:\nlog:\n"
		  "user:\nkey_file: ~\n",
		    "" },
		{ GOOD "log: {traffic: \"off\"}\n", "" },
		{ GOOD "link: {ping_after: 50ms, dead_after: 51ms}\n", "" },
		{ GOOD "store: {durability: sync, engine: sqlite}\n", "" },
	};

	check_cases(cases, HERD_ARRAY_LEN(cases));
}

static void
test_what_is_not_yaml_is_shown_in_place(void **state HERD_UNUSED)
{
	static const struct sample cases[] = {
		{ "",
		    "1:1 the file is empty: a herd file names at least `herd` "
		    "and `nodes`\n" },
		{ "# only a comment\n",
		    "1:1 the file is empty: a herd file names at least `herd` "
		    "and `nodes`\n" },
		{ "---\n...\n",
		    "1:1 the file is empty: a herd file names at least `herd` "
		    "and `nodes`\n" },
		{ "herd: [a\nb: c",
		    "2:2 not YAML: did not find expected ',' or ']', while "
		    "parsing a flow sequence that begins on line 1\n" },
		{ "herd: ucla\n\tnodes: 1\n",
		    "2:1 not YAML: found a tab character that violates "
		    "indentation, while scanning a plain scalar that begins "
		    "on line 1\n" },
		{ "herd: @x\n",
		    "1:7 not YAML: found character that cannot start any "
		    "token; indent with spaces, not tabs, and put values that "
		    "begin with @, ` or % in quotes\n" },
		{ "herd: x\nlog: {traffic: %n.log}\n",
		    "2:16 not YAML: found character that cannot start any "
		    "token; indent with spaces, not tabs, and put values that "
		    "begin with @, ` or % in quotes\n" },
		{ "herd: \"x\n",
		    "2:1 not YAML: found unexpected end of stream, while "
		    "scanning a quoted scalar that begins on line 1\n" },
		{ "herd: \xff\n",
		    "1:7 not readable as UTF-8 text: invalid leading UTF-8 "
		    "octet\n" },
		{ "herd: x\n# \xc3\xa9\xc3\xa9 \x01\n",
		    "2:6 not readable as UTF-8 text: control characters are "
		    "not allowed\n" },
		{ "just text",
		    "1:1 a herd file is a mapping (`herd: NAME` and so on), "
		    "not text\n" },
		{ "- a\n- b\n",
		    "1:1 a herd file is a mapping (`herd: NAME` and so on), "
		    "not a list\n" },
		{ GOOD "---\nherd: y\n",
		    "6:1 a second document begins here; a herd file has "
		    "one\n" },
		{ GOOD "user: &u x\n",
		    "6:7 anchors (&) are not part of a herd file; write the "
		    "value out\n" },
		{ GOOD "workers: !!int 3\n",
		    "6:10 tags (!) are not part of a herd file; write the "
		    "value alone\n" },
		{ GOOD "user: *u\n",
		    "6:7 aliases (*) are not part of a herd file; write the "
		    "value out, or in quotes if it begins with *\n" },
		{ GOOD "log: &l !!map {}\n",
		    "6:6 anchors (&) are not part of a herd file; write the "
		    "value out\n"
		    "6:6 tags (!) are not part of a herd file; write the "
		    "value alone\n" },
		{ "a: [[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]\n",
		    "1:19 nested too deeply\n" },
		{ "? [a]\n: b\n" GOOD,
		    "1:3 a key must be a word, not a list\n" },
	};

	check_cases(cases, HERD_ARRAY_LEN(cases));
}

static void
test_top_level_errors_have_suggestions(void **state HERD_UNUSED)
{
	static const struct sample cases[] = {
		{ "workers: 1\n",
		    "1:1 `herd` is missing: the herd's name, such as `herd: "
		    "ucla`\n"
		    "1:1 `nodes` is missing: each node's name with its "
		    "addresses\n" },
		{ "herd: \nnodes:\n",
		    "1:6 `herd` takes the herd's name: 1 to 64 letters, "
		    "digits, '.', '_' or '-'\n"
		    "2:7 `nodes` is empty: a herd has at least one node\n" },
		{ "herd: [x]\nnodes: {}\n",
		    "1:7 `herd` takes the herd's name: 1 to 64 letters, "
		    "digits, '.', '_' or '-'\n"
		    "2:8 `nodes` is empty: a herd has at least one node\n" },
		{ "herd: a b\nnodes: [a]\n",
		    "1:7 `herd` takes the herd's name: 1 to 64 letters, "
		    "digits, '.', '_' or '-'\n"
		    "2:8 `nodes` takes a mapping, not a list\n" },
		{ GOOD "wokers: 2\n",
		    "6:1 unknown setting `wokers`, did you mean `workers`?\n" },
		{ GOOD "xyzzy: 2\n", "6:1 unknown setting `xyzzy`\n" },
		{ GOOD "plces: {}\n",
		    "6:1 unknown setting `plces`, did you mean `places`?\n" },
		{ GOOD "nods: {}\n",
		    "6:1 unknown setting `nods`, did you mean `nodes`?\n" },
		{ GOOD "log.level: info\n",
		    "6:1 unknown setting `log.level`, did you mean `log: "
		    "{level: ...}`?\n" },
		{ GOOD "durability: sync\n",
		    "6:1 unknown setting `durability`, did you mean `store: "
		    "{durability: ...}`?\n" },
		{ GOOD "log: {levle: info}\n",
		    "6:7 unknown setting `log.levle`, did you mean "
		    "`log.level`?\n" },
		{ GOOD "log: {xyzzy: info}\n",
		    "6:7 unknown setting `log.xyzzy`\n" },
		{ GOOD "log: info\n", "6:6 `log` takes a mapping, not text\n" },
		{ GOOD "workers: 1\nworkers: 2\nworkers: 3\n",
		    "7:1 duplicate key `workers`, first on line 6\n"
		    "8:1 duplicate key `workers`, first on line 6\n" },
		{ GOOD "log: {level: info, [x]: warn}\n",
		    "6:20 a key must be a word, not a list\n" },
		{ GOOD "log: {level: info, level: warn}\n",
		    "6:20 duplicate key `level`, first on line 6\n" },
		{ GOOD "\"wor\\nkers\\e\": 2\n",
		    "6:1 unknown setting `wor\\nkers\\x1b`, did you mean "
		    "`workers`?\n" },
	};

	check_cases(cases, HERD_ARRAY_LEN(cases));
}

static void
test_node_errors_have_suggestions(void **state HERD_UNUSED)
{
	static const struct sample cases[] = {
		{ HERD "nodes: {A: }\n",
		    "2:9 node `A` lacks `clients`: the address where it "
		    "listens for clients, such as \"127.0.0.1:12001\"\n" },
		{ HERD "nodes: {A: x}\n",
		    "2:9 node `A` lacks `clients`: the address where it "
		    "listens for clients, such as \"127.0.0.1:12001\"\n"
		    "2:12 `A` takes a mapping, not text\n" },
		{ HERD "nodes: {A: {client: \"h:1\"}}\n",
		    "2:9 node `A` lacks `clients`: the address where it "
		    "listens for clients, such as \"127.0.0.1:12001\"\n"
		    "2:13 unknown key `client` of node `A`, did you mean "
		    "`clients`?\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", x: y}}\n",
		    "2:29 unknown key `x` of node `A`, which has `clients`, "
		    "`peers`, `admin` and `http`\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", {}: x}, [B]: x}\n",
		    "2:29 a key must be a word, not a mapping\n"
		    "2:37 a key must be a word, not a list\n" },
		{ HERD "nodes: {A: {clients: \"h:1\"}, _a: {}, .a: {}}\n",
		    "2:30 `_a` is no name for a node: 1 to 64 letters, digits, "
		    "'.', '_' or '-', the first one a letter or digit\n"
		    "2:38 `.a` is no name for a node: 1 to 64 letters, digits, "
		    "'.', '_' or '-', the first one a letter or digit\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", clients: \"h:2\"}}\n",
		    "2:29 duplicate key `clients`, first on line 2\n" },
		{ HERD "nodes:\n" A A,
		    "4:3 duplicate node `A`, first on line 3\n" },
		{ HERD "nodes: {-a: {clients: \"h:1\"}, b/c: {clients: "
		       "\"h:2\"}, ok: {clients: \"h:3\"}}\n",
		    "2:9 `-a` is no name for a node: 1 to 64 letters, digits, "
		    "'.', '_' or '-', the first one a letter or digit\n"
		    "2:31 `b/c` is no name for a node: 1 to 64 letters, "
		    "digits, '.', '_' or '-', the first one a letter or "
		    "digit\n" },
		{ HERD "nodes: {A: {clients: 12001}}\n",
		    "2:22 `clients`: expected HOST:PORT, not `12001`\n" },
		{ HERD "nodes: {A: {clients: \"h:65536\"}}\n",
		    "2:22 `clients`: the port is out of range: 0 to 65535\n" },
		{ HERD "nodes: {A: {clients: [h, 1]}}\n",
		    "2:22 `clients`: expected HOST:PORT, not a list\n" },
		{ HERD "nodes: {A: {clients: /run/x, admin: x}}\n",
		    "2:22 `clients`: expected HOST:PORT, not `/run/x`\n"
		    "2:37 `admin`: expected /PATH or HOST:PORT, not `x`\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", admin: []}}\n",
		    "2:36 `admin`: a list has 1 to 4 addresses, not 0\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", admin: [/a, /b, /c, /d, "
		       "/e]}}\n",
		    "2:36 `admin`: a list has 1 to 4 addresses, not 5\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", admin: [/a, b, [/c]]}}\n",
		    "2:41 `admin`: expected /PATH or HOST:PORT, not `b`\n"
		    "2:44 `admin`: expected /PATH or HOST:PORT, not a list\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", admin: [/a, /a]}}\n",
		    "2:9 `admin` of node `A` is the same address as `admin` "
		    "of node `A` on line 2\n" },
		/* 107 bytes, and one more */
		{ HERD
		    "nodes: {A: {clients: \"h:1\", admin: "
		    "/0123456789012345678901234567890123456789012345678"
		    "901234567890123456789012345678901234567890123456789123456}}\n",
		    "" },
		{ HERD
		    "nodes: {A: {clients: \"h:1\", admin: "
		    "/0123456789012345678901234567890123456789012345678"
		    "901234567890123456789012345678901234567890123456789123456x}}\n",
		    "2:36 `admin`: too long: a path has at most 107 bytes, a "
		    "host 255\n" },
		{ HERD "nodes:\n" A "  B: {clients: \"127.0.0.1:1\", peers: "
		       "\"127.0.0.1:11\"}\nlinks: [[A, B]]\n",
		    "4:3 `clients` of node `B` is the same address as "
		    "`clients` of node `A` on line 3\n"
		    "4:3 `peers` of node `B` is the same address as `peers` "
		    "of node `A` on line 3\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", admin: \"h:1\"}}\n"
		       "admin: {token_file: t}\n",
		    "2:9 `admin` of node `A` is the same address as `clients` "
		    "of node `A` on line 2\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", admin: /x}, B: {clients: "
		       "\"h:2\", admin: /x}}\n",
		    "2:41 `admin` of node `B` is the same address as `admin` "
		    "of node `A` on line 2\n" },
		/* the system picks a port for each */
		{ HERD "nodes: {A: {clients: \"127.0.0.1:0\", peers: "
		       "\"127.0.0.1:0\"}}\n",
		    "" },
	};

	check_cases(cases, HERD_ARRAY_LEN(cases));
}

static void
test_link_errors_have_suggestions(void **state HERD_UNUSED)
{
	static const struct sample cases[] = {
		{ HERD "nodes:\n" A B "links: x\n",
		    "5:8 `links` takes a list such as [[A, B], [B, C]], not "
		    "text\n" },
		{ HERD "nodes:\n" A B "links: {A: B}\n",
		    "5:8 `links` takes a list such as [[A, B], [B, C]], not "
		    "a mapping\n" },
		{ HERD "nodes: {Riley: {clients: \"h:1\", peers: "
		       "\"127.0.0.1:1\"}}\nlinks: [[Riley, Rilye]]\n",
		    "3:17 unknown node `Rilye`, did you mean `Riley`?\n" },
		{ HERD "nodes:\n" A B "links: [[A, Xyzzy], [Q, A], [[A], B]]\n",
		    "5:13 unknown node `Xyzzy`\n"
		    "5:22 unknown node `Q`\n"
		    "5:30 expected the name of a node, not a list\n" },
		{ HERD "nodes:\n" A B "links: [A, [A], [A, B, A], []]\n",
		    "5:9 a link is two nodes: [A, B] or {between: [A, B], "
		    "dial: A}\n"
		    "5:12 a link is two nodes: [A, B] or {between: [A, B], "
		    "dial: A}\n"
		    "5:17 a link is two nodes: [A, B] or {between: [A, B], "
		    "dial: A}\n"
		    "5:28 a link is two nodes: [A, B] or {between: [A, B], "
		    "dial: A}\n" },
		{ HERD "nodes:\n" A B "links: [[A, A], [A, B]]\n",
		    "5:9 a link from `A` to itself\n" },
		{ HERD "nodes:\n" A B
		       "links:\n- [A, B]\n- [B, A]\n- {between: [A, B]}\n",
		    "7:3 duplicate link between `A` and `B`, first on line 6\n"
		    "8:3 duplicate link between `A` and `B`, first on line "
		    "6\n" },
		{ HERD "nodes:\n" A B "links: [{between: [A, B], dail: A}]\n",
		    "5:27 unknown key `dail` of a link, did you mean "
		    "`dial`?\n" },
		{ HERD "nodes:\n" A B "links: [{between: [A, B], x: A}]\n",
		    "5:27 unknown key `x` of a link, which has `between` and "
		    "`dial`\n" },
		{ HERD "nodes:\n" A B
		       "links: [{dial: A, dial: B, between: [A]}]\n",
		    "5:19 duplicate key `dial`, first on line 5\n"
		    "5:37 a link is two nodes: [A, B] or {between: [A, B], "
		    "dial: A}\n" },
		{ HERD "nodes: {-a: {clients: \"h:1\"}}\nlinks: [[a, b]]\n",
		    "2:9 `-a` is no name for a node: 1 to 64 letters, digits, "
		    "'.', '_' or '-', the first one a letter or digit\n" },
		{ HERD "nodes:\n" A B "links: [{dial: A}]\n",
		    "5:9 a link lacks `between`: its two nodes, [A, B]\n" },
		{ HERD "nodes:\n" A B C
		       "links: [{between: [A, B], dial: C}, [B, C]]\n",
		    "6:33 `dial` must be one of the link's nodes, `A` or "
		    "`B`\n" },
		{ HERD "nodes:\n" A B "links: [{between: [A, B], dial: Z}]\n",
		    "5:33 unknown node `Z`\n" },
		{ HERD "nodes:\n" A
		       "  B: {clients: \"h:1\"}\nlinks: [[A, B]]\n",
		    "4:3 node `B` has links but no `peers`: the address "
		    "where it listens for other nodes, such as "
		    "\"127.0.0.1:12101\"\n" },
	};

	check_cases(cases, HERD_ARRAY_LEN(cases));
}

static void
test_setting_errors_say_what_is_allowed(void **state HERD_UNUSED)
{
	static const struct sample cases[] = {
		{ GOOD "workers: 65\nmax_line: 1\nmax_ahead: 5\n",
		    "6:10 `workers`: expected a whole number from 0 to 64, "
		    "not `65`\n"
		    "7:11 `max_line`: expected a size such as 8K from 1K to "
		    "64K, not `1`\n"
		    "8:12 `max_ahead`: expected a time such as 1m30s or 200ms "
		    "from 0 to 3650d, not `5`\n" },
		{ GOOD "workers: [1]\nmax_line: {}\nmax_ahead:\n",
		    "6:10 `workers`: expected a whole number from 0 to 64, "
		    "not a list\n"
		    "7:11 `max_line`: expected a size such as 8K from 1K to "
		    "64K, not a mapping\n"
		    "8:11 `max_ahead` has no value: expected a time such as "
		    "1m30s or 200ms from 0 to 3650d\n" },
		{ GOOD "places: {provider: [google, gogle, [x], google]}\n",
		    "6:29 `places.provider`: expected one or a list of "
		    "gazetteer, google, google-legacy, photon or none, not "
		    "`gogle`, did you mean `google`?\n"
		    "6:36 `places.provider`: expected one or a list of "
		    "gazetteer, google, google-legacy, photon or none, not a "
		    "list\n"
		    "6:41 `places.provider`: `google` is named twice\n" },
		{ GOOD "places: {provider: []}\n",
		    "6:20 `places.provider`: expected one or a list of "
		    "gazetteer, google, google-legacy, photon or none, not a "
		    "list\n" },
		{ GOOD "log: {traffic: off}\n",
		    "6:16 `log.traffic` takes a path: leave it out, or write "
		    "\"\" for none\n" },
		{ GOOD "log: {traffic: \"%d\"}\n",
		    "6:16 `log.traffic`: expected a path, in which %n is the "
		    "node's name and %% is %, not `%d`\n" },
	};

	check_cases(cases, HERD_ARRAY_LEN(cases));
}

static void
test_settings_that_exclude_each_other_are_refused(void **state HERD_UNUSED)
{
#define FAR HERD "nodes: {A: {clients: \"h:1\", peers: \"10.0.0.1:2\"}}\n"
	static const struct sample cases[] = {
		{ FAR,
		    "2:9 `peers` of node `A` can be reached from other "
		    "machines: set `key_file`, or `link_security: none` to go "
		    "without encryption\n" },
		{ FAR "link_security: none\n", "" },
		{ FAR "key_file: herd.key\n", "" },
		{ FAR "link_security: tls\nkey_file: herd.key\n", "" },
		{ GOOD "link_security: tls\n",
		    "6:16 `link_security: tls` needs `key_file`\n" },
		{ GOOD "admin: {listen: \"127.0.0.1:9\"}\n",
		    "6:17 `admin.listen` needs `admin.token_file` or "
		    "`admin.read_token_file`\n" },
		{ GOOD "admin: {listen: \"127.0.0.1:9\", token_file: t}\n",
		    "" },
		{ GOOD "admin: {listen: \"127.0.0.1:9\", read_token_file: t}\n",
		    "" },
		{ HERD
		    "nodes: {A: {clients: \"h:1\", admin: \"127.0.0.1:9\"}}\n",
		    "2:9 `admin` of node `A` is a TCP address, which needs "
		    "`admin.token_file` or `admin.read_token_file`; a /PATH "
		    "does not\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", admin: [/a, "
		       "\"10.0.0.1:9\"]}}\nadmin: {token_file: t}\n",
		    "2:9 `admin` of node `A` can be reached from other "
		    "machines: set `admin.tls_cert` and `admin.tls_key`, or "
		    "`admin.plaintext: yes` to send its tokens in clear\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", admin: [/a, "
		       "\"10.0.0.1:9\"]}}\nadmin: {token_file: t, "
		       "plaintext: yes}\n",
		    "" },
		{ HERD "nodes: {A: {clients: \"h:1\", admin: [/a, "
		       "\"10.0.0.1:9\"]}}\nadmin: {client_ca: c, tls_cert: "
		       "c, tls_key: k}\n",
		    "" },
		{ GOOD "admin: {listen: \"0.0.0.0:9\", token_file: t}\n",
		    "6:17 `admin.listen` can be reached from other machines: "
		    "set `admin.tls_cert` and `admin.tls_key`, or "
		    "`admin.plaintext: yes` to send its tokens in clear\n" },
		{ GOOD "admin: {tls_cert: c}\nclients: {tls_key: k, bind_ids: "
		       "yes}\n",
		    "6:19 `admin.tls_cert` needs `admin.tls_key`\n"
		    "7:20 `clients.tls_key` needs `clients.tls_cert`\n"
		    "7:33 `clients.bind_ids` needs `clients.client_ca`: the "
		    "names are those of clients' certificates\n" },
		{ HERD
		    "nodes: {A: {clients: \"h:1\", http: \"127.0.0.1:9\"}}\n",
		    "2:9 `http` of node `A` needs `http.users_file`: the file "
		    "that `herdctl user add` makes\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", http: \"10.0.0.1:9\"}}\n"
		       "http: {users_file: u}\n",
		    "2:9 `http` of node `A` can be reached from other "
		    "machines: set `http.tls_cert` and `http.tls_key`, or "
		    "`http.trust_proxy` if a proxy ends TLS\n" },
		{ HERD "nodes: {A: {clients: \"h:1\", http: \"10.0.0.1:9\"}}\n"
		       "http: {users_file: u, trust_proxy: \"fd00::1\"}\n",
		    "" },
		{ GOOD "http: {trust_proxy: proxy.example}\n",
		    "6:21 `http.trust_proxy` takes a numeric address such as "
		    "10.0.0.1 or fd00::1, without a port\n" },
		{ GOOD "http: {tls_key: k}\n",
		    "6:17 `http.tls_key` needs `http.tls_cert`\n" },
		{ GOOD "http: {friends: [[jane, \"a b\"]]}\n",
		    "6:25 `http.friends`: expected a list of lists of names "
		    "such as [[jane, john], [ann, bob]], not text\n" },
		{ GOOD "clients: {client_ca: c}\n",
		    "6:22 `clients.client_ca` needs `clients.tls_cert`: "
		    "certificates are shown over TLS only\n" },
		{ GOOD "places: {provider: google}\n",
		    "6:20 Google needs an API key: put it into a file of mode "
		    "0600 and name that with `places.key_file`\n" },
		{ GOOD "places: {provider: google, key_file: k}\n", "" },
		{ GOOD "places: {provider: [gazetteer, none]}\n",
		    "6:20 `none` must be the only word of "
		    "`places.provider`\n" },
		{ GOOD "places: {base_url: \"http://10.0.0.1/\"}\n",
		    "6:20 `places.base_url` must begin with https:// (http:// "
		    "is for a service on this machine)\n" },
		{ GOOD "places: {provider: [photon, google], key_file: k,"
		       " base_url: \"https://x\"}\n",
		    "6:61 `places.base_url` is for one provider, and "
		    "`places.provider` has several on the network\n" },
		{ GOOD "places: {provider: [photon, gazetteer],"
		       " base_url: \"http://[::1]:2322/\"}\n",
		    "" },
		{ GOOD "store: {durability: sync}\n",
		    "6:21 `store.durability: sync` needs a `store.engine`\n" },
		{ GOOD "store: {engine: sqlite, write: all}\n",
		    "6:32 `store.write` is for a store that nodes share, and "
		    "`store.engine` names a file\n" },
		{ GOOD "link: {dead_after: 5s}\n",
		    "6:20 `link.dead_after` must be longer than "
		    "`link.ping_after`\n" },
		{ GOOD "link: {ping_after: 15s}\n",
		    "6:20 `link.dead_after` must be longer than "
		    "`link.ping_after`\n" },
	};
#undef FAR

	check_cases(cases, HERD_ARRAY_LEN(cases));
}

#define LINKED HERD "nodes:\n" A B "links: [[A, B]]\n"

/* A report has to outlive a comparison, and an outage. */
static void
test_short_life_of_reports_is_warned_of(void **state HERD_UNUSED)
{
	static const struct sample cases[] = {
		{ LINKED "expire_after: 12m\n", "" },
		{ LINKED "expire_after: 0\n", "" },
		{ HERD "nodes:\n" A "expire_after: 1s\n", "" },
		{ LINKED "expire_after: 11m\n",
		    "6:15 warning: `expire_after` is shorter than 1.2 times "
		    "`link.verify_every`: a report that a link lost expires "
		    "before a comparison finds it\n" },
		{ LINKED
		    "expire_after: 1m\nlink: {verify_every: 1s, dead_after: "
		    "15s, redial_max: 5s}\n",
		    "6:15 warning: `expire_after` is shorter than 10 times "
		    "`link.dead_after` and `link.redial_max`: many reports "
		    "expire while a link is down\n" },
		{ LINKED
		    "expire_after: 200s\nlink: {verify_every: 1s, dead_after: "
		    "15s, redial_max: 5s}\n",
		    "" },
	};

	check_cases(cases, HERD_ARRAY_LEN(cases));
}

static void
test_unconnected_herd_is_warned_of(void **state HERD_UNUSED)
{
	static const struct sample cases[] = {
		{ HERD "nodes:\n" A B,
		    "0:0 warning: the links leave the herd in 2 parts that "
		    "exchange no reports\n"
		    "3:3 warning: node `A` has no links: it gets no reports "
		    "from other nodes\n"
		    "4:3 warning: node `B` has no links: it gets no reports "
		    "from other nodes\n" },
		{ HERD "nodes:\n" A B C "links: [[A, B]]\n",
		    "5:3 warning: node `C` has no links: it gets no reports "
		    "from other nodes\n"
		    "6:8 warning: the links leave the herd in 2 parts that "
		    "exchange no reports\n" },
		/* not beside errors */
		{ HERD "nodes:\n" A B "wrkers: 1\n",
		    "5:1 unknown setting `wrkers`, did you mean "
		    "`workers`?\n" },
	};

	check_cases(cases, HERD_ARRAY_LEN(cases));
}

/* --- limits -------------------------------------------------------------- */

/* A star: node0 with `links` others, and `more` nodes without links. */
static void
write_star(struct buf *out, size_t nodes, size_t links)
{
	size_t i;

	buf_clear(out);
	assert_ok(buf_add_text(out, HERD "nodes:\n"));
	for (i = 0; i < nodes; i++)
		assert_ok(buf_addf(out,
		    " n%zu: {clients: \"127.0.%zu.%zu:1\", peers: "
		    "\"127.0.%zu.%zu:2\"}\n",
		    i, i / 250, i % 250, i / 250, i % 250));
	assert_ok(buf_add_text(out, "links:\n"));
	for (i = 1; i <= links; i++)
		assert_ok(buf_addf(out, "- [n0, n%zu]\n", i));
}

static void
test_limits_are_named(void **state HERD_UNUSED)
{
	struct herdfile file;
	struct buf text, got;
	size_t i;

	buf_init(&text, 4u << 20);
	buf_init(&got, 1u << 20);
	write_star(&text, HERDFILE_DEGREE_MAX + 1u, HERDFILE_DEGREE_MAX);
	assert_ok(parse(buf_span(&text), &got, &file));
	assert_buf(&got, "");
	herdfile_release(&file);
	write_star(&text, HERDFILE_DEGREE_MAX + 3u, HERDFILE_DEGREE_MAX + 2u);
	assert_int_equal(parse(buf_span(&text), &got, &file), HERD_ESYNTAX);
	assert_buf(&got, "103:3 node `n0` has more than 48 links\n");

	write_star(&text, HERDFILE_NODES_MAX, 1);
	buf_clear(&got);
	assert_ok(parse(buf_span(&text), &got, &file));
	assert_int_equal(file.node_count, HERDFILE_NODES_MAX);
	herdfile_release(&file);
	write_star(&text, HERDFILE_NODES_MAX + 1u, 0);
	buf_clear(&got);
	assert_int_equal(parse(buf_span(&text), &got, &file), HERD_ESYNTAX);
	assert_buf(&got, "3:2 4097 nodes: a herd has at most 4096\n");

	buf_clear(&text);
	buf_clear(&got);
	assert_ok(buf_add_text(&text, HERD "nodes:\n" A B "links: ["));
	for (i = 0; i <= HERDFILE_LINKS_MAX; i++)
		assert_ok(buf_add_text(&text, "[A,B],"));
	assert_ok(buf_add_text(&text, "]\n"));
	assert_int_equal(parse(buf_span(&text), &got, &file), HERD_ESYNTAX);
	assert_buf(&got, "5:8 65537 links: a herd has at most 65536\n");

	buf_clear(&text);
	buf_clear(&got);
	assert_ok(buf_add_text(&text, GOOD "#"));
	while (text.len < HERDFILE_BYTES_MAX)
		assert_ok(buf_add_byte(&text, 'x'));
	assert_ok(parse(buf_span(&text), &got, &file));
	herdfile_release(&file);
	assert_ok(buf_add_byte(&text, 'x'));
	assert_int_equal(parse(buf_span(&text), &got, &file), HERD_ESYNTAX);
	assert_buf(&got, "0:0 larger than 1048576 bytes\n");
	buf_release(&text);
	buf_release(&got);
}

static void
test_errors_beyond_the_limit_are_counted(void **state HERD_UNUSED)
{
	struct diagnostics diagnostics;
	struct herdfile file;
	struct buf text;
	size_t i;

	buf_init(&text, 1u << 20);
	assert_ok(buf_add_text(&text, GOOD));
	for (i = 0; i < 300; i++)
		assert_ok(buf_addf(&text, "unknown%zu: 1\n", i));
	diagnostics_init(&diagnostics);
	assert_int_equal(
	    herdfile_parse(buf_span(&text), &file, &diagnostics), HERD_ESYNTAX);
	assert_int_equal(diagnostics.count, HERDFILE_DIAGNOSTICS_MAX);
	assert_int_equal(diagnostics.errors, 300);
	diagnostics_release(&diagnostics);
	buf_release(&text);
}

/* 65,536 links of unknown nodes, 300,000 keys: no quadratic time. */
static void
test_hostile_files_take_no_long_time(void **state HERD_UNUSED)
{
	static const char *const pieces[] = { "[q,q],", "a,", "a: ,", "? a,",
		"[", "{", "\"", "- ", "a: ", "&a ", "'a':\n" };
	static const char *const heads[] = { HERD "nodes:\n" A B "links: [",
		"{", "" };
	struct herdfile file;
	struct buf text, got;
	size_t i, head;

	buf_init(&text, HERDFILE_BYTES_MAX);
	buf_init(&got, 1u << 20);
	for (head = 0; head < HERD_ARRAY_LEN(heads); head++)
		for (i = 0; i < HERD_ARRAY_LEN(pieces); i++) {
			buf_clear(&text);
			buf_clear(&got);
			assert_ok(buf_add_text(&text, heads[head]));
			while (text.len < HERDFILE_BYTES_MAX / 4u)
				assert_ok(buf_add_text(&text, pieces[i]));
			assert_ok(buf_add_byte(&text, head == 0 ? ']' : '}'));
			assert_int_equal(
			    parse(buf_span(&text), &got, &file), HERD_ESYNTAX);
		}
	buf_release(&text);
	buf_release(&got);
}

/* --- paths and files ----------------------------------------------------- */

static void
test_expand_puts_the_node_in(void **state HERD_UNUSED)
{
	static const struct {
		const char *text, *base, *result;
	} cases[] = { { "herd-%n.sqlite", NULL, "herd-Riley.sqlite" },
		{ "herd-%n.sqlite", "/etc/herd",
		    "/etc/herd/herd-Riley.sqlite" },
		{ "/x/%n/%n", "/etc/herd", "/x/Riley/Riley" },
		{ "100%%", NULL, "100%" }, { "%%n", NULL, "%n" },
		{ "", "/etc/herd", "" }, { "x", ".", "./x" } };
	struct buf out;
	size_t i;

	buf_init(&out, 100);
	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		assert_ok(herdfile_expand(
		    &out, cases[i].text, "Riley", cases[i].base));
		assert_buf(&out, cases[i].result);
	}
	assert_int_equal(
	    herdfile_expand(&out, "a%d", "Riley", "/b"), HERD_ESYNTAX);
	assert_int_equal(
	    herdfile_expand(&out, "a%", "Riley", "/b"), HERD_ESYNTAX);
	assert_buf(&out, "./x");
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_gives_herd_nodes_links_and_settings),
		cmocka_unit_test(test_smallest_files_are_good),
		cmocka_unit_test(test_what_is_not_yaml_is_shown_in_place),
		cmocka_unit_test(test_top_level_errors_have_suggestions),
		cmocka_unit_test(test_node_errors_have_suggestions),
		cmocka_unit_test(test_link_errors_have_suggestions),
		cmocka_unit_test(test_setting_errors_say_what_is_allowed),
		cmocka_unit_test(
		    test_settings_that_exclude_each_other_are_refused),
		cmocka_unit_test(test_short_life_of_reports_is_warned_of),
		cmocka_unit_test(test_unconnected_herd_is_warned_of),
		cmocka_unit_test(test_limits_are_named),
		cmocka_unit_test(test_errors_beyond_the_limit_are_counted),
		cmocka_unit_test(test_hostile_files_take_no_long_time),
		cmocka_unit_test(test_expand_puts_the_node_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
