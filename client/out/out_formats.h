/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions of the table of formats, one file per family. Each
 * format has begin (above the rows), row, and end (below them).
 */
#ifndef HERD_CLIENT_OUT_FORMATS_H
#define HERD_CLIENT_OUT_FORMATS_H

#include "out/out.h"

/* out_table.c: for people */
void table_begin(struct out *out);
void table_row(struct out *out, const struct value *row);
void table_end(struct out *out);
void plain_begin(struct out *out);
void plain_row(struct out *out, const struct value *row);

/* out_json.c */
void json_begin_answer(struct out *out);
void json_row(struct out *out, const struct value *row);
void json_end_answer(struct out *out);
void jsonl_row(struct out *out, const struct value *row);
void geojson_begin(struct out *out);
void geojson_row(struct out *out, const struct value *row);

/* out_gpx.c */
void gpx_begin(struct out *out);
void gpx_row(struct out *out, const struct value *row);
void gpx_end(struct out *out);

/* out_text.c: lines for other programs */
void csv_begin(struct out *out);
void csv_row(struct out *out, const struct value *row);
void tsv_begin(struct out *out);
void tsv_row(struct out *out, const struct value *row);
void name_row(struct out *out, const struct value *row);
void kv_row(struct out *out, const struct value *row);
void template_row(struct out *out, const struct value *row);

/* out_prometheus.c: all rows of a metric come together, so at the end */
void prometheus_end(struct out *out);

#endif
