/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store backup: a node's store as a file here, while the node runs. The bytes
 * come into FILE.tmp, which becomes FILE when all are there and were looked at:
 * whatever happens on the way, FILE is whole, or what it was before.
 */
#include "cmd/list.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "cmd/import_progress.h"
#include "cmd/store_place.h"
#include "herd/file.h"
#include "input/store_file.h"
#include "run/fields.h"

/* Between two questions how far the node is with its copy. */
#define ASK_MS 300

/* clang-format off */
#define BACKUP_COLUMNS(X) \
	X(BACKUP_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT) \
	X(BACKUP_FILE, "file", "FILE", VALUE_TEXT, .traits = COLUMN_SHRINK) \
	X(BACKUP_BYTES, "bytes", "BYTES", VALUE_BYTES) \
	X(BACKUP_ROWS, "rows", "ROWS", VALUE_INTEGER) \
	X(BACKUP_REMOVALS, "removals", "REMOVALS", VALUE_INTEGER) \
	X(BACKUP_TOOK, "took_s", "TOOK", VALUE_SECONDS)
/* clang-format on */

COLUMN_TABLE(backup_columns, BACKUP_COLUMNS);

static const struct view backup_view =
    VIEW(backup_columns, .schema = "herd.backup/1", .list = "backups");

struct backup {
	struct run *run;
	const struct target *target;
	struct admin_client *admin;
	struct admin_call *call; /* the bytes */
	struct answer progress;  /* how far the node is with its copy */
	bool asking;
	struct event *tick;
	int fd;
	uint64_t bytes; /* that came */
	uint64_t done;  /* of the node's copy, and of how much */
	uint64_t total;
	unsigned char head[STORE_FILE_HEAD];
	uint64_t size; /* that the first bytes say; 0: not known */
	struct mono began;
	struct mono heard;
	bool shows; /* there is a terminal for a line of progress */
	bool over;
	enum status status;
	struct buf why;
	struct buf hint;
};

/* --- progress ----------------------------------------------------------- */

static void
put_bytes(struct buf *out, uint64_t bytes)
{
	put_size(out, (double)bytes);
}

static void
show(struct backup *b)
{
	struct buf line = XBUF;

	if (!b->shows)
		return;
	put_clean(&line, span_from(b->target->name));
	if (b->bytes == 0 && b->total == 0) {
		put_text(&line, ": waits for the node");
	} else if (b->bytes == 0) {
		putf(&line, ": the node makes a copy  %.0f%%",
		    100.0 * (double)b->done / (double)b->total);
	} else {
		put_text(&line, ": ");
		put_bytes(&line, b->bytes);
		if (b->size > 0) {
			put_text(&line, " of ");
			put_bytes(&line, b->size);
		}
	}
	fprintf(stderr, "\r%s\x1b[K", text_of(&line));
	fflush(stderr);
	buf_release(&line);
}

static void
hide(struct backup *b)
{
	if (!b->shows)
		return;
	fputs("\r\x1b[K", stderr);
	fflush(stderr);
}

/* A node that goes on with its copy is not silent. */
static void
hear_progress(struct backup *b)
{
	double done = fields_number(b->progress.json, "work.done", 0);
	double total = fields_number(b->progress.json, "work.total", 0);

	if (b->progress.status == STATUS_OK &&
	    fields_says(b->progress.json, "work.kind", "backup") && done >= 0 &&
	    total >= done && total < 1e15) {
		if (b->done != (uint64_t)done || b->total == 0)
			b->heard = now_mono();
		b->done = (uint64_t)done;
		b->total = (uint64_t)total;
	}
	answer_release(&b->progress);
	b->asking = false;
}

static void
on_tick(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct backup *b = arg;

	if (b->asking && b->progress.done)
		hear_progress(b);
	show(b);
	if (b->asking || b->over || b->bytes > 0)
		return;
	b->asking = true;
	answer_start(&b->progress, b->run, b->target,
	    &(struct question){ .path = "/v1/store?brief=1" }, b->admin);
}

/* --- the bytes ------------------------------------------------------------ */

