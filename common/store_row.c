/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/store_row.h"

#include "herd/location.h"
#include "herd/siphash.h"
#include "herd/time.h"

/*
 * The key is fixed, as it is no secret: the checksum is there against
 * accidents, of which it misses one in 2^63.
 */
static const struct siphash_key SEAL_KEY = {
	UINT64_C(0x6865726473746f72),
	UINT64_C(0x65726f7773756d32),
};

/* The checksum is over the report's line, which has all its fields. */
enum herd_error
store_row_seal(struct buf *line, const struct report *report, int64_t *seal)
{
	enum herd_error error;
	struct span text;
	uint64_t hash;

	buf_clear(line);
	error = report_format(line, report);
	if (error != HERD_OK)
		return error;
	text = buf_span(line);
	hash = siphash(&SEAL_KEY, text.data, text.len);
	*seal = (int64_t)((hash & ~UINT64_C(1)) | (uint64_t)report->kind);
	return HERD_OK;
}

static bool
is_report(const struct report *report)
{
	struct location location;
	struct skew skew;

	if (!client_id_is_valid(report->client) ||
	    !node_name_is_valid(report->origin))
		return false;
	if (report->kind == REPORT_REMOVAL)
		return report->location.len == 0 && report->skew.len == 0;
	return location_parse(report->location, &location) == HERD_OK &&
	       skew_parse(report->skew, &skew) == HERD_OK;
}

const char *
store_row_judge(
    struct buf *line, int64_t seal, bool is_sealed, struct report *report)
{
	int64_t wanted = 0;

	report->kind = (seal & 1) != 0 ? REPORT_REMOVAL : REPORT_POSITION;
	if (time_parse(report->time, &report->time_ns) != HERD_OK ||
	    !is_report(report))
		return "it is no report";
	if (!is_sealed)
		wanted = (int64_t)report->kind;
	else if (store_row_seal(line, report, &wanted) != HERD_OK)
		return "it is too long";
	return seal == wanted ? NULL : "its checksum differs";
}
