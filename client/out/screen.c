/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "out/width.h"

#define WIDTH_DEFAULT 80u
#define HEIGHT_DEFAULT 24u

/*
 * The terminal's modes before keys were asked for. An exit handler has no
 * argument, so this one cannot live in a struct of ours.
 */
static struct termios terminal_before;
static bool terminal_changed;

static size_t
from_environment(const char *name, size_t fallback)
{
	const char *text = getenv(name);
	uint64_t number;

	if (text != NULL &&
	    text_to_u64(span_from(text), 1, 10000, &number) == HERD_OK)
		return number;
	return fallback;
}

size_t
screen_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return from_environment("COLUMNS", WIDTH_DEFAULT);
}

size_t
screen_height(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
		return size.ws_row;
	return from_environment("LINES", HEIGHT_DEFAULT);
}

bool
screen_is_dumb(void)
{
	const char *term = getenv("TERM");

	return term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
}

bool
screen_has_program(const char *name)
{
	const char *path = getenv("PATH");
	bool found = false;

	while (path != NULL && *path != '\0' && !found) {
		size_t len = strcspn(path, ":");
		char *file = xasprintf("%.*s/%s", (int)len, path, name);

		found = access(file, X_OK) == 0;
		free(file);
		path += len;
		path += *path == ':';
	}
	return found;
}

/* The text of a line without its colours. */
static void
put_colorless(struct buf *out, struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] != '\033') {
			put_byte(out, line.data[i]);
			continue;
		}
		while (i + 1 < line.len && line.data[i] != 'm')
			i++;
	}
}

static void
put_line(struct buf *out, struct span line, size_t width, bool utf8)
{
	struct buf text = XBUF;
	size_t taken;

	put_colorless(&text, line);
	taken = width_of(buf_span(&text));
	if (taken > width)
		width_cut(out, buf_span(&text), width, utf8);
	else
		put_span(out, line);
	/* After a full line the cursor is still on its last column. */
	if (taken < width)
		put_text(out, "\033[K");
	buf_release(&text);
}

static size_t
count_lines(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == '\n' || i + 1 == text.len;
	return count;
}

void
screen_put_frame(struct buf *out, struct span text, bool utf8)
{
	size_t width = screen_width();
	size_t height = screen_height();
	size_t total = count_lines(text);
	size_t ends = height > 3 ? 1 : 0; /* lines kept from the end */
	size_t shown = total > height ? height - 1 - ends : total;
	struct buf more = XBUF;

	put_text(out, "\033[H");
	for (size_t n = 0; n < shown; n++) {
		if (n > 0)
			put_text(out, "\r\n");
		put_line(out, width_take_line(&text, 0), width, utf8);
	}
	if (shown == total) {
		/* Not below the last line: that would scroll. */
		put_text(out, total < height ? "\r\n\033[J" : "");
		return;
	}
	for (size_t n = shown; n + ends < total; n++)
		(void)width_take_line(&text, 0);
	if (ends > 0) {
		put_text(out, "\r\n");
		put_line(out, width_take_line(&text, 0), width, utf8);
	}
	putf(&more, "... and %zu more lines", total - shown - ends);
	put_text(out, shown > 0 ? "\r\n" : "");
	put_line(out, buf_span(&more), width, utf8);
	buf_release(&more);
}

size_t
screen_put_lines(struct buf *out, struct span text, bool utf8)
{
	size_t width = screen_width();
	size_t most = screen_height() - 1;
	size_t count = 0;

	for (; text.len > 0 && count < most; count++) {
		put_line(out, width_take_line(&text, 0), width, utf8);
		put_text(out, "\r\n");
	}
	return count;
}

static void
restore(void)
{
	if (terminal_changed)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_before);
	terminal_changed = false;
}

/* Switches these flags of the terminal off. */
static int
change(tcflag_t off)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &terminal_before) != 0)
		return -1;
	raw = terminal_before;
	raw.c_lflag &= ~off;
	if ((off & ICANON) != 0) {
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
	}
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0)
		return -1;
	terminal_changed = true;
	atexit(restore);
	return 0;
}

int
screen_keys_begin(void)
{
	return change((tcflag_t)(ICANON | ECHO));
}

int
screen_echo_end(void)
{
	return change((tcflag_t)ECHO);
}

void
screen_keys_end(void)
{
	restore();
}

void
screen_echo_begin(void)
{
	restore();
}
