/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the YAML tree to a herd file. The reader goes on after every error, so
 * that one run names them all; only running out of memory makes it stop
 * (`error`), after which complaints are dropped.
 */
#ifndef HERD_HERDREADER_H
#define HERD_HERDREADER_H

#include "yamltree.h"

/* A place in the file. */
struct file_place {
	unsigned line;
	unsigned column;
};

struct herdreader {
	struct herdfile *file;
	struct diagnostics *diagnostics;
	enum herd_error error;       /* HERD_OK or HERD_ENOMEM */
	struct file_place *settings; /* per setting; line 0: not in the file */
	struct file_place links;     /* of the key `links` */
	const struct herdfile_node **by_name; /* sorted; node_count of them */
	const char **names;                   /* sorted, ends with NULL */
};

/* A foreign text as messages show it. */
#define QUOTED_BYTES_MAX 64u
struct quoted {
	char text[QUOTED_BYTES_MAX * 4u + sizeof("...")];
};
struct quoted herdreader_quote(struct span text);

void herdreader_complain(struct herdreader *reader, struct file_place place,
    const char *fmt, ...) HERD_PRINTF(3, 4);
void herdreader_warn(struct herdreader *reader, struct file_place place,
    const char *fmt, ...) HERD_PRINTF(3, 4);
struct file_place herdreader_place(const struct yamlnode *node);

/*
 * The candidate that was probably meant, or NULL. Not searched for if the
 * complaint will not be shown.
 */
const char *herdreader_suggest(const struct herdreader *reader,
    struct span word, const char *const *candidates);

/*
 * Complains of keys that are not text or come twice (and marks the latter), as
 * "duplicate WHAT". False: `node` is no mapping; complained of, too, unless it
 * is empty.
 */
bool herdreader_mapping(struct herdreader *reader, struct yamlnode *node,
    const char *name, const char *what);

/* The parts of the file. */
void herdreader_nodes(struct herdreader *reader, struct yamlnode *value);
void herdreader_links(struct herdreader *reader, struct yamlnode *value);

/* What only the whole file shows. */
void herdreader_check(struct herdreader *reader);

#endif
