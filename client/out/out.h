/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One answer: rows of typed values, chosen (`--where`), ordered (`--sort`),
 * cut (`--limit`, `--columns`) and written in a format. Commands know views
 * and values; formats are a vtable of three functions.
 */
#ifndef HERD_CLIENT_OUT_H
#define HERD_CLIENT_OUT_H

#include "base/arena.h"
#include "base/exit_status.h"
#include "herd/filter.h"
#include "out/sink.h"
#include "out/template.h"
#include "out/values.h"

struct out;

enum format_trait {
	FORMAT_PEOPLE = 1 << 0, /* titles, units, chosen columns */
	FORMAT_WIDE = 1 << 1,   /* nothing hidden, nothing cut */
	FORMAT_LOOKS = 1 << 2,  /* aligned, with footers, for a screen */
	FORMAT_RAW = 1 << 3,    /* the server's bytes, no rows */
	FORMAT_JSON = 1 << 4,   /* errors on stderr are JSON as well */
	FORMAT_LINES = 1 << 5,  /* below one title line, in each round again */
};

struct format {
	const char *name;
	const char *help;
	unsigned traits; /* enum format_trait */
	void (*begin)(struct out *out);
	void (*row)(struct out *out, const struct value *row);
	void (*end)(struct out *out);
};

/* The formats, ended by one without name. */
const struct format *format_table(void);

/* The format of --format: a template that the options have. */
const struct format *format_template(void);

/* NULL when there is none of that name. */
const struct format *format_find(const char *name);

struct out_options {
	const struct format *format;
	const char *template; /* of the format of format_template() */
	const char *columns;  /* --columns, NULL = the view's own */
	const char *where;
	const char *sort;
	size_t limit; /* 0 = all */
	bool header;
	bool safe; /* csv and tsv without formulas */
	const char
	    *time; /* csv, tsv: of all rows, as first column; NULL = none */
	bool color;
	bool utf8;
	bool many_nodes;     /* several nodes were asked: show who answers */
	size_t width;        /* of the terminal, 0 = no limit */
	size_t longest_node; /* columns of the longest name in the herd */
};

#define SORT_KEYS_MAX 8u

struct sort_key {
	size_t column;
	bool descending;
};

struct out {
	struct out_options options;
	struct sort_key sort[SORT_KEYS_MAX];
	size_t sort_count;
	struct sink *sink;
	const struct view *view;
	struct arena arena;
	struct value **rows;
	size_t count;
	size_t room;
	struct value *row; /* being filled */
	struct filter *filter;
	struct template *template;
	size_t *shown; /* indices of columns, in order */
	size_t shown_count;
	struct buf picture; /* drawn above that, by `table' and `wide' */
	struct buf heading; /* people read it above the rows */
	struct buf footer;  /* and this below */
	struct buf members; /* `,"key":value` at the top level of JSON */
	bool begun;
	bool titled; /* csv, tsv: the title line is written */
	bool streams;
	bool cut_said;      /* the user knows already that there are more */
	size_t held_most;   /* rows that are collected at most; 0: all */
	size_t written;     /* rows */
	size_t *widths;     /* of a streamed table so far */
	struct buf scratch; /* a writer's line */
};

/* Borrows the sink; copies the options (borrows their texts). */
void out_init(
    struct out *out, const struct out_options *options, struct sink *sink);
void out_release(struct out *out);

/*
 * The answer has these columns. STATUS_USAGE: --columns, --where or --sort
 * name what the view does not have; `message` says so. With `streams` each
 * row is written when it is complete (no sorting, no aligned table).
 */
enum status out_begin(struct out *out, const struct view *view, bool streams,
    struct buf *message);

/*
 * After out_begin() without `streams`: once there are more than OUT_HELD_MOST
 * rows, they and all later ones are written as they come, in columns that fit
 * the first ones. Not if the rows have to be sorted.
 */
void out_write_early(struct out *out);
#define OUT_HELD_MOST 1000u

/* Writes the rows that there are; later ones as they come. */
void out_write_now(struct out *out);

/* Sorts by these keys unless --sort says otherwise or rows are written. */
void out_sort_usually(
    struct out *out, const struct sort_key *keys, size_t count);

/* Sets a column of the current row; unknown values are just not set. */
void out_text(struct out *out, size_t column, struct span text);
void out_word(struct out *out, size_t column, const char *text); /* or NULL */
void out_integer(struct out *out, size_t column, int64_t value);
void out_real(struct out *out, size_t column, double value);
void out_bool(struct out *out, size_t column, bool value);
/* JSON text, and what people read instead: lines, "" for nothing. */
void out_json(
    struct out *out, size_t column, struct span json, struct span shown);
void out_place(
    struct out *out, size_t column, struct span text, double lat, double lon);

/* The row is complete. */
void out_row(struct out *out);

/*
 * A whole row that says only that this node gave no answer: `state' is
 * "unreachable" or "waiting".
 */
void out_failure(
    struct out *out, const char *node, const char *state, const char *reason);

/* Index of the first column with that trait, or the view's count. */
size_t out_column(const struct out *out, enum column_trait trait);

/* Are the rows sorted by that column? Then people want to see it. */
bool out_sorts_by(const struct out *out, size_t column);

/* For people with `table' and `wide' only. */
void out_heading(struct out *out, const char *fmt, ...) HERD_PRINTF(2, 3);
void out_footer(struct out *out, const char *fmt, ...) HERD_PRINTF(2, 3);

/* Appends "3 nodes: 2 ready, 1 unreachable", counted over a column. */
void out_count_states(
    const struct out *out, size_t column, const char *what, struct buf *text);

/* A member at the top level of JSON; a word has nothing to escape. */
void out_member_word(struct out *out, const char *key, const char *word);
void out_member_bool(struct out *out, const char *key, bool value);

/* The server's own bytes, for `-o raw`; dropped by every other format. */
void out_raw(struct out *out, struct span bytes);

/* Sorts, cuts and writes. */
void out_end(struct out *out);

/* Is it a screen's format, for which a command may draw by itself? */
bool out_is_looks(const struct out *out);
bool out_is_raw(const struct out *out);

/* The i-th column that is shown, for writers. */
const struct column *out_shown(const struct out *out, size_t i);

/* The colour of a state's word as escape sequence, or NULL. */
const char *out_state_color(struct span word);
#define OUT_COLOR_OFF "\033[0m"

#endif
