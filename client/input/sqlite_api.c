/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/sqlite_api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

int
sqlite_api_load(struct sqlite_api *api, const char **error)
{
	void *library = dlopen("libsqlite3.so.0", RTLD_LAZY | RTLD_LOCAL);

	if (library == NULL) {
		*error = dlerror();
		return -1;
	}
	/* ISO C has no cast from an object pointer to a function's. */
#define SQLITE_API_LOAD(name, symbol, result, arguments)         \
	do {                                                     \
		void *address = dlsym(library, #symbol);         \
		if (address == NULL) {                           \
			*error = dlerror();                      \
			return -1;                               \
		}                                                \
		memcpy(&api->name, &address, sizeof(api->name)); \
	} while (0);
	SQLITE_API_LIST(SQLITE_API_LOAD)
#undef SQLITE_API_LOAD
	return 0;
}
