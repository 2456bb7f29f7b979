/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The flags of commands that ask for some places only. */
#ifndef HERD_CLIENT_PLACES_FILTER_H
#define HERD_CLIENT_PLACES_FILTER_H

#include "run/run.h"

/* Members of FLAGS(...). */
/* clang-format off */
#define PLACES_FILTER_FLAGS \
	FLAG("type", .value = "TYPE", .help = "only places of this type, in Google's words, such as cafe"), \
	FLAG("keyword", .value = "TEXT", .help = "only places with this in their names; case and accents do not matter"), \
	FLAG("open-now", .help = "only places that are known to be open"), \
	FLAG("rank", .value = "ORDER", .complete = COMPLETE_WORDS, .words = "distance prominence", .help = "the nearest first, or the best known")
/* clang-format on */

/* Is one of them given? */
bool places_filter_is_given(const struct run *run);

/* Appends them as parameters of an admin request. */
void places_filter_put(const struct run *run, struct buf *path);

#endif
