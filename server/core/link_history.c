/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/link_history.h"

#include <stdio.h>
#include <string.h>

static struct link_change *
newest(struct link_history *history)
{
	unsigned last =
	    (history->next + LINK_CHANGES_MAX - 1) % LINK_CHANGES_MAX;

	return history->count == 0 ? NULL : &history->changes[last];
}

void
link_history_note(struct link_history *history, enum link_state state,
    const char *error, struct wall at)
{
	struct link_change *change = newest(history);

	if (state == LINK_CONNECTING || state == LINK_HANDSHAKE)
		return;
	if (change != NULL && change->state == state &&
	    strcmp(change->error, error) == 0) {
		change->times++;
		change->last = at;
		return;
	}
	change = &history->changes[history->next];
	*change = (struct link_change){
		.state = state, .at = at, .last = at, .times = 1
	};
	snprintf(change->error, sizeof(change->error), "%s", error);
	history->next = (history->next + 1) % LINK_CHANGES_MAX;
	if (history->count < LINK_CHANGES_MAX)
		history->count++;
}

unsigned
link_history_copy(const struct link_history *history,
    struct link_change out[LINK_CHANGES_MAX])
{
	unsigned first = history->next + LINK_CHANGES_MAX - history->count;

	for (unsigned i = 0; i < history->count; i++)
		out[i] = history->changes[(first + i) % LINK_CHANGES_MAX];
	return history->count;
}
