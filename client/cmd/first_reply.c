/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/first_reply.h"

#include "base/xbuf.h"
#include "herd/text.h"

/*
 * The request was well-formed, so the node refused its content. It does not
 * say why.
 */
static const char *
probable_reason(struct span line)
{
	struct span word;

	(void)text_next_field(&line); /* `?' */
	word = text_next_field(&line);
	if (span_is(word, "WHATSAT"))
		return " (it holds no such client; `client show' with -n all "
		       "asks every node)";
	if (span_is(word, "IAMAT"))
		return " (a time far ahead of its clock is refused, and so is a "
		       "new client at max_memory or max_clients; `client "
		       "refused' says which)";
	return "";
}

static enum status
refused(struct run *run, const struct conversation *x)
{
	struct span line = buf_span(&x->first);

	if (line.len > 0)
		line.len--;
	put_clean(&run->message, span_from(x->target->name));
	put_text(&run->message, " refused it: ");
	put_clean(
	    &run->message, line.len > 200 ? span_of(line.data, 200) : line);
	put_text(&run->message, probable_reason(line));
	return run_fail_message(run, STATUS_REFUSED);
}

enum status
first_reply_read(struct run *run, struct conversation *x, struct reply *out)
{
	if (x->status != STATUS_OK)
		return x->status;
	if (reply_parse(buf_span(&x->first), x->kind, out) != HERD_OK) {
		x->status = STATUS_REPLY;
		x->message = xstrdup("its answer does not fit the request");
	} else if (out->refused) {
		return refused(run, x);
	}
	return x->status;
}
