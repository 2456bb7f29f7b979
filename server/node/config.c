/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herd/text.h"

enum herd_error
config_note(struct diagnostics *diagnostics, const char *text)
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
	return config_note(diagnostics, text);
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
		error = config_note(diagnostics,
		    errno != 0 ? file_strerror(errno) : herd_strerror(error));
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
config_print(struct buf *out, const char *path,
    const struct diagnostics *diagnostics, bool to_journal)
{
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < diagnostics->count && error == HERD_OK; i++) {
		const struct diagnostic *item = &diagnostics->items[i];
		bool bad = item->severity == DIAGNOSTIC_ERROR;
		const char *kind = bad ? "error" : "warning";

		if (to_journal)
			error = buf_add_text(
			    out, log_priority(bad ? LOG_ERROR : LOG_WARN));
		if (error != HERD_OK)
			break;
		if (item->line == 0)
			error = buf_addf(
			    out, "%s: %s: %s\n", path, kind, item->text);
		else
			error = buf_addf(out, "%s:%u:%u: %s: %s\n", path,
			    item->line, item->column, kind, item->text);
	}
	return error;
}

enum config_on_disk
config_on_disk(const struct node *node)
{
	enum config_on_disk found = CONFIG_UNREADABLE;
	struct buf text;

	buf_init(&text, HERDFILE_BYTES_MAX);
	if (file_read(node->file_path, HERDFILE_BYTES_MAX, &text) == HERD_OK)
		found = herdfile_hash(buf_span(&text)) == node->file.hash
			    ? CONFIG_SAME
			    : CONFIG_CHANGED;
	buf_release(&text);
	return found;
}
