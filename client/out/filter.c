/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/filter.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "herd/time.h"

enum where_op {
	OP_AND,
	OP_OR,
	OP_NOT,
	OP_HAS,
	OP_GLOB,
	OP_NOT_GLOB,
	OP_ORDER, /* is the value's order to the operand one of `orders'? */
};

enum filter_order { LESS = 1 << 0, EQUAL = 1 << 1, GREATER = 1 << 2 };

struct filter_node {
	enum where_op op;
	unsigned orders; /* enum filter_order */
	size_t left;     /* AND OR NOT: indices of nodes */
	size_t right;    /* AND OR */
	size_t column;   /* comparisons */
	char *text;
	double number;
	uint64_t ns; /* times: a double has too few digits */
	bool is_time;
	bool numeric;
	bool null;
};

struct filter {
	const struct view *view;
	struct filter_node *nodes;
	size_t count;
	size_t room;
	size_t root;
};

struct filter_reader {
	struct filter *where;
	const char *at;
	unsigned depth;
	struct buf *message;
};

/* Longer ones first, so that `<=` is not read as `<`. */
static const struct {
	const char *text;
	enum where_op op;
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

static const struct {
	enum value_type type;
	const char *unit;
	double factor;
} units[] = {
	{ VALUE_SECONDS, "ns", 1e-9 },
	{ VALUE_SECONDS, "us", 1e-6 },
	{ VALUE_SECONDS, "ms", 1e-3 },
	{ VALUE_SECONDS, "s", 1 },
	{ VALUE_SECONDS, "m", 60 },
	{ VALUE_SECONDS, "h", 3600 },
	{ VALUE_SECONDS, "d", 86400 },
	{ VALUE_MS, "ns", 1e-6 },
	{ VALUE_MS, "us", 1e-3 },
	{ VALUE_MS, "ms", 1 },
	{ VALUE_MS, "s", 1e3 },
	{ VALUE_MS, "m", 60e3 },
	{ VALUE_MS, "h", 3600e3 },
	{ VALUE_DISTANCE, "m", 1 },
	{ VALUE_DISTANCE, "km", 1e3 },
	{ VALUE_DISTANCE, "mi", 1609.344 },
	{ VALUE_BYTES, "K", 1024 },
	{ VALUE_BYTES, "M", 1048576 },
	{ VALUE_BYTES, "G", 1073741824 },
	{ VALUE_PERCENT, "%", 1 },
};

enum herd_error
filter_value(enum value_type type, struct span text, double *out)
{
	char *end;
	double number;
	struct span unit;
	char *copy = xstrndup(text.data, text.len);
	enum herd_error error = HERD_ESYNTAX;

	number = strtod(copy, &end);
	unit = span_from(end);
	if (end != copy && unit.len == 0 && isfinite(number)) {
		*out = number;
		error = HERD_OK;
	}
	for (size_t i = 0; i < HERD_ARRAY_LEN(units) && end != copy; i++) {
		if (units[i].type == type && span_is(unit, units[i].unit)) {
			*out = number * units[i].factor;
			error = HERD_OK;
		}
	}
	free(copy);
	return error;
}

static size_t
add_node(struct filter_reader *r, struct filter_node node)
{
	struct filter *w = r->where;

	grow_array(w->nodes, w->count, w->room);
	w->nodes[w->count] = node;
	return w->count++;
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
			put_text(r->message, "a quote is not closed");
			return HERD_ESYNTAX;
		}
		*out = span_of(r->at + 1, (size_t)(end - r->at - 1));
		r->at = end + 1;
		return HERD_OK;
	}
	*out = span_of(r->at, strcspn(r->at, " \t\n)&|"));
	r->at += out->len;
	if (out->len == 0) {
		put_text(r->message, "a value is missing at the end");
		return HERD_ESYNTAX;
	}
	return HERD_OK;
}

static enum herd_error
set_value(struct filter_reader *r, struct filter_node *node, struct span value)
{
	const struct column *c = &r->where->view->columns[node->column];
	bool ordered = node->op == OP_ORDER;

	node->null = ordered && (span_is(value, "null") || span_is(value, "-"));
	node->is_time = ordered && !node->null &&
			(c->type == VALUE_TIME || c->type == VALUE_CLOCK) &&
			time_parse(value, &node->ns) == HERD_OK;
	node->numeric = ordered && !node->null && !node->is_time &&
			value_base(c->type) != BASE_TEXT;
	if (node->numeric && c->type == VALUE_BOOL &&
	    (span_is(value, "yes") || span_is(value, "true"))) {
		node->number = 1;
	} else if (node->numeric && c->type == VALUE_BOOL &&
		   (span_is(value, "no") || span_is(value, "false"))) {
		node->number = 0;
	} else if (node->numeric &&
		   filter_value(c->type, value, &node->number) != HERD_OK) {
		putf(r->message,
		    "`" SPAN_FMT "' is no value for the column `%s'",
		    SPAN_ARG(value), c->key);
		return HERD_ESYNTAX;
	}
	node->text = xstrndup(value.data, value.len);
	return HERD_OK;
}

