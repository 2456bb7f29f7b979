/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "repl/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <readline/readline.h>
#include <readline/history.h>

#include "base/paths.h"
#include "base/xbuf.h"
#include "herd/file.h"
#include "out/screen.h"
#include "out/width.h"
#include "repl/complete.h"
#include "repl/cursor_word.h"

#define HISTORY_LINES 10000
#define HISTORY_BYTES_MAX ((off_t)4 << 20)
#define SHOWN_MAX 80u   /* suggestions listed at once */
#define SHOWN_WIDTH 72u /* columns of each, at most */

struct editor {
	struct app *app;
	void (*on_line)(char *line);
	const struct complete_sources *sources;
	char *history_path; /* NULL: none is kept */
	struct completions found;
};

/* readline's completion functions have no argument. */
static struct editor *the_editor;

/* --- input ----------------------------------------------------------- */

/*
 * readline waits for a byte after it was told that there is one, but Ctrl-C
 * makes the terminal forget the input. So that byte is read here, without
 * waiting. Only the bytes that must follow (the rest of a paste) are waited
 * for.
 */
#define NO_BYTE (-2)

static int byte_at_hand = NO_BYTE;

/* A byte, EOF, or NO_BYTE if there is none for now. */
static int
read_byte(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned char byte;
	ssize_t n = read(STDIN_FILENO, &byte, 1);

	if (n == 1)
		return byte;
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? NO_BYTE : EOF;
	/* The byte was forgotten, or the terminal is gone. */
	if (poll(&input, 1, 0) > 0 && (input.revents & (POLLHUP | POLLERR)))
		return EOF;
	return NO_BYTE;
}

static int
get_byte(FILE *in HERD_UNUSED)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	int byte = byte_at_hand;

	byte_at_hand = NO_BYTE;
	while (byte == NO_BYTE) {
		/* A signal ends the wait for the rest of a key. */
		if (poll(&input, 1, -1) < 0)
			return EOF;
		byte = read_byte();
	}
	return byte;
}

void
editor_read(void)
{
	byte_at_hand = read_byte();
	if (byte_at_hand != NO_BYTE)
		rl_callback_read_char();
	byte_at_hand = NO_BYTE;
}

