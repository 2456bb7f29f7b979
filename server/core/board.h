/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the sessions of one node know of each other: how many are SYNCED and
 * how many exchange. An empty node that joins several neighbours takes the
 * table from one of them, then compares with the others. Any thread.
 */
#ifndef HERD_BOARD_H
#define HERD_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct board {
	_Atomic uint32_t synced;
	_Atomic uint32_t exchanging; /* first exchanges under way */
	_Atomic uint32_t waking;     /* exchanges of links that woke */
	_Atomic uint32_t sessions;   /* number of the last one on any link */
};

void board_init(struct board *board);

/* No link of this node is SYNCED now. */
bool board_is_fresh(const struct board *board);

/*
 * May this node start a first exchange? If so, it is counted until
 * board_leave(). A fresh node has one at a time.
 */
bool board_try_enter(struct board *board);
/* A first exchange begins because the peer asked. */
void board_enter(struct board *board);
void board_leave(struct board *board);

/*
 * May this node begin to compare on one more link that woke? All its links wake
 * at once, and each comparison takes memory, so BOARD_WAKES_MAX compare at a
 * time, or more if one `must`. If so, it is counted until board_end_wake().
 */
bool board_try_wake(struct board *board, bool must);
void board_end_wake(struct board *board);

void board_synced(struct board *board);
void board_unsynced(struct board *board);

#define BOARD_WAKES_MAX 4u
#define BOARD_LINKS_MAX 254u
/* Session numbers: the link (0 to 253) above, a counter of 24 bits below. */
uint32_t board_session_number(struct board *board, unsigned link);
/* The link of a record's `from`; -1 if it is no session's number. */
int board_link_of(uint32_t from);

#endif
