/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Completion: what the end of a line could become. */
#include "unit.h"

#include "base/xbuf.h"
#include "line/args.h"
#include "repl/cursor_word.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_WORDS ((const char *const[]){ NULL })

static const char *const clients[] = { "kiwi", "koala", NULL };

static struct app app;

static int
set_up(void **state HERD_UNUSED)
{
	static struct target targets[] = {
		{ .name = "Riley" },
		{ .name = "Jaquez" },
	};

	prefs_init(&app.base);
	prefs_init(&app.prefs);
	app.herd.targets = targets;
	app.herd.count = 2;
	app.herd_ready = true;
	return 0;
}

static const char *const *
given(void *arg, const char *prefix HERD_UNUSED)
{
	return arg;
}

static const char *const *
metrics_given(void *arg HERD_UNUSED)
{
	static const char *const names[] = { "herd_ready", "herd_clients",
		NULL };

	return names;
}

/* The suggestions with spaces between them; then a + if files fit too. */
static char *
suggest(const char *const *words, const char *prefix)
{
	struct complete_sources sources = { given, metrics_given,
		(void *)(uintptr_t)clients, &app.aliases };
	struct completions found;
	struct buf out;
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	complete(&app, words, count, prefix, &sources, &found);
	buf_init(&out, XBUF_MAX);
	for (size_t i = 0; i < found.count; i++)
		putf(&out, "%s%s", i > 0 ? " " : "", found.items[i].word);
	if (found.files)
		put_text(&out, "+");
	completions_release(&found);
	return text_take(&out);
}

static void
assert_suggested(const char *const *words, const char *prefix, const char *want)
{
	char *got = suggest(words, prefix);

	assert_string_equal(got, want);
	free(got);
}

static void
test_commands_come_first(void **state HERD_UNUSED)
{
	assert_suggested(NO_WORDS, "wha", "whatsat");
	assert_suggested(NO_WORDS, "cl", "client");
	assert_suggested(NO_WORDS, "he", "help herd");
	assert_suggested(WORDS("peer"), "",
	    "disable enable graph ls reconnect "
	    "show");
	assert_suggested(WORDS("client"), "s", "show");
	assert_suggested(NO_WORDS, "__", "");
}

static void
test_arguments_are_names_of_their_kind(void **state HERD_UNUSED)
{
	assert_suggested(WORDS("whatsat"), "k", "kiwi koala");
	assert_suggested(WORDS("client", "show"), "ki", "kiwi");
	assert_suggested(WORDS("peer", "show"), "", "Jaquez Riley");
	assert_suggested(WORDS("node", "show"), "R", "Riley");
	assert_suggested(WORDS("ping", "Riley"), "J", "Jaquez");
	assert_suggested(WORDS("bench"), "", "iamat mixed whatsat");
	assert_suggested(WORDS("config", "check"), "x", "+");
	assert_suggested(WORDS("iamat", "kiwi", "+1+1"), "n", "now");
	assert_suggested(WORDS("peer", "show", "Riley"), "", "");
	assert_suggested(WORDS("set"), "tim", "timeout timing");
}

/* Of the node that is asked: --node on the line, or the current one. */
static void
test_peers_are_those_of_the_node(void **state HERD_UNUSED)
{
	static const char text[] =
	    "herd: h\n"
	    "nodes:\n"
	    "  Ann: {clients: \"127.0.0.1:11\", peers: \"127.0.0.1:1\"}\n"
	    "  Bob: {clients: \"127.0.0.1:12\", peers: \"127.0.0.1:2\"}\n"
	    "  Cid: {clients: \"127.0.0.1:13\", peers: \"127.0.0.1:3\"}\n"
	    "links: [[Ann, Bob], [Bob, Cid]]\n";
	static struct target targets[] = { { .name = "Ann" } };
	struct herd before = app.herd;
	struct diagnostics faults;

	diagnostics_init(&faults);
	assert_ok(herdfile_parse(span_from(text), &app.herd.file, &faults));
	diagnostics_release(&faults);
	app.herd.targets = targets;
	app.herd.count = 1;
	assert_suggested(WORDS("peer", "show"), "", "Bob");
	assert_suggested(WORDS("-n", "Bob", "peer", "show"), "", "Ann Cid");
	assert_suggested(WORDS("peer", "disable", "-n", "Cid"), "", "Bob");
	assert_suggested(WORDS("-n", "all", "peer", "show"), "", "Ann");
	herdfile_release(&app.herd.file);
	app.herd = before;
}

