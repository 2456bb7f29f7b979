/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key of a client's row in a shared engine: the SHA-256 of its id, because
 * a database's index takes no id of the longest kind, and because keys in this
 * order are spread evenly.
 */
#ifndef HERD_STORE_KEY_H
#define HERD_STORE_KEY_H

#include "store/engine.h"

void store_key(struct span client, uint8_t key[ENGINE_KEY_LEN]);

#endif