/* As readline needs it, but a read does not wait. */
static void
prepare_terminal(int meta)
{
	struct termios modes;

	rl_prep_terminal(meta);
	if (tcgetattr(STDIN_FILENO, &modes) != 0)
		return;
	modes.c_cc[VMIN] = 0;
	modes.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

void
editor_pause(void)
{
	rl_deprep_terminal();
}

void
editor_resume(void)
{
	prepare_terminal(1);
	rl_resize_terminal();
	rl_forced_update_display();
}

/* --- history --------------------------------------------------------- */

/*
 * append_history() wants the file to exist; it holds what people typed, so
 * nobody else may read it.
 */
static void
open_history(struct editor *e)
{
	struct stat st;
	int fd = -1;

	history_comment_char = '#';
	history_write_timestamps = 1;
	stifle_history(HISTORY_LINES);
	e->history_path = path_state(PATH_HISTORY);
	if (e->history_path == NULL)
		return;
	if (path_make_parents(e->history_path) != 0 ||
	    file_open_private(e->history_path, O_RDWR | O_CREAT, &fd, NULL) !=
		HERD_OK ||
	    fstat(fd, &st) != 0) {
		free(e->history_path);
		e->history_path = NULL;
	}
	if (fd >= 0)
		close(fd);
	if (e->history_path == NULL)
		return;
	if (st.st_size > HISTORY_BYTES_MAX)
		history_truncate_file(e->history_path, HISTORY_LINES);
	read_history(e->history_path);
}

void
editor_remember(struct editor *e, const char *line)
{
	HIST_ENTRY *last;
	int error;

	/* A line that begins with # would read back as a time stamp. */
	if (line[0] == ' ' || line[0] == '#' ||
	    line[strspn(line, " \t")] == '\0')
		return;
	last = history_length > 0
		   ? history_get(history_base + history_length - 1)
		   : NULL;
	if (last != NULL && strcmp(last->line, line) == 0)
		return;
	add_history(line);
	/* One write in append mode: two sessions lose nothing. */
	error =
	    e->history_path == NULL ? 0 : append_history(1, e->history_path);
	if (error == 0)
		return;
	fprintf(stderr, "no history is kept from here on: %s: %s\n",
	    e->history_path, strerror(error));
	free(e->history_path);
	e->history_path = NULL;
}

/* --- completion ------------------------------------------------------ */

static void
add_file(struct completions *found, const char *before, const char *path)
{
	struct stat st;
	bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	grow_array(found->items, found->count, found->room);
	found->items[found->count++] = (struct completion){
		.word = xasprintf("%s%s%s", before, path, is_folder ? "/" : ""),
		.is_argument = before[0] == '\0',
	};
}

/* Files that begin with the word, or with the value of --conf=. */
static void
add_files(struct completions *found, const char *prefix)
{
	const char *equals = strchr(prefix, '=');
	char *before;
	char *path;

	if (found->literal || strncmp(prefix, "--", 2) != 0)
		equals = NULL;
	before = equals == NULL
		     ? xstrdup("")
		     : xstrndup(prefix, (size_t)(equals - prefix) + 1);
	for (int state = 0; (path = rl_filename_completion_function(
				 prefix + strlen(before), state)) != NULL;
	     state = 1) {
		add_file(found, before, path);
		free(path);
	}
	/* Else readline treats the inserted text as the name of a file. */
	rl_filename_completion_desired = 0;
	free(before);
}

static void
look_up(struct editor *e, const struct cursor *at)
{
	const char **words = xcalloc(at->command->count, sizeof(*words));
	size_t count = 0;

	completions_release(&e->found);
	if (at->is_file) {
		e->found.files = true;
		e->found.literal = true;
	} else {
		for (; count + 1 < at->command->count; count++)
			words[count] = at->command->words[count].text;
		complete(
		    e->app, words, count, at->prefix, e->sources, &e->found);
	}
	free(words);
	if (e->found.files)
		add_files(&e->found, at->prefix);
}

/*
 * The words of a shell command are the shell's, so only names of files are
 * suggested, and only those that need no quotes.
 */
static void
look_up_in_shell(struct editor *e, struct cursor *at)
{
	static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./,+@%:-";
	const char *blank = strrchr(at->prefix, ' ');
	size_t skip = blank == NULL ? 0 : (size_t)(blank + 1 - at->prefix);
	struct completions all = { .literal = true };

	completions_release(&e->found);
	add_files(&all, at->prefix + skip);
	for (size_t i = 0; i < all.count; i++) {
		struct completion *item = &all.items[i];

		if (item->word[strspn(item->word, PLAIN)] != '\0' ||
		    item->word[0] == '-')
			continue;
		grow_array(e->found.items, e->found.count, e->found.room);
		e->found.items[e->found.count++] = *item;
		item->word = NULL;
	}
	completions_release(&all);
	e->found.literal = true;
	memmove(at->prefix, at->prefix + skip, strlen(at->prefix + skip) + 1);
	at->start += skip;
}

static char **
suggest(
    const char *text HERD_UNUSED, int start HERD_UNUSED, int end HERD_UNUSED)
{
	struct editor *e = the_editor;
	struct cursor at;
	char **list = NULL;

	rl_attempted_completion_over = 1;
	if (cursor_find(rl_line_buffer, (size_t)rl_point, &at)) {
		if (at.is_shell)
			look_up_in_shell(e, &at);
		else
			look_up(e, &at);
		if (e->found.count > 0) {
			list = cursor_lines(&at, rl_line_buffer, &e->found);
			rl_completion_append_character =
			    cursor_goes_on(&e->found) ? '\0' : ' ';
		}
	}
	cursor_release(&at);
	return list;
}

/* To readline the line up to the cursor is one word. */
static char *
break_nowhere(void)
{
	static char none[] = "";

	return none;
}

/*
 * In callback mode readline cannot ask whether to list all, nor page: it would
 * wait for a key while the loop does not run. It lists whole lines; people get
 * the words.
 */
static void
show_matches(
    char **matches HERD_UNUSED, int count HERD_UNUSED, int longest HERD_UNUSED)
{
	const struct completions *found = &the_editor->found;
	size_t shown = found->count > SHOWN_MAX ? SHOWN_MAX : found->count;
	char *words[SHOWN_MAX + 2] = { 0 };
	struct buf clean = XBUF;
	size_t widest = 0;

	for (size_t i = 0; i < shown; i++) {
		struct buf cut = XBUF;

		buf_clear(&clean);
		put_clean(&clean, span_from(found->items[i].word));
		width_cut(
		    &cut, buf_span(&clean), SHOWN_WIDTH, the_editor->app->utf8);
		words[i + 1] = text_take(&cut);
		if (strlen(words[i + 1]) > widest)
			widest = strlen(words[i + 1]);
	}
	buf_release(&clean);
	words[0] = xstrdup("");
	rl_crlf();
	rl_display_match_list(words, (int)shown, (int)widest);
	if (found->count > shown)
		fprintf(
		    rl_outstream, "... and %zu more\n", found->count - shown);
	rl_forced_update_display();
	for (size_t i = 0; i <= shown; i++)
		free(words[i]);
}

/* --- life ------------------------------------------------------------ */

/*
 * A second Tab would only list, but the herd may have sent new ids since the
 * first one.
 */
static int
complete_key(int count HERD_UNUSED, int key HERD_UNUSED)
{
	int mode = rl_completion_mode(complete_key);

	return rl_complete_internal(mode == '?' ? '!' : mode);
}

struct editor *
editor_new(struct app *app, void (*on_line)(char *line),
    const struct complete_sources *sources)
{
	struct editor *e = xcalloc(1, sizeof(*e));

	e->app = app;
	e->on_line = on_line;
	e->sources = sources;
	the_editor = e;
	rl_readline_name = "herdctl";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 1;
	rl_getc_function = get_byte;
	rl_prep_term_function = prepare_terminal;
	rl_attempted_completion_function = suggest;
	rl_completion_display_matches_hook = show_matches;
	rl_completion_word_break_hook = break_nowhere;
	rl_completer_quote_characters = NULL;
	/* inputrc may set this one otherwise. */
	rl_variable_bind("show-all-if-ambiguous", "on");
	using_history();
	rl_initialize();
	rl_variable_bind("page-completions", "off");
	if (rl_function_of_keyseq("\t", NULL, NULL) == rl_complete)
		rl_bind_key('\t', complete_key);
	if (screen_is_dumb())
		rl_variable_bind("enable-bracketed-paste", "off");
	open_history(e);
	return e;
}

void
editor_free(struct editor *e)
{
	the_editor = NULL;
	completions_release(&e->found);
	clear_history();
	free(e->history_path);
	free(e);
}

void
editor_begin(struct editor *e, const char *prompt)
{
	rl_callback_handler_install(prompt, e->on_line);
}

void
editor_end(struct editor *e HERD_UNUSED)
{
	rl_callback_handler_remove();
}

void
editor_print_above(const char *text)
{
	rl_clear_visible_line();
	fputs(text, rl_outstream);
	fflush(rl_outstream);
	rl_on_new_line();
	rl_redisplay();
}

void
editor_set_prompt(const char *prompt)
{
	rl_clear_visible_line();
	rl_set_prompt(prompt);
	rl_on_new_line();
	rl_redisplay();
}

void
editor_interrupt(void)
{
	rl_callback_sigcleanup();
	rl_crlf();
	rl_free_line_state();
	rl_replace_line("", 0);
	rl_on_new_line();
	rl_redisplay();
}
