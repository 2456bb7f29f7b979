/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herdctl(1) says what the tables say: the parts between its marks are
 * written from the tables here and compared. UNIT_UPDATE=1 in the
 * environment writes them into the page.
 */
#include "unit.h"

#include "base/xbuf.h"
#include "cmd/findings.h"
#include "conf/prefs.h"
#include "herd/herdfile.h"
#include "line/command.h"
#include "out/out.h"

#define PAGE "man/herdctl.1"
#define COLUMNS 72u
#define PAGE_MAX (1u << 20)

/* As roff takes it: hyphens and backslashes that stay themselves. */
static void
add_literal(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			put_text(out, "\\-");
		else if (*text == '\\')
			put_text(out, "\\e");
		else
			put_byte(out, *text);
	}
}

/* Lines of at most COLUMNS that no roff request begins. */
static void
add_text(struct buf *out, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " \n");
		char *word = xstrndup(text, len);

		if (column > 0) {
			bool full = column + 1 + len > COLUMNS ||
				    out->data[out->head + out->len - 1] == '.';

			put_byte(out, full ? '\n' : ' ');
			column = full ? 0 : column + 1;
		}
		if (column == 0 && (word[0] == '.' || word[0] == '\''))
			put_text(out, "\\&");
		add_literal(out, word);
		column += len;
		text += len;
		text += *text != '\0';
		free(word);
	}
	put_byte(out, '\n');
}

/* A sentence: with its full stop. */
static void
add_sentence(struct buf *out, const char *text)
{
	char *sentence = xasprintf("%c%s%s",
	    text[0] >= 'a' && text[0] <= 'z' ? text[0] - 'a' + 'A' : text[0],
	    text + 1, text[strlen(text) - 1] == '.' ? "" : ".");

	add_text(out, sentence);
	free(sentence);
}

static void
add_flag_name(struct buf *out, const struct flag *flag)
{
	if (flag->letter != 0)
		putf(out, "Fl %c , ", flag->letter);
	put_text(out, "Fl Fl ");
	add_literal(out, flag->name);
	if (flag->value != NULL && flag->value_optional)
		putf(out, " Ns Op = Ns Ar %s", flag->value);
	else if (flag->value != NULL)
		putf(out, " Ar %s", flag->value);
}

static void
write_flags(struct buf *out, const struct flag *flags)
{
	put_text(out, ".Bl -tag -width Ds\n");
	for (; flags->name != NULL; flags++) {
		put_text(out, ".It ");
		add_flag_name(out, flags);
		put_byte(out, '\n');
		add_sentence(out, flags->help);
	}
	put_text(out, ".El\n");
}

static void
write_options(struct buf *out)
{
	write_flags(out, command_global_flags());
}

static void
add_synopsis(struct buf *out, const struct command *c)
{
	put_text(out, ".It Ic ");
	add_literal(out, c->path);
	for (const struct argument *a = c->args; a != NULL && a->name != NULL;
	     a++) {
		put_text(out, a->optional ? " Op Ar " : " Ar ");
		add_literal(out, a->name);
		if (a->repeats)
			put_text(out, " ...");
	}
	put_byte(out, '\n');
}

static void
write_command(struct buf *out, const struct command *c)
{
	add_synopsis(out, c);
	add_sentence(out, c->summary);
	if (c->help != NULL)
		add_sentence(out, c->help);
	if (c->flags != NULL && c->flags->name != NULL)
		write_flags(out, c->flags);
}

static void
write_commands(struct buf *out)
{
	enum command_group shown = GROUP_COUNT;

	for (const struct command *const *at = command_table; *at != NULL;
	     at++) {
		if (((*at)->traits & COMMAND_HIDDEN) != 0)
			continue;
		if ((*at)->group != shown)
			putf(out, "%s.Ss %s\n.Bl -tag -width Ds\n",
			    shown == GROUP_COUNT ? "" : ".El\n",
			    command_group_title((*at)->group));
		shown = (*at)->group;
		write_command(out, *at);
	}
	put_text(out, ".El\n");
}

static void
write_formats(struct buf *out)
{
	put_text(out, ".Bl -tag -width prometheus -compact\n");
	for (const struct format *f = format_table(); f->name != NULL; f++) {
		putf(out, ".It Cm %s\n", f->name);
		add_sentence(out, f->help);
	}
	put_text(out, ".El\n");
}

static void
write_statuses(struct buf *out)
{
	put_text(out, ".Bl -tag -width 999 -compact\n");
	for (const struct status_entry *e = exit_status_table();
	     e->word != NULL; e++) {
		putf(out, ".It %d\n", (int)e->status);
		add_sentence(out, e->text);
	}
	put_text(out, ".El\n");
}

