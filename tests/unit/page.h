/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A man page has a section that is written from a table of the program,
 * between a line `.\" BEGIN NAME` and a line `.\" END NAME`.
 */
#ifndef HERD_UNIT_PAGE_H
#define HERD_UNIT_PAGE_H

#include "unit.h"

#include "herd/file.h"

#define PAGE_MAX (1u << 20)
#define PAGE_COLUMNS 72u

/* Appends text in lines of at most PAGE_COLUMNS, each sentence on a new one. */
static inline void
page_wrap(struct buf *out, const char *text)
{
	size_t column = 0, len;

	while (*text != '\0') {
		len = strcspn(text, " ");
		if (column > 0) {
			bool full =
			    column + 1u + len > PAGE_COLUMNS || text[-2] == '.';

			assert_ok(buf_add_byte(out, full ? '\n' : ' '));
			column = full ? 0 : column + 1u;
		}
		assert_ok(buf_add(out, text, len));
		column += len;
		text += len;
		text += *text == ' ';
	}
	assert_ok(buf_add_byte(out, '\n'));
}

/* The place of a mark, or after it. */
static inline const char *
page_find(const char *page, const char *kind, const char *name, bool after)
{
	char mark[64];
	const char *at;

	snprintf(mark, sizeof(mark), ".\\\" %s %s\n", kind, name);
	at = strstr(page, mark);
	assert_non_null(at);
	return after ? at + strlen(mark) : at;
}

/*
 * The section `name` of the page at `path` must be `want`; UNIT_UPDATE in the
 * environment writes it there.
 */
static inline void
page_check(const char *path, const char *name, struct span want)
{
	struct buf page;
	const char *begin, *end;
	FILE *file;

	buf_init(&page, PAGE_MAX);
	assert_ok(file_read(path, PAGE_MAX, &page));
	assert_non_null(buf_cstr(&page));
	begin = page_find(buf_cstr(&page), "BEGIN", name, true);
	end = page_find(begin, "END", name, false);
	if (!span_equal(span_of(begin, (size_t)(end - begin)), want)) {
		if (getenv("UNIT_UPDATE") == NULL)
			fail_msg("%s: section %s is not what the table says; "
				 "UNIT_UPDATE=1 writes it",
			    path, name);
		file = fopen(path, "w");
		assert_non_null(file);
		assert_true(fprintf(file, "%.*s" SPAN_FMT "%s",
				(int)(begin - buf_cstr(&page)), buf_cstr(&page),
				SPAN_ARG(want), end) > 0);
		assert_int_equal(fclose(file), 0);
	}
	buf_release(&page);
}

#endif
