/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "editor.h"

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

#include "complete.h"
#include "herd/file.h"
#include "paths.h"
#include "screen.h"
#include "words.h"
#include "xbuf.h"

#define HISTORY_LINES 10000
#define HISTORY_BYTES_MAX ((off_t)4 << 20)
#define SHOWN_MAX 80 /* suggestions listed at once */

struct editor {
	struct ctl *ctl;
	void (*on_line)(char *line);
	editor_clients *clients;
	void *arg;
	char *history_path; /* NULL: none is kept */
	struct completions found;
	size_t next;
};

/* readline's completion functions have no argument. */
static struct editor *the_editor;

/* --- input ----------------------------------------------------------- */

/*
 * readline waits for a byte when it was told that there is one, but Ctrl-C
 * makes the terminal forget what was typed. So the byte that it is called for
 * is read here, without waiting. Only what must follow (the rest of a paste)
 * is waited for.
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
	/* It was forgotten, or the terminal is gone. */
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
		/* A signal: what was begun is not waited for any more. */
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

/* As readline likes it, but a read takes what is there. */
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
	e->history_path = path_history();
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

static char *
next_suggestion(const char *text HERD_UNUSED, int state)
{
	struct editor *e = the_editor;
	const char *word;
	char *copy;

	if (state == 0)
		e->next = 0;
	if (e->next >= e->found.count)
		return NULL;
	word = e->found.words[e->next++];
	/* readline frees it with free(). */
	copy = strdup(word);
	if (copy == NULL)
		out_of_memory();
	return copy;
}

/*
 * The words of the command in which the cursor stands. A word put where the
 * cursor is makes it the last word of the last command, whatever precedes.
 */
static void
find_words(const char *line, int start, struct line *out)
{
	struct buf text;

	buf_init(&text, XBUF_MAX);
	put(&text, line, (size_t)start);
	/* Inside a quote readline's word begins behind it. */
	if (start > 0 && (line[start - 1] == '"' || line[start - 1] == '\''))
		buf_truncate(&text, text.len - 1);
	put_byte(&text, 'x');
	(void)line_split(buf_span(&text), NULL, out);
	buf_release(&text);
}

static void
look_up(struct editor *e, const char *text, int start)
{
	struct complete_sources sources = {
		.clients = e->clients(e->arg, text),
	};
	struct line line;
	const struct words *last;
	const char **words;
	size_t count = 0;

	completions_release(&e->found);
	find_words(rl_line_buffer, start, &line);
	last = line.count > 0 ? &line.commands[line.count - 1] : NULL;
	words = xcalloc(last == NULL ? 1 : last->count, sizeof(*words));
	for (size_t i = 0; last != NULL && i + 1 < last->count; i++)
		words[count++] = last->words[i].text;
	if (last != NULL && last->redirect == REDIRECT_NONE)
		complete(e->ctl, words, count, text, &sources, &e->found);
	else
		e->found.files = true;
	free(words);
	line_release(&line);
}

static char **
suggest(const char *text, int start, int end HERD_UNUSED)
{
	struct editor *e = the_editor;

	look_up(e, text, start);
	rl_attempted_completion_over = !e->found.files;
	rl_completion_append_character =
	    e->found.count == 1 && e->found.words[0][0] == '-' &&
		    strchr(e->found.words[0], '=') != NULL
		? '\0'
		: ' ';
	if (e->found.count == 0)
		return NULL;
	return rl_completion_matches(text, next_suggestion);
}

/*
 * In callback mode readline cannot ask whether to list all, nor page, and
 * would wait for a key with the loop standing still.
 */
static void
show_matches(char **matches, int count, int longest)
{
	int shown = count > SHOWN_MAX ? SHOWN_MAX : count;

	rl_crlf();
	rl_display_match_list(matches, shown, longest);
	if (count > shown)
		fprintf(rl_outstream, "... and %d more\n", count - shown);
	rl_forced_update_display();
}

/* --- life ------------------------------------------------------------ */

/*
 * A second Tab would list and never insert; but what the first one did not
 * know the herd may have told since.
 */
static int
complete_key(int count HERD_UNUSED, int key HERD_UNUSED)
{
	int mode = rl_completion_mode(complete_key);

	return rl_complete_internal(mode == '?' ? '!' : mode);
}

struct editor *
editor_new(struct ctl *ctl, void (*on_line)(char *line),
    editor_clients *clients, void *arg)
{
	struct editor *e = xcalloc(1, sizeof(*e));

	e->ctl = ctl;
	e->on_line = on_line;
	e->clients = clients;
	e->arg = arg;
	the_editor = e;
	rl_readline_name = "herdctl";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 1;
	rl_getc_function = get_byte;
	rl_prep_term_function = prepare_terminal;
	rl_attempted_completion_function = suggest;
	rl_completion_display_matches_hook = show_matches;
	rl_basic_word_break_characters = " \t\n;|>";
	rl_completer_word_break_characters = rl_basic_word_break_characters;
	rl_completer_quote_characters = "\"'";
	/* What inputrc says of this one wins. */
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
