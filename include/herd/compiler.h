/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Attributes that the whole project uses, in one place.
 */
#ifndef HERD_COMPILER_H
#define HERD_COMPILER_H

/* The caller must look at the result. */
#define HERD_MUST_CHECK __attribute__((warn_unused_result))

/* Argument `fmt` is a printf format, its values begin at argument `first`. */
#define HERD_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* The parameter is part of a callback's type and not needed here. */
#define HERD_UNUSED __attribute__((unused))

#define HERD_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
