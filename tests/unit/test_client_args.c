/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words into command, arguments, options; the table of commands itself. */
#include "unit.h"

#include "base/xbuf.h"
#include "conf/prefs.h"
#include "line/alias.h"
#include "line/args.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static size_t
count_of(const char *const *words)
{
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	return n;
}

/* Parses and checks; what was understood as text, or the message. */
static char *
parse(const char *const *words)
{
	struct args args;
	struct buf out;
	enum status status;

	buf_init(&out, XBUF_MAX);
	status = args_parse(words, count_of(words), &args, &out);
	if (status == STATUS_OK && args.command != NULL && !args.help)
		status = args_check(&args, &out);
	if (status == STATUS_OK) {
		put_text(&out, args.command == NULL ? "-" : args.command->path);
		for (size_t i = 0; i < args.count; i++)
			putf(&out, " <%s>", args.words[i]);
		for (size_t i = 0; i < args.option_count; i++)
			putf(&out, " %s--%s=%s",
			    args.options[i].global ? "g" : "",
			    args.options[i].flag->name,
			    args.options[i].value == NULL
				? ""
				: args.options[i].value);
		if (args.help)
			put_text(&out, " help");
		if (args.group != NULL)
			putf(&out, " group=%s", args.group);
	}
	args_release(&args);
	return text_take(&out);
}

static void
assert_parse(const char *const *words, const char *want)
{
	char *got = parse(words);

	assert_string_equal(got, want);
	free(got);
}

static void
test_places_are_never_options(void **state HERD_UNUSED)
{
	assert_parse(
	    WORDS("iamat", "c", "-33.86+151.20"), "iamat <c> <-33.86+151.20>");
	assert_parse(WORDS("-o", "json", "iamat", "c", "-0-0", "5"),
	    "iamat <c> <-0-0> <5> g--output=json");
	assert_parse(WORDS("top", "-1"), "top <-1>");
	assert_parse(WORDS("client", "near", "-33.86,151.20", "5"),
	    "client near <-33.86,151.20> <5>");
}

static void
test_options_stand_anywhere(void **state HERD_UNUSED)
{
	assert_parse(WORDS("client", "-n", "all", "show", "kiwi", "--json"),
	    "client show <kiwi> g--node=all g--json=");
	assert_parse(WORDS("-qv", "client", "ls", "-ojson"),
	    "client ls g--quiet= g--verbose= g--output=json");
	assert_parse(
	    WORDS("--output=csv", "client", "ls"), "client ls g--output=csv");
	assert_parse(WORDS("--map", "whatsat", "c", "1", "2"),
	    "whatsat <c> <1> <2> --map=");
	assert_parse(WORDS("--watch=3", "status"), "status g--watch=3");
	assert_parse(WORDS("status", "--watch"), "status g--watch=");
	assert_parse(WORDS("client", "show", "--", "-x"), "client show <-x>");
}

static void
test_a_commands_flags_hide_global_ones_behind_it(void **state HERD_UNUSED)
{
	assert_parse(WORDS("-n", "Riley", "log", "tail", "-n", "5", "-f"),
	    "log tail g--node=Riley --lines=5 --follow=");
	assert_parse(WORDS("-c", "f", "ping", "Riley", "-c", "3"),
	    "ping <Riley> g--conf=f --count=3");
}

static void
test_verbatim_commands_have_no_options(void **state HERD_UNUSED)
{
	assert_parse(WORDS("raw", "-o", "--", "-h"), "raw <-o> <--> <-h>");
	assert_parse(WORDS("raw", "--help"), "raw help");
	assert_parse(WORDS("-n", "R", "raw", "-n"), "raw <-n> g--node=R");
}

static void
test_groups_and_nothing_are_told_apart(void **state HERD_UNUSED)
{
	assert_parse(WORDS("peer"), "- <peer> group=peer");
	assert_parse(
	    WORDS("peer", "--help"), "- <peer> g--help= help group=peer");
	assert_parse(WORDS("-q"), "- g--quiet=");
}

static void
test_mistakes_are_named_with_what_was_meant(void **state HERD_UNUSED)
{
	assert_parse(WORDS("clinet", "ls"),
	    "no command `clinet', did you mean `client ls'?");
	assert_parse(WORDS("client", "sho", "x"),
	    "no command `client sho', did you mean `client show'?");
	assert_parse(
	    WORDS("statsu"), "no command `statsu', did you mean `status'?");
	assert_parse(
	    WORDS("xyzzyplugh"), "no command `xyzzyplugh' (see `help')");
	assert_parse(WORDS("client", "ls", "--outptu", "x"),
	    "no option --outptu of client ls, did you mean --output?");
	assert_parse(WORDS("status", "--map"),
	    "no option --map of status (see `help status')");
	assert_parse(WORDS("--map", "status"),
	    "no option --map of status (see `help status')");
	assert_parse(
	    WORDS("status", "-o"), "--output needs a value: --output FORMAT");
	assert_parse(WORDS("status", "--json=yes"), "--json takes no value");
	assert_parse(WORDS("iamat", "c"),
	    "LOCATION is missing; usage: iamat CLIENT LOCATION [TIME|now]");
	assert_parse(WORDS("status", "x"),
	    "`x' is one argument too many; usage: status");
	assert_parse(WORDS("check", "weather"),
	    "`weather' is not one of: node peers places convergence all client");
}

