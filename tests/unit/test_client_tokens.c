/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The REPL's and scripts' grammar: words, quotes, comments, redirection. */
#include "unit.h"

#include "base/tokens.h"
#include "base/xbuf.h"
#include "herd/text.h"

static bool
is_raw(const char *word)
{
	return strcmp(word, "raw") == 0;
}

/* The line's commands as text: words in <>, ; between commands. */
static char *
split(const char *text)
{
	struct line line;
	struct buf out;
	enum words_error error = line_split(span_from(text), is_raw, &line);
	static const char *const signs[] = { "", "|", ">", ">>" };

	buf_init(&out, XBUF_MAX);
	for (size_t i = 0; i < line.count; i++) {
		const struct tokens *w = &line.commands[i];

		put_text(&out, i > 0 ? ";" : "");
		for (size_t j = 0; j < w->count; j++)
			putf(&out, "<%s>", w->words[j].text);
		if (w->redirect != REDIRECT_NONE)
			putf(&out, "%s(%s)", signs[w->redirect], w->target);
	}
	if (error != WORDS_OK)
		putf(&out, "!%d", (int)error);
	line_release(&line);
	return text_take(&out);
}

static void
assert_split(const char *text, const char *want)
{
	char *got = split(text);

	assert_string_equal(got, want);
	free(got);
}

static void
test_words_are_separated_by_blanks(void **state HERD_UNUSED)
{
	assert_split("", "");
	assert_split("   \t ", "");
	assert_split("a", "<a>");
	assert_split("  a\tb  c\r", "<a><b><c>");
	assert_split("iamat c -33.86+151.20", "<iamat><c><-33.86+151.20>");
}

static void
test_quotes_keep_what_is_in_them(void **state HERD_UNUSED)
{
	assert_split("'a b'", "<a b>");
	assert_split("\"a b\"", "<a b>");
	assert_split("a'b c'd", "<ab cd>");
	assert_split("''", "<>");
	assert_split("'\\n'", "<\\n>");
	assert_split("\"\\n\\t\\\"\\\\\"", "<\n\t\"\\>");
	assert_split("\"\\x41\\x7e\"", "<A~>");
	assert_split("\"\\d\"", "<\\d>");
	assert_split("a\\ b", "<a b>");
	assert_split("\\;", "<;>");
	assert_split("'#' \"|\" '>'", "<#><|><>>");
}

static void
test_comments_begin_at_a_word(void **state HERD_UNUSED)
{
	assert_split("# all of it", "");
	assert_split("a # rest", "<a>");
	assert_split("a#b", "<a#b>");
	assert_split("a; # b; c", "<a>");
}

static void
test_semicolons_separate_commands(void **state HERD_UNUSED)
{
	assert_split("a;b", "<a>;<b>");
	assert_split(";;a;;", "<a>");
	assert_split("a 'x;y' ; b", "<a><x;y>;<b>");
}

static void
test_redirection_is_found(void **state HERD_UNUSED)
{
	assert_split("a | head -3; x | y", "<a>|(head -3; x | y)");
	assert_split("a>f", "<a>>(f)");
	assert_split("a > 'f g' ; b", "<a>>(f g);<b>");
	assert_split("a >> f", "<a>>>(f)");
	assert_split("a |", "<a>|()!4");
	assert_split("| b", "!5");
	assert_split("a > f > g", "<a>>(f)!6");
	assert_split("a > f | g", "<a>>(f)!6");
	assert_split("a > ", "<a>>()!4");
}

static void
test_verbatim_commands_take_the_rest(void **state HERD_UNUSED)
{
	assert_split("raw  A  'b; c | #", "<raw>< A  'b; c | #>");
	assert_split("raw", "<raw>");
	assert_split("raw ", "<raw>");
	assert_split("x; raw \\;\"", "<x>;<raw><\\;\">");
	assert_split("rawx a", "<rawx><a>");
}

static void
test_bad_lines_are_named(void **state HERD_UNUSED)
{
	struct line line;

	assert_split("a 'b", "<a><b>!1");
	assert_split("a \"b", "<a><b>!1");
	assert_split("a\\", "<a>!2");
	assert_split("\"\\x4\"", "<>!2");
	assert_split("\"\\x00\"", "<>!3");
	assert_int_equal(
	    line_split(span_of("a\0b", 3), NULL, &line), WORDS_NUL);
	line_release(&line);
	assert_string_equal(
	    tokens_strerror(WORDS_QUOTE), "a quote is not closed");
}

