/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "repl/cursor_word.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"

/* A letter at the cursor makes a word there, whatever precedes. */
#define CURSOR 'z'

static enum word_form
form_begun(char first)
{
	if (first == '\'')
		return WORD_SINGLE;
	return first == '"' ? WORD_DOUBLE : WORD_PLAIN;
}

bool
cursor_find(const char *line, size_t len, struct cursor *out)
{
	const struct tokens *last;
	const char *word;
	struct buf text = XBUF;
	enum words_error error;
	size_t end;

	*out = (struct cursor){ 0 };
	put(&text, line, len);
	put_byte(&text, CURSOR);
	error = line_split(buf_span(&text), NULL, &out->line);
	last = out->line.count == 0 ? NULL
				    : &out->line.commands[out->line.count - 1];
	buf_release(&text);
	if ((error != WORDS_OK && error != WORDS_QUOTE) || last == NULL ||
	    last->count == 0)
		return false;
	word = last->words[last->count - 1].text;
	out->start = last->words[last->count - 1].start;
	end = last->words[last->count - 1].end;
	if (last->target != NULL && last->target_end > end) {
		word = last->target;
		out->start = last->target_start;
		end = last->target_end;
		out->is_shell = last->redirect == REDIRECT_PIPE;
		out->is_file = !out->is_shell;
	}
	if (end != len + 1 || word[0] == '\0')
		return false;
	out->command = last;
	out->len = len;
	out->prefix = xstrndup(word, strlen(word) - 1);
	if (out->start < len)
		out->form = form_begun(line[out->start]);
	return true;
}

void
cursor_release(struct cursor *at)
{
	line_release(&at->line);
	free(at->prefix);
}

/* Bytes that all of them begin with; the prefix at least. */
static size_t
common_length(const struct completions *found, size_t at_least)
{
	const char *first = found->items[0].word;
	size_t len = strlen(first);

	for (size_t i = 1; i < found->count; i++) {
		size_t same = 0;

		while (same < len && found->items[i].word[same] == first[same])
			same++;
		len = same;
	}
	len = text_utf8_whole(span_of(first, len)).len;
	return len > at_least ? len : at_least;
}

/* One form for all, so that their common beginning has it too. */
static enum word_form
common_form(const struct completions *found, enum word_form form)
{
	for (size_t i = 0; i < found->count; i++)
		form = tokens_form(span_from(found->items[i].word), form);
	return form;
}

static size_t
count_dashed(const struct completions *found)
{
	size_t count = 0;

	for (size_t i = 0; i < found->count; i++)
		count += completion_wants_dashes(found, &found->items[i]);
	return count;
}

/* The line up to the cursor, with `word` at its end. */
static char *
line_with(const struct cursor *at, const char *line, struct span word,
    enum word_form form, bool dashed, bool open)
{
	struct buf out = XBUF;

	put(&out, line, at->start);
	put_text(&out, dashed ? "-- " : "");
	tokens_put(&out, word, form, open);
	return text_take(&out);
}

char **
cursor_lines(
    const struct cursor *at, const char *line, const struct completions *found)
{
	char **list = xcalloc(found->count + 2, sizeof(*list));
	enum word_form form = common_form(found, at->form);
	size_t dashed = count_dashed(found);
	size_t len = common_length(found, strlen(at->prefix));

	if (found->count == 1)
		list[0] = line_with(at, line, span_from(found->items[0].word),
		    form, dashed == 1, found->goes_on);
	else if (len == strlen(at->prefix) ||
		 (dashed > 0 && dashed < found->count))
		list[0] = xstrndup(line, at->len);
	else
		list[0] = line_with(at, line,
		    span_of(found->items[0].word, len), form, dashed > 0, true);
	for (size_t i = 0; i < found->count && found->count > 1; i++)
		list[i + 1] = line_with(at, line,
		    span_from(found->items[i].word), form,
		    completion_wants_dashes(found, &found->items[i]), false);
	return list;
}

bool
cursor_goes_on(const struct completions *found)
{
	const char *word = found->items[0].word;

	if (found->goes_on)
		return true;
	if (found->count != 1 || word[0] == '\0')
		return false;
	return word[strlen(word) - 1] == '/' ||
	       (word[0] == '-' && !found->items[0].is_argument &&
		   strchr(word, '=') != NULL);
}
