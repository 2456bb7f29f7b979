/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes for a session that do not come from a socket. */
#ifndef HERD_SIM_FEED_H
#define HERD_SIM_FEED_H

#include "core/session_input.h"

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

#endif
