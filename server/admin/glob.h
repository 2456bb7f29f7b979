/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Patterns over client ids: '*' is any run of bytes, '?' any one byte, any
 * other byte itself. No pattern takes longer than the product of the lengths.
 */
#ifndef HERD_ADMIN_GLOB_H
#define HERD_ADMIN_GLOB_H

#include <stdint.h>

#include "herd/span.h"

bool glob_matches(struct span pattern, struct span text);

#endif
