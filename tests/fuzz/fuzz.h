/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fuzz target is one file fuzz_NAME.c that defines this function. libFuzzer
 * calls it with what it makes up (make fuzz); replay.c calls it with the files
 * of corpus/NAME (make fuzz-replay, part of make check). What must hold is
 * asserted.
 */
#ifndef HERD_FUZZ_H
#define HERD_FUZZ_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
