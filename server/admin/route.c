/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "admin/route.h"

#include "admin/selection.h"
#include "places/question.h"

#define ROW(method, path, access, verb, params, serve, help) \
	{ ROUTE_##method, path, access, verb, params, serve, help },
#define OPEN(method, path, serve, help) \
	ROW(method, path, ROUTE_OPEN, "", "", serve, help)
#define READ(method, path, serve, params, help) \
	ROW(method, path, ROUTE_READ, "", params, serve, help)
#define WRITE(method, path, serve, verb, params, help) \
	ROW(method, path, ROUTE_WRITE, verb, params, serve, help)

static const struct route ROUTES[] = {
#include "admin/route_rows.def"
};

static const char *const METHOD_WORDS[] = {
#define HERD_ROUTE_METHOD_WORD(word) [ROUTE_##word] = #word,
	ROUTE_METHODS(HERD_ROUTE_METHOD_WORD)
#undef HERD_ROUTE_METHOD_WORD
};

const char *
route_method_word(enum route_method method)
{
	return METHOD_WORDS[method];
}

static bool
path_matches(const char *path, const struct query *query)
{
	unsigned segment = 0;

	while (*path == '/') {
		size_t len = strcspn(path + 1, "/");
		struct span want = span_of(path + 1, len);

		if (segment == query->segment_count)
			return false;
		if (!span_is(want, "*") &&
		    !span_equal(want, query->segments[segment]))
			return false;
		if (query->segments[segment].len == 0)
			return false;
		segment++;
		path += 1 + len;
	}
	return segment == query->segment_count;
}

const struct route *
route_all(size_t *count)
{
	*count = HERD_ARRAY_LEN(ROUTES);
	return ROUTES;
}

const struct route *
route_find(
    const struct query *query, enum route_method method, bool *path_known)
{
	*path_known = false;
	for (size_t i = 0; i < HERD_ARRAY_LEN(ROUTES); i++) {
		if (!path_matches(ROUTES[i].path, query))
			continue;
		*path_known = true;
		if (ROUTES[i].method == method)
			return &ROUTES[i];
	}
	return NULL;
}

void
route_allow(const struct query *query, char out[ROUTE_ALLOW_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < HERD_ARRAY_LEN(ROUTES); i++) {
		int n;

		if (!path_matches(ROUTES[i].path, query))
			continue;
		n = snprintf(out + len, ROUTE_ALLOW_MAX - len, "%s%s",
		    len == 0 ? "" : ", ", METHOD_WORDS[ROUTES[i].method]);
		if (n > 0 && len + (size_t)n < ROUTE_ALLOW_MAX)
			len += (size_t)n;
	}
}
