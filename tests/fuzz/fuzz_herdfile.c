/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A herd file: whatever it holds, it is read whole or every error is named. */
#include "herd/herdfile.h"

#include <string.h>

#include "fuzz.h"

static void
check_links(const struct herdfile *file)
{
	const struct herdfile_link *link;
	size_t i, peer;

	for (i = 0; i < file->link_count; i++) {
		link = &file->links[i];
		assert(link->a < file->node_count);
		assert(link->b < file->node_count);
		assert(strcmp(file->nodes[link->a].name,
			   file->nodes[link->b].name) < 0);
		assert(herdfile_dials(link, link->a) !=
		       herdfile_dials(link, link->b));
		assert(
		    herdfile_link_peer(file, link, link->a, &peer) == HERD_OK &&
		    peer == link->b);
		assert(file->nodes[link->a].peers.kind == ADDRESS_TCP);
		assert(file->nodes[link->b].peers.kind == ADDRESS_TCP);
	}
}

static void
check_nodes(const struct herdfile *file)
{
	size_t i, index;

	assert(file->node_count > 0);
	for (i = 0; i < file->node_count; i++) {
		assert(node_name_is_valid(span_from(file->nodes[i].name)));
		assert(file->nodes[i].clients.kind == ADDRESS_TCP);
		assert(herdfile_find(file, span_from(file->nodes[i].name),
			   &index) == HERD_OK &&
		       index == i);
	}
}

/* What the file says is what setting_get writes is what setting_set reads. */
static void
check_settings(const struct settings *settings)
{
	size_t count, i;
	const struct setting *table = settings_table(&count);
	struct settings again;
	struct buf text;

	if (settings_init(&again) != HERD_OK)
		return;
	buf_init(&text, SETTING_GROUPS_MAX);
	for (i = 0; i < count; i++) {
		buf_clear(&text);
		setting_clear(&again, &table[i]);
		if (setting_get(settings, &table[i], &text) == HERD_OK &&
		    setting_set(&again, &table[i], buf_span(&text), NULL) ==
			HERD_OK)
			assert(setting_equal(&table[i], settings, &again));
		else
			abort();
	}
	buf_release(&text);
	settings_release(&again);
}

static void
check_diagnostics(const struct diagnostics *diagnostics)
{
	const struct diagnostic *item, *before = NULL;
	const char *p;
	size_t i;

	assert(diagnostics->count <= HERDFILE_DIAGNOSTICS_MAX);
	for (i = 0; i < diagnostics->count; i++) {
		item = &diagnostics->items[i];
		assert(before == NULL || before->line <= item->line);
		for (p = item->text; *p != '\0'; p++)
			assert(*p >= ' ' && *p <= '~');
		before = item;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diagnostics diagnostics;
	struct herdfile file;
	enum herd_error error;

	diagnostics_init(&diagnostics);
	error = herdfile_parse(
	    span_of((const char *)data, size), &file, &diagnostics);
	check_diagnostics(&diagnostics);
	if (error == HERD_OK) {
		assert(diagnostics.errors == 0);
		check_nodes(&file);
		check_links(&file);
		check_settings(&file.settings);
		herdfile_release(&file);
	} else {
		assert(diagnostics.errors > 0 || error == HERD_ENOMEM);
	}
	diagnostics_release(&diagnostics);
	return 0;
}
