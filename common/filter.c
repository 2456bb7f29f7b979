/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/filter.h"

#include <stdlib.h>
#include <string.h>

#include "herd/glob.h"
#include "herd/text.h"
#include "herd/time.h"

#define SHOWN_MAX 64 /* of a wrong value */
#define NODE_COST 32u

enum filter_op {
	OP_AND,
	OP_OR,
	OP_NOT,
	OP_HAS,
	OP_GLOB,
	OP_NOT_GLOB,
	OP_ORDER, /* is the value's order to the operand one of `orders'? */
};

enum filter_order { LESS = 1 << 0, EQUAL = 1 << 1, GREATER = 1 << 2 };

/* Of a place: all of it as text, or one number. */
enum filter_part { PART_ALL, PART_LAT, PART_LON };

struct filter_node {
	enum filter_op op;
	unsigned orders; /* enum filter_order */
	size_t left;     /* AND OR NOT: indices of nodes */
	size_t right;    /* AND OR */
	size_t column;   /* comparisons */
	enum filter_part part;
	struct span text; /* in the filter's own copy of the expression */
	double number;
	uint64_t ns; /* times: a double has too few digits */
	bool is_time;
	bool numeric;
	bool null;
};

struct filter {
	const struct view *view;
	size_t count;
	size_t room;
	size_t root;
	size_t globs; /* bytes, with FILTER_GLOB_COST for each */
	char *text;
	struct filter_node nodes[];
};

struct filter_reader {
	struct filter *filter;
	const char *at; /* in filter->text */
	unsigned depth;
	struct buf *message;
};

/* Longer ones first, so that `<=` is not read as `<`. */
static const struct {
	const char *text;
	enum filter_op op;
	unsigned orders;
} operators[] = {
	{ "==", OP_ORDER, EQUAL },
	{ "!=", OP_ORDER, LESS | GREATER },
	{ "!~", OP_NOT_GLOB, 0 },
	{ "<=", OP_ORDER, LESS | EQUAL },
	{ ">=", OP_ORDER, GREATER | EQUAL },
	{ "=", OP_ORDER, EQUAL },
	{ "<", OP_ORDER, LESS },
	{ ">", OP_ORDER, GREATER },
	{ "~", OP_GLOB, 0 },
};

/* Says what is wrong; gives what filter_parse() returns then. */
static enum herd_error HERD_PRINTF(2, 3)
    fail(const struct filter_reader *r, const char *fmt, ...)
{
	enum herd_error error;
	va_list args;

	va_start(args, fmt);
	error = buf_addv(r->message, fmt, args);
	va_end(args);
	return error == HERD_ENOMEM ? HERD_ENOMEM : HERD_ESYNTAX;
}

static enum herd_error
fail_long(const struct filter_reader *r)
{
	enum herd_error error = fail(r, "the expression is too long");

	return error == HERD_ENOMEM ? error : HERD_ELIMIT;
}

static enum herd_error
add_node(struct filter_reader *r, const struct filter_node *node, size_t *out)
{
	if (r->filter->count == r->filter->room)
		return fail_long(r);
	r->filter->nodes[r->filter->count] = *node;
	*out = r->filter->count++;
	return HERD_OK;
}

static void
skip_space(struct filter_reader *r)
{
	while (text_is_space(*r->at))
		r->at++;
}

static bool
is_name(char c)
{
	return text_is_digit(c) || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '#';
}

/* Is it this word, and not the beginning of a longer one? */
static bool
take_word(struct filter_reader *r, const char *word, const char *sign)
{
	size_t len = strlen(word);

	skip_space(r);
	if (strncmp(r->at, word, len) == 0 && !is_name(r->at[len])) {
		r->at += len;
		return true;
	}
	len = strlen(sign);
	if (strncmp(r->at, sign, len) == 0 &&
	    !(sign[0] == '!' && (r->at[1] == '=' || r->at[1] == '~'))) {
		r->at += len;
		return true;
	}
	return false;
}

static enum herd_error
read_value(struct filter_reader *r, struct span *out)
{
	skip_space(r);
	if (*r->at == '\'' || *r->at == '"') {
		const char *end = strchr(r->at + 1, *r->at);

		if (end == NULL) {
			return fail(r, "a quote is not closed");
		}
		*out = span_of(r->at + 1, (size_t)(end - r->at - 1));
		r->at = end + 1;
		return HERD_OK;
	}
	*out = span_of(r->at, strcspn(r->at, " \t\n)&|"));
	r->at += out->len;
	return out->len == 0 ? fail(r, "a value is missing at the end")
			     : HERD_OK;
}

static bool
read_truth(struct span value, double *out)
{
	if (span_is(value, "yes") || span_is(value, "true"))
		*out = 1;
	else if (span_is(value, "no") || span_is(value, "false"))
		*out = 0;
	else
		return false;
	return true;
}

/* As clients send it, or as people write it. */
static bool
read_time(struct span value, uint64_t *ns)
{
	return time_parse(value, ns) == HERD_OK ||
	       time_from_iso(value, ns) == HERD_OK;
}