static void
test_flags_and_their_values_are_known(void **state HERD_UNUSED)
{
	assert_suggested(WORDS("whatsat"), "--m", "--map");
	assert_suggested(WORDS("status"), "--no-",
	    "--no-header --no-pager "
	    "--no-rc");
	assert_suggested(WORDS("status", "-o"), "js", "json jsonl");
	assert_suggested(
	    WORDS("status"), "--output=js", "--output=json --output=jsonl");
	assert_suggested(WORDS("status", "-n"), "", "Jaquez Riley all");
	assert_suggested(WORDS("-n", "Riley", "peer"), "l", "ls");
	assert_suggested(WORDS("peer", "ls", "--columns"), "peer,st",
	    "peer,stale peer,stale_percent peer,state");
	assert_suggested(WORDS("events", "--type"), "l", "link");
	assert_suggested(WORDS("--conf"), "x", "+");
	assert_suggested(NO_WORDS, "--conf=x", "+");
}

static void
test_lists_go_on_after_a_comma(void **state HERD_UNUSED)
{
	assert_suggested(
	    WORDS("status", "-n"), "Riley,", "Riley,Jaquez Riley,Riley");
	assert_suggested(
	    WORDS("status"), "--node=Riley,J", "--node=Riley,Jaquez");
	assert_suggested(WORDS("events", "--type"), "report,l", "report,link");
	assert_suggested(WORDS("peer", "ls", "--sort"), "rtt_ms",
	    "rtt_ms rtt_ms:asc rtt_ms:desc");
	assert_suggested(
	    WORDS("peer", "ls", "--sort"), "peer,rtt_ms:d", "peer,rtt_ms:desc");
}

static void
test_expressions_have_columns_and_words(void **state HERD_UNUSED)
{
	assert_suggested(
	    WORDS("peer", "ls", "--where"), "sta", "stale stale_percent state");
	assert_suggested(
	    WORDS("peer", "ls", "--where"), "state ~ x a", "state ~ x and");
	assert_suggested(WORDS("peer", "ls", "--where"),
	    "state != synced and (rt", "state != synced and (rtt_ms");
	assert_suggested(WORDS("peer", "ls", "--where"), "state <", "");
	assert_suggested(WORDS("peer", "ls", "--where"), "state ",
	    "state != state < state <= state = state > state >= state ~");
}

static void
test_templates_have_columns_in_braces(void **state HERD_UNUSED)
{
	assert_suggested(
	    WORDS("peer", "ls", "--format"), "a {rtt", "a {rtt_ms}");
	assert_suggested(WORDS("peer", "ls", "--format"), "{peer} {sta",
	    "{peer} {stale_percent} {peer} {stale} {peer} {state}");
	assert_suggested(WORDS("peer", "ls", "--format"), "{peer} ", "");
}

static void
test_settings_have_values_and_help_has_commands(void **state HERD_UNUSED)
{
	assert_suggested(WORDS("set", "output"), "js", "json jsonl");
	assert_suggested(WORDS("set", "color"), "", "always auto never");
	assert_suggested(WORDS("set", "hints"), "o", "off on");
	assert_suggested(WORDS("set", "node"), "Riley,J", "Riley,Jaquez");
	assert_suggested(WORDS("set", "token-file"), "x", "+");
	assert_suggested(WORDS("set", "timeout"), "", "");
	assert_suggested(WORDS("help"), "cl", "client");
	assert_suggested(WORDS("help", "client"), "s", "show");
	assert_suggested(WORDS("help", "client", "show"), "", "");
	assert_suggested(WORDS("stats"), "herd_", "herd_clients herd_ready");
}

static void
test_aliases_are_commands(void **state HERD_UNUSED)
{
	static const char *const words[] = { "client", "show" };
	struct buf why;

	buf_init(&why, XBUF_MAX);
	assert_int_equal(
	    alias_set(&app.aliases, "sho", words, 2, "here", &why), STATUS_OK);
	assert_suggested(NO_WORDS, "sh", "sho");
	assert_suggested(WORDS("sho"), "ki", "kiwi");
	assert_suggested(WORDS("-n", "Riley", "sho"), "ki", "kiwi");
	assert_suggested(WORDS("unalias"), "s", "sho");
	assert_suggested(WORDS("help"), "sh", "sho");
	assert_suggested(WORDS("alias", "x", "=", "client"), "sh", "show");
	assert_suggested(WORDS("alias", "x"), "", "=");
	aliases_release(&app.aliases);
	buf_release(&why);
}

