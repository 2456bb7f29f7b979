/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of formats: `-o NAME`, its help and its completion read it.
 */
#include "out/out_formats.h"

#include <string.h>

#include "herd/compiler.h"

void
nothing(struct out *out HERD_UNUSED)
{
}

void
nothing_row(struct out *out HERD_UNUSED, const struct value *row HERD_UNUSED)
{
}

static const struct format formats[] = {
	{ "table", "aligned for a terminal, fitted to its width",
	    FORMAT_PEOPLE | FORMAT_LOOKS, table_begin, table_row, table_end },
	{ "wide", "as table, with every column, nothing cut",
	    FORMAT_PEOPLE | FORMAT_LOOKS | FORMAT_WIDE, table_begin, table_row,
	    table_end },
	{ "plain", "the table's columns, tabs between, nothing cut",
	    FORMAT_PEOPLE, plain_begin, plain_row, nothing },
	{ "json", "one JSON document", FORMAT_JSON, json_begin_answer, json_row,
	    json_end_answer },
	{ "jsonl", "one JSON object per line", FORMAT_JSON, nothing, jsonl_row,
	    nothing },
	{ "csv", "comma-separated values with a title line", 0, csv_begin,
	    csv_row, nothing },
	{ "tsv", "tab-separated values with a title line", 0, tsv_begin,
	    tsv_row, nothing },
	{ "name", "only the names, one per line", 0, nothing, name_row,
	    nothing },
	{ "kv", "key=value lines, an empty line between rows", 0, nothing,
	    kv_row, nothing },
	{ "geojson", "a GeoJSON FeatureCollection", FORMAT_JSON, geojson_begin,
	    geojson_row, json_end_answer },
	{ "prometheus", "metrics in Prometheus' text format", 0, nothing,
	    nothing_row, prometheus_end },
	{ "raw", "the server's answer as it came", FORMAT_RAW, nothing,
	    nothing_row, nothing },
	{ NULL, NULL, 0, NULL, NULL, NULL },
};

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