/* No abbreviations: scripts would come to depend on them. */
/* A line that cannot be parsed may still say what it is for. */
static void
test_the_command_of_a_wrong_line_is_guessed(void **state HERD_UNUSED)
{
	static const char *const plain[] = { "check", "node", "--bogus" };
	static const char *const early[] = { "--bogus", "-n", "Riley",
		"check" };
	static const char *const other[] = { "--bogus", "config", "check" };
	static const char *const nothing[] = { "--bogus", "weather" };

	assert_string_equal(
	    args_guess(plain, HERD_ARRAY_LEN(plain))->path, "check");
	assert_string_equal(
	    args_guess(early, HERD_ARRAY_LEN(early))->path, "check");
	assert_string_equal(
	    args_guess(other, HERD_ARRAY_LEN(other))->path, "config check");
	assert_null(args_guess(nothing, HERD_ARRAY_LEN(nothing)));
}

static void
test_abbreviations_are_refused(void **state HERD_UNUSED)
{
	assert_parse(WORDS("stat"), "no command `stat', did you mean `stats'?");
	assert_parse(WORDS("status", "--out", "json"),
	    "no option --out of status, did you mean --output?");
}

/* --- the table --------------------------------------------------------------
 */

static size_t
words_in(const char *path)
{
	return strchr(path, ' ') == NULL ? 1 : 2;
}

static void
check_command(const struct command *c, size_t *count)
{
	bool optional = false;
	bool repeats = false;

	(*count)++;
	assert_non_null(c->run);
	assert_non_null(c->summary);
	assert_true(words_in(c->path) <= 2);
	assert_ptr_equal(command_find(c->path), c);
	for (const struct argument *a = c->args; a != NULL && a->name != NULL;
	     a++) {
		assert_false(repeats);
		assert_false(optional && !a->optional);
		optional = a->optional;
		repeats = a->repeats;
		if (a->complete == COMPLETE_WORDS || a->fixed)
			assert_non_null(a->words);
	}
	for (const struct flag *f = c->flags; f != NULL && f->name != NULL;
	     f++) {
		assert_non_null(f->help);
		if (f->complete == COMPLETE_WORDS)
			assert_non_null(f->words);
	}
	/* Does it change something? Exactly one answer. */
	assert_int_equal(__builtin_popcount(c->traits & COMMAND_EFFECTS), 1);
	if ((c->traits & COMMAND_CONFIRM) != 0)
		assert_true(
		    (c->traits & (COMMAND_WRITE | COMMAND_BY_LINE)) != 0);
	if ((c->traits & COMMAND_HIDDEN) == 0 && strcmp(c->path, "exit") != 0)
		assert_non_null(c->example);
}

static void
assert_quoted(const char *word, const char *want)
{
	struct buf out;

	buf_init(&out, XBUF_MAX);
	args_quote(&out, word);
	assert_buf(&out, want);
	buf_release(&out);
}

static void
test_words_to_copy_are_arguments(void **state HERD_UNUSED)
{
	assert_quoted("Riley", "Riley");
	assert_quoted("-n", "-- -n");
	assert_quoted("-5", "-5");
	assert_quoted("a;b", "\"a;b\"");
	assert_quoted("-a b", "-- \"-a b\"");
	assert_quoted("\033[31m", "\"\\x1b[31m\"");
}

static void
test_every_command_is_whole(void **state HERD_UNUSED)
{
	size_t count = 0;

	commands_each(c) {
		check_command(*c, &count);
	}
	assert_true(count > 50);
}

/* Is the word after it its value? An optional value is only after a `='. */
static bool
takes_word(const struct flag *flag)
{
	return flag->value != NULL && !flag->value_optional;
}

/* A flag before its command is looked up among all: they must agree. */
static void
check_agreement(const struct command *c, const struct flag *seen)
{
	for (const struct flag *f = c->flags; f != NULL && f->name != NULL;
	     f++) {
		if (strcmp(f->name, seen->name) == 0)
			assert_int_equal(takes_word(f), takes_word(seen));
	}
}

