/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/spark.h"

#include <math.h>

#include "base/xbuf.h"

/* From the lowest on; both lists have the same number of steps. */
static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584",
	"\u2585", "\u2586", "\u2587", "\u2588" };
static const char signs[] = "_.-:=+*#";
#define STEPS HERD_ARRAY_LEN(blocks)

/* Eighths of a character, from the left. */
static const char *const eighths[] = { "\u258f", "\u258e", "\u258d", "\u258c",
	"\u258b", "\u258a", "\u2589", "\u2588" };

static double
largest(const double *values, size_t count)
{
	double most = 0;

	for (size_t i = 0; i < count; i++) {
		if (isfinite(values[i]))
			most = fmax(most, values[i]);
	}
	return most;
}

static size_t
step_of(double value, double most)
{
	size_t step;

	if (value <= 0 || most <= 0)
		return 0;
	/* Anything above 0 differs from 0. */
	step = (size_t)ceil(value / most * (double)(STEPS - 1));
	return step > 0 ? step : 1;
}

void
spark_line(struct buf *out, const double *values, size_t count, bool utf8)
{
	double most = largest(values, count);

	for (size_t i = 0; i < count; i++) {
		size_t step = step_of(values[i], most);

		if (!isfinite(values[i]))
			put_byte(out, ' ');
		else if (utf8)
			put_text(out, blocks[step]);
		else
			put_byte(out, signs[step]);
	}
}

void
spark_bar(struct buf *out, double part, size_t columns, bool utf8)
{
	size_t steps = utf8 ? HERD_ARRAY_LEN(eighths) : 1;
	size_t filled;

	if (!(part > 0))
		return;
	filled = (size_t)ceil(fmin(part, 1) * (double)(columns * steps));
	for (size_t i = 0; i < filled / steps; i++)
		put_text(out, utf8 ? eighths[steps - 1] : "#");
	if (filled % steps > 0)
		put_text(out, eighths[filled % steps - 1]);
}
