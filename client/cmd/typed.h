/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks what operators type and says what is wrong with it.
 */
#ifndef HERD_CLIENT_TYPED_H
#define HERD_CLIENT_TYPED_H

#include "herd/location.h"
#include "run/run.h"

/* Checks a client id. Says what is wrong with it. */
enum status typed_client(struct run *run, const char *id);

/* A location as typed; appends the protocol's form. Says what is wrong. */
enum status typed_location(
    struct run *run, const char *typed, struct buf *text, struct location *out);

#endif
