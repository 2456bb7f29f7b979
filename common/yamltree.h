/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A YAML document as a plain tree with places. Anchors, aliases and tags are
 * refused (a herd file needs none, and they let a small file mean a huge
 * one), depth is bounded, a second document is an error.
 */
#ifndef HERD_YAMLTREE_H
#define HERD_YAMLTREE_H

#include "herd/herdfile.h"

#define YAMLTREE_DEPTH_MAX 16u

enum yamlnode_kind { YAMLNODE_TEXT, YAMLNODE_MAPPING, YAMLNODE_LIST };

struct yamlnode {
	enum yamlnode_kind kind;
	bool plain;      /* text without quotes */
	bool duplicate;  /* an earlier key is the same */
	unsigned line;   /* from 1 */
	unsigned column; /* from 1, in characters */
	struct span text;
	struct yamlnode *first; /* of a mapping: key, value, key, value ... */
	struct yamlnode *last;
	struct yamlnode *next; /* sibling */
	size_t count;          /* children; of a mapping: entries */
	struct yamlnode *older;
	char bytes[]; /* what `text` points to */
};

struct yamltree {
	struct yamlnode *root; /* NULL: the document is empty */
	struct yamlnode *newest;
};

/*
 * Gives *out (release it). HERD_ESYNTAX: no tree, the reason is in
 * `diagnostics`; other findings there do not prevent a tree. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error yamltree_parse(
    struct span text, struct diagnostics *diagnostics, struct yamltree *out);
void yamltree_release(struct yamltree *tree);

/* Nothing was written: no text, ~ or null, without quotes. */
bool yamlnode_is_null(const struct yamlnode *node);

/* "a mapping", "a list", "text"; static. */
const char *yamlnode_kind_name(const struct yamlnode *node);

#endif
