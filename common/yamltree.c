/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yamltree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* From libyaml's events to the tree. */
struct builder {
	struct yamltree *tree;
	struct diagnostics *diagnostics;
	struct yamlnode *open[YAMLTREE_DEPTH_MAX]; /* outermost first */
	size_t depth;
	unsigned documents;
	bool done;
};

static enum herd_error
complain(struct builder *builder, yaml_mark_t mark, const char *text)
{
	return diagnostics_add(builder->diagnostics, DIAGNOSTIC_ERROR,
	    (unsigned)mark.line + 1u, (unsigned)mark.column + 1u, "%s", text);
}

static struct yamlnode *
node_new(struct builder *builder, enum yamlnode_kind kind, yaml_mark_t mark,
    struct span text)
{
	struct yamlnode *node;

	node = calloc(1, sizeof(*node) + text.len + 1u);
	if (node == NULL)
		return NULL;
	node->kind = kind;
	node->line = (unsigned)mark.line + 1u;
	node->column = (unsigned)mark.column + 1u;
	if (text.len > 0)
		memcpy(node->bytes, text.data, text.len);
	node->text = span_of(node->bytes, text.len);
	node->older = builder->tree->newest;
	builder->tree->newest = node;
	return node;
}

/* Hangs the node below the innermost open one, or makes it the root. */
static void
attach(struct builder *builder, struct yamlnode *node)
{
	struct yamlnode *parent;

	if (builder->depth == 0) {
		builder->tree->root = node;
		return;
	}
	parent = builder->open[builder->depth - 1u];
	assert(parent != NULL);
	if (parent->last == NULL)
		parent->first = node;
	else
		parent->last->next = node;
	parent->last = node;
	parent->count++;
}

static enum herd_error
open_node(
    struct builder *builder, enum yamlnode_kind kind, const yaml_event_t *event)
{
	struct yamlnode *node;
	enum herd_error error;

	if (builder->depth == YAMLTREE_DEPTH_MAX) {
		error =
		    complain(builder, event->start_mark, "nested too deeply");
		return error != HERD_OK ? error : HERD_ESYNTAX;
	}
	node = node_new(builder, kind, event->start_mark, span_of("", 0));
	if (node == NULL)
		return HERD_ENOMEM;
	attach(builder, node);
	builder->open[builder->depth++] = node;
	return HERD_OK;
}

static void
close_node(struct builder *builder)
{
	struct yamlnode *node;

	/* libyaml's events are balanced. */
	assert(builder->depth > 0);
	node = builder->open[--builder->depth];
	assert(node != NULL);
	if (node->kind == YAMLNODE_MAPPING)
		node->count /= 2u;
}

static enum herd_error
add_text(struct builder *builder, const yaml_event_t *event, struct span text,
    bool plain)
{
	struct yamlnode *node;

	node = node_new(builder, YAMLNODE_TEXT, event->start_mark, text);
	if (node == NULL)
		return HERD_ENOMEM;
	node->plain = plain;
	attach(builder, node);
	return HERD_OK;
}

