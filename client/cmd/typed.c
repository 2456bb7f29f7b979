/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/typed.h"

#include "herd/request.h"

enum status
typed_client(struct run *run, const char *id)
{
	if (client_id_is_valid(span_from(id)))
		return STATUS_OK;
	return run_fail(run, STATUS_USAGE,
	    "`%s' is no client id: it has 1 to 65,535 bytes and no white space",
	    id);
}

enum status
typed_location(
    struct run *run, const char *typed, struct buf *text, struct location *out)
{
	enum herd_error error =
	    location_from_human(span_from(typed), text, out);

	if (error == HERD_OK)
		return STATUS_OK;
	return run_fail(run, STATUS_USAGE, "`%s'%s", typed,
	    error == HERD_ERANGE
		? ": a latitude is from -90 to 90, a longitude from -180 to 180"
		: " is no location: write +34.068930-118.445127 or "
		  "34.068930,-118.445127");
}
