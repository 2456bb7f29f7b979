/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/raster.h"

#include <math.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "out/width.h"

#define COLOR_OFF "\033[0m"

/* One character: dots, or one character of a text. */
struct raster_cell {
	unsigned char dots;
	char sign;
	char *text; /* UTF-8 of one character, or NULL */
	const char *color;
};

void
raster_init(struct raster *raster, size_t columns, size_t lines, bool utf8)
{
	*raster = (struct raster){
		.columns = columns,
		.lines = lines,
		.dots_x = utf8 ? 2 : 1,
		.dots_y = utf8 ? 4 : 1,
		.utf8 = utf8,
		.cells = xcalloc(columns * lines + 1, sizeof(*raster->cells)),
	};
}

void
raster_release(struct raster *raster)
{
	for (size_t i = 0; i < raster->columns * raster->lines; i++)
		free(raster->cells[i].text);
	free(raster->cells);
	*raster = (struct raster){ 0 };
}

void
raster_dot(
    struct raster *raster, size_t x, size_t y, const struct raster_pen *pen)
{
	static const unsigned char bits[4][2] = {
		{ 0x01, 0x08 },
		{ 0x02, 0x10 },
		{ 0x04, 0x20 },
		{ 0x40, 0x80 },
	};
	size_t column = x / raster->dots_x;
	size_t line = y / raster->dots_y;
	struct raster_cell *cell;

	if (column >= raster->columns || line >= raster->lines)
		return;
	cell = &raster->cells[line * raster->columns + column];
	cell->dots |= bits[y % raster->dots_y][x % raster->dots_x];
	cell->sign = pen->sign;
	if (cell->text == NULL)
		cell->color = pen->color;
}

void
raster_line(struct raster *raster, double x0, double y0, double x1, double y1,
    const struct raster_pen *pen)
{
	double steps = ceil(fmax(fabs(x1 - x0), fabs(y1 - y0)));
	/* ASCII has the sign instead of dashes. */
	unsigned period = raster->utf8 ? pen->on + pen->off : 0;

	for (unsigned i = 0; i <= steps; i++) {
		double part = steps > 0 ? i / steps : 0;
		double x = x0 + (x1 - x0) * part;
		double y = y0 + (y1 - y0) * part;

		if (period > 0 && i % period >= pen->on)
			continue;
		if (x >= 0 && y >= 0)
			raster_dot(raster, (size_t)x, (size_t)y, pen);
	}
}

static size_t
char_len(const char *text)
{
	size_t n = 1;

	while (((unsigned char)text[n] & 0xc0u) == 0x80)
		n++;
	return n;
}

bool
raster_text(struct raster *raster, size_t column, size_t line, const char *text,
    const char *color)
{
	size_t width = width_of(span_from(text));
	struct raster_cell *cell;

	if (line >= raster->lines || width > raster->columns ||
	    column > raster->columns - width)
		return false;
	cell = &raster->cells[line * raster->columns + column];
	for (size_t i = 0; i < width; i++) {
		if (cell[i].text != NULL)
			return false;
	}
	while (*text != '\0') {
		size_t len = char_len(text);
		size_t columns = width_of(span_of(text, len));

		if (columns > 0) {
			cell->text = xstrndup(text, len);
			cell->color = color;
			/* A wide character covers the next cell. */
			if (columns == 2)
				cell[1].text = xstrdup("");
			cell += columns;
		}
		text += len;
	}
	return true;
}

static void
put_braille(struct buf *out, unsigned char dots)
{
	unsigned point = 0x2800u + dots;

	putf(out, "%c%c%c", (int)(0xe0u | point >> 12),
	    (int)(0x80u | (point >> 6 & 0x3fu)),
	    (int)(0x80u | (point & 0x3fu)));
}

static bool
is_blank(const struct raster_cell *cell)
{
	return cell->dots == 0 && cell->text == NULL;
}

static void
put_cell(const struct raster *raster, const struct raster_cell *cell,
    struct buf *out)
{
	if (cell->text != NULL)
		put_text(out, cell->text);
	else if (cell->dots == 0)
		put_byte(out, ' ');
	else if (raster->utf8)
		put_braille(out, cell->dots);
	else
		put_byte(out, cell->sign);
}

static void
put_line(const struct raster *raster, size_t line, struct buf *out)
{
	const struct raster_cell *cells =
	    &raster->cells[line * raster->columns];
	const char *color = NULL;
	size_t last = raster->columns;

	while (last > 0 && is_blank(&cells[last - 1]))
		last--;
	for (size_t i = 0; i < last; i++) {
		const char *wanted =
		    is_blank(&cells[i]) ? color : cells[i].color;

		if (wanted != color && color != NULL)
			put_text(out, COLOR_OFF);
		if (wanted != color && wanted != NULL)
			put_text(out, wanted);
		color = wanted;
		put_cell(raster, &cells[i], out);
	}
	if (color != NULL)
		put_text(out, COLOR_OFF);
	put_byte(out, '\n');
}

void
raster_put(const struct raster *raster, struct buf *out)
{
	for (size_t line = 0; line < raster->lines; line++)
		put_line(raster, line, out);
}