static enum herd_error
add_scalar(struct builder *builder, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	return add_text(builder, event,
	    span_of(text, event->data.scalar.length),
	    event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
}

static enum herd_error
begin_document(struct builder *builder, const yaml_event_t *event)
{
	if (++builder->documents == 1)
		return HERD_OK;
	builder->done = true;
	return complain(builder, event->start_mark,
	    "a second document begins here; a herd file has one");
}

static enum herd_error
refuse_extras(struct builder *builder, yaml_mark_t mark,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	enum herd_error error = HERD_OK;

	if (anchor != NULL)
		error = complain(builder, mark,
		    "anchors (&) are not part of a herd file; write the value "
		    "out");
	if (error == HERD_OK && tag != NULL)
		error = complain(builder, mark,
		    "tags (!) are not part of a herd file; write the value "
		    "alone");
	return error;
}

static enum herd_error
on_event(struct builder *builder, const yaml_event_t *event)
{
	enum herd_error error;

	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT: break;
	case YAML_STREAM_END_EVENT: builder->done = true; break;
	case YAML_DOCUMENT_START_EVENT: return begin_document(builder, event);
	case YAML_ALIAS_EVENT:
		error = complain(builder, event->start_mark,
		    "aliases (*) are not part of a herd file; write the value "
		    "out, or in quotes if it begins with *");
		if (error != HERD_OK)
			return error;
		return add_text(builder, event, span_of("", 0), true);
	case YAML_SCALAR_EVENT:
		error = refuse_extras(builder, event->start_mark,
		    event->data.scalar.anchor, event->data.scalar.tag);
		return error != HERD_OK ? error : add_scalar(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		error = refuse_extras(builder, event->start_mark,
		    event->data.sequence_start.anchor,
		    event->data.sequence_start.tag);
		return error != HERD_OK
			   ? error
			   : open_node(builder, YAMLNODE_LIST, event);
	case YAML_MAPPING_START_EVENT:
		error = refuse_extras(builder, event->start_mark,
		    event->data.mapping_start.anchor,
		    event->data.mapping_start.tag);
		return error != HERD_OK
			   ? error
			   : open_node(builder, YAMLNODE_MAPPING, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: close_node(builder); break;
	}
	return HERD_OK;
}

/* Line and column of a byte, which is all that the reader tells. */
static void
place_of(struct span text, size_t offset, unsigned *line, unsigned *column)
{
	size_t i;

	*line = *column = 1;
	for (i = 0; i < offset && i < text.len; i++) {
		if (text.data[i] == '\n') {
			(*line)++;
			*column = 1;
		} else if (((unsigned char)text.data[i] & 0xc0) != 0x80) {
			(*column)++;
		}
	}
}

static enum herd_error
syntax_error(
    struct builder *builder, struct span text, const yaml_parser_t *parser)
{
	unsigned line = (unsigned)parser->problem_mark.line + 1u;
	unsigned column = (unsigned)parser->problem_mark.column + 1u;
	const char *problem = parser->problem;
	enum herd_error error;

	if (problem == NULL)
		problem = "not YAML";
	if (parser->error == YAML_READER_ERROR) {
		place_of(text, parser->problem_offset, &line, &column);
		error = diagnostics_add(builder->diagnostics, DIAGNOSTIC_ERROR,
		    line, column, "not readable as UTF-8 text: %s", problem);
	} else if (parser->context != NULL &&
		   parser->context_mark.line != parser->problem_mark.line) {
		error = diagnostics_add(builder->diagnostics, DIAGNOSTIC_ERROR,
		    line, column, "not YAML: %s, %s that begins on line %u",
		    problem, parser->context,
		    (unsigned)parser->context_mark.line + 1u);
	} else if (strstr(problem, "cannot start any token") != NULL) {
		error = diagnostics_add(builder->diagnostics, DIAGNOSTIC_ERROR,
		    line, column,
		    "not YAML: %s; indent with spaces, not tabs, and put "
		    "values that begin with @, ` or %% in quotes",
		    problem);
	} else {
		error = diagnostics_add(builder->diagnostics, DIAGNOSTIC_ERROR,
		    line, column, "not YAML: %s", problem);
	}
	return error != HERD_OK ? error : HERD_ESYNTAX;
}

static enum herd_error
build(struct builder *builder, struct span text, yaml_parser_t *parser)
{
	enum herd_error error = HERD_OK;
	yaml_event_t event;

	while (!builder->done && error == HERD_OK) {
		if (!yaml_parser_parse(parser, &event))
			return parser->error == YAML_MEMORY_ERROR
				   ? HERD_ENOMEM
				   : syntax_error(builder, text, parser);
		error = on_event(builder, &event);
		yaml_event_delete(&event);
	}
	return error;
}

enum herd_error
yamltree_parse(
    struct span text, struct diagnostics *diagnostics, struct yamltree *out)
{
	struct yamltree tree = { NULL, NULL };
	struct builder builder = { .tree = &tree, .diagnostics = diagnostics };
	yaml_parser_t parser;
	enum herd_error error;

	/* With a given encoding libyaml keeps the byte order mark. */
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		text = span_of(text.data + 3, text.len - 3u);
	if (!yaml_parser_initialize(&parser))
		return HERD_ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)text.data, text.len);
	error = build(&builder, text, &parser);
	yaml_parser_delete(&parser);
	if (error != HERD_OK) {
		yamltree_release(&tree);
		return error;
	}
	*out = tree;
	return HERD_OK;
}

void
yamltree_release(struct yamltree *tree)
{
	struct yamlnode *node, *older;

	for (node = tree->newest; node != NULL; node = older) {
		older = node->older;
		free(node);
	}
	*tree = (struct yamltree){ NULL, NULL };
}

bool
yamlnode_is_null(const struct yamlnode *node)
{
	return node->kind == YAMLNODE_TEXT && node->plain &&
	       (node->text.len == 0 || span_is(node->text, "~") ||
		   span_is(node->text, "null"));
}

const char *
yamlnode_kind_name(const struct yamlnode *node)
{
	switch (node->kind) {
	case YAMLNODE_TEXT: return "text";
	case YAMLNODE_MAPPING: return "a mapping";
	case YAMLNODE_LIST: return "a list";
	}
	return "something else";
}
