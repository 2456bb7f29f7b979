/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/typed.h"

#include "herd/request.h"
#include "base/xbuf.h"

enum status
typed_client(struct run *run, const char *id)
{
	if (client_id_is_valid(span_from(id)))
		return STATUS_OK;
	put_byte(&run->message, '`');
	put_clean(&run->message, span_from(id));
	put_text(&run->message,
	    "' is no client id: it has 1 to 65,535 bytes and no white space");
	return run_fail_message(run, STATUS_USAGE);
}

enum status
typed_location(
    struct run *run, const char *typed, struct buf *text, struct location *out)
{
	enum herd_error error =
	    location_from_human(span_from(typed), text, out);

	if (error == HERD_OK)
		return STATUS_OK;
	put_byte(&run->message, '`');
	put_clean(&run->message, span_from(typed));
	put_text(&run->message,
	    error == HERD_ERANGE
		? "': a latitude is from -90 to 90, a longitude from -180 to "
		  "180"
		: "' is no location: write +34.068930-118.445127 or "
		  "34.068930,-118.445127");
	return run_fail_message(run, STATUS_USAGE);
}
