/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node's answer to a request of the client protocol.
 */
#ifndef HERD_CLIENT_FIRST_REPLY_H
#define HERD_CLIENT_FIRST_REPLY_H

#include "run/ask.h"
#include "run/conversation.h"

/*
 * Parses the first answer of a conversation and reports a refusal. Bytes that
 * are no answer become the conversation's failure, which is reported with the
 * others.
 */
enum status first_reply_read(
    struct run *run, struct conversation *x, struct reply *out);

#endif
