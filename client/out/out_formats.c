/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of formats: `-o NAME`, its help and its completion read it.
 */
#include "out/out_formats.h"

#include <string.h>

#include "herd/compiler.h"

/* Nothing to write at this point. */
static void
nothing(struct out *out HERD_UNUSED)
{
}

static void
nothing_row(struct out *out HERD_UNUSED, const struct value *row HERD_UNUSED)
{
}

static const struct format formats[] = {
	{ .name = "table",
	    .help = "aligned for a terminal, fitted to its width",
	    .traits = FORMAT_PEOPLE | FORMAT_LOOKS,
	    .begin = table_begin,
	    .row = table_row,
	    .end = table_end },
	{ .name = "wide",
	    .help = "as table, with every column, nothing cut",
	    .traits = FORMAT_PEOPLE | FORMAT_LOOKS | FORMAT_WIDE,
	    .begin = table_begin,
	    .row = table_row,
	    .end = table_end },
	{ .name = "plain",
	    .help = "the table's columns, tabs between, nothing cut",
	    .traits = FORMAT_PEOPLE,
	    .begin = plain_begin,
	    .row = plain_row,
	    .end = nothing },
	{ .name = "json",
	    .help = "one JSON document",
	    .traits = FORMAT_JSON,
	    .begin = json_begin_answer,
	    .row = json_row,
	    .end = json_end_answer },
	{ .name = "jsonl",
	    .help = "one JSON object per line",
	    .traits = FORMAT_JSON,
	    .begin = nothing,
	    .row = jsonl_row,
	    .end = nothing },
	{ .name = "csv",
	    .help = "comma-separated values with a title line",
	    .traits = FORMAT_LINES,
	    .begin = csv_begin,
	    .row = csv_row,
	    .end = nothing },
	{ .name = "tsv",
	    .help = "tab-separated values with a title line",
	    .traits = FORMAT_LINES,
	    .begin = tsv_begin,
	    .row = tsv_row,
	    .end = nothing },
	{ .name = "name",
	    .help = "only the names, one per line",
	    .begin = nothing,
	    .row = name_row,
	    .end = nothing },
	{ .name = "kv",
	    .help = "key=value lines, an empty line between rows",
	    .begin = nothing,
	    .row = kv_row,
	    .end = nothing },
	{ .name = "geojson",
	    .help = "a GeoJSON FeatureCollection",
	    .traits = FORMAT_JSON,
	    .begin = geojson_begin,
	    .row = geojson_row,
	    .end = json_end_answer },
	{ .name = "gpx",
	    .help = "GPX: waypoints, or the points of a track",
	    .begin = gpx_begin,
	    .row = gpx_row,
	    .end = gpx_end },
	{ .name = "prometheus",
	    .help = "metrics in Prometheus' text format",
	    .begin = nothing,
	    .row = nothing_row,
	    .end = prometheus_end },
	{ .name = "raw",
	    .help = "the server's answer as it came",
	    .traits = FORMAT_RAW,
	    .begin = nothing,
	    .row = nothing_row,
	    .end = nothing },
	{ .name = NULL },
};

/* It is no name for -o, so it is not in the table. */
static const struct format of_template = {
	.name = "template",
	.help = "a line for each row",
	.begin = nothing,
	.row = template_row,
	.end = nothing,
};

const struct format *
format_template(void)
{
	return &of_template;
}

const struct format *
format_table(void)
{
	return formats;
}

const struct format *
format_find(const char *name)
{
	for (const struct format *f = formats; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}
