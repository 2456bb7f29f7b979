/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Traccar Client sends. */
#include "phones/traccar.h"

#include "fuzz_intake.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_intake(data, size, traccar_read);
	return 0;
}