static void
end(struct backup *b, enum status status, const char *why, const char *hint)
{
	if (b->over)
		return;
	b->over = true;
	b->status = status;
	put_text(&b->why, why);
	put_text(&b->hint, hint == NULL ? "" : hint);
}

static bool
write_all(int fd, struct span data)
{
	while (data.len > 0) {
		ssize_t n = write(fd, data.data, data.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data = span_of(data.data + n, data.len - (size_t)n);
	}
	return true;
}

/* The file says itself how long it is, in its first bytes. */
static void
look_at_head(struct backup *b, struct span data)
{
	size_t have =
	    b->bytes < sizeof(b->head) ? (size_t)b->bytes : sizeof(b->head);
	size_t take = sizeof(b->head) - have;

	if (take == 0)
		return;
	take = take < data.len ? take : data.len;
	memcpy(b->head + have, data.data, take);
	if (have + take == sizeof(b->head))
		b->size = store_file_size(b->head);
}

static void
on_data(void *arg, struct span data)
{
	struct backup *b = arg;

	if (b->over)
		return;
	b->heard = now_mono();
	look_at_head(b, data);
	b->bytes += data.len;
	if (b->bytes >= sizeof(b->head) && b->bytes > b->size) {
		end(b, STATUS_REPLY, "what it sends is no store", NULL);
		return;
	}
	if (write_all(b->fd, data))
		return;
	if (errno == EPIPE)
		end(b, STATUS_SIGPIPE, "the reader has gone", NULL);
	else
		end(b, STATUS_LOCAL, strerror(errno), NULL);
}

static void
on_done(void *arg, const struct admin_answer *answer)
{
	struct backup *b = arg;

	b->call = NULL;
	if (answer->status != STATUS_OK)
		end(b, answer->status, answer->message, answer->hint);
	else if (b->size == 0 || b->bytes != b->size)
		end(b, STATUS_REPLY, "what it sent is no whole store", NULL);
	else
		end(b, STATUS_OK, "", NULL);
}

static const struct admin_events events = { on_data, on_done };

static void
start(struct backup *b)
{
	const struct timeval every = { 0, ASK_MS * 1000 };
	struct admin_request request = { .method = "GET",
		.path = "/v1/store/backup" };
	enum status status = app_admin(b->run->app, &b->admin, &b->why);

	if (status == STATUS_OK)
		status = ask_prepare(b->run, b->target, &request, &b->why);
	if (status != STATUS_OK) {
		b->over = true;
		b->status = status;
		return;
	}
	b->call = admin_client_start(b->admin, &request, &events, b);
	b->tick =
	    event_new(app_loop(b->run->app)->base, -1, EV_PERSIST, on_tick, b);
	if (b->tick == NULL || event_add(b->tick, &every) != 0)
		out_of_memory();
}

static bool
is_over(const void *arg)
{
	return ((const struct backup *)arg)->over;
}

/* Nothing came for --timeout, neither bytes nor progress: it has failed. */
static void
await(struct backup *b)
{
	uint64_t timeout = prefs_ns(&b->run->prefs, PREF_TIMEOUT);

	while (!b->over) {
		struct mono until =
		    timeout == 0 ? NO_DEADLINE : mono_add(b->heard, timeout);
		enum wait_result result =
		    loop_wait(app_loop(b->run->app), is_over, b, until);

		if (result == WAIT_INTERRUPTED)
			end(b, STATUS_SIGINT, "", NULL);
		else if (result == WAIT_TIMEOUT &&
			 mono_since(now_mono(), b->heard) >= timeout)
			end(b, STATUS_TIMEOUT, "no answer in time", NULL);
	}
}

/* Says what failed. */
static enum status
fetch(struct run *run, const struct target *target, int fd, struct backup *b)
{
	*b = (struct backup){ .run = run,
		.target = target,
		.fd = fd,
		.began = now_mono(),
		.shows = import_progress_is_wanted(run),
		.why = XBUF,
		.hint = XBUF };
	b->heard = b->began;
	start(b);
	await(b);
	hide(b);
	if (b->call != NULL)
		admin_client_cancel(b->call);
	if (b->asking)
		answer_release(&b->progress);
	if (b->tick != NULL)
		event_free(b->tick);
	if (b->status != STATUS_OK && b->why.len > 0)
		run_fail_node(run, b->status, target->name, text_of(&b->why),
		    b->hint.len > 0 ? text_of(&b->hint) : NULL);
	buf_release(&b->why);
	buf_release(&b->hint);
	return b->status;
}

/* --- where they go -------------------------------------------------------- */

static enum status
to_output(struct run *run, const struct target *target)
{
	struct backup backup;

	if (isatty(STDOUT_FILENO) == 1)
		return run_fail(run, STATUS_USAGE,
		    "a store is no text for a terminal: name a FILE, or "
		    "redirect the output");
	return fetch(run, target, STDOUT_FILENO, &backup);
}

static void
add_row(struct run *run, const struct backup *b, const char *path,
    const struct store_file *file)
{
	struct out *out = &run->out;

	out_word(out, BACKUP_NODE, b->target->name);
	out_word(out, BACKUP_FILE, path);
	out_real(out, BACKUP_BYTES, (double)file->bytes);
	out_integer(out, BACKUP_ROWS, (int64_t)file->rows);
	out_integer(out, BACKUP_REMOVALS, (int64_t)file->removals);
	out_real(
	    out, BACKUP_TOOK, (double)mono_since(now_mono(), b->began) / 1e9);
	out_row(out);
}

/* STATUS_OK: what came is a whole store. Says why if it is not. */
static enum status
look(struct run *run, const char *temporary, const char *path,
    struct store_file *file)
{
	enum status status = store_file_read(temporary, file, &run->message);

	if (status != STATUS_OK)
		return run_fail_message(run, status);
	if (file->is_whole)
		return STATUS_OK;
	status = run_fail(run, STATUS_REPLY,
	    "the copy is damaged, %s is not made: %s", path,
	    file->fault.len > 0 ? text_of(&file->fault)
				: "rows are not as they were put");
	store_file_release(file);
	return status;
}

static enum status
to_file(struct run *run, const struct target *target, const char *path)
{
	char *temporary = xasprintf("%s.tmp", path);
	struct backup backup;
	struct store_file file;
	enum status status;
	int fd;

	status = store_place_open(run, path, temporary, &fd);
	if (status == STATUS_OK) {
		status = fetch(run, target, fd, &backup);
		if (status == STATUS_OK)
			status = look(run, temporary, path, &file);
		if (status == STATUS_OK) {
			status = store_place_keep(run, fd, temporary, path);
			if (status == STATUS_OK)
				add_row(run, &backup, path, &file);
			store_file_release(&file);
		}
		if (status != STATUS_OK)
			(void)unlink(temporary);
		(void)close(fd);
	}
	free(temporary);
	return status;
}

static enum status
store_backup_run(struct run *run)
{
	const char *path = run_word(run, 0);
	const struct target *target;
	enum status status = run_one_target(run, &target);

	/* So that Ctrl-C leaves no FILE.tmp. */
	if (run->app->repl == NULL)
		loop_catch_signals(app_loop(run->app));
	if (status == STATUS_OK && strcmp(path, "-") == 0)
		return to_output(run, target);
	if (status == STATUS_OK)
		status = run_begin(run, &backup_view);
	if (status != STATUS_OK)
		return status;
	status = to_file(run, target, path);
	if (status == STATUS_OK)
		out_end(&run->out);
	return status;
}

const struct command cmd_store_backup = {
	.path = "store backup",
	.summary = "copy a running node's store into a file",
	.help =
	    "FILE is the store as it is at the end, with all that a report "
	    "has: origin, skew, time, removals. It is written as FILE.tmp, "
	    "looked at as by `store check', and renamed: FILE is never half a "
	    "copy. `-' is the standard output. The right to read clients "
	    "is enough. Nodes that share a store back it up by their "
	    "database's own tools, as pg_dump.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE)),
	.view = &backup_view,
	.traits = COMMAND_HARMLESS,
	.run = store_backup_run,
	.example = "-n Riley store backup riley.sqlite",
};
