/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of findings: each word is there once, and each next command can be
 * typed: herdctl reads it, with its columns and conditions, or the system has
 * such a program.
 */
#include "unit.h"

#include "base/tokens.h"
#include "base/xbuf.h"
#include "cmd/findings.h"
#include "line/args.h"
#include "herd/filter.h"

#define SYSTEM_PROGRAMS "systemctl journalctl timedatectl"

static void
test_words_are_there_once(void **state HERD_UNUSED)
{
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		const char *word = finding_row(i)->word;

		assert_true(word[0] >= 'a' && word[0] <= 'z');
		assert_int_equal(
		    strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
		assert_true(finding_row(i)->means[0] != '\0');
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(word, finding_row(j)->word);
	}
}

/* Each probe of `check' tells something, and each topic has a finding. */
static void
test_topics_have_findings(void **state HERD_UNUSED)
{
	for (unsigned topic = 0; topic < TOPIC_COUNT; topic++) {
		size_t count = 0;

		for (unsigned i = 0; i < FINDING_COUNT; i++)
			count += finding_row(i)->topic == topic;
		assert_true(count > 0);
	}
	for (unsigned probe = 0; probe < PROBE_COUNT; probe++) {
		size_t count = 0;

		for (unsigned topic = 0; topic < TOPIC_COUNT; topic++)
			count += finding_topic(topic)->probe == probe;
		assert_true(count > 0);
	}
}

/* "{node}" and "{name}" become words. */
static void
fill_in(struct buf *out, const char *next)
{
	for (; *next != '\0'; next++) {
		put_byte(out, *next == '{' ? 'X' : *next);
		if (*next == '{')
			next += strcspn(next, "}");
	}
}

static void
check_columns(const struct args *args, const char *flag)
{
	const char *list = args_flag(args, flag, true);

	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");
		const struct view *view = args->command->view;

		assert_non_null(view);
		assert_true(view_find(view, span_of(list, len)) < view->count);
		list += len + (list[len] == ',');
	}
}

static void
check_where(const struct args *args)
{
	const char *where = args_flag(args, "where", true);
	struct filter *filter;
	struct buf message = XBUF;

	if (where == NULL)
		return;
	assert_non_null(args->command->view);
	assert_ok(filter_parse(
	    span_from(where), args->command->view, &filter, &message));
	filter_free(filter);
	buf_release(&message);
}

static void
check_words(const struct tokens *tokens)
{
	const char **words = xcalloc(tokens->count, sizeof(*words));
	struct buf message = XBUF;
	struct args args;

	for (size_t i = 0; i < tokens->count; i++)
		words[i] = tokens->words[i].text;
	assert_int_equal(
	    args_parse(words + 1, tokens->count - 1, &args, &message),
	    STATUS_OK);
	assert_non_null(args.command);
	assert_int_equal(args_check(&args, &message), STATUS_OK);
	check_columns(&args, "columns");
	check_where(&args);
	args_release(&args);
	buf_release(&message);
	free(words);
}

static void
test_next_commands_can_be_typed(void **state HERD_UNUSED)
{
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		struct buf text = XBUF;
		struct line line;

		fill_in(&text, finding_row(i)->next);
		assert_int_equal(
		    line_split(buf_span(&text), NULL, &line), WORDS_OK);
		assert_int_equal(line.count, 1);
		if (strcmp(line.commands[0].words[0].text, "herdctl") == 0)
			check_words(&line.commands[0]);
		else
			assert_true(tokens_is_among(SYSTEM_PROGRAMS,
			    span_from(line.commands[0].words[0].text)));
		line_release(&line);
		buf_release(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_there_once),
		cmocka_unit_test(test_topics_have_findings),
		cmocka_unit_test(test_next_commands_can_be_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