/* Part of a place, else what the column's type says. */
static bool
is_numeric(const struct filter_node *node, const struct column *c)
{
	return node->part != PART_ALL || value_base(c->type) != BASE_TEXT;
}

/* What fits, where it does not go without saying. */
static const char *const forms[] = {
	[VALUE_TIME] = ": seconds since 1970, or 2026-11-28T10:00Z",
	[VALUE_CLOCK] = ": seconds since 1970, or 2026-11-28T10:00Z",
	[VALUE_SECONDS] = ", such as 500ms, 10s, 5m, 1h or 2d",
	[VALUE_MS] = ", such as 500ms, 10s, 5m, 1h or 2d",
	[VALUE_DISTANCE] = ", such as 300m or 1.5km",
	[VALUE_BOOL] = ": yes or no",
	[VALUE_JSON] = NULL,
};

/* Long texts are matched, maybe by hostile globs, while others wait. */
static enum herd_error
count_glob(struct filter_reader *r, struct span glob)
{
	r->filter->globs += glob.len + FILTER_GLOB_COST;
	return glob.len > GLOB_MAX || r->filter->globs > FILTER_GLOBS_MAX
		   ? fail_long(r)
		   : HERD_OK;
}

static enum herd_error
set_value(struct filter_reader *r, struct filter_node *node, struct span value)
{
	const struct column *c = &r->filter->view->columns[node->column];
	enum value_type type = node->part == PART_ALL ? c->type : VALUE_REAL;

	node->text = value;
	if (node->op != OP_ORDER)
		return count_glob(r, value);
	node->null = span_is(value, "null") || span_is(value, "-");
	node->is_time = !node->null && value_base(type) == BASE_DECIMAL &&
			read_time(value, &node->ns);
	node->numeric = !node->null && !node->is_time && is_numeric(node, c);
	if (!node->numeric ||
	    (type == VALUE_BOOL && read_truth(value, &node->number)) ||
	    value_parse(type, value, &node->number) == HERD_OK)
		return HERD_OK;
	if (value.len > SHOWN_MAX)
		value.len = SHOWN_MAX;
	return fail(r, "`" SPAN_FMT "' is no value for the column `%s'%s",
	    SPAN_ARG(value), c->key, forms[type] == NULL ? "" : forms[type]);
}

/* A column's name; `lat' and `lon' are parts of the place. */
static enum herd_error
find_column(struct filter_reader *r, struct span name, struct filter_node *node)
{
	const struct view *view = r->filter->view;

	node->column = view_find(view, name);
	if (node->column < view->count)
		return HERD_OK;
	node->part = span_is(name, "lat")   ? PART_LAT
		     : span_is(name, "lon") ? PART_LON
					    : PART_ALL;
	for (size_t i = 0; i < view->count && node->part != PART_ALL; i++) {
		if (view->columns[i].type == VALUE_PLACE) {
			node->column = i;
			return HERD_OK;
		}
	}
	return view_unknown(view, name, r->message);
}

static enum herd_error
read_operand(struct filter_reader *r, struct filter_node *node)
{
	struct span value = { "", 0 };
	enum herd_error error;

	skip_space(r);
	for (size_t i = 0; i < HERD_ARRAY_LEN(operators); i++) {
		size_t len = strlen(operators[i].text);

		if (strncmp(r->at, operators[i].text, len) != 0)
			continue;
		r->at += len;
		node->op = operators[i].op;
		node->orders = operators[i].orders;
		error = read_value(r, &value);
		return error == HERD_OK ? set_value(r, node, value) : error;
	}
	return HERD_OK;
}

static enum herd_error
read_comparison(struct filter_reader *r, size_t *out)
{
	struct filter_node node = { .op = OP_HAS };
	struct span name = { r->at, 0 };
	enum herd_error error;

	while (is_name(r->at[name.len]))
		name.len++;
	r->at += name.len;
	if (name.len == 0)
		return *r->at == '\0'
			   ? fail(r, "a column is missing at the end")
			   : fail(r, "no column at `%.10s'", r->at);
	error = find_column(r, name, &node);
	if (error == HERD_OK)
		error = read_operand(r, &node);
	return error == HERD_OK ? add_node(r, &node, out) : error;
}

static enum herd_error read_or(struct filter_reader *r, size_t *out);

static enum herd_error
read_not(struct filter_reader *r, size_t *out)
{
	struct filter_node node = { .op = OP_NOT };
	enum herd_error error;

	if (++r->depth > FILTER_DEPTH_MAX)
		return fail_long(r);
	skip_space(r);
	if (take_word(r, "not", "!")) {
		error = read_not(r, &node.left);
		if (error == HERD_OK)
			error = add_node(r, &node, out);
	} else if (*r->at == '(') {
		r->at++;
		error = read_or(r, out);
		skip_space(r);
		if (error == HERD_OK && *r->at != ')')
			error = fail(r, "a parenthesis is not closed");
		if (error == HERD_OK)
			r->at++;
	} else {
		error = read_comparison(r, out);
	}
	r->depth--;
	return error;
}