static void
write_settings(struct buf *out)
{
	put_text(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < PREF_COUNT; i++) {
		const struct pref *pref = &pref_table()[i];
		char *text = xasprintf("%s.%s%s%s", pref->help,
		    pref->initial == NULL ? "" : " Default: ",
		    pref->initial == NULL ? "" : pref->initial,
		    pref->initial == NULL ? "" : ".");

		put_text(out, ".It Cm ");
		add_literal(out, pref->name);
		put_byte(out, '\n');
		add_sentence(out, text);
		free(text);
	}
	put_text(out, ".El\n");
}

static void
write_environment(struct buf *out)
{
	for (size_t i = 0; i < PREF_COUNT; i++) {
		const struct pref *pref = &pref_table()[i];

		if (pref->environment == NULL)
			continue;
		putf(out, ".It Ev %s\nThe setting\n.Cm ", pref->environment);
		add_literal(out, pref->name);
		put_text(out, " .\n");
	}
}

/* For a reader, {node} and {name} are arguments. */
static void
add_next(struct buf *out, const char *next)
{
	struct buf shown;

	buf_init(&shown, PAGE_MAX);
	for (; *next != '\0'; next++) {
		if (strncmp(next, "{node}", 6) == 0)
			put_text(&shown, "NODE");
		else if (strncmp(next, "{name}", 6) == 0)
			put_text(&shown, "NAME");
		else
			put_byte(&shown, *next);
		next += *next == '{' ? 5 : 0;
	}
	put_text(out, ".Dl ");
	add_literal(out, text_of(&shown));
	put_byte(out, '\n');
	buf_release(&shown);
}

static void
write_findings(struct buf *out)
{
	put_text(out, ".Bl -tag -width Ds\n");
	for (unsigned id = 0; id < FINDING_COUNT; id++) {
		const struct finding_row *row = finding_row(id);
		const struct topic_row *topic = finding_topic(row->topic);

		put_text(out, ".It Cm ");
		add_literal(out, row->word);
		putf(out, " Pq %s; %s", finding_state_word(row->state),
		    topic->name);
		if (row->topic == TOPIC_SILENT)
			put_text(out, "; every check");
		else if (topic->probe != PROBE_FACTS)
			putf(out, "; check %s",
			    finding_probe_word(topic->probe));
		put_byte(out, '\n');
		add_sentence(out, row->means);
		add_next(out, row->next);
	}
	put_text(out, ".El\n");
}

static const struct part {
	const char *name;
	void (*write)(struct buf *out);
} parts[] = {
	{ "options", write_options },
	{ "commands", write_commands },
	{ "formats", write_formats },
	{ "settings", write_settings },
	{ "environment", write_environment },
	{ "statuses", write_statuses },
	{ "findings", write_findings },
};

/* The page with this part as the table has it. */
static char *
with_part(const char *page, const struct part *part)
{
	char *begin = xasprintf(".\\\" BEGIN %s\n", part->name);
	char *end = xasprintf(".\\\" END %s\n", part->name);
	const char *from = strstr(page, begin);
	const char *to = strstr(page, end);
	struct buf out;

	assert_non_null(from);
	assert_non_null(to);
	from += strlen(begin);
	buf_init(&out, PAGE_MAX);
	put(&out, page, (size_t)(from - page));
	part->write(&out);
	put_text(&out, to);
	free(begin);
	free(end);
	return text_take(&out);
}

static void
test_page_has_what_the_tables_say(void **state HERD_UNUSED)
{
	struct buf text;
	char *page;
	bool same;

	buf_init(&text, PAGE_MAX);
	assert_ok(file_read(PAGE, PAGE_MAX, &text));
	page = xstrdup(text_of(&text));
	for (size_t i = 0; i < HERD_ARRAY_LEN(parts); i++) {
		char *next = with_part(page, &parts[i]);

		free(page);
		page = next;
	}
	same = strcmp(page, text_of(&text)) == 0;
	if (!same && getenv("UNIT_UPDATE") != NULL) {
		FILE *file = fopen(PAGE, "w");

		assert_non_null(file);
		assert_int_equal(fputs(page, file) >= 0, 1);
		assert_int_equal(fclose(file), 0);
	} else if (!same) {
		fail_msg("%s is not as the tables say; run this test with "
			 "UNIT_UPDATE=1",
		    PAGE);
	}
	free(page);
	buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_has_what_the_tables_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
