/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a node's store may take for work on all of its file. */
#ifndef HERD_STORE_PATIENCE_H
#define HERD_STORE_PATIENCE_H

#include "run/run.h"

#define STORE_PATIENCE_NS (120 * HERD_NS_PER_S)

/*
 * Gives the questions that follow that time, unless who types the command has
 * said another one.
 */
void store_be_patient(struct run *run);

#endif
