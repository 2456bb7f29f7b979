/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Typed values and the columns that hold them. A view is a table's description:
 * its columns with their names for people and for machines. Key names carry
 * the unit: age_s, rtt_ms, distance_m. Server and client choose and order rows
 * by the same views, so that both mean the same.
 */
#ifndef HERD_VIEW_H
#define HERD_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herd/buf.h"

enum value_type {
	VALUE_TEXT,     /* a text from anywhere */
	VALUE_STATE,    /* one word that says how something is */
	VALUE_INTEGER,  /* a count */
	VALUE_REAL,     /* a number with a fraction */
	VALUE_PERCENT,  /* 0 to 100 */
	VALUE_BOOL,     /* yes or no */
	VALUE_TIME,     /* a client's time: its text, byte for byte */
	VALUE_CLOCK,    /* a node's wall time: seconds.nine as text */
	VALUE_SECONDS,  /* a duration in seconds */
	VALUE_MS,       /* a duration in milliseconds */
	VALUE_DISTANCE, /* metres */
	VALUE_BEARING,  /* degrees from north */
	VALUE_PLACE,    /* latitude, longitude, and the text if there is one */
	VALUE_BYTES,    /* a size */
	VALUE_JSON,     /* JSON text; people read `shown`, in lines */
};

/* How values of a type are kept, compared and written. */
enum value_base {
	BASE_TEXT,    /* in `text' */
	BASE_INTEGER, /* in `integer' */
	BASE_REAL,    /* in `real' */
	BASE_DECIMAL, /* a number as text: a double has too few digits */
};

enum value_base value_base(enum value_type type);

struct value {
	enum value_type type;
	bool known; /* false: null in JSON, `-' for people */
	bool exact; /* TIME and CLOCK: `ns` is the text's value */
	struct span text;
	union {                  /* by type */
		int64_t integer; /* and BOOL: 0 or 1 */
		double real;
		uint64_t ns;
		struct {
			double lat;
			double lon;
		};
		struct span shown; /* JSON: what people read, "" for nothing */
	};
};

#define DIGITS_ALL 100u /* as many as the number has */

enum column_trait {
	COLUMN_NODE = 1 << 0,       /* the node; hidden when one was asked */
	COLUMN_NAME = 1 << 1,       /* what `-o name` prints */
	COLUMN_LABEL = 1 << 2,      /* a label for Prometheus */
	COLUMN_STATE = 1 << 3,      /* gets `unreachable' on failure */
	COLUMN_ERROR = 1 << 4,      /* gets the reason of a failure */
	COLUMN_IF_ANY = 1 << 5,     /* people see it when a row has it */
	COLUMN_WIDE = 1 << 6,       /* people see it in `wide' only */
	COLUMN_SHRINK = 1 << 7,     /* may be cut when the screen is narrow */
	COLUMN_ID = 1 << 8,         /* bytes that may not be UTF-8 */
	COLUMN_MACHINE = 1 << 9,    /* never shown to people */
	COLUMN_LEFT = 1 << 10,      /* numbers are right-aligned but here */
	COLUMN_COUNTER = 1 << 11,   /* only grows: `_total' for Prometheus */
	COLUMN_ALWAYS = 1 << 12,    /* a node that people always see */
	COLUMN_NEIGHBOUR = 1 << 13, /* another node's name */
	COLUMN_NUMERAL = 1 << 14, /* a number that names, not one that counts */
	COLUMN_COMPUTED = 1 << 15, /* no answer has it; a command sets it */
	/* The node that a row is about. */
	COLUMN_SUBJECT = COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME,
	/* Why a node gave no row. */
	COLUMN_FAILURE = COLUMN_ERROR | COLUMN_IF_ANY,
};

struct column {
	const char *key;   /* "rtt_ms" */
	const char *title; /* "RTT" */
	enum value_type type;
	unsigned traits; /* enum column_trait */
	/* Dropped first when the screen is narrow; 0 = never. */
	unsigned drop;
	/* Where an admin answer has it: "peers.total"; NULL = at its key. */
	const char *path;
	unsigned digits; /* decimals that people see of a REAL, DISTANCE */
};

/*
 * A view's columns are one list, X(NAME, key, title, type, other fields...),
 * which gives their numbers and their table: COLUMN_TABLE(columns,
 * PING_COLUMNS); COLUMN is a row of a table whose columns need no numbers.
 */
/* clang-format off */
#define COLUMN_ENUM(name, ...) name,
#define COLUMN_ROW(name, ...) [name] = COLUMN(__VA_ARGS__),
#define COLUMN(k, head, ...) { .key = k, .title = head, .type = __VA_ARGS__ }
#define COLUMN_TABLE(table, list) \
	enum { list(COLUMN_ENUM) }; \
	static const struct column table[] = { list(COLUMN_ROW) }
/* clang-format on */

enum view_shape {
	VIEW_LIST,   /* rows below titles */
	VIEW_RECORD, /* people read one line per value */
};

struct view {
	const char *schema; /* "herd.peers/1" */
	const char *list;   /* the list's key in JSON: "peers" */
	enum view_shape shape;
	const struct column *columns;
	size_t count;
};

/* VIEW(ping_columns, .schema = "herd.ping/1", .list = "pings") */
/* clang-format off */
#define VIEW(c, ...) { .columns = c, .count = HERD_ARRAY_LEN(c), __VA_ARGS__ }
/* clang-format on */

/*
 * Index of the column that `name` means: its key, its key without the unit,
 * its title in any case; or view->count.
 */
size_t view_find(const struct view *view, struct span name);

/*
 * Says that there is no such column, and what is meant or there is. Returns
 * HERD_ESYNTAX, or HERD_ENOMEM.
 */
enum herd_error view_unknown(
    const struct view *view, struct span name, struct buf *message);

/* Is the value one number, and which? */
bool value_is_number(const struct value *value, double *number);

/* The value of a TIME or CLOCK in ns since 1970; false when it is none. */
bool value_time(const struct value *value, uint64_t *ns);

/* <0, 0, >0; unknown values come last in either direction. */
int value_compare(
    const struct value *a, const struct value *b, bool descending);

/*
 * A value as people type it, in the unit that values of the type have: "10ms",
 * "3d", "1.5km", "64K", "2%". HERD_ESYNTAX.
 */
HERD_MUST_CHECK enum herd_error value_parse(
    enum value_type type, struct span text, double *out);

#endif
