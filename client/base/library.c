/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "herd/compiler.h"

static void *
open_any(const struct library *library)
{
	void *handle = NULL;

	for (size_t i = 0; i < HERD_ARRAY_LEN(library->names); i++) {
		if (handle == NULL && library->names[i] != NULL)
			handle =
			    dlopen(library->names[i], RTLD_LAZY | RTLD_LOCAL);
	}
	return handle;
}

int
library_load(const struct library *library, void *api, const char **error)
{
	void *handle = open_any(library);

	for (size_t i = 0; handle != NULL && i < library->count; i++) {
		void *address = dlsym(handle, library->symbols[i].name);

		if (address == NULL) {
			handle = NULL;
			break;
		}
		/* ISO C has no cast from an object pointer to a function's. */
		memcpy((char *)api + library->symbols[i].offset, &address,
		    sizeof(address));
	}
	if (handle != NULL)
		return 0;
	*error = dlerror();
	return -1;
}