static void
test_flags_of_one_name_agree(void **state HERD_UNUSED)
{
	commands_each(c) {
		for (const struct flag *f = (*c)->flags;
		     f != NULL && f->name != NULL; f++) {
			commands_each(other) {
				check_agreement(*other, f);
			}
		}
	}
}

static void
test_settings_stand_in_order(void **state HERD_UNUSED)
{
	for (size_t i = 0; i < PREF_COUNT; i++) {
		const struct pref *pref = &pref_table()[i];

		assert_int_equal(pref->id, i);
		assert_non_null(pref->help);
		assert_ptr_equal(pref_find(pref->name), pref);
	}
}

static void
test_settings_keep_the_higher_origin(void **state HERD_UNUSED)
{
	struct prefs prefs;
	struct buf message;

	buf_init(&message, XBUF_MAX);
	prefs_init(&prefs);
	assert_int_equal(prefs_ns(&prefs, PREF_TIMEOUT), 5000000000);
	assert_int_equal(prefs_set(&prefs, PREF_TIMEOUT, "2s",
			     ORIGIN_ENVIRONMENT, "X", &message),
	    STATUS_OK);
	assert_int_equal(
	    prefs_set(&prefs, PREF_TIMEOUT, "9s", ORIGIN_USER, "f:1", &message),
	    STATUS_OK);
	assert_int_equal(prefs_ns(&prefs, PREF_TIMEOUT), 2000000000);
	assert_int_equal(prefs_set_from_context(&prefs, PREF_TIMEOUT, "3s",
			     ORIGIN_ENVIRONMENT, "c", &message),
	    STATUS_OK);
	assert_int_equal(prefs_ns(&prefs, PREF_TIMEOUT), 2000000000);
	assert_int_equal(prefs_set_from_context(&prefs, PREF_TIMEOUT, "3s",
			     ORIGIN_FLAG, "c", &message),
	    STATUS_OK);
	assert_int_equal(prefs_ns(&prefs, PREF_TIMEOUT), 3000000000);
	assert_int_equal(
	    prefs_set(&prefs, PREF_OUTPUT, "jason", ORIGIN_FLAG, "x", &message),
	    STATUS_USAGE);
	assert_non_null(strstr(text_of(&message), "not one of: table"));
	prefs_release(&prefs);
	buf_release(&message);
}

static void
test_question_marks_ask_for_help(void **state HERD_UNUSED)
{
	assert_parse(WORDS("?"), "help");
	assert_parse(WORDS("?", "client", "show"), "help <client> <show>");
	assert_parse(WORDS("client", "?"), "- <client> help group=client");
	assert_parse(WORDS("client", "show", "?"), "client show <?>");
}

static void
test_words_after_the_sign_are_an_aliass_own(void **state HERD_UNUSED)
{
	assert_parse(WORDS("alias", "a", "=", "client", "ls", "-o", "csv"),
	    "alias <a> <=> <client> <ls> <-o> <csv>");
	assert_parse(WORDS("alias", "-o", "csv"), "alias g--output=csv");
}

static void
test_the_command_is_no_options_value(void **state HERD_UNUSED)
{
	const struct {
		const char *const *words;
		size_t at;
	} cases[] = {
		{ WORDS("x"), 0 },
		{ WORDS("-n", "x", "y"), 2 },
		{ WORDS("-nx", "y"), 1 },
		{ WORDS("-qn", "x", "y"), 2 },
		{ WORDS("-q", "y"), 1 },
		{ WORDS("--node", "x", "y"), 2 },
		{ WORDS("--node=x", "y"), 1 },
		{ WORDS("--watch", "y"), 1 },
		{ WORDS("--map", "y"), 1 },
		{ WORDS("--type", "x", "y"), 2 },
		{ WORDS("--", "y"), 1 },
		{ WORDS("-n"), 1 },
		{ WORDS("-q"), 1 },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++)
		assert_int_equal(
		    args_command_at(cases[i].words, count_of(cases[i].words)),
		    cases[i].at);
}

/* --- aliases --------------------------------------------------------- */

static void
define(struct aliases *aliases, const char *name, const char *const *words)
{
	struct buf why;

	buf_init(&why, XBUF_MAX);
	assert_int_equal(
	    alias_set(aliases, name, words, count_of(words), "here", &why),
	    STATUS_OK);
	assert_int_equal(why.len, 0);
	buf_release(&why);
}

/* The words with blanks between them, or the message. */
static void
assert_expands(
    const struct aliases *aliases, const char *const *words, const char *want)
{
	struct alias_line line;
	struct buf got;

	buf_init(&got, XBUF_MAX);
	if (alias_expand(aliases, words, count_of(words), &line, &got) ==
	    STATUS_OK) {
		for (size_t i = 0; i < line.count; i++)
			putf(&got, "%s%s", i > 0 ? " " : "", line.words[i]);
	}
	assert_string_equal(text_of(&got), want);
	alias_line_release(&line);
	buf_release(&got);
}

