/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/canvas.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "out/values.h"
#include "out/width.h"

#define M_PER_DEGREE 111195.08 /* of latitude: pi/180 * 6,371,008.8 m */
#define SPAN_LEAST 0.0005      /* degrees: about 55 m, for a single point */
#define PI 3.14159265358979323846

struct canvas_point {
	double lat;
	double lon;
	char *label;
};

struct canvas {
	size_t width;
	size_t height;
	bool utf8;
	struct canvas_point *points;
	size_t count;
	size_t room;
};

/* One character of the picture: dots, or one character of a label. */
struct cell {
	unsigned char dots;
	char *text; /* UTF-8 of one character, or NULL */
};

/* The drawing: degrees to dots. */
struct drawing {
	double lat_mid;
	double lon_mid;
	double shrink;        /* of longitudes */
	double degrees_a_dot; /* of latitude */
	size_t columns;
	size_t lines;
	unsigned dots_x; /* in a character */
	unsigned dots_y;
	double flat; /* height of a dot in widths of one */
	struct cell *cells;
};

struct canvas *
canvas_new(size_t width, size_t height, bool utf8)
{
	struct canvas *canvas = xcalloc(1, sizeof(*canvas));

	canvas->width = width < CANVAS_WIDTH_MIN ? CANVAS_WIDTH_MIN : width;
	canvas->height =
	    height < CANVAS_HEIGHT_MIN ? CANVAS_HEIGHT_MIN : height;
	canvas->utf8 = utf8;
	return canvas;
}

void
canvas_free(struct canvas *canvas)
{
	for (size_t i = 0; i < canvas->count; i++)
		free(canvas->points[i].label);
	free(canvas->points);
	free(canvas);
}

void
canvas_add(struct canvas *canvas, double lat, double lon, const char *label)
{
	struct canvas_point point = { .lat = lat, .lon = lon };
	struct buf clean = XBUF;
	struct buf cut = XBUF;

	if (label != NULL) {
		put_clean(&clean, span_from(label));
		width_cut(
		    &cut, buf_span(&clean), CANVAS_LABEL_MAX, canvas->utf8);
		point.label = text_take(&cut);
		buf_release(&clean);
	}
	/* Across the date line: as seen from the first point. */
	if (canvas->count > 0) {
		double first = canvas->points[0].lon;

		if (point.lon - first > 180)
			point.lon -= 360;
		else if (point.lon - first < -180)
			point.lon += 360;
	}
	grow_array(canvas->points, canvas->count, canvas->room);
	canvas->points[canvas->count++] = point;
}

static void
find_scale(const struct canvas *canvas, struct drawing *d)
{
	double south = 90;
	double north = -90;
	double west = 540;
	double east = -540;
	double high;
	double wide;

	for (size_t i = 0; i < canvas->count; i++) {
		south = fmin(south, canvas->points[i].lat);
		north = fmax(north, canvas->points[i].lat);
		west = fmin(west, canvas->points[i].lon);
		east = fmax(east, canvas->points[i].lon);
	}
	d->lat_mid = (south + north) / 2;
	d->lon_mid = (west + east) / 2;
	d->shrink = fmax(cos(d->lat_mid * PI / 180), 0.01);
	high = fmax(north - south, SPAN_LEAST);
	wide = fmax((east - west) * d->shrink, SPAN_LEAST);
	/* One character of margin on each side, for the labels. */
	d->degrees_a_dot =
	    fmax(high / (double)((d->lines - 1) * d->dots_y) / d->flat,
		wide / (double)((d->columns - 4) * d->dots_x));
}

/* The dot of a point; false when it lies outside. */
static bool
locate(
    const struct drawing *d, const struct canvas_point *p, size_t *x, size_t *y)
{
	double right = (p->lon - d->lon_mid) * d->shrink / d->degrees_a_dot;
	double down = (d->lat_mid - p->lat) / d->degrees_a_dot / d->flat;
	double dot_x = right + (double)(d->columns * d->dots_x) / 2;
	double dot_y = down + (double)(d->lines * d->dots_y) / 2;

	if (!(dot_x >= 0 && dot_y >= 0))
		return false;
	*x = (size_t)dot_x;
	*y = (size_t)dot_y;
	return *x < d->columns * d->dots_x && *y < d->lines * d->dots_y;
}

static struct cell *
cell_at(struct drawing *d, size_t x, size_t y)
{
	return &d->cells[y / d->dots_y * d->columns + x / d->dots_x];
}

static void
draw_dot(struct drawing *d, size_t x, size_t y)
{
	static const unsigned char bits[4][2] = {
		{ 0x01, 0x08 },
		{ 0x02, 0x10 },
		{ 0x04, 0x20 },
		{ 0x40, 0x80 },
	};
	struct cell *cell = cell_at(d, x, y);

	cell->dots |= bits[y % d->dots_y][x % d->dots_x];
}

