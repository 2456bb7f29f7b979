/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/glob.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The position of the ']' that closes the set at `at`, or pattern.len. */
static size_t
set_end(struct span pattern, size_t at)
{
	size_t end = at + 1;

	if (end < pattern.len && pattern.data[end] == '!')
		end++;
	/* A ']' that comes first is a byte of the set. */
	if (end < pattern.len)
		end++;
	while (end < pattern.len && pattern.data[end] != ']')
		end++;
	return end;
}

static bool
set_has(struct span set, unsigned char byte)
{
	bool wanted = true;
	bool found = false;

	if (set.len > 0 && set.data[0] == '!') {
		wanted = false;
		set = span_of(set.data + 1, set.len - 1);
	}
	for (size_t i = 0; i < set.len; i++) {
		unsigned char low = (unsigned char)set.data[i];
		unsigned char high = low;

		if (i + 2 < set.len && set.data[i + 1] == '-') {
			high = (unsigned char)set.data[i + 2];
			i += 2;
		}
		found |= low <= byte && byte <= high;
	}
	return found == wanted;
}

/* Does the element at *at, no '*', match the byte? Moves *at after it. */
static bool
element_matches(struct span pattern, size_t *at, char byte)
{
	size_t p = *at;

	if (pattern.data[p] == '[') {
		size_t end = set_end(pattern, p);

		if (end < pattern.len) {
			*at = end + 1;
			return set_has(
			    span_of(pattern.data + p + 1, end - p - 1),
			    (unsigned char)byte);
		}
	}
	if (pattern.data[p] == '\\' && p + 1 < pattern.len)
		p++;
	else if (pattern.data[p] == '?')
		byte = '?';
	*at = p + 1;
	return pattern.data[p] == byte;
}

bool
glob_matches(struct span pattern, struct span text)
{
	size_t p = 0;
	size_t t = 0;
	size_t star = SIZE_MAX; /* after the last '*' seen */
	size_t retry = 0;       /* where its run ends, if longer by one */

	while (t < text.len) {
		size_t next = p;

		if (p < pattern.len && pattern.data[p] == '*') {
			star = ++p;
			retry = t;
		} else if (p < pattern.len &&
			   element_matches(pattern, &next, text.data[t])) {
			p = next;
			t++;
		} else if (star != SIZE_MAX) {
			p = star;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

struct span
glob_prefix(struct span pattern)
{
	size_t len = 0;

	while (
	    len < pattern.len && memchr("*?[\\", pattern.data[len], 4) == NULL)
		len++;
	return span_of(pattern.data, len);
}
