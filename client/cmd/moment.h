/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A moment as people type it: `now', a time since 1970 in seconds, ISO 8601
 * ("2026-11-28T10:00Z"), or so long ago ("10m").
 */
#ifndef HERD_MOMENT_H
#define HERD_MOMENT_H

#include "run/run.h"

/* Nanoseconds since 1970. STATUS_USAGE, with what is wrong said. */
enum status moment_typed(struct run *run, const char *typed, uint64_t *ns);

#endif
