/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/curl_api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "herd/compiler.h"

static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };

int
curl_api_load(struct curl_api *api, const char **error)
{
	void *library = NULL;

	for (size_t i = 0; i < HERD_ARRAY_LEN(names) && library == NULL; i++)
		library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
	if (library == NULL) {
		*error = dlerror();
		return -1;
	}
	/* ISO C has no cast from an object pointer to a function's. */
#define CURL_API_LOAD(name, symbol, result, arguments)           \
	do {                                                     \
		void *address = dlsym(library, #symbol);         \
		if (address == NULL) {                           \
			*error = dlerror();                      \
			return -1;                               \
		}                                                \
		memcpy(&api->name, &address, sizeof(api->name)); \
	} while (0);
	CURL_API(CURL_API_LOAD)
#undef CURL_API_LOAD
	if (api->global_init(CURL_GLOBAL_NOTHING) != CURLE_OK) {
		*error = "libcurl cannot be initialised";
		return -1;
	}
	return 0;
}
