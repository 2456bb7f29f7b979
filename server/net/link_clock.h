/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's clock as its neighbours see it. In the links thread. */
#ifndef HERD_LINK_CLOCK_H
#define HERD_LINK_CLOCK_H

struct peering;

/* Judges the clock, logs what is new. */
void link_clock_judge(struct peering *peering);

#endif
