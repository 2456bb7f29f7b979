/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The traffic log: every request and reply, every link that comes up or goes
 * down, with time and peer address, in printable ASCII. A thread of its own
 * writes: a full or slow disk costs lines, which are counted, and never
 * service.
 */
#ifndef HERD_TRAFFIC_H
#define HERD_TRAFFIC_H

#include <stdint.h>

#include "base/log.h"

#define TRAFFIC_QUEUED_MAX (4u << 20) /* bytes that wait for the disk */
#define TRAFFIC_SHOWN_MAX 65536u      /* bytes of a request or reply */

struct traffic;

/*
 * Opens `path` for appending: a character device, or a regular file, whose mode
 * is narrowed to 0600. HERD_ESYSTEM with errno for
 * file_strerror().
 */
HERD_MUST_CHECK enum herd_error traffic_open(
    const char *path, struct log *log, struct traffic **out);

/*
 * Opens the path again, soon, because the file was renamed: lines that come
 * after this go to the new one. If it can't be opened the old one goes on. The
 * log has the result. NULL is fine. Any thread.
 */
void traffic_reopen(struct traffic *traffic);

/* Writes what is queued, then closes. NULL is fine. */
void traffic_close(struct traffic *traffic);

/*
 * One line: time, `what` ("request", "reply", "link-up", "link-down"), the
 * peer's address and the text without its last LF. Any thread.
 */
void traffic_note(struct traffic *traffic, const char *what, const char *peer,
    struct span text);

/* Lines that could not be queued or written. */
uint64_t traffic_lost(struct traffic *traffic);

#endif
