/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/memory_bound.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "herd/file.h"
#include "herd/text.h"

#define OWN_MAX 65536u /* bytes of the list of cgroups */
#define NUMBER_MAX 64u

/* The line "0::/PATH" of the list; false if there is none. */
static bool
own_path(struct span list, char out[PATH_MAX])
{
	while (list.len > 3) {
		const char *lf = memchr(list.data, '\n', list.len);
		size_t len = lf == NULL ? list.len : (size_t)(lf - list.data);

		if (len >= 3 && len - 3 < PATH_MAX &&
		    memcmp(list.data, "0::", 3) == 0) {
			memcpy(out, list.data + 3, len - 3);
			out[len - 3] = '\0';
			return true;
		}
		if (lf == NULL)
			break;
		list = span_of(lf + 1, list.len - len - 1);
	}
	return false;
}

/* 0: the cgroup has no bound ("max"), or can't be read. */
static uint64_t
bound_of(const char *cgroups, const char *path)
{
	char file[2 * PATH_MAX];
	uint64_t bytes = 0;
	struct buf text;

	(void)snprintf(file, sizeof(file), "%s%s/memory.max", cgroups, path);
	buf_init(&text, NUMBER_MAX);
	if (file_read(file, NUMBER_MAX, &text) != HERD_OK ||
	    text_to_u64(text_trim(buf_span(&text)), 0, UINT64_MAX, &bytes) !=
		HERD_OK)
		bytes = 0;
	buf_release(&text);
	return bytes;
}

uint64_t
memory_bound(const char *cgroups, const char *own)
{
	char path[PATH_MAX] = "";
	uint64_t least = 0;
	struct buf list;
	bool known;

	buf_init(&list, OWN_MAX);
	known = file_read(own, OWN_MAX, &list) == HERD_OK &&
		own_path(buf_span(&list), path);
	buf_release(&list);
	while (known) {
		char *slash = strrchr(path, '/');
		uint64_t bytes = bound_of(cgroups, path);

		if (bytes != 0 && (least == 0 || bytes < least))
			least = bytes;
		if (slash == NULL)
			break;
		*slash = '\0';
	}
	return least;
}
