/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/store_diff.h"

#include "cmd/store_patience.h"
#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("compared_rows", "ROWS", VALUE_INTEGER),
	COLUMN("missing", "MISSING", VALUE_INTEGER),
	COLUMN("stale", "STALE", VALUE_INTEGER),
	COLUMN("unknown", "UNKNOWN", VALUE_INTEGER),
	COLUMN("newer", "NEWER", VALUE_INTEGER),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
};
/* clang-format on */

static const struct view diff_view =
    VIEW(columns, .schema = "herd.store-diffs/1", .list = "stores");

enum status
store_diff(struct run *run)
{
	struct answers answers;
	bool same = true;
	enum status status;

	store_be_patient(run);
	status = fields_ask(run,
	    &(struct fields_request){
		.path = "/v1/store/diff", .view = &diff_view },
	    &answers);
	if (status != STATUS_OK)
		return status;
	fields_rows(run, &answers, NULL, NULL);
	answers_each(a, &answers)
		same = same &&
		       (a->status != STATUS_OK || fields_is(a->json, "same"));
	status = fields_finish(run, &answers);
	return status == STATUS_OK && !same ? STATUS_NEGATIVE : status;
}
