/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the PostgreSQL engine does without a server. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/postgres_fault.h"
#include "store/postgres_rows.h"
#include "store/store_key.h"

#define REPORTS 300u

/* --- addresses -------------------------------------------------------------
 */

static void
test_url_is_taken_or_refused_in_words_without_its_password(void **state)
{
	static const struct {
		const char *url;
		const char *refused; /* NULL: taken */
	} cases[] = {
		{ "postgresql://herd:hunter2@127.0.0.1/herd", NULL },
		{ "postgres://herd:hunter2@[::1]:5433/herd", NULL },
		{ "postgresql://herd:hunter2@localhost/herd", NULL },
		{ "postgresql://herd:hunter2@%2Frun%2Fpostgresql/herd", NULL },
		{ "postgresql://h:hunter2@a,b,c:5433/d?sslmode=verify-full",
		    NULL },
		{ "postgresql://h:hunter2@a:1,b:2/d?sslmode=verify-full",
		    NULL },
		{ "postgresql://h:hunter2@db.example/d", "verify-full" },
		{ "postgresql://h:hunter2@db.example/d?sslmode=require",
		    "verify-full" },
		{ "postgresql://h:hunter2@db.example/d?sslmode=verify-ca",
		    "verify-full" },
		{ "postgresql://h:hunter2@127.0.0.1,db.example/d",
		    "verify-full" },
		{ "postgresql://h:hunter2@localhost/d?hostaddr=192.0.2.1",
		    "verify-full" },
		{ "postgresql://h:hunter2@127.0.0.1.example/d", "verify-full" },
		{ "postgresql:///d?password=hunter2", "no host" },
		{ "postgresql://h:hunter2@a:1,b:x/d?sslmode=verify-full",
		    "host or port" },
		{ "postgresql://h:hunter2@127.0.0.1/d?nonsense=1",
		    "malformed" },
		{ "postgresql://h:hunter2@127.0.0.1:99999/d", "host or port" },
		{ "host=db password=hunter2", "postgresql://" },
		{ "mysql://h:hunter2@db/d", "postgresql://" },
		{ "", "postgresql://" },
	};
	struct postgres_url url;
	struct buf message;

	(void)state;
	buf_init(&message, 4096);
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		enum herd_error error;

		buf_clear(&message);
		error = postgres_url_parse(cases[i].url, &url, &message);
		assert_int_equal(
		    error, cases[i].refused == NULL ? HERD_OK : HERD_ESYNTAX);
		if (cases[i].refused != NULL)
			assert_non_null(
			    strstr(buf_cstr(&message), cases[i].refused));
		assert_null(strstr(buf_cstr(&message), "hunter2"));
		assert_null(strstr(url.shown, "hunter2"));
		postgres_url_release(&url);
	}
	buf_release(&message);
}

static void
test_url_has_its_hosts_and_ports(void **state)
{
	struct postgres_url url;
	struct buf message;

	(void)state;
	buf_init(&message, 4096);
	assert_int_equal(postgres_url_parse("postgresql://u:p@a:1,b,c:3/d"
					    "?sslmode=verify-full",
			     &url, &message),
	    HERD_OK);
	assert_int_equal(url.count, 3);
	assert_string_equal(url.hosts[1].host, "b");
	assert_int_equal(url.hosts[0].address.port, 1);
	assert_int_equal(url.hosts[1].address.port, 5432);
	assert_int_equal(url.hosts[2].address.port, 3);
	assert_string_equal(url.shown, "u@a,b,c/d");
	postgres_url_release(&url);
	buf_release(&message);
}

/* More hosts than are tried. */
static void
test_url_with_too_many_hosts_is_refused(void **state)
{
	struct postgres_url url;
	struct buf message;
	struct buf text;

	(void)state;
	buf_init(&message, 4096);
	buf_init(&text, 4096);
	assert_int_equal(buf_add_text(&text, "postgresql://u@h"), HERD_OK);
	for (unsigned i = 0; i < POSTGRES_HOSTS_MAX; i++)
		assert_int_equal(buf_add_text(&text, ",h"), HERD_OK);
	assert_int_equal(
	    buf_add_text(&text, "/d?sslmode=verify-full"), HERD_OK);
	assert_int_equal(
	    postgres_url_parse(buf_cstr(&text), &url, &message), HERD_ESYNTAX);
	assert_non_null(strstr(buf_cstr(&message), "too many hosts"));
	postgres_url_release(&url);
	buf_release(&text);
	buf_release(&message);
}

/* --- faults ----------------------------------------------------------------
 */