static void
test_aliases_stand_for_what_they_are(void **state HERD_UNUSED)
{
	struct aliases aliases = { 0 };
	struct buf text;

	define(&aliases, "stale", WORDS("client", "ls", "--where", "age > 1h"));
	define(&aliases, "s", WORDS("-n", "all", "stale"));
	define(&aliases, "loop", WORDS("-q", "pool"));
	define(&aliases, "pool", WORDS("loop"));
	assert_expands(&aliases, WORDS("stale", "kiwi"),
	    "client ls --where age > 1h kiwi");
	assert_expands(&aliases, WORDS("-o", "csv", "s", "-q"),
	    "-o csv -n all client ls --where age > 1h -q");
	assert_expands(&aliases, WORDS("client", "stale"), "client stale");
	assert_expands(&aliases, WORDS("-n", "stale"), "-n stale");
	assert_expands(&aliases, WORDS("loop"),
	    "alias `loop' leads to itself, or to too many others");
	assert_expands(NULL, WORDS("stale"), "stale");
	buf_init(&text, XBUF_MAX);
	alias_put(&text, alias_find(&aliases, "stale"));
	assert_buf(&text, "client ls --where \"age > 1h\"");
	buf_release(&text);
	define(&aliases, "stale", WORDS("status"));
	assert_expands(&aliases, WORDS("stale"), "status");
	alias_remove(&aliases, alias_find(&aliases, "stale"));
	assert_null(alias_find(&aliases, "stale"));
	assert_int_equal(aliases.count, 3);
	aliases_release(&aliases);
}

static void
assert_no_alias(const char *name, const char *const *words, const char *want)
{
	struct aliases aliases = { 0 };
	struct buf why;

	buf_init(&why, XBUF_MAX);
	assert_int_equal(
	    alias_set(&aliases, name, words, count_of(words), "here", &why),
	    STATUS_USAGE);
	assert_string_equal(text_of(&why), want);
	assert_int_equal(aliases.count, 0);
	buf_release(&why);
}

static void
test_aliases_hide_no_command(void **state HERD_UNUSED)
{
	assert_no_alias("status", WORDS("ping"),
	    "alias `status' would hide the command of that name");
	assert_no_alias("client", WORDS("ping"),
	    "alias `client' would hide the command of that name");
	assert_no_alias("quit", WORDS("ping"),
	    "alias `quit' would hide the command of that name");
	assert_no_alias("a b", WORDS("ping"),
	    "alias `a b': a name is a letter, then letters, digits, - and _");
	assert_no_alias("-x", WORDS("ping"),
	    "alias `-x': a name is a letter, then letters, digits, - and _");
	assert_no_alias(
	    "x", (const char *const[]){ NULL }, "alias `x' needs a command");
}

static void
test_aliases_have_a_limit(void **state HERD_UNUSED)
{
	struct aliases aliases = { 0 };
	struct buf why;

	buf_init(&why, XBUF_MAX);
	for (unsigned i = 0; i < ALIAS_MOST; i++) {
		char name[16];

		snprintf(name, sizeof(name), "a%u", i);
		define(&aliases, name, WORDS("ping"));
	}
	assert_int_equal(
	    alias_set(&aliases, "more", WORDS("ping"), 1, "here", &why),
	    STATUS_USAGE);
	define(&aliases, "a0", WORDS("status"));
	assert_int_equal(aliases.count, ALIAS_MOST);
	aliases_release(&aliases);
	buf_release(&why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_never_options),
		cmocka_unit_test(test_options_stand_anywhere),
		cmocka_unit_test(
		    test_a_commands_flags_hide_global_ones_behind_it),
		cmocka_unit_test(test_verbatim_commands_have_no_options),
		cmocka_unit_test(test_groups_and_nothing_are_told_apart),
		cmocka_unit_test(test_mistakes_are_named_with_what_was_meant),
		cmocka_unit_test(test_the_command_of_a_wrong_line_is_guessed),
		cmocka_unit_test(test_abbreviations_are_refused),
		cmocka_unit_test(test_words_to_copy_are_arguments),
		cmocka_unit_test(test_every_command_is_whole),
		cmocka_unit_test(test_flags_of_one_name_agree),
		cmocka_unit_test(test_settings_stand_in_order),
		cmocka_unit_test(test_settings_keep_the_higher_origin),
		cmocka_unit_test(test_question_marks_ask_for_help),
		cmocka_unit_test(test_words_after_the_sign_are_an_aliass_own),
		cmocka_unit_test(test_the_command_is_no_options_value),
		cmocka_unit_test(test_aliases_stand_for_what_they_are),
		cmocka_unit_test(test_aliases_hide_no_command),
		cmocka_unit_test(test_aliases_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
