/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/glob.h"

bool
glob_matches(struct span pattern, struct span text)
{
	size_t p = 0;
	size_t t = 0;
	size_t star = SIZE_MAX; /* the last '*' seen */
	size_t retry = 0;       /* where its run ends, if longer by one */

	while (t < text.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star = p++;
			retry = t;
		} else if (p < pattern.len &&
			   (pattern.data[p] == '?' ||
			       pattern.data[p] == text.data[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}
