/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands that change a node's link: enable, disable, reconnect.
 */
#ifndef HERD_PEER_CHANGE_H
#define HERD_PEER_CHANGE_H

#include "cmd/peer_rows.h"

/*
 * Posts `verb' ("/enable") for the link to the command's peer; the link as it
 * then is is the row. Says so if only the peer can make it come back.
 */
enum status peer_change(struct run *run, const char *verb);

#endif
