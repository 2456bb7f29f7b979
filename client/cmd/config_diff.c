/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config diff: what nodes run against the herd file as herdctl reads it now:
 * settings, the addresses of nodes, links. And the keys of nodes between them.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "run/fields.h"

/* clang-format off */
#define DIFF_COLUMNS(X) \
	X(DIFF_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_ALWAYS) \
	X(DIFF_NAME, "name", "SETTING", VALUE_TEXT, .traits = COLUMN_NAME) \
	X(DIFF_RUNNING, "running", "RUNNING", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(DIFF_FILE, "file", "FILE", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(DIFF_RELOADABLE, "reloadable", "RELOADABLE", VALUE_BOOL, .drop = 1) \
	X(DIFF_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE)
/* clang-format on */

COLUMN_TABLE(columns, DIFF_COLUMNS);

static const struct view config_diff_view =
    VIEW(columns, .schema = "herd.config-diff/1", .list = "differences");

struct comparison {
	struct run *run;
	const struct answer *answer;
	const struct herdfile *file;
	size_t differing;
};

/* A row for it; NULL means "not there". */
static void
differ(struct comparison *c, const char *name, const char *running,
    const char *file, const cJSON *reloadable)
{
	struct out *out = &c->run->out;

	c->differing++;
	fields_set_node(out, c->answer->target->name);
	out_word(out, DIFF_NAME, name);
	out_word(out, DIFF_RUNNING, running);
	out_word(out, DIFF_FILE, file);
	if (cJSON_IsBool(reloadable))
		out_bool(out, DIFF_RELOADABLE, cJSON_IsTrue(reloadable));
	out_row(out);
}

static void
compare_settings(struct comparison *c)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, fields_at(c->answer->json, "settings")) {
		const char *name = fields_text(item, "name");
		const char *running = fields_text(item, "value");
		const struct setting *setting =
		    name == NULL ? NULL : setting_find(span_from(name));
		struct buf value = XBUF;

		if (setting == NULL || running == NULL || setting->secret)
			continue;
		must(setting_get(&c->file->settings, setting, &value));
		if (strcmp(text_of(&value), running) != 0)
			differ(c, name, running, text_of(&value),
			    fields_at(item, "reloadable"));
		buf_release(&value);
	}
}

static void
compare_addresses(struct comparison *c, const char *node, const char *key,
    const char *running, const struct address_list *list)
{
	struct buf text = XBUF;
	char *name = xasprintf("nodes.%s.%s", node, key);
	const char *file = NULL;

	if (list->count > 0) {
		must(address_list_format(&text, list));
		file = text_of(&text);
	}
	if ((file == NULL) != (running == NULL) ||
	    (file != NULL && strcmp(file, running) != 0))
		differ(c, name, running, file, NULL);
	buf_release(&text);
	free(name);
}

static void
compare_address(struct comparison *c, const char *node, const char *key,
    const char *running, const struct address *address)
{
	const struct address_list list = {
		.count = address->kind != ADDRESS_NONE, .items = { *address }
	};

	compare_addresses(c, node, key, running, &list);
}

static void
compare_nodes(struct comparison *c)
{
	const struct herdfile *file = c->file;
	bool *seen = xcalloc(file->node_count, sizeof(*seen));
	const cJSON *item;

	cJSON_ArrayForEach(item, fields_at(c->answer->json, "nodes")) {
		const char *name = fields_text(item, "node");
		size_t i;

		if (name == NULL)
			continue;
		if (herdfile_find(file, span_from(name), &i) != HERD_OK) {
			char *key = xasprintf("nodes.%s", name);

			differ(c, key, "a node", NULL, NULL);
			free(key);
			continue;
		}
		seen[i] = true;
		compare_address(c, name, "clients",
		    fields_text(item, "clients"), &file->nodes[i].clients);
		compare_address(c, name, "peers", fields_text(item, "peers"),
		    &file->nodes[i].peers);
		compare_address(c, name, "http", fields_text(item, "http"),
		    &file->nodes[i].http);
		compare_addresses(c, name, "admin", fields_text(item, "admin"),
		    &file->nodes[i].admin);
	}
	for (size_t i = 0; i < file->node_count; i++) {
		if (!seen[i])
			differ(c, file->nodes[i].name, NULL, "a node", NULL);
	}
	free(seen);
}

static bool
is_link(const struct herdfile *file, const struct herdfile_link *link,
    const cJSON *item)
{
	const char *a = fields_text(item, "a");
	const char *b = fields_text(item, "b");
	const char *left = file->nodes[link->a].name;
	const char *right = file->nodes[link->b].name;

	return a != NULL && b != NULL &&
	       ((strcmp(a, left) == 0 && strcmp(b, right) == 0) ||
		   (strcmp(a, right) == 0 && strcmp(b, left) == 0));
}

static void
compare_links(struct comparison *c)
{
	const struct herdfile *file = c->file;
	const cJSON *links = fields_at(c->answer->json, "links");
	bool *seen = xcalloc(file->link_count, sizeof(*seen));
	const cJSON *item;

	cJSON_ArrayForEach(item, links) {
		bool known = false;

		for (size_t i = 0; i < file->link_count; i++) {
			if (is_link(file, &file->links[i], item))
				seen[i] = known = true;
		}
		if (!known) {
			char *key = xasprintf("links.%s-%s",
			    fields_text(item, "a"), fields_text(item, "b"));

			differ(c, key, "a link", NULL, NULL);
			free(key);
		}
	}
	for (size_t i = 0; i < file->link_count; i++) {
		char *key =
		    xasprintf("links.%s-%s", file->nodes[file->links[i].a].name,
			file->nodes[file->links[i].b].name);

		if (!seen[i])
			differ(c, key, NULL, "a link", NULL);
		free(key);
	}
	free(seen);
}

