/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a client has been: /v1/clients/ID/track. */
#include "admin/admin_room.h"
#include "admin/route.h"

/* No engine of the store keeps a history. */
void
serve_client_track(struct http_call *call)
{
	http_call_fail(call, ADMIN_CONFLICT,
	    "GET /v1/clients/ID has the newest position",
	    "node %s keeps no history", call->node->name);
}
