/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/xbuf.h"

#define SINK_FLUSH_BYTES 65536u

void
sink_init(struct sink *sink, int fd)
{
	*sink = (struct sink){ .fd = fd, .terminal = isatty(fd) == 1 };
	buf_init(&sink->held, XBUF_MAX);
	buf_init(&sink->kept, XBUF_MAX);
}

void
sink_init_memory(struct sink *sink, bool terminal)
{
	*sink = (struct sink){ .fd = -1, .terminal = terminal };
	buf_init(&sink->held, XBUF_MAX);
	buf_init(&sink->kept, XBUF_MAX);
}

void
sink_use_pager(struct sink *sink, const char *pager, size_t height)
{
	sink->pager = pager;
	sink->height = height;
}

enum status
sink_init_redirect(struct sink *sink, enum redirect redirect,
    const char *target, struct buf *message)
{
	int fd;
	pid_t child = 0;

	if (redirect == REDIRECT_PIPE) {
		if (child_start_shell(target, &child, &fd) != 0) {
			putf(message, "cannot run `%s': %s", target,
			    strerror(errno));
			return STATUS_LOCAL;
		}
	} else {
		int mode = redirect == REDIRECT_APPEND ? O_APPEND : O_TRUNC;

		fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0666);
		if (fd < 0) {
			putf(message, "cannot write %s: %s", target,
			    strerror(errno));
			return STATUS_LOCAL;
		}
	}
	sink_init(sink, fd);
	sink->closes = true;
	sink->child = child;
	return STATUS_OK;
}

static void
write_held(struct sink *sink)
{
	while (sink->held.len > 0 && !sink->gone && sink->error == 0) {
		struct span held = buf_span(&sink->held);
		ssize_t n = write(sink->fd, held.data, held.len);

		if (n >= 0)
			buf_drain(&sink->held, (size_t)n);
		else if (errno == EPIPE)
			sink->gone = true;
		else if (errno != EINTR && errno != EAGAIN) {
			/* The command need not ask for more. */
			sink->error = errno;
			sink->gone = true;
		}
	}
	buf_clear(&sink->held);
}

/* The pager's end. If it failed, the terminal gets what it got. */
static void
end_pager(struct sink *sink)
{
	bool keeps = sink->keeps;

	close(sink->fd);
	sink->keeps = false;
	sink->closes = false;
	/* Who leaves a pager early has seen enough: its status is 0. */
	if (child_wait(sink->child) == 0 || !keeps)
		return;
	sink->child = 0;
	sink->fd = sink->plain_fd;
	sink->gone = false;
	sink->error = 0;
	sink->pager_failed = true;
	put_span(&sink->held, buf_span(&sink->kept));
	buf_clear(&sink->kept);
	write_held(sink);
}

static void
write_out(struct sink *sink)
{
	if (sink->keeps) {
		put_span(&sink->kept, buf_span(&sink->held));
		if (sink->kept.len > SINK_KEPT_MAX) {
			buf_clear(&sink->kept);
			sink->keeps = false;
		}
	}
	write_held(sink);
	if (sink->gone && sink->keeps)
		end_pager(sink);
}

/* It does not fit the screen: from here on the pager has it. */
static void
start_pager(struct sink *sink)
{
	int fd;

	if (child_start_shell(sink->pager, &sink->child, &fd) == 0) {
		sink->plain_fd = sink->fd;
		sink->fd = fd;
		sink->closes = true;
		sink->keeps = true;
	} else {
		sink->child = 0;
		sink->pager_failed = true;
	}
	sink->pager = NULL;
}

bool
sink_is_undecided(const struct sink *sink)
{
	return sink->fd >= 0 && sink->pager != NULL && sink->held.len > 0;
}

void
sink_flush(struct sink *sink)
{
	if (sink->fd < 0)
		return;
	if (sink->pager != NULL && sink->lines < sink->height)
		return;
	if (sink->pager != NULL)
		start_pager(sink);
	write_out(sink);
}

void
sink_write(struct sink *sink, struct span text)
{
	if (sink->gone)
		return;
	put_span(&sink->held, text);
	if (sink->pager != NULL) {
		for (size_t i = 0; i < text.len; i++)
			sink->lines += text.data[i] == '\n';
	}
	if (sink->held.len >= SINK_FLUSH_BYTES)
		sink_flush(sink);
}

void
sink_write_foreign(struct sink *sink, struct span text)
{
	struct buf clean = XBUF;
	size_t from = 0;

	if (!sink->terminal) {
		sink_write(sink, text);
		return;
	}
	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && text.data[i] != '\n' &&
		    text.data[i] != '\t')
			continue;
		put_clean(&clean, span_of(text.data + from, i - from));
		if (i < text.len)
			put_byte(&clean, text.data[i]);
		from = i + 1;
	}
	sink_write(sink, buf_span(&clean));
	buf_release(&clean);
}

enum status
sink_finish(struct sink *sink, struct buf *message)
{
	enum status status = STATUS_OK;

	if (sink->fd >= 0) {
		if (sink->lines < sink->height)
			sink->pager = NULL;
		sink_flush(sink);
	}
	if (sink->keeps)
		end_pager(sink);
	else if (sink->closes)
		close(sink->fd);
	if (sink->closes && sink->child > 0)
		child_wait(sink->child);
	if (sink->gone && sink->child == 0)
		status = STATUS_SIGPIPE;
	if (sink->error != 0) {
		putf(message, "cannot write the output: %s",
		    strerror(sink->error));
		status = STATUS_LOCAL;
	}
	buf_release(&sink->held);
	buf_release(&sink->kept);
	return status;
}
