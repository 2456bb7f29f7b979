/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wrong in a herd file, and where: each error or warning with its line
 * and column, for a person to go through from the top.
 */
#ifndef HERD_DIAGNOSTICS_H
#define HERD_DIAGNOSTICS_H

#include <stdarg.h>
#include <stddef.h>

#include "herd/compiler.h"
#include "herd/error.h"

enum diagnostic_severity { DIAGNOSTIC_ERROR, DIAGNOSTIC_WARNING };

struct diagnostic {
	enum diagnostic_severity severity;
	unsigned line; /* from 1; 0 = the file as a whole */
	unsigned column;
	char *text; /* "unknown setting `wokers`, did you mean `workers`?" */
};

struct diagnostics {
	struct diagnostic *items;
	size_t count;
	size_t errors; /* of them, or more when the limit was reached */
	size_t max;    /* HERDFILE_DIAGNOSTICS_MAX */
};

void diagnostics_init(struct diagnostics *diagnostics);
void diagnostics_release(struct diagnostics *diagnostics);

/* Adds one; beyond `max` it is only counted. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error diagnostics_addv(
    struct diagnostics *diagnostics, enum diagnostic_severity severity,
    unsigned line, unsigned column, const char *fmt, va_list args)
    HERD_PRINTF(5, 0);
HERD_MUST_CHECK enum herd_error diagnostics_add(struct diagnostics *diagnostics,
    enum diagnostic_severity severity, unsigned line, unsigned column,
    const char *fmt, ...) HERD_PRINTF(5, 6);

/* Into the order of the file; those of one place stay in theirs. */
void diagnostics_sort(struct diagnostics *diagnostics);

#endif
