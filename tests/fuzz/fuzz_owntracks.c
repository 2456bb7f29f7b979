/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message of OwnTracks. */
#include "phones/owntracks.h"

#include "fuzz_intake.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_intake(data, size, owntracks_read);
	return 0;
}