static void
test_fault_of_each_class(void **state)
{
	static const struct {
		const char *sqlstate;
		enum engine_fault fault;
	} cases[] = {
		{ NULL, ENGINE_AWAY },
		{ "", ENGINE_AWAY },
		{ "08006", ENGINE_AWAY },
		{ "57P01", ENGINE_AWAY },
		{ "57014", ENGINE_AWAY },
		{ "53100", ENGINE_AWAY },
		{ "53300", ENGINE_AWAY },
		{ "25006", ENGINE_AWAY },
		{ "40P01", ENGINE_AWAY },
		{ "40001", ENGINE_AWAY },
		{ "XX000", ENGINE_AWAY },
		{ "58030", ENGINE_AWAY },
		{ "28P01", ENGINE_REFUSED },
		{ "28000", ENGINE_REFUSED },
		{ "42501", ENGINE_REFUSED },
		{ "42P01", ENGINE_REFUSED },
		{ "42703", ENGINE_REFUSED },
		{ "22021", ENGINE_REFUSED },
		{ "23505", ENGINE_REFUSED },
		{ "3F000", ENGINE_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		const char *hint = NULL;

		assert_int_equal(postgres_fault_judge(cases[i].sqlstate, &hint),
		    cases[i].fault);
		assert_non_null(hint);
	}
}

static void
test_fault_is_found_in_a_message_of_libpq(void **state)
{
	char sqlstate[POSTGRES_SQLSTATE_LEN + 1];

	(void)state;
	assert_true(postgres_fault_find(
	    "connection to server at \"::1\", port 5432 failed: FATAL:  28P01: "
	    "password authentication failed",
	    sqlstate));
	assert_string_equal(sqlstate, "28P01");
	assert_false(postgres_fault_find("could not connect", sqlstate));
	assert_false(postgres_fault_find("FATAL:  28P0", sqlstate));
	assert_false(postgres_fault_find("FATAL:  later: no", sqlstate));
}

/* --- rows ------------------------------------------------------------------
 */

struct sample {
	char lines[REPORTS][200];
	struct report reports[REPORTS];
	struct postgres_rows rows;
};

/* Fields of few values, so that most pairs differ late. */
static void
make_samples(struct sample *sample, unsigned clients)
{
	struct unit_random random = unit_random(__func__);
	static const char *const places[] = { "+1+1", "+1+1.0", "+01+1",
		"-1+1" };
	static const char *const origins[] = { "A", "AB", "B" };
	static const char *const times[] = { "5", "5.0", "05", "5.000000001",
		"17179869183.999999999", "0" };
	static const char *const skews[] = { "+0.000000001", "-0.000000001" };

	for (unsigned i = 0; i < REPORTS; i++) {
		const char *time = times[unit_below(&random, 6)];
		const char *origin = origins[unit_below(&random, 3)];
		unsigned client = (unsigned)unit_below(&random, clients);

		if (unit_below(&random, 5) == 0)
			snprintf(sample->lines[i], sizeof(sample->lines[i]),
			    "GONE %s c%u %s", origin, client, time);
		else
			snprintf(sample->lines[i], sizeof(sample->lines[i]),
			    "AT %s %s c%u %s %s", origin,
			    skews[unit_below(&random, 2)], client,
			    places[unit_below(&random, 4)], time);
		assert_int_equal(report_parse(span_from(sample->lines[i]),
				     &sample->reports[i]),
		    HERD_OK);
	}
}

static int
sign(int value)
{
	return (value > 0) - (value < 0);
}

static void
test_ord_is_the_order_of_reports(void **state)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	struct buf a;
	struct buf b;

	(void)state;
	buf_init(&a, 4096);
	buf_init(&b, 4096);
	make_samples(sample, 1);
	for (unsigned i = 0; i < REPORTS; i++) {
		buf_clear(&a);
		assert_int_equal(
		    postgres_rows_add_ord(&a, &sample->reports[i]), HERD_OK);
		for (unsigned k = 0; k < REPORTS; k++) {
			buf_clear(&b);
			assert_int_equal(
			    postgres_rows_add_ord(&b, &sample->reports[k]),
			    HERD_OK);
			assert_int_equal(
			    sign(span_compare(buf_span(&a), buf_span(&b))),
			    sign(report_compare(
				&sample->reports[i], &sample->reports[k])));
		}
	}
	buf_release(&a);
	buf_release(&b);
	free(sample);
}

