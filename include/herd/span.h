/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A borrowed run of bytes: not terminated, may hold any byte. A function that
 * returns a span documents how long it stays valid.
 */
#ifndef HERD_SPAN_H
#define HERD_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *data;
	size_t len;
};

/* For printf's "%.*s". */
#define SPAN_FMT "%.*s"
#define SPAN_ARG(s) (int)(s).len, (s).data

static inline struct span
span_of(const char *data, size_t len)
{
	return (struct span){ data, len };
}

static inline struct span
span_from(const char *text)
{
	return (struct span){ text, strlen(text) };
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool
span_is(struct span a, const char *text)
{
	return span_equal(a, span_from(text));
}

static inline bool
span_begins(struct span a, struct span prefix)
{
	return a.len >= prefix.len &&
	       (prefix.len == 0 ||
		   memcmp(a.data, prefix.data, prefix.len) == 0);
}

/* The first such byte or NULL; an empty span may point to nothing at all. */
static inline const char *
span_find(struct span s, char byte)
{
	return s.len == 0 ? NULL : memchr(s.data, byte, s.len);
}

/*
 * Takes what is before the first `mark` off the beginning of *rest, and the
 * mark itself; all of it if there is none.
 */
static inline struct span
span_cut(struct span *rest, char mark)
{
	const char *at = span_find(*rest, mark);
	size_t len = at == NULL ? rest->len : (size_t)(at - rest->data);
	size_t taken = len + (at != NULL);
	struct span first = span_of(rest->data, len);

	if (taken > 0)
		*rest = span_of(rest->data + taken, rest->len - taken);
	return first;
}

/* Byte order, as unsigned char; a prefix is the lesser. <0, 0 or >0. */
static inline int
span_compare(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n == 0 ? 0 : memcmp(a.data, b.data, n);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

#endif
