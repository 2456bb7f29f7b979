/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A batch of Overland. */
#include "phones/overland.h"

#include "fuzz_intake.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_intake(data, size, overland_read);
	return 0;
}