static size_t
char_len(const char *text)
{
	size_t n = 1;

	while (((unsigned char)text[n] & 0xc0u) == 0x80)
		n++;
	return n;
}

/* Room for the label after the point, or before it at the right edge. */
static bool
find_room(const struct drawing *d, size_t index, size_t width, size_t *start)
{
	size_t column = index % d->columns;

	if (column + width > d->columns)
		return false;
	for (size_t i = 0; i < width; i++) {
		if (d->cells[index + i].text != NULL)
			return false;
	}
	*start = index;
	return true;
}

static void
draw_label(struct drawing *d, size_t x, size_t y, const char *label)
{
	size_t index = (size_t)(cell_at(d, x, y) - d->cells);
	size_t width = width_of(span_from(label));
	size_t start;

	if (!find_room(d, index, width, &start) &&
	    !(index % d->columns >= width &&
		find_room(d, index - width, width, &start)))
		return;
	while (*label != '\0') {
		size_t len = char_len(label);
		size_t columns = width_of(span_of(label, len));

		if (columns > 0 && start < d->columns * d->lines) {
			d->cells[start].text = xstrndup(label, len);
			/* A wide character covers the next cell. */
			if (columns == 2)
				d->cells[start + 1].text = xstrdup("");
			start += columns;
		}
		label += len;
	}
}

static void
put_braille(struct buf *out, unsigned char dots)
{
	unsigned point = 0x2800u + dots;

	putf(out, "%c%c%c", (int)(0xe0u | point >> 12),
	    (int)(0x80u | (point >> 6 & 0x3fu)),
	    (int)(0x80u | (point & 0x3fu)));
}

static void
put_line(const struct canvas *canvas, const struct drawing *d, size_t line,
    struct buf *out)
{
	const struct cell *cells = &d->cells[line * d->columns];
	size_t last = d->columns;

	while (last > 0 && cells[last - 1].dots == 0 &&
	       cells[last - 1].text == NULL)
		last--;
	for (size_t i = 0; i < last; i++) {
		if (cells[i].text != NULL)
			put_text(out, cells[i].text);
		else if (cells[i].dots == 0)
			put_byte(out, ' ');
		else if (canvas->utf8)
			put_braille(out, cells[i].dots);
		else
			put_byte(out, '*');
	}
	put_byte(out, '\n');
}

/* The longest of 1, 2, 5, 10 ... m that a third of the width shows. */
static void
put_scale(const struct drawing *d, struct buf *out)
{
	double m_per_column = d->degrees_a_dot * d->dots_x * M_PER_DEGREE;
	double most = m_per_column * (double)d->columns / 3;
	double length = 1;
	static const double steps[] = { 2, 2.5, 2 };
	size_t step = 0;
	size_t columns;

	while (length * steps[step] <= most) {
		length *= steps[step];
		step = (step + 1) % HERD_ARRAY_LEN(steps);
	}
	columns = (size_t)(length / m_per_column + 0.5);
	put_byte(out, '|');
	put_fill(out, '-', columns > 2 ? columns - 2 : 1);
	put_text(out, "| ");
	if (length < 1000)
		putf(out, "%.0f m", length);
	else
		putf(out, "%.0f km", length / 1000);
	putf(out, "   north is up, middle %.5f,%.5f\n", d->lat_mid,
	    remainder(d->lon_mid, 360));
}

void
canvas_draw(const struct canvas *canvas, struct buf *out)
{
	bool utf8 = canvas->utf8;
	struct drawing d = {
		.columns = canvas->width,
		.lines = canvas->height - 1,
		.dots_x = utf8 ? 2 : 1,
		.dots_y = utf8 ? 4 : 1,
		.flat = utf8 ? 1 : 2,
	};
	size_t x;
	size_t y;

	if (canvas->count == 0) {
		put_text(out, "(nothing to draw)\n");
		return;
	}
	d.cells = xcalloc(d.columns * d.lines + 1, sizeof(*d.cells));
	find_scale(canvas, &d);
	for (size_t i = 0; i < canvas->count; i++) {
		if (!locate(&d, &canvas->points[i], &x, &y))
			continue;
		draw_dot(&d, x, y);
		if (canvas->points[i].label != NULL)
			draw_label(&d, x, y, canvas->points[i].label);
	}
	for (size_t line = 0; line < d.lines; line++)
		put_line(canvas, &d, line, out);
	put_scale(&d, out);
	for (size_t i = 0; i < d.columns * d.lines + 1; i++)
		free(d.cells[i].text);
	free(d.cells);
}
