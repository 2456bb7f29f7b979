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
#define NO_BOUND (UINT64_C(1) << 62)

/* A version of cgroups: whose line of the list, and where its bounds are. */
struct version {
	const char *line;   /* what its path follows */
	const char *folder; /* below that of all cgroups */
	const char *file;
};

/* Where both are mounted, the memory is bound by one of them. */
static const struct version versions[] = {
	{ "0::", "", "memory.max" },
	{ ":memory:", "/memory", "memory.limit_in_bytes" },
};

/* The path in the list's line of that version; false if there is none. */
static bool
own_path(struct span list, const struct version *version, char out[PATH_MAX])
{
	size_t skip = strlen(version->line);

	while (list.len > 0) {
		const char *lf = memchr(list.data, '\n', list.len);
		size_t len = lf == NULL ? list.len : (size_t)(lf - list.data);
		size_t at = 0;

		/* Version 1 has the number of the hierarchy before it. */
		while (
		    version->line[0] == ':' && at < len && list.data[at] != ':')
			at++;
		if (at + skip < len && len - at - skip < PATH_MAX &&
		    list.data[at + skip] == '/' &&
		    memcmp(list.data + at, version->line, skip) == 0) {
			memcpy(out, list.data + at + skip, len - at - skip);
			out[len - at - skip] = '\0';
			return true;
		}
		if (lf == NULL)
			break;
		list = span_of(lf + 1, list.len - len - 1);
	}
	return false;
}

/*
 * 0: the cgroup has no bound ("max"), or can't be read. In version 1 no bound
 * is the largest number of pages.
 */
static uint64_t
bound_of(const char *cgroups, const struct version *version, const char *path)
{
	char file[2 * PATH_MAX];
	uint64_t bytes = 0;
	struct buf text;

	(void)snprintf(file, sizeof(file), "%s%s%s/%s", cgroups,
	    version->folder, path, version->file);
	buf_init(&text, NUMBER_MAX);
	if (file_read(file, NUMBER_MAX, &text) != HERD_OK ||
	    text_to_u64(text_trim(buf_span(&text)), 0, UINT64_MAX, &bytes) !=
		HERD_OK ||
	    bytes >= NO_BOUND)
		bytes = 0;
	buf_release(&text);
	return bytes;
}

/* Lowers *least to the bounds of a cgroup and those around it. */
static void
lower(uint64_t *least, const char *cgroups, const struct version *version,
    struct span list)
{
	char path[PATH_MAX] = "";
	bool known = own_path(list, version, path);

	while (known) {
		char *slash = strrchr(path, '/');
		uint64_t bytes = bound_of(cgroups, version, path);

		if (bytes != 0 && (*least == 0 || bytes < *least))
			*least = bytes;
		if (slash == NULL)
			break;
		*slash = '\0';
	}
}

uint64_t
memory_bound(const char *cgroups, const char *own)
{
	uint64_t least = 0;
	struct buf list;
	enum herd_error error;

	buf_init(&list, OWN_MAX);
	error = file_read(own, OWN_MAX, &list);
	for (size_t i = 0; error == HERD_OK && i < HERD_ARRAY_LEN(versions);
	     i++)
		lower(&least, cgroups, &versions[i], buf_span(&list));
	buf_release(&list);
	return least;
}
