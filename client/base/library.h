/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Libraries that few commands need, loaded when the first one does: each would
 * cost every start of herdctl some milliseconds.
 */
#ifndef HERD_CLIENT_LIBRARY_H
#define HERD_CLIENT_LIBRARY_H

#include <stddef.h>

struct library_symbol {
	const char *name;
	size_t offset; /* in the struct of its function pointer */
};

struct library {
	const char
	    *names[2]; /* the first that there is; the second may be NULL */
	const struct library_symbol *symbols;
	size_t count;
};

/*
 * Fills the function pointers of the struct `api`. The library stays loaded.
 * On failure -1 and a sentence in *error.
 */
int library_load(const struct library *library, void *api, const char **error);

#endif
