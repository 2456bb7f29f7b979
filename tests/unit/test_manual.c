/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herd.yaml(5) says of every setting what the table says: the section between
 * its two marks is written from the table here and compared. After a change of
 * the table, UNIT_UPDATE=1 in the environment writes it into the page.
 */
#include "page.h"

#include "herd/herdfile.h"
#include "herd/request.h"
#include "herd/time.h"

#define PAGE "man/herd.yaml.5"
#define OVERVIEW "man/herd.7"

static const char *
type_name(enum setting_type type)
{
	switch (type) {
	case SETTING_BOOL: return "flag";
	case SETTING_COUNT: return "count";
	case SETTING_SIZE: return "size";
	case SETTING_DURATION: return "time";
	case SETTING_ENUM: return "word";
	case SETTING_ENUMS: return "words";
	case SETTING_TEXT: return "text";
	case SETTING_PATH: return "path";
	case SETTING_ADDRESS: return "address";
	case SETTING_GROUPS: return "groups";
	}
	return "";
}

/* Groups as the page heads them, in the table's order. */
static const struct group {
	const char *prefix;
	const char *title;
} groups[] = {
	{ "", "The node" },
	{ "link.", "Links" },
	{ "places.", "Places" },
	{ "store.", "Store" },
	{ "log.", "Log" },
	{ "clients.", "Clients" },
	{ "admin.", "Administration" },
	{ "http.", "Phones" },
};

static const struct group *
group_of(const struct setting *setting)
{
	const char *dot = strchr(setting->name, '.');
	size_t i, len = dot == NULL ? 0 : (size_t)(dot - setting->name) + 1u;

	for (i = 0; i < HERD_ARRAY_LEN(groups); i++)
		if (strlen(groups[i].prefix) == len &&
		    strncmp(groups[i].prefix, setting->name, len) == 0)
			return &groups[i];
	fail_msg("%s has no group in this test", setting->name);
	abort();
}

/* Words as roff takes them: a hyphen that stays one. */
static void
add_literal(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '-')
			assert_ok(buf_add_text(out, "\\-"));
		else
			assert_ok(buf_add_byte(out, *text));
}

/* "From 1K to 64K; the default is 64K.  On reload." */
static void
add_facts(struct buf *out, const struct setting *setting)
{
	struct buf allowed, line;
	const char *range;

	buf_init(&allowed, 1000);
	buf_init(&line, 1000);
	assert_ok(setting_allowed(setting, &allowed));
	range = buf_cstr(&allowed);
	assert_non_null(range);
	switch (setting->type) {
	case SETTING_COUNT:
	case SETTING_SIZE:
	case SETTING_DURATION:
		range = strstr(range, "from ");
		assert_non_null(range);
		assert_ok(buf_addf(&line, "F%s; default ", range + 1));
		break;
	case SETTING_ENUM:
	case SETTING_ENUMS:
		if (setting->type == SETTING_ENUMS)
			range += strlen("one or a list of ");
		add_literal(&line, range);
		assert_ok(buf_add_text(&line, "; default "));
		break;
	case SETTING_BOOL:
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_ADDRESS:
	case SETTING_GROUPS: assert_ok(buf_add_text(&line, "Default ")); break;
	}
	if (*setting->initial == '\0')
		assert_ok(buf_add_text(&line, "empty"));
	else
		add_literal(&line, setting->initial);
	if (setting->reloadable)
		assert_ok(buf_add_text(&line, "; on reload"));
	assert_ok(buf_add_byte(&line, '.'));
	/* A sentence begins with a capital, words as they are do not. */
	if (setting->type == SETTING_ENUM || setting->type == SETTING_ENUMS)
		assert_ok(buf_add_text(out, "One of "));
	page_wrap(out, buf_cstr(&line));
	buf_release(&allowed);
	buf_release(&line);
}

static void
write_section(struct buf *out)
{
	size_t count, i;
	const struct setting *table = settings_table(&count);
	const struct group *group = NULL;

	for (i = 0; i < count; i++) {
		if (group_of(&table[i]) != group) {
			if (group != NULL)
				assert_ok(buf_add_text(out, ".El\n"));
			group = group_of(&table[i]);
			assert_ok(buf_addf(
			    out, ".Ss %s\n.Bl -tag -width Ds\n", group->title));
		}
		assert_ok(buf_addf(out, ".It Cm %s : Ar %s\n", table[i].name,
		    type_name(table[i].type)));
		page_wrap(out, table[i].help);
		add_facts(out, &table[i]);
	}
	assert_ok(buf_add_text(out, ".El\n"));
}

static void
test_page_has_the_table_of_settings(void **state HERD_UNUSED)
{
	struct buf section;

	buf_init(&section, PAGE_MAX);
	write_section(&section);
	page_check(PAGE, "settings", buf_span(&section));
	buf_release(&section);
}

/* A sentence of a page, with %lu in place of the limit. */
static void
check_limit(const char *path, const char *text, unsigned long limit)
{
	const char *mark = strstr(text, "%lu");
	struct buf page, want;

	assert_non_null(mark);
	buf_init(&page, PAGE_MAX);
	buf_init(&want, 100);
	assert_ok(file_read(path, PAGE_MAX, &page));
	assert_ok(buf_addf(
	    &want, "%.*s%lu%s", (int)(mark - text), text, limit, mark + 3));
	if (strstr(buf_cstr(&page), buf_cstr(&want)) == NULL)
		fail_msg("%s lacks \"%s\"", path, buf_cstr(&want));
	buf_release(&page);
	buf_release(&want);
}

static void
test_pages_name_the_limits(void **state HERD_UNUSED)
{
	static const struct {
		const char *page;
		const char *text;
		unsigned long limit;
	} limits[] = { { PAGE, "at most %lu nodes", HERDFILE_NODES_MAX },
		{ PAGE, "at most %lu links", HERDFILE_DEGREE_MAX },
		{ PAGE, "a herd at most %lu", HERDFILE_LINKS_MAX },
		{ PAGE, "at most %lu MiB long", HERDFILE_BYTES_MAX >> 20 },
		{ PAGE, "1 to %lu letters", REPORT_ORIGIN_MAX },
		{ PAGE, "socket of at most %lu\nbytes", ADDRESS_PATH_MAX },
		{ PAGE, "Up to %lu bytes", SETTING_TEXT_MAX },
		{ OVERVIEW, "\n%lu; three to fifty", HERDFILE_NODES_MAX },
		{ OVERVIEW, "Links of a node\n%lu.\n", HERDFILE_DEGREE_MAX },
		{ OVERVIEW, "name\n%lu bytes.", REPORT_CLIENT_MAX },
		{ OVERVIEW, "name\n%lu letters", REPORT_ORIGIN_MAX },
		{ OVERVIEW, "2514; %lu characters", HERD_TIME_TEXT_MAX },
		{ OVERVIEW, "Radius\n%lu km", REQUEST_RADIUS_MAX_KM },
		{ OVERVIEW, "answer\n%lu.\n", REQUEST_BOUND_MAX } };
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(limits); i++)
		check_limit(limits[i].page, limits[i].text, limits[i].limit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_has_the_table_of_settings),
		cmocka_unit_test(test_pages_name_the_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
