/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold of each format's reader: its fixes are good reports. */
#ifndef HERD_FUZZ_INTAKE_H
#define HERD_FUZZ_INTAKE_H

#include "herd/location.h"
#include "phones/intake.h"

#include "fuzz.h"

static inline void
fuzz_check_fix(const struct fix *fix)
{
	struct location location;
	uint64_t ns;

	assert(location_parse(span_of(fix->location, fix->location_len),
		   &location) == HERD_OK);
	assert(time_parse(span_of(fix->time, fix->time_len), &ns) == HERD_OK);
	assert(ns == fix->time_ns);
}

static inline void
fuzz_intake(const uint8_t *data, size_t size,
    void (*read)(struct span body, struct intake *intake))
{
	/* A copy of its own, so that a byte read beyond it is noticed. */
	char *copy = malloc(size + (size == 0));
	struct intake intake;

	if (copy == NULL)
		return;
	if (size > 0)
		memcpy(copy, data, size);
	intake_init(&intake, (struct wall){ UINT64_C(1700000000123456789) });
	read(span_of(copy, size), &intake);
	assert(intake.count <= INTAKE_FIXES_MAX);
	assert(intake.claim_len <= INTAKE_CLAIM_MAX);
	for (size_t i = 0; i < intake.count; i++)
		fuzz_check_fix(&intake.fixes[i]);
	intake_release(&intake);
	free(copy);
}

#endif
