/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herd/text.h"

static enum herd_error
note(struct diagnostics *diagnostics, const char *text)
{
	struct diagnostic *items = realloc(
	    diagnostics->items, (diagnostics->count + 1) * sizeof(*items));

	if (items == NULL)
		return HERD_ENOMEM;
	diagnostics->items = items;
	items[diagnostics->count] =
	    (struct diagnostic){ .severity = DIAGNOSTIC_ERROR,
		    .text = strdup(text) };
	if (items[diagnostics->count].text == NULL)
		return HERD_ENOMEM;
	diagnostics->count++;
	diagnostics->errors++;
	return HERD_OK;
}

/* "no node `Rily` in herd ucla, did you mean `Riley`?" */
static enum herd_error
note_no_node(struct diagnostics *diagnostics, const struct herdfile *file,
    const char *name)
{
	const char **names = calloc(file->node_count + 1, sizeof(*names));
	const char *meant;
	char text[512];

	if (names == NULL)
		return HERD_ENOMEM;
	for (size_t i = 0; i < file->node_count; i++)
		names[i] = file->nodes[i].name;
	meant = text_did_you_mean(span_from(name), names);
	snprintf(text, sizeof(text), "no node `%s` in herd %s%s%s%s", name,
	    file->herd, meant == NULL ? "" : ", did you mean `",
	    meant == NULL ? "" : meant, meant == NULL ? "" : "`?");
	free(names);
	return note(diagnostics, text);
}

enum herd_error
config_load(const char *path, const char *name, struct herdfile *file,
    size_t *self, struct diagnostics *diagnostics)
{
	struct herdfile parsed;
	enum herd_error error;
	struct buf text;

	buf_init(&text, HERDFILE_BYTES_MAX);
	errno = 0;
	error = file_read(path, HERDFILE_BYTES_MAX, &text);
	if (error != HERD_OK) {
		error = note(diagnostics,
		    errno != 0 ? strerror(errno) : herd_strerror(error));
		buf_release(&text);
		return error == HERD_OK ? HERD_ESYSTEM : error;
	}
	error = herdfile_parse(buf_span(&text), &parsed, diagnostics);
	buf_release(&text);
	if (error != HERD_OK)
		return error;
	if (name[0] != '\0' &&
	    herdfile_find(&parsed, span_from(name), self) != HERD_OK) {
		error = note_no_node(diagnostics, &parsed, name);
		herdfile_release(&parsed);
		return error == HERD_OK ? HERD_ENOTFOUND : error;
	}
	*file = parsed;
	return HERD_OK;
}

enum herd_error
config_print(
    struct buf *out, const char *path, const struct diagnostics *diagnostics)
{
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < diagnostics->count && error == HERD_OK; i++) {
		const struct diagnostic *item = &diagnostics->items[i];
		const char *kind =
		    item->severity == DIAGNOSTIC_ERROR ? "error" : "warning";

		if (item->line == 0)
			error = buf_addf(
			    out, "%s: %s: %s\n", path, kind, item->text);
		else
			error = buf_addf(out, "%s:%u:%u: %s: %s\n", path,
			    item->line, item->column, kind, item->text);
	}
	return error;
}

/* --- reload ------------------------------------------------------------- */

void
reload_init(struct reload *reload)
{
	memset(reload, 0, sizeof(*reload));
	diagnostics_init(&reload->diagnostics);
}

void
reload_release(struct reload *reload)
{
	diagnostics_release(&reload->diagnostics);
}

static void
reload_add(struct reload *reload, bool now, const char *name)
{
	assert(reload->applied_count < RELOAD_NAMES_MAX &&
	       reload->restart_count < RELOAD_NAMES_MAX);
	if (now)
		reload->applied[reload->applied_count++] = name;
	else
		reload->restart[reload->restart_count++] = name;
}

static bool
nodes_are_equal(const struct herdfile *a, const struct herdfile *b)
{
	if (a->node_count != b->node_count)
		return false;
	for (size_t i = 0; i < a->node_count; i++) {
		const struct herdfile_node *x = &a->nodes[i];
		const struct herdfile_node *y = &b->nodes[i];

		if (strcmp(x->name, y->name) != 0 ||
		    !address_equal(&x->peers, &y->peers) ||
		    !address_equal(&x->clients, &y->clients) ||
		    !address_equal(&x->admin, &y->admin))
			return false;
	}
	return true;
}

static bool
links_are_equal(const struct herdfile *a, const struct herdfile *b)
{
	if (a->link_count != b->link_count)
		return false;
	for (size_t i = 0; i < a->link_count; i++) {
		const struct herdfile_link *x = &a->links[i];
		const struct herdfile_link *y = &b->links[i];

		if (strcmp(a->nodes[x->a].name, b->nodes[y->a].name) != 0 ||
		    strcmp(a->nodes[x->b].name, b->nodes[y->b].name) != 0 ||
		    x->b_dials != y->b_dials)
			return false;
	}
	return true;
}

void
config_compare(struct reload *reload, const struct herdfile *boot,
    size_t boot_self, const struct herdfile *running,
    const struct herdfile *file, size_t self)
{
	const struct herdfile_node *before = &boot->nodes[boot_self];
	const struct herdfile_node *after = &file->nodes[self];
	const struct setting *table;
	size_t count;

	if (strcmp(boot->herd, file->herd) != 0)
		reload_add(reload, false, "herd");
	if (!address_equal(&before->clients, &after->clients) ||
	    !address_equal(&before->peers, &after->peers) ||
	    !address_equal(&before->admin, &after->admin))
		reload_add(reload, false, "addresses of this node");
	if (!nodes_are_equal(running, file))
		reload_add(reload, true, "nodes");
	if (!links_are_equal(running, file))
		reload_add(reload, true, "links");
	table = settings_table(&count);
	for (size_t i = 0; i < count; i++) {
		const struct herdfile *from =
		    table[i].reloadable ? running : boot;

		if (!setting_equal(&table[i], &from->settings, &file->settings))
			reload_add(reload, table[i].reloadable, table[i].name);
	}
}
