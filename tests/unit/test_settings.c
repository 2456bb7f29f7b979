/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/settings.h"
#include "herd/text.h"
#include "herd/time.h"

static bool
is_number(enum setting_type type)
{
	return type == SETTING_COUNT || type == SETTING_SIZE ||
	       type == SETTING_DURATION;
}

static void
test_table_is_consistent(void **state HERD_UNUSED)
{
	size_t count, i, j;
	const struct setting *table = settings_table(&count), *s;

	assert_true(count > 30);
	for (i = 0; i < count; i++) {
		s = &table[i];
		assert_ptr_equal(setting_find(span_from(s->name)), s);
		assert_true(s->offset < sizeof(struct settings));
		for (j = 0; j < i; j++) {
			assert_string_not_equal(s->name, table[j].name);
			assert_true(s->offset != table[j].offset);
		}
		assert_int_equal(s->words != NULL,
		    s->type == SETTING_ENUM || s->type == SETTING_ENUMS ||
			s->type == SETTING_BOOL);
		if (is_number(s->type))
			assert_true(s->min < s->max);
		/* A sentence: capital, full stop, short enough for a page. */
		assert_true(s->help[0] >= 'A' && s->help[0] <= 'Z');
		assert_int_equal(s->help[strlen(s->help) - 1u], '.');
		assert_true(strlen(s->help) < 200);
		/* help speaks to nroff too */
		assert_null(strpbrk(s->help, "\\\n\t"));
	}
	assert_null(setting_find(span_from("nothing")));
	assert_null(setting_find(span_from("")));
}

static void
test_defaults_are_canonical(void **state HERD_UNUSED)
{
	struct settings settings;
	size_t count, i;
	const struct setting *table = settings_table(&count);
	struct buf text;

	buf_init(&text, 1000);
	assert_ok(settings_init(&settings));
	for (i = 0; i < count; i++) {
		buf_clear(&text);
		assert_ok(setting_get(&settings, &table[i], &text));
		assert_buf(&text, table[i].initial);
	}
	assert_true(settings.max_line == 65536);
	assert_true(settings.max_clients == 10000000);
	assert_true(settings.max_ahead == 300 * HERD_NS_PER_S);
	assert_true(settings.max_memory == 0);
	assert_int_equal(settings.at_limit, AT_LIMIT_REFUSE);
	assert_true(settings.idle_timeout == 0);
	assert_true(settings.link.stall_after == 60 * HERD_NS_PER_S);
	assert_int_equal(settings.places.provider.count, 1);
	assert_int_equal(settings.places.provider.items[0], PLACES_GAZETTEER);
	assert_true(settings.places.cache);
	assert_int_equal(settings.store.engine, STORE_NONE);
	assert_string_equal(settings.store.path, "herd-%n.sqlite");
	assert_int_equal(settings.log.level, LOG_INFO);
	settings_release(&settings);
	buf_release(&text);
}

static const struct setting *
named(const char *name)
{
	const struct setting *setting = setting_find(span_from(name));

	assert_non_null(setting);
	return setting;
}

static void
test_values_survive_the_round_trip(void **state HERD_UNUSED)
{
	static const struct {
		const char *name, *text, *shown;
	} cases[] = { { "workers", "8", "8" }, { "workers", "008", "8" },
		{ "max_line", "1024", "1K" }, { "max_line", "1025", "1025" },
		{ "max_line", "64K", "64K" }, { "max_ahead", "0", "0" },
		{ "max_ahead", "90s", "1m30s" }, { "max_memory", "0", "0" },
		{ "max_memory", "16M", "16M" },
		{ "max_memory", "1048576K", "1G" },
		{ "at_limit", "evict", "evict" },
		{ "link.ping_after", "50ms", "50ms" },
		{ "places.cache", "off", "no" },
		{ "places.cache", "true", "yes" },
		{ "link_security", "tls", "tls" },
		{ "log.traffic", "traffic-%n.log", "traffic-%n.log" },
		{ "log.traffic", "100%%", "100%%" }, { "log.traffic", "", "" },
		{ "user", "herd", "herd" },
		{ "admin.listen", "[::1]:80", "[::1]:80" },
		{ "admin.listen", "", "" } };
	struct settings settings;
	struct buf text;
	size_t i;

	buf_init(&text, 1000);
	assert_ok(settings_init(&settings));
	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		const struct setting *setting = named(cases[i].name);

		assert_ok(setting_set(
		    &settings, setting, span_from(cases[i].text), NULL));
		buf_clear(&text);
		assert_ok(setting_get(&settings, setting, &text));
		assert_buf(&text, cases[i].shown);
		assert_ok(
		    setting_set(&settings, setting, buf_span(&text), NULL));
	}
	settings_release(&settings);
	buf_release(&text);
}