static void
test_too_many_words_are_refused(void **state HERD_UNUSED)
{
	struct buf text;
	struct line line;

	buf_init(&text, XBUF_MAX);
	for (size_t i = 0; i < WORDS_MAX + 1; i++)
		put_text(&text, "a ");
	assert_int_equal(line_split(buf_span(&text), NULL, &line), WORDS_LIMIT);
	line_release(&line);
	buf_clear(&text);
	for (size_t i = 0; i < WORDS_COMMANDS_MAX + 1; i++)
		put_text(&text, "a;");
	assert_int_equal(line_split(buf_span(&text), NULL, &line), WORDS_LIMIT);
	line_release(&line);
	buf_release(&text);
}

static void
test_quoted_words_read_back(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("quote");
	static const char alphabet[] = "ab '\"\\;|>#\t\n";

	for (size_t round = 0; round < 20000; round++) {
		char word[9];
		size_t len = unit_below(&random, sizeof(word));
		struct buf text;
		struct line line;

		for (size_t i = 0; i < len; i++)
			word[i] =
			    alphabet[unit_below(&random, sizeof(alphabet) - 1)];
		word[len] = '\0';
		buf_init(&text, XBUF_MAX);
		tokens_quote(&text, word);
		assert_int_equal(
		    line_split(buf_span(&text), NULL, &line), WORDS_OK);
		assert_int_equal(line.count, 1);
		assert_int_equal(line.commands[0].count, 1);
		assert_string_equal(line.commands[0].words[0].text, word);
		line_release(&line);
		buf_release(&text);
	}
}

/* Any bytes, in any form that takes them: one word, and no command to a
 * terminal. */
static void
test_any_bytes_read_back_in_every_form(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("form");

	for (size_t round = 0; round < 60000; round++) {
		enum word_form least = (enum word_form)unit_below(&random, 3);
		unsigned char word[9];
		size_t len = unit_below(&random, sizeof(word));
		struct span span = span_of((const char *)word, len);
		struct buf text;
		struct line line;

		for (size_t i = 0; i < len; i++)
			word[i] = (unsigned char)(1 + unit_below(&random, 255));
		word[len] = '\0';
		buf_init(&text, XBUF_MAX);
		put_text(&text, "a ");
		tokens_put(&text, span, tokens_form(span, least), false);
		for (struct span rest = buf_span(&text); rest.len > 0;) {
			size_t n = text_shown(rest);

			assert_true(n > 0);
			rest = span_of(rest.data + n, rest.len - n);
		}
		put_text(&text, " b");
		assert_int_equal(
		    line_split(buf_span(&text), NULL, &line), WORDS_OK);
		assert_int_equal(line.count, 1);
		assert_int_equal(line.commands[0].count, 3);
		assert_int_equal(line.commands[0].redirect, REDIRECT_NONE);
		assert_span(
		    span_from(line.commands[0].words[1].text), (char *)word);
		line_release(&line);
		buf_release(&text);
	}
}

static void
test_forms_are_as_plain_as_they_can_be(void **state HERD_UNUSED)
{
	assert_int_equal(tokens_form(span_from("a-b"), WORD_PLAIN), WORD_PLAIN);
	assert_int_equal(tokens_form(span_from("a#b"), WORD_PLAIN), WORD_PLAIN);
	assert_int_equal(tokens_form(span_from(""), WORD_PLAIN), WORD_DOUBLE);
	assert_int_equal(tokens_form(span_from("#b"), WORD_PLAIN), WORD_DOUBLE);
	assert_int_equal(
	    tokens_form(span_from("a|b"), WORD_PLAIN), WORD_DOUBLE);
	assert_int_equal(
	    tokens_form(span_from("a|b"), WORD_SINGLE), WORD_SINGLE);
	assert_int_equal(
	    tokens_form(span_from("a'b"), WORD_SINGLE), WORD_DOUBLE);
	assert_int_equal(
	    tokens_form(span_from("a\033"), WORD_SINGLE), WORD_DOUBLE);
	assert_int_equal(
	    tokens_form(span_from("\xff"), WORD_PLAIN), WORD_DOUBLE);
	assert_int_equal(
	    tokens_form(span_from("\u202e"), WORD_PLAIN), WORD_DOUBLE);
	assert_int_equal(
	    tokens_form(span_from("caf\u00e9"), WORD_PLAIN), WORD_PLAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_separated_by_blanks),
		cmocka_unit_test(test_quotes_keep_what_is_in_them),
		cmocka_unit_test(test_comments_begin_at_a_word),
		cmocka_unit_test(test_semicolons_separate_commands),
		cmocka_unit_test(test_redirection_is_found),
		cmocka_unit_test(test_verbatim_commands_take_the_rest),
		cmocka_unit_test(test_bad_lines_are_named),
		cmocka_unit_test(test_too_many_words_are_refused),
		cmocka_unit_test(test_quoted_words_read_back),
		cmocka_unit_test(test_any_bytes_read_back_in_every_form),
		cmocka_unit_test(test_forms_are_as_plain_as_they_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
