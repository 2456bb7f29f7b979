/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/ssl_api.h"

#include "base/library.h"
#include "herd/compiler.h"

static const struct library_symbol symbols[] = {
#define SSL_API_SYMBOL(name, result, arguments) \
	{ #name, offsetof(struct ssl_api, name) },
	SSL_API(SSL_API_SYMBOL)
#undef SSL_API_SYMBOL
};

static const struct library library = { { "libssl.so.3", NULL }, symbols,
	HERD_ARRAY_LEN(symbols) };

int
ssl_api_load(struct ssl_api *api, const char **error)
{
	return library_load(&library, api, error);
}