static void
test_limits_are_inclusive(void **state HERD_UNUSED)
{
	size_t count, i;
	const struct setting *table = settings_table(&count);
	struct settings settings;
	struct buf text;
	uint64_t value;
	int step;

	buf_init(&text, 1000);
	assert_ok(settings_init(&settings));
	for (i = 0; i < count; i++) {
		if (!is_number(table[i].type))
			continue;
		for (step = -1; step <= 1; step++) {
			if (step < 0 && table[i].min == 0)
				continue;
			buf_clear(&text);
			value = table[i].min + (uint64_t)step;
			assert_ok(
			    buf_addf(&text, "%llu%s", (unsigned long long)value,
				table[i].type == SETTING_DURATION ? "ns" : ""));
			assert_int_equal(setting_set(&settings, &table[i],
					     buf_span(&text), NULL),
			    step < 0 ? HERD_ERANGE : HERD_OK);
			buf_clear(&text);
			value = table[i].max + (uint64_t)step;
			assert_ok(
			    buf_addf(&text, "%llu%s", (unsigned long long)value,
				table[i].type == SETTING_DURATION ? "ns" : ""));
			assert_int_equal(setting_set(&settings, &table[i],
					     buf_span(&text), NULL),
			    step > 0 ? HERD_ERANGE : HERD_OK);
		}
	}
	settings_release(&settings);
	buf_release(&text);
}