static enum herd_error
read_comparison(struct filter_reader *r, size_t *out)
{
	struct filter_node node = { .op = OP_HAS };
	struct span name = { r->at, 0 };
	struct span value;
	enum herd_error error;

	while (is_name(r->at[name.len]))
		name.len++;
	r->at += name.len;
	if (name.len == 0) {
		if (*r->at == '\0')
			put_text(r->message, "a column is missing at the end");
		else
			putf(r->message, "no column at `%.10s'", r->at);
		return HERD_ESYNTAX;
	}
	node.column = view_find(r->where->view, name);
	if (node.column == r->where->view->count)
		return view_unknown(r->where->view, name, r->message);
	skip_space(r);
	for (size_t i = 0; i < HERD_ARRAY_LEN(operators); i++) {
		size_t len = strlen(operators[i].text);

		if (strncmp(r->at, operators[i].text, len) != 0)
			continue;
		r->at += len;
		node.op = operators[i].op;
		node.orders = operators[i].orders;
		error = read_value(r, &value);
		if (error == HERD_OK)
			error = set_value(r, &node, value);
		if (error != HERD_OK)
			return error;
		break;
	}
	*out = add_node(r, node);
	return HERD_OK;
}

static enum herd_error read_or(struct filter_reader *r, size_t *out);

static enum herd_error
read_not(struct filter_reader *r, size_t *out)
{
	struct filter_node node = { .op = OP_NOT };
	enum herd_error error;

	if (++r->depth > WHERE_DEPTH_MAX || r->where->count > WHERE_NODES_MAX) {
		put_text(r->message, "the expression is too long");
		return HERD_ELIMIT;
	}
	skip_space(r);
	if (take_word(r, "not", "!")) {
		error = read_not(r, &node.left);
		if (error == HERD_OK)
			*out = add_node(r, node);
	} else if (*r->at == '(') {
		r->at++;
		error = read_or(r, out);
		skip_space(r);
		if (error == HERD_OK && *r->at != ')') {
			put_text(r->message, "a parenthesis is not closed");
			error = HERD_ESYNTAX;
		}
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
			*out = add_node(r, node);
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
			*out = add_node(r, node);
	}
	return error;
}

enum herd_error
filter_parse(const char *text, const struct view *view, struct filter **out,
    struct buf *message)
{
	struct filter *where = xcalloc(1, sizeof(*where));
	struct filter_reader r = {
		.where = where, .at = text, .message = message
	};
	enum herd_error error;

	where->view = view;
	error = read_or(&r, &where->root);
	skip_space(&r);
	if (error == HERD_OK && *r.at != '\0') {
		putf(message, "cannot read on at `%.20s'", r.at);
		error = HERD_ESYNTAX;
	}
	if (error != HERD_OK) {
		filter_free(where);
		return error;
	}
	*out = where;
	return HERD_OK;
}

void
filter_free(struct filter *where)
{
	if (where == NULL)
		return;
	for (size_t i = 0; i < where->count; i++)
		free(where->nodes[i].text);
	free(where->nodes);
	free(where);
}

static bool
has_value(const struct value *value)
{
	double number;

	if (value_is_number(value, &number))
		return number < 0 || number > 0;
	return value->known && value->text.len > 0;
}

static bool
glob_matches(const struct filter_node *node, const struct value *value)
{
	char *text;
	bool matches;

	if (!value->known)
		return false;
	text = xstrndup(value->text.data, value->text.len);
	matches = fnmatch(node->text, text, 0) == 0;
	free(text);
	return matches;
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
		if (time_parse(value->text, &ns) != HERD_OK)
			return false;
		order = (ns > node->ns) - (ns < node->ns);
	} else if (node->numeric) {
		if (!value_is_number(value, &number))
			return false;
		order = (number > node->number) - (number < node->number);
	} else {
		order = span_compare(value->text, span_from(node->text));
	}
	return (node->orders & (order < 0      ? LESS
				   : order > 0 ? GREATER
					       : EQUAL)) != 0;
}

static bool
node_matches(const struct filter *where, size_t index, const struct value *row)
{
	const struct filter_node *node = &where->nodes[index];
	const struct value *value = &row[node->column];

	switch (node->op) {
	case OP_AND:
		return node_matches(where, node->left, row) &&
		       node_matches(where, node->right, row);
	case OP_OR:
		return node_matches(where, node->left, row) ||
		       node_matches(where, node->right, row);
	case OP_NOT: return !node_matches(where, node->left, row);
	case OP_HAS: return has_value(value);
	case OP_GLOB: return glob_matches(node, value);
	case OP_NOT_GLOB: return !glob_matches(node, value);
	case OP_ORDER: return order_matches(node, value);
	}
	return false;
}

bool
filter_matches(const struct filter *where, const struct value *row)
{
	return node_matches(where, where->root, row);
}
