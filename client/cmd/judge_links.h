/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wrong with links, and whether those that live join the herd.
 */
#ifndef HERD_JUDGE_LINKS_H
#define HERD_JUDGE_LINKS_H

#include "cmd/findings.h"

/* Adds what is wrong. */
void judge_links(struct findings *findings);

#endif
