/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cert new: certificates for nodes, by the CA of a folder that `init' made.
 */
#include "cmd/list.h"

#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/init_advice.h"
#include "cmd/node_certificates.h"
#include "conf/herd.h"

/* Makes them, and says what to do with them. */
static enum status
make_certificates(struct run *run, const char *dir, const struct herdfile *file)
{
	const char *const *names = run->args->words + 1;
	size_t count = run->args->count - 1;
	struct buf text = XBUF;
	enum status status =
	    node_certificates_make(run, dir, file, names, count);

	put_text(&text, "Copy the new certificates to their machines, and let "
			"nodes that run read them:\n\n");
	for (size_t i = 0; i < file->node_count; i++) {
		if (node_certificates_is_for(&file->nodes[i], names, count))
			init_advice_certificate(&file->nodes[i], dir, &text);
	}
	if (status == STATUS_OK)
		sink_write(&run->sink, buf_span(&text));
	buf_release(&text);
	return status;
}

static enum status
cert_new_run(struct run *run)
{
	const char *dir = run_word(run, 0);
	char *path = xasprintf("%s/" INIT_HERD_FILE, dir);
	struct buf message = XBUF;
	struct herdfile file;
	enum status status = herd_read_file(path, &file, &message);

	if (status == STATUS_OK) {
		status = make_certificates(run, dir, &file);
		herdfile_release(&file);
	} else {
		run_fail(run, status, "%s", text_of(&message));
	}
	buf_release(&message);
	free(path);
	return status;
}

const struct command cmd_cert_new = {
	.path = "cert new",
	.summary = "make certificates for nodes of a herd",
	.help = "DIR is a folder that `init' has made for several machines. "
		"Each NODE, without one every node of its herd.yaml, gets a "
		"certificate and a key for 825 days, signed by the CA whose "
		"key is in DIR, in place of those that it has; and the "
		"command says what to copy where. So nodes that were added "
		"to the herd file get theirs too.",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("DIR", .complete = COMPLETE_FILE),
	    ARG("NODE", .complete = COMPLETE_NODE, .optional = true,
		.repeats = true)),
	.traits = COMMAND_WRITE,
	.run = cert_new_run,
	.example = "cert new ferry B",
};