static enum herd_error
read_and(struct filter_reader *r, size_t *out)
{
	struct filter_node node = { .op = OP_AND };
	enum herd_error error = read_not(r, out);

	while (error == HERD_OK && take_word(r, "and", "&&")) {
		node.left = *out;
		error = read_not(r, &node.right);
		if (error == HERD_OK)
			error = add_node(r, &node, out);
	}
	return error;
}

static enum herd_error
read_or(struct filter_reader *r, size_t *out)
{
	struct filter_node node = { .op = OP_OR };
	enum herd_error error = read_and(r, out);

	while (error == HERD_OK && take_word(r, "or", "||")) {
		node.left = *out;
		error = read_and(r, &node.right);
		if (error == HERD_OK)
			error = add_node(r, &node, out);
	}
	return error;
}

/* Each node takes at least one character of the expression. */
static struct filter *
filter_new(struct span text, const struct view *view)
{
	size_t room = text.len < FILTER_NODES_MAX ? text.len : FILTER_NODES_MAX;
	struct filter *filter =
	    calloc(1, sizeof(*filter) + room * sizeof(filter->nodes[0]));

	if (filter == NULL)
		return NULL;
	filter->view = view;
	filter->room = room;
	filter->text = malloc(text.len + 1);
	if (filter->text == NULL) {
		free(filter);
		return NULL;
	}
	memcpy(filter->text, text.data, text.len);
	filter->text[text.len] = '\0';
	return filter;
}

enum herd_error
filter_parse(struct span text, const struct view *view, struct filter **out,
    struct buf *message)
{
	struct filter *filter = filter_new(text, view);
	struct filter_reader r = { .filter = filter, .message = message };
	enum herd_error error;

	if (filter == NULL)
		return HERD_ENOMEM;
	r.at = filter->text;
	error = read_or(&r, &filter->root);
	skip_space(&r);
	/* A NUL does not end it, or the rest would be taken for nothing. */
	if (error == HERD_OK && r.at != filter->text + text.len)
		error = fail(&r, "cannot read on at `%.20s'", r.at);
	if (error != HERD_OK) {
		filter_free(filter);
		return error;
	}
	*out = filter;
	return HERD_OK;
}

void
filter_free(struct filter *filter)
{
	if (filter == NULL)
		return;
	free(filter->text);
	free(filter);
}

/* --- rows ------------------------------------------------------------- */

static bool
has_value(const struct value *value)
{
	double number;

	if (value_is_number(value, &number))
		return number < 0 || number > 0;
	return value->known && value->text.len > 0;
}

static bool
part_number(
    const struct filter_node *node, const struct value *value, double *number)
{
	if (node->part == PART_ALL)
		return value_is_number(value, number);
	*number = node->part == PART_LAT ? value->lat : value->lon;
	return value->known;
}

static bool
order_matches(const struct filter_node *node, const struct value *value)
{
	double number;
	uint64_t ns;
	int order;

	if (node->null)
		return node->orders ==
		       (unsigned)(value->known ? LESS | GREATER : EQUAL);
	if (!value->known)
		return node->orders == (LESS | GREATER);
	if (node->is_time) {
		if (!value_time(value, &ns))
			return false;
		order = (ns > node->ns) - (ns < node->ns);
	} else if (node->numeric) {
		if (!part_number(node, value, &number))
			return false;
		order = (number > node->number) - (number < node->number);
	} else {
		order = span_compare(value->text, node->text);
	}
	return (node->orders & (order < 0      ? LESS
				   : order > 0 ? GREATER
					       : EQUAL)) != 0;
}

struct filter_row {
	const struct filter *filter;
	filter_get *get;
	void *row;
};

static bool
node_matches(const struct filter_row *r, size_t index)
{
	const struct filter_node *node = &r->filter->nodes[index];
	struct value value = { .known = false };

	if (node->op == OP_AND)
		return node_matches(r, node->left) &&
		       node_matches(r, node->right);
	if (node->op == OP_OR)
		return node_matches(r, node->left) ||
		       node_matches(r, node->right);
	if (node->op == OP_NOT)
		return !node_matches(r, node->left);
	r->get(r->row, node->column, &value);
	if (node->op == OP_ORDER)
		return order_matches(node, &value);
	if (node->op == OP_HAS)
		return has_value(&value);
	return (value.known && glob_matches(node->text, value.text)) ==
	       (node->op == OP_GLOB);
}

bool
filter_matches(const struct filter *filter, filter_get *get, void *row)
{
	const struct filter_row r = { filter, get, row };

	return node_matches(&r, filter->root);
}

void
filter_get_value(void *row, size_t column, struct value *out)
{
	*out = ((const struct value *)row)[column];
}

size_t
filter_cost(const struct filter *filter, size_t text_bytes)
{
	return filter->count * NODE_COST + filter->globs * text_bytes;
}

bool
filter_uses(const struct filter *filter, size_t column)
{
	for (size_t i = 0; i < filter->count; i++) {
		const struct filter_node *node = &filter->nodes[i];

		if (node->op != OP_AND && node->op != OP_OR &&
		    node->op != OP_NOT && node->column == column)
			return true;
	}
	return false;
}