static void
test_places_are_not_completed_as_options(void **state HERD_UNUSED)
{
	assert_suggested(WORDS("iamat", "kiwi"), "-3", "");
	assert_suggested(WORDS("iamat", "kiwi", "-3+4"), "", "now");
	assert_suggested(WORDS("raw"), "--", "");
}

/* --- what is inserted ------------------------------------------------ */

#define IDS 4u
#define ID_MAX 12u

/* Random ids; many begin alike, and with what the grammar cares for. */
static void
make_ids(struct unit_random *random, char ids[IDS][ID_MAX])
{
	static const char signs[] =
	    "ab--|>;#'\"\\ ~!+%$&*()<=\t\n\x1b\xc3\xa9\xff";
	size_t same = unit_below(random, 4);

	for (size_t i = 0; i < IDS; i++) {
		size_t len = 1 + same + unit_below(random, ID_MAX - same - 2);

		for (size_t j = 0; j < len; j++) {
			ids[i][j] =
			    i > 0 && j < same
				? ids[0][j]
				: signs[unit_below(random, sizeof(signs) - 1)];
		}
		ids[i][len] = '\0';
	}
}

/* Completes the line with these ids; the lines that cursor_lines() gives. */
static char **
complete_line(const char *line, const char *const *ids, size_t *count)
{
	struct complete_sources sources = { .clients = given,
		.arg = (void *)(uintptr_t)ids };
	struct completions found;
	struct cursor at;
	const char *words[16];
	char **lines = NULL;

	assert_true(cursor_find(line, strlen(line), &at));
	assert_true(at.command->count < HERD_ARRAY_LEN(words));
	for (size_t i = 0; i + 1 < at.command->count; i++)
		words[i] = at.command->words[i].text;
	complete(
	    &app, words, at.command->count - 1, at.prefix, &sources, &found);
	*count = found.count;
	if (found.count > 0)
		lines = cursor_lines(&at, line, &found);
	completions_release(&found);
	cursor_release(&at);
	return lines;
}

static void
free_lines(char **lines)
{
	for (char **line = lines; line != NULL && *line != NULL; line++)
		free(*line);
	free(lines);
}

/* Is the line `client show ID', and nothing besides? */
static void
assert_shows(const char *text, const char *id)
{
	const char *words[8];
	struct line line;
	struct args args;
	struct buf message;

	buf_init(&message, XBUF_MAX);
	assert_int_equal(
	    line_split(span_from(text), command_is_verbatim, &line), WORDS_OK);
	assert_int_equal(line.count, 1);
	assert_int_equal(line.commands[0].redirect, REDIRECT_NONE);
	assert_true(line.commands[0].count <= HERD_ARRAY_LEN(words));
	for (size_t i = 0; i < line.commands[0].count; i++)
		words[i] = line.commands[0].words[i].text;
	assert_int_equal(
	    args_parse(words, line.commands[0].count, &args, &message),
	    STATUS_OK);
	assert_string_equal(args.command->path, "client show");
	assert_int_equal(args.option_count, 0);
	assert_int_equal(args.count, 1);
	assert_string_equal(args.words[0], id);
	args_release(&args);
	line_release(&line);
	buf_release(&message);
}

/* Some of an id, as somebody may have begun to type it. */
static char *
begin_line(struct unit_random *random, const char *id)
{
	struct span some = span_of(id, unit_below(random, strlen(id) + 1));
	enum word_form form = (enum word_form)unit_below(random, 3);
	struct buf line;

	buf_init(&line, XBUF_MAX);
	put_text(&line, "peer ls; client show ");
	if (some.len > 0 && some.data[0] == '-')
		put_text(&line, "-- ");
	if (some.len > 0 || form != WORD_PLAIN)
		tokens_put(&line, some, tokens_form(some, form), true);
	return text_take(&line);
}

static void
check_lines(char **lines, size_t count, const char *const *ids)
{
	static const char before[] = "peer ls; ";
	size_t shown = 0;

	for (char **line = lines + (count > 1); *line != NULL; line++) {
		bool is_one = false;

		for (size_t i = 0; ids[i] != NULL && !is_one; i++) {
			char *again = xasprintf("%s", *line + strlen(before));
			struct cursor at;

			assert_true(cursor_find(again, strlen(again), &at));
			is_one = strcmp(at.prefix, ids[i]) == 0;
			cursor_release(&at);
			if (is_one)
				assert_shows(again, ids[i]);
			free(again);
		}
		assert_true(is_one);
		shown++;
	}
	assert_int_equal(shown, count);
}

