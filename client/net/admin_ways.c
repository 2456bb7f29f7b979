/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/admin_ways.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "net/tls.h"

void
admin_ways_release(struct admin_ways *ways)
{
	for (unsigned i = 0; i < ways->count; i++) {
		/* A copy's text is its own. */
		char *token = (char *)(uintptr_t)ways->items[i].token;

		if (token != NULL)
			explicit_bzero(token, strlen(token));
		free(token);
		tls_drop(ways->items[i].tls);
	}
	*ways = (struct admin_ways){ 0 };
}

void
admin_ways_copy(struct admin_ways *out, const struct admin_ways *from)
{
	struct admin_ways copy = *from;

	for (unsigned i = 0; i < copy.count; i++) {
		const char *token = copy.items[i].token;

		copy.items[i].token = token == NULL ? NULL : xstrdup(token);
		(void)tls_hold(copy.items[i].tls);
	}
	admin_ways_release(out);
	*out = copy;
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
admin_ways_equal(const struct admin_ways *a, const struct admin_ways *b)
{
	bool same = a->count == b->count;

	for (unsigned i = 0; same && i < a->count; i++)
		same =
		    address_equal(&a->items[i].address, &b->items[i].address) &&
		    is_same_text(a->items[i].token, b->items[i].token) &&
		    a->items[i].tls == b->items[i].tls;
	return same;
}
