/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What herdctl draws: maps, nodes and lines, trends, bars. */
#include "unit.h"

#include <locale.h>
#include <math.h>

#include "base/xbuf.h"
#include "cmd/stats_trend.h"
#include "out/canvas.h"
#include "out/diagram.h"
#include "out/spark.h"
#include "out/width.h"

static void
assert_trend(const double *values, size_t count, bool utf8, const char *want)
{
	struct buf out = XBUF;

	spark_line(&out, values, count, utf8);
	assert_string_equal(text_of(&out), want);
	buf_release(&out);
}

static void
test_a_trend_has_a_character_for_each_value(void **state HERD_UNUSED)
{
	static const double rising[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	static const double odd[] = { -5, 0, 1e-9, 1e300, HUGE_VAL };
	static const double still[] = { 0, 0 };
	double unknown[] = { (double)NAN, 3, (double)NAN };

	assert_trend(rising, 8, false, "_.-:=+*#");
	assert_trend(rising, 0, true, "");
	assert_trend(still, 2, true, "\u2581\u2581");
	assert_trend(odd, 5, false, "__.# ");
	assert_trend(unknown, 3, true, " \u2588 ");
}

static void
assert_bar(double part, bool utf8, const char *want)
{
	struct buf out = XBUF;

	spark_bar(&out, part, 4, utf8);
	assert_string_equal(text_of(&out), want);
	buf_release(&out);
}

static void
test_a_bar_shows_anything_above_nothing(void **state HERD_UNUSED)
{
	assert_bar(0, true, "");
	assert_bar((double)NAN, true, "");
	assert_bar(1e-9, true, "\u258f");
	assert_bar(1e-9, false, "#");
	assert_bar(0.5, true, "\u2588\u2588");
	assert_bar(0.5, false, "##");
	assert_bar(7, true, "\u2588\u2588\u2588\u2588");
}

/* The text of a map of 100 points in a square and some elsewhere. */
static char *
draw_map(const struct canvas_view *view, size_t strangers, size_t *outside)
{
	struct canvas *canvas = canvas_new(60, 20, false);
	struct buf out = XBUF;

	for (int i = 0; i < 100; i++)
		canvas_add(
		    canvas, 34 + i % 10 / 100.0, -118 + i / 10 / 100.0, NULL);
	for (size_t i = 0; i < strangers; i++)
		canvas_add(canvas, -33.8, 151.2, "far");
	*outside = canvas_draw(canvas, view, &out);
	canvas_free(canvas);
	return text_take(&out);
}

static void
test_outliers_do_not_set_the_scale(void **state HERD_UNUSED)
{
	struct canvas_view view = { .labels_most = 9 };
	size_t outside;
	char *text = draw_map(&view, 0, &outside);

	free(text);
	assert_int_equal(outside, 0);
	for (size_t strangers = 1; strangers < 3; strangers++) {
		text = draw_map(&view, strangers, &outside);
		assert_int_equal(outside, strangers);
		assert_null(strstr(text, "000 km"));
		free(text);
	}
	view.all = true;
	text = draw_map(&view, 1, &outside);
	assert_int_equal(outside, 0);
	assert_non_null(strstr(text, "000 km"));
	assert_null(strstr(text, "far")); /* too many for labels */
	free(text);
}

static void
test_a_map_is_zoomed_and_moved(void **state HERD_UNUSED)
{
	struct canvas_view view = { .zoom = 1 };
	size_t outside;

	free(draw_map(&view, 0, &outside));
	assert_in_range(outside, 30, 90);
	view.right = 5;
	free(draw_map(&view, 0, &outside));
	assert_int_equal(outside, 100);
	view = (struct canvas_view){ .zoom = CANVAS_ZOOM_MOST, .up = 1e300 };
	free(draw_map(&view, 0, &outside));
	view = (struct canvas_view){ .zoom = CANVAS_ZOOM_LEAST };
	free(draw_map(&view, 3, &outside));
	assert_int_equal(outside, 0);
	view = (struct canvas_view){
		.centred = true, .lat = -33.8, .lon = 151.2, .radius = 0.1
	};
	free(draw_map(&view, 3, &outside));
	assert_int_equal(outside, 100);
}

static void
test_what_is_nowhere_is_not_drawn(void **state HERD_UNUSED)
{
	struct canvas *canvas = canvas_new(40, 10, true);
	struct buf out = XBUF;

	canvas_add(canvas, (double)NAN, 0, "a");
	canvas_add(canvas, 0, 1e300, "b");
	canvas_mark(canvas, -91, 0, "c");
	assert_int_equal(
	    canvas_draw(canvas, &(struct canvas_view){ 0 }, &out), 0);
	assert_string_equal(text_of(&out), "(nothing to draw)\n");
	buf_release(&out);
	canvas_free(canvas);
}

/* A ring of nodes, each linked to the next one. */
static char *
draw_ring(size_t count, size_t columns, size_t height, bool utf8)
{
	static const char *const names[] = { "Riley", "Jaquez", "Juzang",
		"a name that is longer than any place for it", "\033[31mred",
		"\u6771\u4eac", "", "Campbell", "Bernard", "n10", "n11",
		"n12" };
	struct diagram_node nodes[DIAGRAM_NODES_MOST];
	struct diagram_line lines[DIAGRAM_NODES_MOST];
	struct buf out = XBUF;

	for (size_t i = 0; i < count; i++) {
		nodes[i] =
		    (struct diagram_node){ .name = names[i], .sign = 'o' };
		lines[i] = (struct diagram_line){ .a = i,
			.b = (i + 1) % count,
			.pen = { .sign = '=', .on = 1, .off = 1 },
			.marked = i == 0 };
	}
	diagram_draw(&(struct diagram){ nodes, count, lines, count, columns,
			 height, utf8 },
	    &out);
	return text_take(&out);
}

static void
test_nodes_and_lines_keep_to_their_place(void **state HERD_UNUSED)
{
	static const size_t sizes[][2] = { { DIAGRAM_COLUMNS_LEAST,
					       DIAGRAM_LINES_LEAST },
		{ 40, 20 }, { 80, 24 }, { 120, 40 } };

	for (size_t n = 1; n <= DIAGRAM_NODES_MOST; n++) {
		for (size_t s = 0; s < 2 * HERD_ARRAY_LEN(sizes); s++) {
			const size_t *size = sizes[s / 2];
			char *text = draw_ring(n, size[0], size[1], s % 2 == 1);
			struct span rest = span_from(text);
			size_t lines = 0;

			assert_null(strchr(text, '\033'));
			assert_non_null(strstr(text, "o Riley"));
			for (; rest.len > 0; lines++)
				assert_true(width_of(width_take_line(
						&rest, 0)) <= size[0]);
			assert_int_equal(lines, size[1]);
			free(text);
		}
	}
}

static void
test_counters_grow_by_the_second(void **state HERD_UNUSED)
{
	struct stats_trend *trend = stats_trend_new();
	struct span name = span_from("x_total{a=\"b\"}");
	const struct series *s = NULL;

	for (uint64_t t = 1; t <= TREND_LENGTH + 5; t++)
		s = stats_trend_add(trend, "Riley", name, true, (double)t * 10,
		    (struct mono){ t * HERD_NS_PER_S });
	assert_int_equal(s->count, TREND_LENGTH);
	assert_true(stats_trend_rate(s) > 9.99 && stats_trend_rate(s) < 10.01);
	/* A restart is a gap, not a fall. */
	s = stats_trend_add(trend, "Riley", name, true, 3,
	    (struct mono){ 900 * HERD_NS_PER_S });
	assert_true(isnan(stats_trend_rate(s)));
	s = stats_trend_add(
	    trend, "Jaquez", name, true, 3, (struct mono){ HERD_NS_PER_S });
	assert_int_equal(s->count, 0);
	assert_false(s->moves);
	s = stats_trend_add(
	    trend, "Riley", span_from("y"), false, 4, (struct mono){ 1 });
	assert_int_equal(s->count, 1);
	assert_true(isnan(stats_trend_rate(s)));
	stats_trend_free(trend);
}

static void
test_trends_have_a_bound(void **state HERD_UNUSED)
{
	struct stats_trend *trend = stats_trend_new();

	for (size_t i = 0; i <= TREND_SERIES_MAX; i++) {
		char *name = xasprintf("m%zu", i);
		const struct series *s = stats_trend_add(
		    trend, "n", span_from(name), false, 1, (struct mono){ 1 });

		assert_int_equal(s == NULL, i == TREND_SERIES_MAX);
		free(name);
	}
	stats_trend_free(trend);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_trend_has_a_character_for_each_value),
		cmocka_unit_test(test_a_bar_shows_anything_above_nothing),
		cmocka_unit_test(test_outliers_do_not_set_the_scale),
		cmocka_unit_test(test_a_map_is_zoomed_and_moved),
		cmocka_unit_test(test_what_is_nowhere_is_not_drawn),
		cmocka_unit_test(test_nodes_and_lines_keep_to_their_place),
		cmocka_unit_test(test_counters_grow_by_the_second),
		cmocka_unit_test(test_trends_have_a_bound),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
