/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "herd/keyfile.h"
#include "herd/users_hash.h"
#include "out/screen.h"

/* --- a line of standard input --------------------------------------------- */

/* Without its end. STATUS_LOCAL: there is none, or it is too long. */
static enum status
read_line(struct run *run, struct buf *out)
{
	struct loop *loop = app_loop(run->app);
	char byte = '\0';
	ssize_t n;

	while (out->len < PASSWORD_ROOM) {
		/* While the terminal is ours Ctrl-C is an event. */
		if (isatty(STDIN_FILENO) == 1 &&
		    loop_wait_readable(loop, STDIN_FILENO, NO_DEADLINE) !=
			WAIT_DONE)
			return STATUS_SIGINT;
		n = read(STDIN_FILENO, &byte, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || byte == '\n')
			break;
		put_byte(out, byte);
	}
	if (out->len < PASSWORD_ROOM)
		return STATUS_OK;
	return run_fail(run, STATUS_LOCAL, "the line is too long");
}

/* --- on the terminal ------------------------------------------------------ */

static void
on_leave(void *arg HERD_UNUSED)
{
	screen_echo_begin();
}

static void
on_enter(void *arg HERD_UNUSED)
{
	(void)screen_echo_end();
}

static enum status
ask_once(
    struct run *run, const char *question, const char *name, struct buf *out)
{
	static const struct loop_terminal hidden = { on_leave, on_enter, NULL,
		NULL };
	struct loop *loop = app_loop(run->app);
	const struct loop_terminal *before;
	enum status status;

	/* Ctrl-C must leave the terminal as it was. */
	loop_catch_signals(loop);
	if (screen_echo_end() != 0)
		return run_fail(
		    run, STATUS_LOCAL, "no terminal: %s", strerror(errno));
	before = loop_hold_terminal(loop, &hidden);
	fprintf(stderr, "%s %s: ", question, name);
	fflush(stderr);
	status = read_line(run, out);
	screen_echo_begin();
	loop_hold_terminal(loop, before);
	fputc('\n', stderr);
	return status;
}

enum status
password_ask(struct run *run, const char *name, struct buf *out)
{
	struct buf again;
	enum status status;

	if (run->place != NULL || isatty(STDIN_FILENO) != 1 ||
	    isatty(STDERR_FILENO) != 1)
		return run_fail(run, STATUS_USAGE,
		    "there is no terminal to ask for a password: give "
		    "--password-file FILE, or - for standard input");
	buf_init(&again, PASSWORD_ROOM);
	must(buf_reserve(&again, PASSWORD_ROOM));
	status = ask_once(run, "Password of", name, out);
	if (status == STATUS_OK)
		status = ask_once(run, "Again, for", name, &again);
	if (status == STATUS_OK && !span_equal(buf_span(out), buf_span(&again)))
		status = run_fail(run, STATUS_USAGE,
		    "the two are not the same: nothing is changed");
	password_release(&again);
	return status;
}

/* --- from a file ---------------------------------------------------------- */

enum status
password_read(struct run *run, const char *flag, struct buf *out)
{
	const char *path = run_flag(run, flag);
	const struct keyfile file = {
		.name = flag, .value = path, .any_owner = geteuid() == 0
	};
	char text[PASSWORD_ROOM];
	size_t len = 0;
	enum herd_error error;

	if (strcmp(path, "-") == 0)
		return read_line(run, out);
	error =
	    keyfile_read(&file, 1, sizeof(text) - 1, text, &len, &run->message);
	if (error == HERD_ENOMEM)
		out_of_memory();
	if (error != HERD_OK)
		return run_fail_message(run, STATUS_LOCAL);
	put(out, text, len);
	explicit_bzero(text, sizeof(text));
	return STATUS_OK;
}

void
password_release(struct buf *password)
{
	if (password->data != NULL)
		explicit_bzero(password->data, password->cap);
	buf_release(password);
}
