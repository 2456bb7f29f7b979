/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/ssl_api.h"

#include <dlfcn.h>
#include <string.h>

int
ssl_api_load(struct ssl_api *api, const char **error)
{
	void *library = dlopen("libssl.so.3", RTLD_LAZY | RTLD_LOCAL);

	if (library == NULL) {
		*error = dlerror();
		return -1;
	}
	/* ISO C has no cast from an object pointer to a function's. */
#define SSL_API_LOAD(name, result, arguments)                    \
	do {                                                     \
		void *address = dlsym(library, #name);           \
		if (address == NULL) {                           \
			*error = dlerror();                      \
			return -1;                               \
		}                                                \
		memcpy(&api->name, &address, sizeof(api->name)); \
	} while (0);
	SSL_API(SSL_API_LOAD)
#undef SSL_API_LOAD
	return 0;
}
