/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/sqlite_api.h"

#include <stddef.h>

#include "base/library.h"
#include "herd/compiler.h"

static const struct library_symbol symbols[] = {
#define SQLITE_API_SYMBOL(name, symbol, result, arguments) \
	{ #symbol, offsetof(struct sqlite_api, name) },
	SQLITE_API_LIST(SQLITE_API_SYMBOL)
#undef SQLITE_API_SYMBOL
};

static const struct library library = { { "libsqlite3.so.0", NULL }, symbols,
	HERD_ARRAY_LEN(symbols) };

int
sqlite_api_load(struct sqlite_api *api, const char **error)
{
	return library_load(&library, api, error);
}