/* --- keys ----------------------------------------------------------------- */

/* Each node has these key files; their contents are compared by fingerprint. */
static const char *const key_settings[] = { "key_file", "admin.token_file",
	"admin.read_token_file" };

/*
 * The fingerprints of that key file, separated by spaces; NULL if the node
 * does not say, as those of older versions.
 */
static char *
fingerprints(const struct answer *answer, const char *setting)
{
	const cJSON *keys = fields_at(answer->json, "keys");
	struct buf text = XBUF;
	const cJSON *ring;
	const cJSON *item;

	if (answer->status != STATUS_OK || !cJSON_IsArray(keys))
		return NULL;
	cJSON_ArrayForEach(ring, keys) {
		if (!fields_says(ring, "name", setting))
			continue;
		cJSON_ArrayForEach(item, fields_at(ring, "fingerprints")) {
			if (!cJSON_IsString(item))
				continue;
			put_text(&text, text.len == 0 ? "" : " ");
			put_text(&text, item->valuestring);
		}
	}
	return text_take(&text);
}

/* The text that most of them are, the first of several; NULL: none. */
static const char *
most_common(char *const *texts, size_t count)
{
	const char *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t same = 0;

		for (size_t j = 0; texts[i] != NULL && j < count; j++)
			same +=
			    texts[j] != NULL && strcmp(texts[i], texts[j]) == 0;
		if (same > most) {
			most = same;
			best = texts[i];
		}
	}
	return best;
}

/* A row for each node whose file is not what most nodes have. */
static size_t
compare_key_file(
    struct run *run, const struct answers *answers, const char *setting)
{
	char *name = xasprintf("%s.fingerprints", setting);
	char **texts = xcalloc(answers->count + 1, sizeof(*texts));
	size_t differing = 0;
	const char *usual;

	for (size_t i = 0; i < answers->count; i++)
		texts[i] = fingerprints(&answers->items[i], setting);
	usual = most_common(texts, answers->count);
	for (size_t i = 0; i < answers->count; i++) {
		struct comparison c = { .run = run,
			.answer = &answers->items[i] };

		if (texts[i] != NULL && strcmp(texts[i], usual) != 0)
			differ(&c, name, texts[i], usual, NULL);
		differing += c.differing;
	}
	for (size_t i = 0; i < answers->count; i++)
		free(texts[i]);
	free(texts);
	free(name);
	return differing;
}

/* A file whose path has %n is meant to be another at each node. */
static bool
is_per_node(const struct herdfile *file, const char *setting)
{
	struct buf value = XBUF;
	bool found;

	must(setting_get(
	    &file->settings, setting_find(span_from(setting)), &value));
	found = strstr(text_of(&value), "%n") != NULL;
	buf_release(&value);
	return found;
}

static size_t
compare_keys(struct run *run, const struct answers *answers)
{
	size_t differing = 0;

	for (size_t i = 0; i < HERD_ARRAY_LEN(key_settings); i++) {
		if (i > 0 && is_per_node(&run->herd->file, key_settings[i]))
			continue;
		differing += compare_key_file(run, answers, key_settings[i]);
	}
	return differing;
}

static size_t
compare_all(struct run *run, const struct answers *answers)
{
	size_t differing = 0;

	for (size_t i = 0; i < answers->count; i++) {
		struct comparison c = { .run = run,
			.answer = &answers->items[i],
			.file = &run->herd->file };

		if (c.answer->status != STATUS_OK) {
			if (run->all_nodes)
				answer_put_failure(&run->out, c.answer);
			continue;
		}
		compare_settings(&c);
		compare_nodes(&c);
		compare_links(&c);
		differing += c.differing;
	}
	return differing + compare_keys(run, answers);
}

static enum status
config_diff_run(struct run *run)
{
	struct answers answers;
	enum status status = run_targets(run);
	size_t differing;

	if (status != STATUS_OK)
		return status;
	if (!run->herd->has_file)
		return run_fail(run, STATUS_USAGE,
		    "`config diff' needs a herd file: -c FILE");
	status = fields_ask(
	    run, &(struct fields_request){ .path = "/v1/config" }, &answers);
	if (status != STATUS_OK)
		return status;
	differing = compare_all(run, &answers);
	out_member_bool(&run->out, "equal", differing == 0);
	out_footer(&run->out,
	    differing == 0 ? "nothing differs from %s"
			   : "something differs from %s",
	    run->herd->path);
	status = fields_finish(run, &answers);
	return status == STATUS_OK && differing > 0 ? STATUS_NEGATIVE : status;
}

const struct command cmd_config_diff = {
	.path = "config diff",
	.summary = "compare what nodes run with the herd file",
	.help =
	    "The exit status is 1 when they differ. Key and token files are "
	    "compared between the nodes, by the fingerprints of what they "
	    "hold: FILE is then what most nodes have.",
	.group = GROUP_CONFIG,
	.view = &config_diff_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = config_diff_run,
	.example = "config diff -n all",
};