static void
test_bad_values_say_what_is_allowed(void **state HERD_UNUSED)
{
	static const struct {
		const char *name, *text;
		enum herd_error error;
		const char *message;
	} cases[] = {
		{ "workers", "65", HERD_ERANGE,
		    "expected a whole number from 0 to 64, not `65`" },
		{ "workers", "-1", HERD_ESYNTAX,
		    "expected a whole number from 0 to 64, not `-1`" },
		{ "workers", "2.0", HERD_ESYNTAX,
		    "expected a whole number from 0 to 64, not `2.0`" },
		{ "workers", "99999999999999999999", HERD_ERANGE,
		    "expected a whole number from 0 to 64, not "
		    "`99999999999999999999`" },
		{ "max_line", "65K", HERD_ERANGE,
		    "expected a size such as 8K from 1K to 64K, not `65K`" },
		{ "max_line", "1M", HERD_ERANGE,
		    "expected a size such as 8K from 1K to 64K, not `1M`" },
		{ "max_line", "", HERD_ESYNTAX,
		    "expected a size such as 8K from 1K to 64K, not ``" },
		{ "max_line", "64k", HERD_ESYNTAX,
		    "expected a size such as 8K from 1K to 64K, not `64k`" },
		{ "max_line", "99999999999999999999G", HERD_ERANGE,
		    "expected a size such as 8K from 1K to 64K, not "
		    "`99999999999999999999G`" },
		{ "max_line", "K", HERD_ESYNTAX,
		    "expected a size such as 8K from 1K to 64K, not `K`" },
		{ "link.ping_after", "5", HERD_ESYNTAX,
		    "expected a time such as 1m30s or 200ms from 1ms to 1h, "
		    "not `5`" },
		{ "link.ping_after", "2h", HERD_ERANGE,
		    "expected a time such as 1m30s or 200ms from 1ms to 1h, "
		    "not `2h`" },
		{ "places.cache", "yse", HERD_ESYNTAX,
		    "expected yes or no, not `yse`, did you mean `yes`?" },
		{ "places.cache", "1", HERD_ESYNTAX,
		    "expected yes or no, not `1`" },
		{ "log.level", "inof", HERD_ESYNTAX,
		    "expected debug, info, warn or error, not `inof`, did you "
		    "mean `info`?" },
		{ "log.level", "INFO", HERD_ESYNTAX,
		    "expected debug, info, warn or error, not `INFO`" },
		{ "places.provider", "gazeteer", HERD_ESYNTAX,
		    "expected one or a list of gazetteer, google, "
		    "google-legacy, photon or none, not `gazeteer`, did you "
		    "mean `gazetteer`?" },
		{ "log.traffic", "%d.log", HERD_ESYNTAX,
		    "expected a path, in which %n is the node's name and %% "
		    "is %, not `%d.log`" },
		{ "log.traffic", "x%", HERD_ESYNTAX,
		    "expected a path, in which %n is the node's name and %% "
		    "is %, not `x%`" },
		{ "user", "a\nb", HERD_ESYNTAX,
		    "expected text without control characters, not `a\\nb`" },
		{ "admin.listen", "/run/x", HERD_ESYNTAX,
		    "expected HOST:PORT, not `/run/x`" },
		{ "admin.listen", "x", HERD_ESYNTAX,
		    "expected HOST:PORT, not `x`" },
	};
	struct settings settings, before;
	struct buf message;
	size_t i;

	buf_init(&message, 1000);
	assert_ok(settings_init(&settings));
	assert_ok(settings_init(&before));
	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		const struct setting *setting = named(cases[i].name);

		setting_clear(&settings, setting);
		setting_clear(&before, setting);
		buf_clear(&message);
		assert_int_equal(setting_set(&settings, setting,
				     span_from(cases[i].text), &message),
		    cases[i].error);
		assert_buf(&message, cases[i].message);
		assert_int_equal(setting_set(&settings, setting,
				     span_from(cases[i].text), NULL),
		    cases[i].error);
		assert_true(setting_equal(setting, &settings, &before));
	}
	settings_release(&settings);
	settings_release(&before);
	buf_release(&message);
}

static void
test_long_text_is_refused_and_shown_short(void **state HERD_UNUSED)
{
	char text[SETTING_TEXT_MAX + 1u];
	struct settings settings;
	struct buf message;

	memset(text, 'x', sizeof(text));
	buf_init(&message, 1000);
	assert_ok(settings_init(&settings));
	assert_ok(setting_set(&settings, named("user"),
	    span_of(text, SETTING_TEXT_MAX), &message));
	assert_int_equal(setting_set(&settings, named("user"),
			     span_of(text, sizeof(text)), &message),
	    HERD_ESYNTAX);
	assert_true(message.len < 200);
	assert_int_equal(setting_set(&settings, named("log.traffic"),
			     span_of("a\0b", 3), &message),
	    HERD_ESYNTAX);
	settings_release(&settings);
	buf_release(&message);
}

static void
test_list_takes_each_word_once(void **state HERD_UNUSED)
{
	const struct setting *provider = named("places.provider");
	struct settings settings, other;
	struct buf text;

	buf_init(&text, 1000);
	assert_ok(settings_init(&settings));
	assert_ok(settings_init(&other));
	assert_int_equal(
	    setting_set(&settings, provider, span_from("gazetteer"), &text),
	    HERD_EEXIST);
	assert_buf(&text, "`gazetteer` is named twice");
	setting_clear(&settings, provider);
	assert_int_equal(settings.places.provider.count, 0);
	assert_ok(setting_set(&settings, provider, span_from("google"), NULL));
	assert_ok(
	    setting_set(&settings, provider, span_from("gazetteer"), NULL));
	buf_clear(&text);
	assert_ok(setting_get(&settings, provider, &text));
	assert_buf(&text, "google, gazetteer");
	assert_false(setting_equal(provider, &settings, &other));
	assert_ok(setting_set(&other, provider, span_from("google"), NULL));
	assert_false(setting_equal(provider, &settings, &other));
	setting_clear(&other, provider);
	assert_ok(setting_set(&other, provider, buf_span(&text), NULL));
	assert_true(setting_equal(provider, &settings, &other));
	assert_int_equal(settings.places.provider.items[0], PLACES_GOOGLE);
	setting_clear(&settings, named("workers"));
	assert_true(settings.workers == 0);
	settings_release(&settings);
	settings_release(&other);
	buf_release(&text);
}

