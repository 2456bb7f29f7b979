/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/canvas.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "out/raster.h"
#include "out/values.h"
#include "out/width.h"

#define M_PER_DEGREE 111195.08 /* of latitude: pi/180 * 6,371,008.8 m */
#define SPAN_LEAST 0.0005      /* degrees: about 55 m, for a single point */
#define A_DOT_LEAST 1e-6       /* degrees: about 10 cm */
#define A_DOT_MOST 10.0        /* degrees */
#define OUTLIER_PERCENT 2u     /* on each side */
#define OUTLIER_LEAST 10u      /* fewer points have none */
#define PI 3.14159265358979323846

struct canvas_point {
	double lat;
	double lon;
	char *label;
	bool marked;
};

struct canvas {
	size_t width;
	size_t height;
	bool utf8;
	struct canvas_point *points;
	size_t count;
	size_t room;
};

/* The drawing: degrees to dots. */
struct drawing {
	double lat_mid;
	double lon_mid;
	double shrink;        /* of longitudes */
	double degrees_a_dot; /* of latitude */
	double flat;          /* height of a dot in widths of one */
	struct raster raster;
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

	if (!(fabs(lat) <= 90 && fabs(lon) <= 180))
		return;
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

void
canvas_mark(struct canvas *canvas, double lat, double lon, const char *label)
{
	size_t before = canvas->count;

	canvas_add(canvas, lat, lon, label);
	if (canvas->count > before)
		canvas->points[before].marked = true;
}

/* From where to where the points lie that set the scale. */
struct extent {
	double least;
	double most;
};

static int
by_size(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * Those just outside the percentiles are seen as well: a quarter of the
 * extent on each side, but no more than there are points.
 */
static struct extent
extent_of(double *degrees, size_t count, bool all)
{
	size_t cut = (count * OUTLIER_PERCENT + 99) / 100;
	struct extent e;
	double more;

	if (all || count < OUTLIER_LEAST)
		cut = 0;
	qsort(degrees, count, sizeof(*degrees), by_size);
	e.least = degrees[cut];
	e.most = degrees[count - 1 - cut];
	more = (e.most - e.least) / 4;
	e.least = fmax(e.least - more, degrees[0]);
	e.most = fmin(e.most + more, degrees[count - 1]);
	return e;
}

/* In degrees of latitude, for both: how far the picture has to reach. */
struct reach {
	double high;
	double wide;
};

static struct reach
find_reach(const struct canvas *canvas, const struct canvas_view *view,
    struct drawing *d)
{
	double *degrees = xcalloc(canvas->count, sizeof(*degrees));
	struct extent lat;
	struct extent lon;
	struct reach reach;

	for (size_t i = 0; i < canvas->count; i++)
		degrees[i] = canvas->points[i].lat;
	lat = extent_of(degrees, canvas->count, view->all);
	for (size_t i = 0; i < canvas->count; i++)
		degrees[i] = canvas->points[i].lon;
	lon = extent_of(degrees, canvas->count, view->all);
	free(degrees);
	d->lat_mid = (lat.least + lat.most) / 2;
	d->lon_mid = (lon.least + lon.most) / 2;
	if (view->centred) {
		d->lat_mid = view->lat;
		d->lon_mid = view->lon;
	}
	d->shrink = fmax(cos(d->lat_mid * PI / 180), 0.01);
	reach.high = lat.most - lat.least;
	reach.wide = (lon.most - lon.least) * d->shrink;
	if (view->centred && view->radius > 0)
		reach.high = reach.wide = 2 * view->radius;
	return reach;
}

static void
find_scale(const struct canvas *canvas, const struct canvas_view *view,
    struct drawing *d)
{
	const struct raster *r = &d->raster;
	struct reach reach = find_reach(canvas, view, d);
	double high = fmax(reach.high, SPAN_LEAST);
	double wide = fmax(reach.wide, SPAN_LEAST);

	/* One character of margin on each side, for the labels. */
	d->degrees_a_dot =
	    fmax(high / (double)((r->lines - 1) * r->dots_y) / d->flat,
		wide / (double)((r->columns - 4) * r->dots_x)) /
	    exp2(view->zoom);
	d->degrees_a_dot =
	    fmin(fmax(d->degrees_a_dot, A_DOT_LEAST), A_DOT_MOST);
	d->lon_mid += view->right * d->degrees_a_dot *
		      (double)(r->columns * r->dots_x) / d->shrink;
	d->lat_mid += view->up * d->degrees_a_dot * d->flat *
		      (double)(r->lines * r->dots_y);
	d->lat_mid = fmin(fmax(d->lat_mid, -90), 90);
}

/* The dot of a point; false when it lies outside. */
static bool
locate(
    const struct drawing *d, const struct canvas_point *p, size_t *x, size_t *y)
{
	const struct raster *r = &d->raster;
	double right =
	    remainder(p->lon - d->lon_mid, 360) * d->shrink / d->degrees_a_dot;
	double down = (d->lat_mid - p->lat) / d->degrees_a_dot / d->flat;
	double dot_x = right + (double)(r->columns * r->dots_x) / 2;
	double dot_y = down + (double)(r->lines * r->dots_y) / 2;

	if (!(dot_x >= 0 && dot_y >= 0 &&
		dot_x < (double)(r->columns * r->dots_x) &&
		dot_y < (double)(r->lines * r->dots_y)))
		return false;
	*x = (size_t)dot_x;
	*y = (size_t)dot_y;
	return true;
}

/* After the point, or before it where there is no room. */
static void
draw_label(struct drawing *d, size_t x, size_t y, const char *label)
{
	size_t column = x / d->raster.dots_x;
	size_t line = y / d->raster.dots_y;
	size_t width = width_of(span_from(label));

	if (!raster_text(&d->raster, column, line, label, NULL) &&
	    column >= width)
		(void)raster_text(
		    &d->raster, column - width, line, label, NULL);
}

/* The longest of 1, 2, 5, 10 ... m that a third of the width shows. */
static void
put_scale(const struct drawing *d, struct buf *out)
{
	double m_per_column =
	    d->degrees_a_dot * d->raster.dots_x * M_PER_DEGREE;
	double most = m_per_column * (double)d->raster.columns / 3;
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

/* The dots; returns how many of the points are in sight. */
static size_t
draw_dots(const struct canvas *canvas, struct drawing *d)
{
	static const struct raster_pen pen = { .sign = '*' };
	size_t seen = 0;
	size_t x;
	size_t y;

	for (size_t i = 0; i < canvas->count; i++) {
		if (!locate(d, &canvas->points[i], &x, &y))
			continue;
		raster_dot(&d->raster, x, y, &pen);
		seen++;
	}
	return seen;
}

static void
draw_labels(const struct canvas *canvas, struct drawing *d, bool marked)
{
	size_t x;
	size_t y;

	for (size_t i = 0; i < canvas->count; i++) {
		const struct canvas_point *p = &canvas->points[i];

		if (p->label != NULL && p->marked == marked &&
		    locate(d, p, &x, &y))
			draw_label(d, x, y, p->label);
	}
}

size_t
canvas_draw(const struct canvas *canvas, const struct canvas_view *view,
    struct buf *out)
{
	struct drawing d = { .flat = canvas->utf8 ? 1 : 2 };
	size_t seen;

	if (canvas->count == 0) {
		put_text(out, "(nothing to draw)\n");
		return 0;
	}
	raster_init(&d.raster, canvas->width, canvas->height - 1, canvas->utf8);
	find_scale(canvas, view, &d);
	seen = draw_dots(canvas, &d);
	draw_labels(canvas, &d, true);
	if (seen <= view->labels_most)
		draw_labels(canvas, &d, false);
	raster_put(&d.raster, out);
	put_scale(&d, out);
	raster_release(&d.raster);
	return canvas->count - seen;
}
