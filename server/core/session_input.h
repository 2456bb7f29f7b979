/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a session does with the bytes that come in, line by line. Reports that
 * come together are put into the table together.
 */
#ifndef HERD_SESSION_INPUT_H
#define HERD_SESSION_INPUT_H

#include "core/session.h"

/*
 * Gives space in the session for at least `want` bytes. Read into it, then call
 * session_input(). HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error session_space(
    struct session *session, size_t want, char **data, size_t *room);

/*
 * `len` bytes came in at session_space(). The session may be CLOSED
 * afterwards: write what session_fill() still gives (a BYE), then close.
 */
void session_input(
    struct session *session, size_t len, struct mono now, struct wall clock);

#endif
