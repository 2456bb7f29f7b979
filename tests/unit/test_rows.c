/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each provider of places and each engine of the store is a row of its list
 * and one constant that is whole.
 */
#include "listed.h"

#include "herd/address.h"
#include "herd/settings.h"
#include "places/upstream.h"
#include "store/engine.h"

static void
test_each_provider_is_whole_and_listed(void **state HERD_UNUSED)
{
	static const struct {
		enum places_kind kind;
		const char *name;
		const char *word;
	} rows[] = {
#define ROW(id, name, word, key) { PLACES_##id, #name, word },
		PLACES_PROVIDERS(UPSTREAM_NONE, ROW)
#undef ROW
	};
	const struct setting *setting =
	    setting_find(span_from("places.provider"));
	const char *names[HERD_ARRAY_LEN(rows)];
	struct buf page;

	buf_init(&page, 1 << 20);
	assert_ok(file_read("man/herdd.8", 1 << 20, &page));
	for (size_t i = 0; i < HERD_ARRAY_LEN(rows); i++) {
		const struct upstream *upstream = upstream_find(rows[i].kind);
		char item[64];

		names[i] = rows[i].name;
		if (upstream == NULL || upstream->base_url == NULL ||
		    address_url_fault(upstream->base_url) != NULL ||
		    upstream->ask == NULL || upstream->read == NULL)
			fail_msg("upstream_%s is not whole", names[i]);
		assert_string_equal(setting->words[rows[i].kind], rows[i].word);
		snprintf(item, sizeof(item), "\n.Sy %s\n", rows[i].word);
		if (strstr(buf_cstr(&page), item) == NULL)
			fail_msg("PLACES of herdd(8) lacks %s", rows[i].word);
	}
	buf_release(&page);
	assert_null(upstream_find(PLACES_GAZETTEER));
	assert_null(upstream_find(PLACES_NONE));
	listed_check("server/places/*.c", "\nconst struct upstream upstream_",
	    names, HERD_ARRAY_LEN(names),
	    "PLACES_PROVIDERS of herd/settings.h");
}

static void
test_each_engine_is_whole_and_listed(void **state HERD_UNUSED)
{
	static const struct {
		enum store_engine engine;
		const char *name;
		const struct engine_ops *ops;
	} rows[] = {
#define ROW(id, name) { STORE_##id, #name, &engine_##name },
		STORE_ENGINES(ROW, ROW)
#undef ROW
	};
	const struct setting *setting = setting_find(span_from("store.engine"));
	const char *names[HERD_ARRAY_LEN(rows)];

	for (size_t i = 0; i < HERD_ARRAY_LEN(rows); i++) {
		const struct engine_ops *ops = rows[i].ops;

		names[i] = rows[i].name;
		assert_string_equal(
		    setting->words[rows[i].engine], rows[i].name);
		if (ops->open == NULL || ops->load == NULL ||
		    ops->put_many == NULL || ops->count == NULL ||
		    ops->forget == NULL || ops->close == NULL ||
		    ops->is_shared != store_engine_is_shared(rows[i].engine) ||
		    (ops->is_shared
			    ? ops->connect == NULL || ops->expire == NULL ||
				  ops->describe == NULL
			    : ops->prune == NULL))
			fail_msg("engine_%s is not whole", names[i]);
	}
	listed_check("server/store/*.c", "\nconst struct engine_ops engine_",
	    names, HERD_ARRAY_LEN(names), "STORE_ENGINES of herd/settings.h");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_provider_is_whole_and_listed),
		cmocka_unit_test(test_each_engine_is_whole_and_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
