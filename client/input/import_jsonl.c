/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jsonl: an object a line, as `client export' writes them. */
#include "input/import_formats.h"
#include "input/import_json.h"
#include "herd/text.h"

static bool
parse(struct import_reader *reader HERD_UNUSED, struct span raw,
    struct import_record *record)
{
	struct span line =
	    text_trim(record->line == 1 ? text_without_bom(raw) : raw);
	struct json_item object;

	if (line.len == 0)
		return false;
	if (!json_value(line, &object) || object.kind != JSON_OBJECT ||
	    !import_json_fields(&object, record))
		record->fault = "not a JSON object on one line";
	return true;
}

const struct import_format import_jsonl = {
	.name = "jsonl",
	.scan = import_reader_scan_line,
	.parse = parse,
};
