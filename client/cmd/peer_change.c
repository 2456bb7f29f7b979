/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/peer_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"

/* Must the peer dial to bring the link back? */
static bool
waits_for_peer(const struct answers *answers)
{
	const struct cJSON *link =
	    answers->count == 1 ? answers->items[0].json : NULL;

	return fields_says(link, "direction", "accept") &&
	       fields_says(link, "state", "waiting");
}

static void
hint_who_dials(struct run *run)
{
	tokens_quote(&run->message, run_word(run, 0));
	run_hint(run,
	    "%s dials this link; `peer reconnect %s -n %s` makes it dial now",
	    text_of(&run->message), run->targets[0]->name,
	    text_of(&run->message));
	buf_clear(&run->message);
}

enum status
peer_change(struct run *run)
{
	struct answers answers;
	char *verb =
	    xasprintf("/%s", strchr(run->args->command->path, ' ') + 1);
	char *path = ask_path("/v1/peers/", span_from(run_word(run, 0)), verb);
	enum status status = fields_ask(run,
	    &(struct fields_request){ .method = "POST", .path = path },
	    &answers);
	bool waits;

	free(path);
	free(verb);
	if (status != STATUS_OK)
		return status;
	waits = waits_for_peer(&answers);
	fields_rows(run, &answers, NULL, peer_rows_derive);
	status = fields_finish(run, &answers);
	peer_rows_hint(run, status);
	if (status == STATUS_OK && waits)
		hint_who_dials(run);
	return status;
}
