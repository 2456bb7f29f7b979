/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/import_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "input/import_guess.h"

/* gzip's exit status for a warning: it has passed over what follows. */
#define GZIP_WARNING 2

int
import_source_open(struct import_source *source, const char *path)
{
	struct stat status;

	*source = (struct import_source){ .input = STDIN_FILENO };
	if (strcmp(path, "-") != 0) {
		source->input = open(path, O_RDONLY | O_CLOEXEC);
		source->owned = true;
	}
	if (source->input < 0)
		return -1;
	if (fstat(source->input, &status) == 0 && S_ISREG(status.st_mode))
		source->size = status.st_size;
	return 0;
}

void
import_source_close(struct import_source *source)
{
	if (source->filtered)
		(void)child_filter_end(&source->gzip);
	source->filtered = false;
	if (source->owned && source->input >= 0)
		close(source->input);
	source->input = -1;
}

int
import_source_fd(const struct import_source *source)
{
	return source->filtered ? source->gzip.fd : source->input;
}

static enum import_source_result
fail(struct import_source *source, const char *why)
{
	source->failure = why;
	return SOURCE_FAILED;
}

/* Bytes read; 0 at the end; -1: errno. */
static ssize_t
read_some(int fd, struct buf *out)
{
	ssize_t n;

	must(buf_reserve(out, IMPORT_SOURCE_BYTES));
	do {
		n = read(fd, buf_tail(out), IMPORT_SOURCE_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		buf_grow(out, (size_t)n);
	return n;
}

/* The first bytes, of which gzip's mark may need two reads. */
static enum import_source_result
begin(struct import_source *source, struct buf *out)
{
	static const char *const gzip[] = { "gzip", "-dc", NULL };
	size_t before = out->len;
	ssize_t n = read_some(source->input, out);
	struct span head;

	while (n > 0 && out->len - before < 2)
		n = read_some(source->input, out);
	if (n < 0)
		return fail(source, strerror(errno));
	source->begun = true;
	head = span_of(buf_span(out).data + before, out->len - before);
	if (!import_guess_gzip(head))
		return n == 0 && head.len == 0 ? SOURCE_END : SOURCE_BYTES;
	if (child_filter_start(gzip, head, source->input, &source->gzip) != 0)
		return fail(source, strerror(errno));
	source->filtered = true;
	buf_truncate(out, before);
	return SOURCE_BYTES;
}

static enum import_source_result
end(struct import_source *source)
{
	int status;

	if (!source->filtered)
		return SOURCE_END;
	source->filtered = false;
	status = child_filter_end(&source->gzip);
	if (status == 0)
		return SOURCE_END;
	if (status == GZIP_WARNING)
		return fail(source, "what follows its gzip data is no gzip");
	if (status == CHILD_NOT_FOUND)
		return fail(source, "gzip, which has to unpack it, is missing");
	return fail(source, "its gzip data is damaged or not whole");
}

enum import_source_result
import_source_read(struct import_source *source, struct buf *out)
{
	ssize_t n;

	if (!source->begun)
		return begin(source, out);
	n = read_some(import_source_fd(source), out);
	if (n < 0)
		return fail(source, strerror(errno));
	return n > 0 ? SOURCE_BYTES : end(source);
}

double
import_source_share(const struct import_source *source)
{
	off_t at = source->size > 0 ? lseek(source->input, 0, SEEK_CUR) : -1;

	return at < 0 ? -1.0 : (double)at / (double)source->size;
}
