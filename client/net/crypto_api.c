/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/crypto_api.h"

#include <stddef.h>

#include "base/library.h"
#include "herd/compiler.h"

static const struct library_symbol symbols[] = {
#define CRYPTO_API_SYMBOL(name, result, arguments) \
	{ #name, offsetof(struct crypto_api, name) },
	CRYPTO_API(CRYPTO_API_SYMBOL)
#undef CRYPTO_API_SYMBOL
};

static const struct library library = { { "libcrypto.so.3", NULL }, symbols,
	HERD_ARRAY_LEN(symbols) };

int
crypto_api_load(struct crypto_api *api, const char **error)
{
	return library_load(&library, api, error);
}
