/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Completion: what could stand at the end of a line. */
#include "unit.h"

#include "complete.h"
#include "xbuf.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_WORDS ((const char *const[]){ NULL })

static const char *const clients[] = { "kiwi", "koala", NULL };

static struct ctl ctl;

static int
set_up(void **state HERD_UNUSED)
{
	static struct target targets[] = {
		{ .name = "Riley" },
		{ .name = "Jaquez" },
	};

	prefs_init(&ctl.base);
	prefs_init(&ctl.prefs);
	ctl.herd.targets = targets;
	ctl.herd.count = 2;
	ctl.herd_ready = true;
	return 0;
}

/* The suggestions with spaces between them; a + behind if files fit too. */
static char *
suggest(const char *const *words, const char *prefix)
{
	struct complete_sources sources = { clients };
	struct completions found;
	struct buf out;
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	complete(&ctl, words, count, prefix, &sources, &found);
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
	struct herd before = ctl.herd;
	struct diagnostics faults;

	diagnostics_init(&faults);
	assert_ok(herdfile_parse(span_from(text), &ctl.herd.file, &faults));
	diagnostics_release(&faults);
	ctl.herd.targets = targets;
	ctl.herd.count = 1;
	assert_suggested(WORDS("peer", "show"), "", "Bob");
	assert_suggested(WORDS("-n", "Bob", "peer", "show"), "", "Ann Cid");
	assert_suggested(WORDS("peer", "disable", "-n", "Cid"), "", "Bob");
	assert_suggested(WORDS("-n", "all", "peer", "show"), "", "Ann");
	herdfile_release(&ctl.herd.file);
	ctl.herd = before;
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
test_places_are_not_completed_as_options(void **state HERD_UNUSED)
{
	assert_suggested(WORDS("iamat", "kiwi"), "-3", "");
	assert_suggested(WORDS("iamat", "kiwi", "-3+4"), "", "now");
	assert_suggested(WORDS("raw"), "--", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_come_first),
		cmocka_unit_test(test_arguments_are_names_of_their_kind),
		cmocka_unit_test(test_peers_are_those_of_the_node),
		cmocka_unit_test(test_flags_and_their_values_are_known),
		cmocka_unit_test(test_places_are_not_completed_as_options),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
