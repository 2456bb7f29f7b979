/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/query.h"

#include "herd/text.h"

/* Decodes into query->text, which has room: it never moves. */
static enum herd_error
decode(struct query *query, struct span raw, struct span *out)
{
	size_t before = query->text.len;
	enum herd_error error = text_from_percent(&query->text, raw);

	if (error == HERD_OK)
		*out = span_of(buf_span(&query->text).data + before,
		    query->text.len - before);
	return error;
}

static enum herd_error
parse_path(struct query *query, struct span path)
{
	/* What would follow the '/' at the end is no segment. */
	while (path.len > 0) {
		struct span raw = span_cut(&path, '/');
		enum herd_error error;

		if (query->segment_count == QUERY_SEGMENTS_MAX)
			return HERD_ELIMIT;
		error =
		    decode(query, raw, &query->segments[query->segment_count]);
		if (error != HERD_OK)
			return error;
		query->segment_count++;
	}
	return HERD_OK;
}

static const struct query_param *
find(const struct query *query, struct span name)
{
	for (unsigned i = 0; i < query->param_count; i++) {
		if (span_equal(query->params[i].name, name))
			return &query->params[i];
	}
	return NULL;
}

static enum herd_error
parse_param(struct query *query, struct span raw)
{
	struct query_param param;
	struct span name = span_cut(&raw, '=');
	enum herd_error error = decode(query, name, &param.name);

	if (error == HERD_OK)
		error = decode(query, raw, &param.value);
	if (error != HERD_OK)
		return error;
	if (param.name.len == 0 || find(query, param.name) != NULL)
		return HERD_ESYNTAX;
	if (query->param_count == QUERY_PARAMS_MAX)
		return HERD_ELIMIT;
	query->params[query->param_count++] = param;
	return HERD_OK;
}

static enum herd_error
parse_params(struct query *query, struct span text)
{
	enum herd_error error = HERD_OK;

	while (text.len > 0 && error == HERD_OK) {
		struct span raw = span_cut(&text, '&');

		if (raw.len > 0)
			error = parse_param(query, raw);
	}
	return error;
}

enum herd_error
query_parse(struct span target, struct query *out)
{
	struct query query = { .segment_count = 0 };
	struct span path;
	enum herd_error error;

	if (target.len > QUERY_TARGET_MAX)
		return HERD_ELIMIT;
	if (target.len == 0 || target.data[0] != '/')
		return HERD_ESYNTAX;
	buf_init(&query.text, QUERY_TARGET_MAX);
	path = span_cut(&target, '?');
	error = buf_reserve(&query.text, path.len + target.len);
	if (error == HERD_OK)
		error =
		    parse_path(&query, span_of(path.data + 1, path.len - 1));
	if (error == HERD_OK)
		error = parse_params(&query, target);
	if (error != HERD_OK) {
		buf_release(&query.text);
		return error;
	}
	*out = query;
	return HERD_OK;
}

void
query_release(struct query *query)
{
	buf_release(&query->text);
	query->segment_count = 0;
	query->param_count = 0;
}

const struct query_param *
query_find(const struct query *query, const char *name)
{
	return find(query, span_from(name));
}

const struct query_param *
query_unknown(const struct query *query, const char *known)
{
	for (unsigned i = 0; i < query->param_count; i++) {
		struct span rest = span_from(known == NULL ? "" : known);
		bool is_known = false;

		for (struct span word = text_next_field(&rest); word.len > 0;
		     word = text_next_field(&rest))
			is_known |= span_equal(word, query->params[i].name);
		if (!is_known)
			return &query->params[i];
	}
	return NULL;
}

enum herd_error
query_flag(const struct query *query, const char *name, bool *out)
{
	const struct query_param *param = query_find(query, name);

	if (param != NULL)
		return text_to_flag(param->value, out);
	*out = false;
	return HERD_OK;
}

enum herd_error
query_count(const struct query *query, const char *name, uint64_t min,
    uint64_t max, uint64_t *out)
{
	const struct query_param *param = query_find(query, name);

	if (param == NULL)
		return HERD_OK;
	return text_to_u64(param->value, min, max, out);
}
