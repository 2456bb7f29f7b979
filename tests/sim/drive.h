/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What only tests do to a session. */
#ifndef HERD_SIM_DRIVE_H
#define HERD_SIM_DRIVE_H

#include "core/session_input.h"

/* Bytes come in that are not from a socket. */
static inline void
session_feed(struct session *session, struct span data, struct mono now,
    struct wall clock)
{
	size_t room;
	char *to;

	if (session_space(session, data.len, &to, &room) != HERD_OK) {
		session_lost(session, "out of memory");
		return;
	}
	memcpy(to, data.data, data.len);
	session_input(session, data.len, now, clock);
}

/* Compare everything again now, if SYNCED. */
static inline void
session_verify(struct session *session, struct mono now)
{
	if (session->state == SESSION_SYNCED)
		session->verify_at = now;
}

#endif
