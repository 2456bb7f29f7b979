/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client import: the JSON lines of `client export'. Each client is reported
 * with its own time and location; node and skew are then the importing node's.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/location.h"
#include "herd/text.h"
#include "net/connection.h"
#include "run/fields.h"

/* Requests under way at once: enough to hide the round trip. */
#define IMPORT_WINDOW 512u

/* clang-format off */
#define IMPORT_COLUMNS(X) \
	X(IMPORT_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT) \
	X(IMPORT_READ, "read", "READ", VALUE_INTEGER) \
	X(IMPORT_TAKEN, "reported", "REPORTED", VALUE_INTEGER) \
	X(IMPORT_REFUSED, "refused", "REFUSED", VALUE_INTEGER) \
	X(IMPORT_BAD, "malformed", "MALFORMED", VALUE_INTEGER) \
	X(IMPORT_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE)
/* clang-format on */

COLUMN_TABLE(import_columns, IMPORT_COLUMNS);

static const struct view import_view =
    VIEW(import_columns, .schema = "herd.import/1", .list = "imports");

struct import {
	struct run *run;
	const char *path;
	FILE *file;
	struct connection *session;
	unsigned long line;
	int64_t read;
	int64_t taken;
	int64_t refused;
	int64_t bad;
	bool closed;
	enum status why;
	char *message;
};

static void
on_reply(void *arg, struct span reply, enum reply_kind kind HERD_UNUSED)
{
	struct import *im = arg;

	if (reply.data[0] == '?')
		im->refused++;
	else
		im->taken++;
	/* The node is alive; the deadline is for silence only. */
	run_renew_deadline(im->run);
}

static void
on_closed(void *arg, enum status why, const char *message)
{
	struct import *im = arg;

	im->closed = true;
	im->why = why;
	im->message = xstrdup(message);
}

static const struct connection_events events = {
	.on_reply = on_reply,
	.on_closed = on_closed,
};

static void
say_bad_line(struct import *im, const char *what)
{
	im->bad++;
	run_fail(im->run, STATUS_LOCAL, "%s:%lu: %s", im->path, im->line, what);
}

/* Appends "IAMAT id location time"; false when the line has no client. */
static bool
put_request(struct buf *out, const cJSON *client)
{
	const char *location = fields_text(client, "location");
	const char *time = fields_text(client, "time");
	struct location at;
	uint64_t ns;
	struct buf id = XBUF;
	bool good;

	good = fields_client_id(client, &id) &&
	       client_id_is_valid(buf_span(&id)) && location != NULL &&
	       time != NULL &&
	       location_parse(span_from(location), &at) == HERD_OK &&
	       time_parse(span_from(time), &ns) == HERD_OK;
	if (good) {
		put_text(out, "IAMAT ");
		put_span(out, buf_span(&id));
		putf(out, " %s %s", location, time);
	}
	buf_release(&id);
	return good;
}

static void
send_line(struct import *im, struct span line)
{
	const char *end = NULL;
	cJSON *client;
	struct buf request = XBUF;

	line = text_trim(line);
	if (line.len == 0)
		return;
	im->read++;
	client = cJSON_ParseWithLengthOpts(line.data, line.len, &end, 0);
	if (client == NULL || end != line.data + line.len)
		say_bad_line(im, "not a JSON object on one line");
	else if (!put_request(&request, client))
		say_bad_line(im, "no client with location and time");
	else
		connection_queue(im->session, buf_span(&request));
	buf_release(&request);
	cJSON_Delete(client);
}

static bool
has_room(const void *arg)
{
	const struct import *im = arg;

	return im->closed ||
	       (connection_state(im->session) == SESSION_OPEN &&
		   connection_pending(im->session) < IMPORT_WINDOW / 2);
}

static bool
is_through(const void *arg)
{
	const struct import *im = arg;

	return im->closed || (connection_state(im->session) == SESSION_OPEN &&
				 connection_pending(im->session) == 0);
}

static enum status
feed(struct import *im)
{
	struct loop *loop = app_loop(im->run->app);
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	enum wait_result result = WAIT_DONE;

	while (result == WAIT_DONE && !im->closed &&
	       (len = getline(&line, &room, im->file)) >= 0) {
		im->line++;
		send_line(im, span_of(line, (size_t)len));
		if (connection_pending(im->session) < IMPORT_WINDOW)
			continue;
		connection_push(im->session);
		result = loop_wait(loop, has_room, im, im->run->deadline);
	}
	free(line);
	if (result == WAIT_DONE && !im->closed) {
		connection_push(im->session);
		result = loop_wait(loop, is_through, im, im->run->deadline);
	}
	if (result == WAIT_TIMEOUT && !im->closed)
		on_closed(im, STATUS_TIMEOUT, "no answer in time");
	return result == WAIT_INTERRUPTED ? STATUS_SIGINT : STATUS_OK;
}

static enum status
finish(struct import *im, const struct target *target)
{
	struct out *out = &im->run->out;

	out_word(out, IMPORT_NODE, target->name);
	out_integer(out, IMPORT_READ, im->read);
	out_integer(out, IMPORT_TAKEN, im->taken);
	out_integer(out, IMPORT_REFUSED, im->refused);
	out_integer(out, IMPORT_BAD, im->bad);
	if (im->closed)
		out_word(out, IMPORT_ERROR, im->message);
	out_row(out);
	out_end(out);
	if (im->closed)
		return run_fail(
		    im->run, im->why, "%s: %s", target->name, im->message);
	if (im->bad > 0)
		return STATUS_LOCAL;
	return im->refused > 0 ? STATUS_REFUSED : STATUS_OK;
}

static enum status
import_from(struct import *im)
{
	struct run *run = im->run;
	const struct target *target;
	enum status status = run_one_target(run, &target);

	if (status == STATUS_OK && target->clients.kind == ADDRESS_NONE)
		status = run_fail(run, STATUS_LOCAL,
		    "%s has no address for clients", target->name);
	if (status == STATUS_OK)
		status = run_begin(run, &import_view);
	if (status != STATUS_OK)
		return status;
	im->session = connection_new(app_loop(run->app)->base, &events, im);
	connection_open(im->session, &target->clients);
	status = feed(im);
	connection_free(im->session);
	if (status == STATUS_OK)
		status = finish(im, target);
	free(im->message);
	return status;
}

static enum status
client_import_run(struct run *run)
{
	struct import im = { .run = run, .path = run_word(run, 0) };
	enum status status;

	if (strcmp(im.path, "-") == 0) {
		/* In a script stdin is the script. */
		if (run->place != NULL || run->app->repl != NULL)
			return run_fail(run, STATUS_USAGE,
			    "stdin is not free here: name a file");
		im.path = "stdin";
		im.file = stdin;
		return import_from(&im);
	}
	im.file = fopen(im.path, "re");
	if (im.file == NULL)
		return run_fail(
		    run, STATUS_LOCAL, "%s: %s", im.path, strerror(errno));
	status = import_from(&im);
	fclose(im.file);
	return status;
}

const struct command cmd_client_import = {
	.path = "client import",
	.summary = "report the clients of an export to a node",
	.help =
	    "FILE has JSON lines as `client export' writes them, - is stdin. "
	    "Each client is reported with its own time, so nothing newer is "
	    "overwritten.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE)),
	.view = &import_view,
	.traits = COMMAND_WRITE,
	.run = client_import_run,
	.example = "client import clients.jsonl",
};
