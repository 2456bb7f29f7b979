/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields of a record out of JSON, for jsonl and geojson. */
#ifndef HERD_CLIENT_IMPORT_JSON_H
#define HERD_CLIENT_IMPORT_JSON_H

#include "input/import_record.h"
#include "herd/json_members.h"

/*
 * Sets the field, if it has nothing so far, to a string or a number, of which
 * each digit counts. False: the value is neither, or a string that is wrong.
 */
bool import_json_field(const struct json_item *value,
    struct import_record *record, unsigned field);

/*
 * Sets the fields that the object has under their own names. False: it is no
 * JSON after all.
 */
bool import_json_fields(
    const struct json_item *object, struct import_record *record);

#endif
