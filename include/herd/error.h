/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What can go wrong, as one table: code and sentence. Functions that can
 * fail return enum herd_error; results go to trailing pointers and are
 * untouched on failure. Errors that come from the system are HERD_ESYSTEM; the
 * module that made the system call reports them with errno's text.
 */
#ifndef HERD_ERROR_H
#define HERD_ERROR_H

#define HERD_ERRORS(X)                                      \
	X(HERD_OK, "success")                               \
	X(HERD_ENOMEM, "out of memory")                     \
	X(HERD_ELIMIT, "larger than its limit")             \
	X(HERD_ESYNTAX, "malformed")                        \
	X(HERD_ERANGE, "out of range")                      \
	X(HERD_ENOTFOUND, "not found")                      \
	X(HERD_EEXIST, "already there")                     \
	X(HERD_EAGAIN, "not complete yet")                  \
	X(HERD_EPROTOCOL, "the other side broke the rules") \
	X(HERD_ECANCELED, "stopped before it was done")     \
	X(HERD_ESYSTEM, "system error")

enum herd_error {
#define HERD_ERROR_CODE(code, text) code,
	HERD_ERRORS(HERD_ERROR_CODE)
#undef HERD_ERROR_CODE
};

/* The sentence of the table; never NULL, static. */
const char *herd_strerror(enum herd_error error);

#endif