static void
test_what_is_inserted_is_the_id(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("insert");

	for (size_t round = 0; round < 20000; round++) {
		char made[IDS][ID_MAX] = { { 0 } };
		const char *ids[] = { made[0], made[1], made[2], made[3],
			NULL };
		char *line;
		char **lines;
		size_t count;

		make_ids(&random, made);
		line = begin_line(&random, made[0]);
		lines = complete_line(line, ids, &count);
		assert_true(count > 0);
		/* Options begin with `-' too. */
		if (count <= IDS)
			check_lines(lines, count, ids);
		free_lines(lines);
		free(line);
	}
}

static void
assert_inserted(const char *line, const char *id, const char *want)
{
	const char *ids[] = { id, NULL };
	size_t count;
	char **lines = complete_line(line, ids, &count);

	assert_non_null(lines);
	assert_string_equal(lines[0], want);
	free_lines(lines);
}

static void
test_quotes_are_those_that_were_begun(void **state HERD_UNUSED)
{
	assert_inserted("client show ", "kiwi", "client show kiwi");
	assert_inserted("client show k", "k|w", "client show \"k|w\"");
	assert_inserted("client show 'k", "k|w", "client show 'k|w'");
	assert_inserted("client show 'k", "k'w", "client show \"k'w\"");
	assert_inserted("client show \"k", "kiwi", "client show \"kiwi\"");
	assert_inserted("client show k\\|", "k|w", "client show \"k|w\"");
	assert_inserted("client show ", "-rf", "client show -- -rf");
	assert_inserted("client show -- -", "-r f", "client show -- \"-r f\"");
	assert_inserted("client show ", "-5", "client show -5");
	assert_inserted("client show ", "#", "client show \"#\"");
	assert_inserted("client show ", "a\nb", "client show \"a\\nb\"");
}

static void
test_what_all_begin_with_is_kept_open(void **state HERD_UNUSED)
{
	const char *ids[] = { "ab;c", "ab;d", NULL };
	const char *mixed[] = { "-a", "b", NULL };
	size_t count;
	char **lines = complete_line("client show a", ids, &count);

	assert_int_equal(count, 2);
	assert_string_equal(lines[0], "client show \"ab;");
	assert_string_equal(lines[1], "client show \"ab;c\"");
	free_lines(lines);
	lines = complete_line("client show \"ab;", ids, &count);
	assert_int_equal(count, 2);
	assert_string_equal(lines[0], "client show \"ab;");
	free_lines(lines);
	lines = complete_line("client show ", mixed, &count);
	assert_int_equal(count, 2);
	assert_string_equal(lines[0], "client show ");
	assert_string_equal(lines[1], "client show -- -a");
	free_lines(lines);
}

static void
test_nothing_is_completed_in_comments(void **state HERD_UNUSED)
{
	static const char *const lines[] = { "# cl", "peer ls # cl", "#",
		"peer \"\\x4", "" };
	struct cursor at;

	for (size_t i = 0; i < 4; i++) {
		assert_false(cursor_find(lines[i], strlen(lines[i]), &at));
		cursor_release(&at);
	}
	assert_true(cursor_find(lines[4], 0, &at));
	cursor_release(&at);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_come_first),
		cmocka_unit_test(test_arguments_are_names_of_their_kind),
		cmocka_unit_test(test_peers_are_those_of_the_node),
		cmocka_unit_test(test_flags_and_their_values_are_known),
		cmocka_unit_test(test_lists_go_on_after_a_comma),
		cmocka_unit_test(test_expressions_have_columns_and_words),
		cmocka_unit_test(test_templates_have_columns_in_braces),
		cmocka_unit_test(
		    test_settings_have_values_and_help_has_commands),
		cmocka_unit_test(test_aliases_are_commands),
		cmocka_unit_test(test_places_are_not_completed_as_options),
		cmocka_unit_test(test_what_is_inserted_is_the_id),
		cmocka_unit_test(test_quotes_are_those_that_were_begun),
		cmocka_unit_test(test_what_all_begin_with_is_kept_open),
		cmocka_unit_test(test_nothing_is_completed_in_comments),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
