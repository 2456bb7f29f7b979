/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The herd file: one YAML document that is the same on every node and for
 * herdctl. Names the herd, its nodes with their addresses, its links, and
 * settings. All errors are found in one pass, each with line and column.
 */
#ifndef HERD_HERDFILE_H
#define HERD_HERDFILE_H

#include "herd/address.h"
#include "herd/diagnostics.h"
#include "herd/file.h"
#include "herd/report.h"
#include "herd/settings.h"

#define HERDFILE_BYTES_MAX (1u << 20)
#define HERDFILE_NODES_MAX 4096u
#define HERDFILE_LINKS_MAX 65536u
/* Links of one node; an outbox bit each, with room for store and watchers. */
#define HERDFILE_DEGREE_MAX 48u
#define HERDFILE_DIAGNOSTICS_MAX 100u

struct herdfile_node {
	char *name;
	struct address clients;    /* TCP */
	struct address peers;      /* TCP; ADDRESS_NONE only without links */
	struct address_list admin; /* Unix paths and TCP, or none */
	struct address http;       /* TCP, for phones; or ADDRESS_NONE */
	unsigned line;             /* where the file names it, from 1 */
	unsigned column;
};

/* The node whose name sorts first dials, unless the file names the other. */
struct herdfile_link {
	size_t a; /* indices of nodes; name of a sorts before name of b */
	size_t b;
	bool b_dials; /* `dial:` names b */
	unsigned line;
	unsigned column;
};

struct herdfile {
	char *herd;
	struct herdfile_node *nodes; /* in the file's order */
	size_t node_count;
	struct herdfile_link *links;
	size_t link_count;
	struct settings settings;
	uint64_t hash; /* herdfile_hash() of the text */
};

/*
 * Reads the whole `text`. *file is given on success only (release it);
 * diagnostics may hold warnings then. HERD_ESYNTAX: diagnostics has every
 * error. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error herdfile_parse(
    struct span text, struct herdfile *file, struct diagnostics *diagnostics);
void herdfile_release(struct herdfile *file);

/*
 * A hash of a herd file's text: tells a file that has changed from one that
 * was only touched. No defence against somebody who seeks an equal one.
 */
uint64_t herdfile_hash(struct span text);

/* Index of the node of that name; HERD_ENOTFOUND. */
HERD_MUST_CHECK enum herd_error herdfile_find(
    const struct herdfile *file, struct span name, size_t *index);

/* The other end of `link` as seen from node `self`, if `self` is an end. */
HERD_MUST_CHECK enum herd_error herdfile_link_peer(const struct herdfile *file,
    const struct herdfile_link *link, size_t self, size_t *peer);

/* Does `self` dial on that link (it is one of its ends)? */
bool herdfile_dials(const struct herdfile_link *link, size_t self);

/*
 * `text` with %n replaced by the node's name, %% by %. A relative path is
 * taken from `base_dir` when that is not NULL; an empty one stays empty.
 * Appends to `out`. HERD_ESYNTAX: another character follows a %.
 */
HERD_MUST_CHECK enum herd_error herdfile_expand(
    struct buf *out, const char *text, const char *node, const char *base_dir);

#endif
