/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How typed values of an answer are written, for people and for machines.
 * Commands fill values; only writers know how a format shows them.
 */
#ifndef HERD_VALUES_H
#define HERD_VALUES_H

#include "herd/json.h"
#include "herd/view.h"

/*
 * Appends what people read, `-' when unknown: "3d 4h", "0.4ms", "1.3 km",
 * "S", "48,120" (separators only when `grouped`). Cleaned for terminals.
 */
void value_for_people(struct buf *out, const struct value *value,
    const struct column *column, bool grouped);

/* Appends what csv, tsv, kv show: "" when unknown, numbers plain. */
void value_for_machines(struct buf *out, const struct value *value);

/* Writes `"key":value` with what else belongs to it (lat, lon, _b64). */
void value_write(
    struct json *json, const struct value *value, const struct column *column);

/* Appends a number as short as reads back equal; null when not finite. */
void put_number(struct buf *out, double number);

/* Appends the time of day of seconds as text, before today the date too. */
void put_clock(struct buf *out, struct span text);

/* Appends `n` with commas between thousands. */
void put_grouped(struct buf *out, int64_t n);

/* Appends "3d 4h", "41s", "0.4ms" for a duration in seconds, signed. */
void put_duration(struct buf *out, double seconds);

/* Appends "12M", "1.4G" for a size in bytes. */
void put_size(struct buf *out, double bytes);

/* Appends "850 m", "1.3 km", "12 km". */
void put_distance(struct buf *out, double metres);

#endif
