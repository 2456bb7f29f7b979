/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/board.h"

#include <assert.h>

#define COUNTER_BITS 24u
#define COUNTER_MASK ((1u << COUNTER_BITS) - 1)

void
board_init(struct board *board)
{
	atomic_init(&board->synced, 0);
	atomic_init(&board->exchanging, 0);
	atomic_init(&board->waking, 0);
	atomic_init(&board->sessions, 0);
}

bool
board_is_fresh(const struct board *board)
{
	return atomic_load(&board->synced) == 0;
}

bool
board_try_enter(struct board *board)
{
	uint32_t before = atomic_fetch_add(&board->exchanging, 1);

	if (before == 0 || !board_is_fresh(board))
		return true;
	atomic_fetch_sub(&board->exchanging, 1);
	return false;
}

void
board_enter(struct board *board)
{
	atomic_fetch_add(&board->exchanging, 1);
}

void
board_leave(struct board *board)
{
	uint32_t before = atomic_fetch_sub(&board->exchanging, 1);

	assert(before > 0);
}

bool
board_try_wake(struct board *board, bool must)
{
	if (atomic_fetch_add(&board->waking, 1) < BOARD_WAKES_MAX || must)
		return true;
	atomic_fetch_sub(&board->waking, 1);
	return false;
}

void
board_end_wake(struct board *board)
{
	uint32_t before = atomic_fetch_sub(&board->waking, 1);

	assert(before > 0);
}

void
board_synced(struct board *board)
{
	atomic_fetch_add(&board->synced, 1);
}

void
board_unsynced(struct board *board)
{
	uint32_t before = atomic_fetch_sub(&board->synced, 1);

	assert(before > 0);
}

uint32_t
board_session_number(struct board *board, unsigned link)
{
	uint32_t counter = atomic_fetch_add(&board->sessions, 1);

	assert(link < BOARD_LINKS_MAX);
	return (link + 1u) << COUNTER_BITS | (counter & COUNTER_MASK);
}

int
board_link_of(uint32_t from)
{
	return (int)(from >> COUNTER_BITS) - 1;
}
