/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herd: the table that mkgazetteer reads, places with a tab between their
 * columns and no header. Nothing is quoted.
 */
#include "herd/text.h"
#include "input/import_formats.h"
#include "input/place_shape.h"

#define COLUMNS_MIN 9u

static const unsigned char columns[] = { PLACE_ID, PLACE_LAT, PLACE_LON,
	PLACE_KIND, PLACE_NAME, PLACE_VICINITY, PLACE_COUNTRY, PLACE_ADMIN1,
	PLACE_POPULATION, PLACE_TYPES, PLACE_HOURS };

static bool
parse(struct import_reader *reader HERD_UNUSED, struct span raw,
    struct import_record *record)
{
	struct span line = import_reader_line(record, raw);
	size_t count = 0;

	if (text_trim(line).len == 0)
		return false;
	for (bool more = true; more; count++) {
		more = span_find(line, '\t') != NULL;
		if (count == HERD_ARRAY_LEN(columns)) {
			record->fault = "more than 11 columns";
			return true;
		}
		import_record_put(
		    record, columns[count], span_cut(&line, '\t'));
	}
	if (count < COLUMNS_MIN)
		record->fault = "fewer than 9 columns";
	else if (import_record_text(record, PLACE_KIND).len != 1)
		record->fault = PLACE_SHAPE_KINDS;
	else if (raw.data[raw.len - 1] != '\n')
		record->fault = "it has no end: is the table cut off?";
	return true;
}

const struct import_format import_herd = {
	.name = "herd",
	.scan = import_reader_scan_line,
	.parse = parse,
};
