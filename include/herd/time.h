/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times and durations. A client's time is text ("1621464827.959498503") that
 * travels as it came; its value in integer nanoseconds decides the order.
 * Wall time and monotonic time are different structs, so that the compiler
 * keeps them apart. Nothing here reads a clock.
 */
#ifndef HERD_TIME_H
#define HERD_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

#define HERD_NS_PER_S UINT64_C(1000000000)
#define HERD_NS_PER_US UINT64_C(1000)
#define HERD_NS_PER_MS UINT64_C(1000000)

/* A client's time is below 2^34 s, which unsigned 64-bit ns hold. */
#define HERD_TIME_MAX_S (UINT64_C(1) << 34)
#define HERD_TIME_TEXT_MAX 32u

/* Nanoseconds since 1970-01-01 UTC. */
struct wall {
	uint64_t ns;
};

/* Nanoseconds on a clock that never jumps; only differences mean anything. */
struct mono {
	uint64_t ns;
};

/* `at` plus `ns`; saturates. */
struct mono mono_add(struct mono at, uint64_t ns);
/* later - earlier, 0 when `earlier` is the later one. */
uint64_t mono_since(struct mono later, struct mono earlier);

/*
 * digits [. digits], up to 32 characters, below 2^34 s. Digits beyond the
 * ninth decimal do not count for the value. HERD_ESYNTAX, HERD_ERANGE.
 */
HERD_MUST_CHECK enum herd_error time_parse(struct span text, uint64_t *ns);

/* Room for time_format: "17179869183.999999999". */
#define TIME_FORMAT_MAX 24u
/* Seconds with nine decimals; returns the length; not terminated. */
size_t time_format(uint64_t ns, char out[TIME_FORMAT_MAX]);

/* Room for time_to_iso: "2514-05-30T01:53:03.999999999Z". */
#define TIME_ISO_MAX 32u
/*
 * ISO 8601 in UTC, with the decimals that are not needless zeros:
 * "2021-05-19T22:53:47.959498503Z", "2026-11-28T10:00:00Z". `ns` is below
 * 2^34 s. Returns the length; not terminated.
 */
size_t time_to_iso(uint64_t ns, char out[TIME_ISO_MAX]);

/*
 * What ISO 8601 and RFC 3339 share: date, T (or t, or a blank), hours and
 * minutes, seconds and their fraction if they are wanted, and Z (or z) or an
 * offset of hours and minutes (+01:00, -0530): "2026-11-28T10:00Z". Digits
 * beyond the ninth decimal do not count. HERD_ESYNTAX; HERD_ERANGE: no such
 * day or hour, before 1970, or from 2^34 s on.
 */
HERD_MUST_CHECK enum herd_error time_from_iso(struct span text, uint64_t *ns);

/* Room for skew_format: sign, 11 digits, point, 9 digits. */
#define SKEW_FORMAT_MAX 24u
/*
 * received - sent in seconds: sign always, nine decimals ("+0.263873386").
 * Returns the length; not terminated.
 */
size_t skew_format(
    uint64_t received_ns, uint64_t sent_ns, char out[SKEW_FORMAT_MAX]);

/* A signed difference; 2^34 s of nanoseconds need all 64 bits. */
struct skew {
	bool negative;
	uint64_t ns;
};

/*
 * sign digits . nine digits, below 2^34 s, exactly as skew_format writes it
 * (no needless leading zero, no negative zero). HERD_ESYNTAX, HERD_ERANGE.
 */
HERD_MUST_CHECK enum herd_error skew_parse(struct span text, struct skew *out);

/* sent + skew; stops at 0 and at the largest value. */
uint64_t skew_apply(uint64_t sent_ns, struct skew skew);

/*
 * "24h", "1d12h", "90s", "1.5s", "200ms", "50us", "0" (units ns us ms s m h d;
 * a bare number other than 0 is an error). HERD_ESYNTAX, HERD_ERANGE.
 */
HERD_MUST_CHECK enum herd_error duration_parse(struct span text, uint64_t *ns);

/* Shortest exact form that duration_parse reads back: "24h", "1m30s". */
HERD_MUST_CHECK enum herd_error duration_format(struct buf *out, uint64_t ns);

/* For people, two units at most: "3d 4h", "41s", "0.4ms", "0ms". */
HERD_MUST_CHECK enum herd_error duration_for_people(
    struct buf *out, uint64_t ns);

#endif
