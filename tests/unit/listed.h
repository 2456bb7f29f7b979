/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A provider, an engine is one constant in a source file and one row of a list;
 * a route is one handler and one row. What has no row would be left out in
 * silence.
 */
#ifndef HERD_UNIT_LISTED_H
#define HERD_UNIT_LISTED_H

#include "unit.h"

#include <glob.h>

#include "herd/file.h"

#define LISTED_BYTES_MAX (1u << 20)

static inline void
listed_check_file(const char *path, const char *start, const char *const *names,
    size_t count, const char *list)
{
	struct buf text;
	const char *at;

	buf_init(&text, LISTED_BYTES_MAX);
	assert_ok(file_read(path, LISTED_BYTES_MAX, &text));
	assert_non_null(buf_cstr(&text));
	for (at = strstr(buf_cstr(&text), start); at != NULL;
	     at = strstr(at, start)) {
		bool listed = false;
		struct span name;

		at += strlen(start);
		name = span_of(at, strcspn(at, " ("));
		for (size_t i = 0; i < count; i++)
			listed |= span_is(name, names[i]);
		if (!listed)
			fail_msg("%s: add " SPAN_FMT " to %s", path,
			    SPAN_ARG(name), list);
	}
	buf_release(&text);
}

/*
 * Each definition that begins with `start` ("\nconst struct x x_") in the
 * files has a name that goes on with one of `names`, which are those of
 * `list`.
 */
static inline void
listed_check(const char *files, const char *start, const char *const *names,
    size_t count, const char *list)
{
	glob_t found;

	assert_int_equal(glob(files, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		listed_check_file(found.gl_pathv[i], start, names, count, list);
	globfree(&found);
}

#endif