/* A changed value is unequal, for every entry of the table. */
static void
test_equal_sees_every_field(void **state HERD_UNUSED)
{
	size_t count, i;
	const struct setting *table = settings_table(&count);
	struct settings a, b;
	const char *text = "";

	assert_ok(settings_init(&a));
	for (i = 0; i < count; i++) {
		assert_ok(settings_init(&b));
		assert_true(setting_equal(&table[i], &a, &b));
		switch (table[i].type) {
		case SETTING_BOOL:
			text =
			    strcmp(table[i].initial, "no") == 0 ? "yes" : "no";
			break;
		case SETTING_COUNT: text = "7"; break;
		case SETTING_SIZE:
			text = table[i].min > 2048 ? "32M" : "2K";
			break;
		case SETTING_DURATION: text = "900ms"; break;
		case SETTING_ENUM: text = table[i].words[1]; break;
		case SETTING_ENUMS: text = table[i].words[1]; break;
		case SETTING_TEXT:
		case SETTING_GROUPS:
		case SETTING_PATH: text = "x"; break;
		case SETTING_ADDRESS: text = "x:1"; break;
		}
		if (table[i].type == SETTING_ENUM &&
		    strcmp(text, table[i].initial) == 0)
			text = table[i].words[0];
		assert_ok(setting_set(&b, &table[i], span_from(text), NULL));
		if (setting_equal(&table[i], &a, &b))
			fail_msg("%s", table[i].name);
		settings_release(&b);
	}
	settings_release(&a);
}

static void
test_groups_are_names_between_commas(void **state HERD_UNUSED)
{
	static const char *const bad[] = { ",", "a,,b", "a, ,b", "a/b", "a:b",
		"a\tb" };
	const struct setting *setting = setting_find(span_from("http.friends"));
	struct settings settings;
	struct buf got, message;

	buf_init(&got, 1000);
	buf_init(&message, 1000);
	assert_ok(settings_init(&settings));
	assert_ok(setting_set(
	    &settings, setting, span_from(" jane  john,ann bob "), NULL));
	assert_ok(setting_set(&settings, setting, span_from("eve"), NULL));
	for (size_t i = 0; i < HERD_ARRAY_LEN(bad); i++) {
		buf_clear(&message);
		assert_int_equal(setting_set(&settings, setting,
				     span_from(bad[i]), &message),
		    HERD_ESYNTAX);
		assert_int_not_equal(message.len, 0);
	}
	assert_ok(setting_get(&settings, setting, &got));
	assert_buf(&got, "jane john, ann bob, eve");
	setting_clear(&settings, setting);
	buf_clear(&got);
	assert_ok(setting_get(&settings, setting, &got));
	assert_buf(&got, "");
	settings_release(&settings);
	buf_release(&got);
	buf_release(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_consistent),
		cmocka_unit_test(test_defaults_are_canonical),
		cmocka_unit_test(test_values_survive_the_round_trip),
		cmocka_unit_test(test_limits_are_inclusive),
		cmocka_unit_test(test_bad_values_say_what_is_allowed),
		cmocka_unit_test(test_long_text_is_refused_and_shown_short),
		cmocka_unit_test(test_list_takes_each_word_once),
		cmocka_unit_test(test_groups_are_names_between_commas),
		cmocka_unit_test(test_equal_sees_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
