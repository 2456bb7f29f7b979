/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Patterns over bytes: '*' is any run of bytes, '?' any one, "[a-z0]" one of
 * these, "[!a-z]" one that is none of these, '\' takes the next byte as it is;
 * any other byte is itself, and so is a '[' that nothing closes. No pattern
 * takes longer than the product of the lengths, and on a long text far less.
 */
#ifndef HERD_GLOB_H
#define HERD_GLOB_H

#include <stdbool.h>

#include "herd/span.h"

/* A longer pattern matches nothing. */
#define GLOB_MAX 1024u

bool glob_matches(struct span pattern, struct span text);

/*
 * The bytes with which each text begins that the pattern matches: up to its
 * first special byte. Borrows the pattern.
 */
struct span glob_prefix(struct span pattern);

#endif