static void
test_batch_has_each_client_once_newest_by_key(void **state)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	struct postgres_rows *rows = &sample->rows;

	(void)state;
	make_samples(sample, 40);
	assert_int_equal(postgres_rows_init(rows, REPORTS), HERD_OK);
	postgres_rows_set(rows, sample->reports, REPORTS);
	assert_in_range(rows->count, 30, 40);
	for (unsigned i = 0; i < rows->count; i++) {
		uint8_t key[ENGINE_KEY_LEN];

		store_key(rows->rows[i].report->client, key);
		assert_memory_equal(key, rows->rows[i].key, sizeof(key));
		if (i > 0)
			assert_true(memcmp(rows->rows[i - 1].key,
					rows->rows[i].key, sizeof(key)) < 0);
		for (unsigned k = 0; k < REPORTS; k++) {
			if (span_equal(sample->reports[k].client,
				rows->rows[i].report->client))
				assert_true(report_compare(&sample->reports[k],
						rows->rows[i].report) <= 0);
		}
	}
	postgres_rows_release(rows);
	free(sample);
}

/* The array of clients as PostgreSQL reads it. */
static void
test_values_are_arrays(void **state)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	struct postgres_rows *rows = &sample->rows;
	struct postgres_call call = { .count = 8 };
	const unsigned char *at;

	(void)state;
	make_samples(sample, 2);
	assert_int_equal(postgres_rows_init(rows, REPORTS), HERD_OK);
	postgres_rows_set(rows, sample->reports, REPORTS);
	assert_int_equal(rows->count, 2);
	rows->rows[1].day = 1;
	assert_int_equal(postgres_rows_values(rows, 0, 2, &call), HERD_OK);
	at = (const unsigned char *)call.values[1];
	assert_memory_equal(
	    at, "\0\0\0\1\0\0\0\0\0\0\0\21\0\0\0\2\0\0\0\1\0\0\0\2c", 25);
	assert_int_equal(call.lengths[1], 32);
	assert_int_equal(call.lengths[0], 20 + 2 * 36);
	/* A date, and none. */
	assert_memory_equal(call.values[8],
	    "\0\0\0\1\0\0\0\1\0\0\4\72\0\0\0\2\0\0\0\1"
	    "\377\377\377\377\0\0\0\4\0\0\0\1",
	    32);
	assert_int_equal(call.lengths[8], 32);
	postgres_rows_release(rows);
	free(sample);
}

/* More than a message may have: the engine writes it in parts. */
static void
test_values_have_a_limit(void **state)
{
	size_t len = POSTGRES_ROWS_BYTES_MAX / 16;
	char *id = malloc(len);
	struct postgres_rows rows;
	struct postgres_call call = { .count = 8 };
	struct report reports[20];

	(void)state;
	memset(id, 'x', len);
	for (unsigned i = 0; i < 20; i++)
		reports[i] = (struct report){ .client = span_of(id, len - i),
			.location = span_from("+1+1"),
			.time = span_from("5"),
			.skew = span_from("+0.000000000"),
			.origin = span_from("A") };
	assert_int_equal(postgres_rows_init(&rows, 20), HERD_OK);
	postgres_rows_set(&rows, reports, 20);
	assert_int_equal(
	    postgres_rows_values(&rows, 0, 20, &call), HERD_ELIMIT);
	assert_int_equal(postgres_rows_values(&rows, 0, 10, &call), HERD_OK);
	postgres_rows_release(&rows);
	free(id);
}

static void
test_day_of_receipt(void **state)
{
	(void)state;
	assert_int_equal(postgres_rows_day(0), -10957);
	assert_int_equal(postgres_rows_day(946684800u * HERD_NS_PER_S), 0);
	assert_int_equal(postgres_rows_day(946684799u * HERD_NS_PER_S), -1);
	assert_int_equal(
	    postgres_rows_day((HERD_TIME_MAX_S - 1) * HERD_NS_PER_S), 187884);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_url_is_taken_or_refused_in_words_without_its_password),
		cmocka_unit_test(test_url_has_its_hosts_and_ports),
		cmocka_unit_test(test_url_with_too_many_hosts_is_refused),
		cmocka_unit_test(test_fault_of_each_class),
		cmocka_unit_test(test_fault_is_found_in_a_message_of_libpq),
		cmocka_unit_test(test_ord_is_the_order_of_reports),
		cmocka_unit_test(test_batch_has_each_client_once_newest_by_key),
		cmocka_unit_test(test_values_are_arrays),
		cmocka_unit_test(test_values_have_a_limit),
		cmocka_unit_test(test_day_of_receipt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
