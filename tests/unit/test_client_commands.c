/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each command is one constant in a file of its own, and all of them are in
 * the list: what the sources in client/cmd define against COMMAND_LIST.
 */
#include "unit.h"

#include <dirent.h>

#include "base/xbuf.h"
#include "base/tokens.h"
#include "cmd/list.h"
#include "core/link_history.h"
#include "herd/file.h"

#define ROOM "client/cmd"
#define SOURCE_MAX (1u << 20)

static const struct {
	const char *name;
	const struct command *command;
} list[] = {
#define COMMAND_ENTRY(name) { #name, &cmd_##name },
	COMMAND_LIST(COMMAND_ENTRY)
#undef COMMAND_ENTRY
};

static bool
is_listed(struct span name)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(list); i++) {
		if (span_is(name, list[i].name))
			return true;
	}
	return false;
}

/* "peer show" is peer_show, and __complete is complete. */
static char *
name_of(const char *path)
{
	char *name = xstrdup(path + strspn(path, "_"));

	for (char *c = name; *c != '\0'; c++) {
		if (*c == ' ' || *c == '-')
			*c = '_';
	}
	return name;
}

static void
test_list_is_the_table(void **state HERD_UNUSED)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(list); i++) {
		char *name = name_of(list[i].command->path);

		assert_string_equal(list[i].name, name);
		assert_ptr_equal(command_table[i], list[i].command);
		/* A path that is there twice finds the first one. */
		assert_ptr_equal(
		    command_find(list[i].command->path), list[i].command);
		free(name);
	}
	assert_null(command_table[HERD_ARRAY_LEN(list)]);
}

/* herdctl cannot see the server's list of states, and has its own. */
static void
test_wait_link_knows_every_state(void **state HERD_UNUSED)
{
	const struct argument *words = &cmd_wait_link.args[1];
	size_t count = 1;

	for (const char *c = words->words; *c != '\0'; c++)
		count += *c == ' ';
	assert_true(words->fixed);
#define CHECK_STATE(id, word)                                        \
	assert_true(tokens_is_among(words->words, span_from(word))); \
	count--;
	LINK_STATES(CHECK_STATE)
#undef CHECK_STATE
	assert_int_equal(count, 0);
}

/* Help shows a group's title when it begins. */
static void
test_groups_stand_together(void **state HERD_UNUSED)
{
	for (size_t i = 1; i < HERD_ARRAY_LEN(list); i++)
		assert_true(
		    list[i - 1].command->group <= list[i].command->group);
}

/* The constant in a source: its name is the file's. Is there one? */
static bool
check_source(const char *file)
{
	static const char sign[] = "\nconst struct command cmd_";
	char *path = xasprintf(ROOM "/%s", file);
	struct span stem = span_of(file, strlen(file) - strlen(".c"));
	struct span name;
	struct buf text;
	const char *at;

	buf_init(&text, SOURCE_MAX);
	assert_ok(file_read(path, SOURCE_MAX, &text));
	free(path);
	at = strstr(text_of(&text), sign);
	if (at != NULL) {
		at += strlen(sign);
		name = span_of(at, strcspn(at, " "));
		if (!span_equal(stem, name)) {
			char *other =
			    xasprintf(SPAN_FMT "_command", SPAN_ARG(name));

			assert_span(stem, other);
			free(other);
		}
		if (!is_listed(name))
			fail_msg("%s is not in COMMAND_LIST", file);
		assert_null(strstr(at, sign));
	}
	buf_release(&text);
	return at != NULL;
}

static void
test_each_command_is_a_file(void **state HERD_UNUSED)
{
	DIR *room = opendir(ROOM);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(room);
	while ((entry = readdir(room)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len > 2 && strcmp(entry->d_name + len - 2, ".c") == 0)
			count += check_source(entry->d_name);
	}
	closedir(room);
	assert_int_equal(count, HERD_ARRAY_LEN(list));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_link_knows_every_state),
		cmocka_unit_test(test_list_is_the_table),
		cmocka_unit_test(test_groups_stand_together),
		cmocka_unit_test(test_each_command_is_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
