/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands that change a node's link: enable, disable, reconnect.
 */
#ifndef HERD_PEER_CHANGE_H
#define HERD_PEER_CHANGE_H

#include "cmd/peer_rows.h"

/*
 * The run function of `peer VERB': posts the verb for the link to the
 * command's peer. The row is the link after that. A hint follows if only the
 * peer can dial.
 */
enum status peer_change(struct run *run);

#endif
