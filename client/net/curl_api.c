/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/curl_api.h"

#include <stddef.h>

#include "base/library.h"
#include "herd/compiler.h"

static const struct library_symbol symbols[] = {
#define CURL_API_SYMBOL(name, symbol, result, arguments) \
	{ #symbol, offsetof(struct curl_api, name) },
	CURL_API(CURL_API_SYMBOL)
#undef CURL_API_SYMBOL
};

static const struct library library = { { "libcurl.so.4",
					    "libcurl-gnutls.so.4" },
	symbols, HERD_ARRAY_LEN(symbols) };

int
curl_api_load(struct curl_api *api, const char **error)
{
	if (library_load(&library, api, error) != 0)
		return -1;
	if (api->global_init(CURL_GLOBAL_NOTHING) == CURLE_OK)
		return 0;
	*error = "libcurl cannot be initialised";
	return -1;
}
