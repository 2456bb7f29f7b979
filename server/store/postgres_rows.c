/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/postgres_rows.h"

#include <stdlib.h>

#include "herd/store_row.h"
#include "store/store_key.h"

#define DAY_NS (86400 * HERD_NS_PER_S)
#define ARRAY_HEAD 20u /* dimensions, has NULLs, type, length, first index */
#define ELEMENT_HEAD 4u
#define ORD_FIXED 9u /* time and kind */

/* Types as in the system table pg_type, the same on every server. */
enum { TYPE_BYTEA = 17, TYPE_INT2 = 21, TYPE_DATE = 1082 };

enum { KEY, CLIENT, ORD, KIND, ORIGIN, LOCATION, SKEW, TIME, DAY, ARRAYS };

_Static_assert(ARRAYS == POSTGRES_VALUES_MAX, "each array is a value");

enum herd_error
postgres_rows_init(struct postgres_rows *rows, unsigned room)
{
	rows->room = room;
	rows->count = 0;
	rows->rows = calloc(room, sizeof(*rows->rows));
	buf_init(&rows->arrays, POSTGRES_ROWS_BYTES_MAX);
	return rows->rows == NULL ? HERD_ENOMEM : HERD_OK;
}

void
postgres_rows_release(struct postgres_rows *rows)
{
	free(rows->rows);
	buf_release(&rows->arrays);
}

/* --- which rows ----------------------------------------------------------- */

/* By key; of one client the newest first. */
static int
compare(const void *a, const void *b)
{
	const struct postgres_row *first = a;
	const struct postgres_row *second = b;
	int order = memcmp(first->key, second->key, sizeof(first->key));

	return order != 0 ? order
			  : report_compare(second->report, first->report);
}

int32_t
postgres_rows_day(uint64_t ns)
{
	return (int32_t)(ns / DAY_NS) - POSTGRES_EPOCH_DAYS;
}

void
postgres_rows_set(
    struct postgres_rows *rows, const struct report *reports, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		rows->rows[i].report = &reports[i];
		rows->rows[i].day = POSTGRES_NO_DAY;
		store_key(reports[i].client, rows->rows[i].key);
	}
	qsort(rows->rows, count, sizeof(*rows->rows), compare);
	rows->count = 0;
	for (unsigned i = 0; i < count; i++) {
		if (rows->count == 0 ||
		    memcmp(rows->rows[rows->count - 1].key, rows->rows[i].key,
			ENGINE_KEY_LEN) != 0)
			rows->rows[rows->count++] = rows->rows[i];
	}
}

/* --- as arrays ------------------------------------------------------------ */

static char *
write_u32(char *at, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (char)(value >> shift);
	return at;
}

void
postgres_rows_write_u64(char out[8], uint64_t value)
{
	out = write_u32(out, (uint32_t)(value >> 32));
	(void)write_u32(out, (uint32_t)value);
}

uint64_t
postgres_rows_read_u64(struct span value)
{
	uint64_t number = 0;

	for (size_t i = 0; i < value.len && i < 8; i++)
		number = number << 8 | (unsigned char)value.data[i];
	return number;
}

static char *
write_text(char *at, struct span text)
{
	if (text.len > 0)
		memcpy(at, text.data, text.len);
	return at + text.len;
}

static size_t
ord_len(const struct report *report)
{
	return ORD_FIXED + report->origin.len + 1 + report->location.len + 1 +
	       report->skew.len + 1 + report->time.len;
}

static char *
write_ord(char *at, const struct report *report)
{
	postgres_rows_write_u64(at, report->time_ns);
	at += 8;
	*at++ = (char)report->kind;
	at = write_text(at, report->origin);
	*at++ = '\0';
	at = write_text(at, report->location);
	*at++ = '\0';
	at = write_text(at, report->skew);
	*at++ = '\0';
	return write_text(at, report->time);
}

enum herd_error
postgres_rows_add_ord(struct buf *out, const struct report *report)
{
	enum herd_error error = buf_reserve(out, ord_len(report));

	if (error != HERD_OK)
		return error;
	(void)write_ord(buf_tail(out), report);
	buf_grow(out, ord_len(report));
	return HERD_OK;
}

