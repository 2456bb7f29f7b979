/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "herd/herdfile.h"

void
herdfile_release(struct herdfile *file)
{
	size_t i;

	for (i = 0; i < file->node_count; i++)
		free(file->nodes[i].name);
	free(file->nodes);
	free(file->links);
	free(file->herd);
	settings_release(&file->settings);
	*file = (struct herdfile){ 0 };
}

enum herd_error
herdfile_find(const struct herdfile *file, struct span name, size_t *index)
{
	size_t i;

	for (i = 0; i < file->node_count; i++)
		if (span_is(name, file->nodes[i].name)) {
			*index = i;
			return HERD_OK;
		}
	return HERD_ENOTFOUND;
}

enum herd_error
herdfile_link_peer(const struct herdfile *file,
    const struct herdfile_link *link, size_t self, size_t *peer)
{
	(void)file;
	if (link->a == self)
		*peer = link->b;
	else if (link->b == self)
		*peer = link->a;
	else
		return HERD_ENOTFOUND;
	return HERD_OK;
}

bool
herdfile_dials(const struct herdfile_link *link, size_t self)
{
	return self == (link->b_dials ? link->b : link->a);
}

static enum herd_error
expand(struct buf *out, const char *text, const char *node)
{
	enum herd_error error = HERD_OK;
	const char *p;

	for (p = text; *p != '\0' && error == HERD_OK; p++) {
		if (*p != '%') {
			error = buf_add_byte(out, *p);
			continue;
		}
		p++;
		if (*p == 'n')
			error = buf_add_text(out, node);
		else if (*p == '%')
			error = buf_add_byte(out, '%');
		else
			error = HERD_ESYNTAX;
	}
	return error;
}

enum herd_error
herdfile_expand(
    struct buf *out, const char *text, const char *node, const char *base_dir)
{
	size_t before = out->len;
	enum herd_error error = HERD_OK;

	if (base_dir != NULL && *text != '/' && *text != '\0')
		error = buf_addf(out, "%s/", base_dir);
	if (error == HERD_OK)
		error = expand(out, text, node);
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}

/* FNV-1a */
uint64_t
herdfile_hash(struct span text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) *
		       UINT64_C(0x100000001b3);
	return hash;
}
