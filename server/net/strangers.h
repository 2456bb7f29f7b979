/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections to the links' port that did not become a link: counted by
 * reason, and logged now and then for each reason, text and address, so that a
 * flood of them costs only counters.
 */
#ifndef HERD_STRANGERS_H
#define HERD_STRANGERS_H

#include <stdatomic.h>

#include "core/session.h"

#define STRANGERS_KEPT 64u
#define STRANGERS_QUIET_NS (60u * HERD_NS_PER_S)

/* One kind of refusal that was logged lately. */
struct stranger_kind {
	uint64_t key;
	struct mono told; /* 0: none */
	uint64_t untold;  /* since */
};

struct strangers {
	struct stranger_kind kept[STRANGERS_KEPT];     /* one thread */
	_Atomic uint64_t counts[SESSION_REASON_COUNT]; /* any thread reads */
};

/*
 * Counts one. True: log it; *times is how often it happened since it was
 * logged last, this one included. Links thread.
 */
bool strangers_note(struct strangers *strangers, enum session_reason reason,
    const char *text, uint64_t address, struct mono now, uint64_t *times);

#endif