static struct span
text_of(const struct postgres_row *row, int array)
{
	switch (array) {
	case KEY: return span_of((const char *)row->key, sizeof(row->key));
	case CLIENT: return row->report->client;
	case ORIGIN: return row->report->origin;
	case LOCATION: return row->report->location;
	case SKEW: return row->report->skew;
	default: return row->report->time;
	}
}

static size_t
element_len(const struct postgres_row *row, int array)
{
	switch (array) {
	case ORD: return ord_len(row->report);
	case KIND: return 2;
	case DAY: return row->day == POSTGRES_NO_DAY ? 0 : 4;
	default: return text_of(row, array).len;
	}
}

static char *
write_element(char *at, const struct postgres_row *row, int array)
{
	switch (array) {
	case ORD: return write_ord(at, row->report);
	case KIND:
		*at++ = 0;
		*at++ = (char)row->report->kind;
		return at;
	case DAY:
		return row->day == POSTGRES_NO_DAY
			   ? at
			   : write_u32(at, (uint32_t)row->day);
	default: return write_text(at, text_of(row, array));
	}
}

static char *
write_array(
    char *at, const struct postgres_row *rows, unsigned count, int array)
{
	uint32_t type = array == KIND  ? TYPE_INT2
			: array == DAY ? TYPE_DATE
				       : TYPE_BYTEA;

	at = write_u32(at, 1);
	at = write_u32(at, array == DAY);
	at = write_u32(at, type);
	at = write_u32(at, count);
	at = write_u32(at, 1);
	for (unsigned i = 0; i < count; i++) {
		bool is_null = array == DAY && rows[i].day == POSTGRES_NO_DAY;

		at = write_u32(
		    at, is_null ? UINT32_MAX
				: (uint32_t)element_len(&rows[i], array));
		at = write_element(at, &rows[i], array);
	}
	return at;
}

/* Bytes of a row in all arrays. */
static size_t
row_len(const struct postgres_row *row)
{
	size_t len = ELEMENT_HEAD * ARRAYS;

	for (int array = 0; array < ARRAYS; array++)
		len += element_len(row, array);
	return len;
}

enum herd_error
postgres_rows_values(struct postgres_rows *rows, unsigned first, unsigned count,
    struct postgres_call *call)
{
	size_t len = ARRAYS * ARRAY_HEAD;
	enum herd_error error;
	char *at;

	for (unsigned i = first; i < first + count; i++)
		len += row_len(&rows->rows[i]);
	buf_clear(&rows->arrays);
	error = buf_reserve(&rows->arrays, len);
	if (error != HERD_OK)
		return error;
	at = buf_tail(&rows->arrays);
	for (int array = 0; array < ARRAYS; array++) {
		char *end = write_array(at, &rows->rows[first], count, array);

		call->values[array] = at;
		call->lengths[array] = (int)(end - at);
		at = end;
	}
	return HERD_OK;
}

/* --- reading -------------------------------------------------------------- */

static bool
is_whole(const PGresult *result)
{
	if (PQntuples(result) != 1 ||
	    PQnfields(result) < POSTGRES_ROW_COLUMNS ||
	    PQgetlength(result, 0, POSTGRES_ROW_KIND) != 2)
		return false;
	for (int i = 0; i < POSTGRES_ROW_COLUMNS; i++) {
		if (PQgetisnull(result, 0, i))
			return false;
	}
	return true;
}

const char *
postgres_rows_read(struct buf *line, const PGresult *result, struct report *out)
{
	uint64_t kind;

	if (!is_whole(result))
		return "it is no report";
	kind = postgres_rows_read_u64(
	    postgres_conn_value(result, POSTGRES_ROW_KIND));
	if (kind > REPORT_REMOVAL)
		return "it is no report";
	out->client = postgres_conn_value(result, POSTGRES_ROW_CLIENT);
	out->origin = postgres_conn_value(result, POSTGRES_ROW_ORIGIN);
	out->location = postgres_conn_value(result, POSTGRES_ROW_LOCATION);
	out->skew = postgres_conn_value(result, POSTGRES_ROW_SKEW);
	out->time = postgres_conn_value(result, POSTGRES_ROW_TIME);
	return store_row_judge(line, (int64_t)kind, false, out);
}
