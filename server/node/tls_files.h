/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificates of the listeners for clients, administration and phones,
 * read from the files that the herd file names. Main thread only.
 */
#ifndef HERD_NODE_TLS_FILES_H
#define HERD_NODE_TLS_FILES_H

#include "node/reload.h"

/* Contexts that were read; NULL: no TLS. */
struct tls_files {
	struct ssl_ctx_st *clients;
	struct ssl_ctx_st *admin;
	struct ssl_ctx_st *http;
};

/*
 * Reads all files that the settings of `file` name, for node `name`. Gives
 * *out on success: to tls_files_take() or tls_files_drop(). HERD_ESYSTEM,
 * HERD_ENOMEM: `message` says what is wrong and what to do.
 */
HERD_MUST_CHECK enum herd_error tls_files_load(const struct herdfile *file,
    const char *name, const char *base_dir, struct buf *message,
    struct tls_files *out);
void tls_files_drop(struct tls_files *files);

/*
 * Tells `reload` which of them have another content than those in use, in files
 * that the settings of `file` name as before.
 */
void tls_files_compare(struct node *node, const struct herdfile *file,
    const struct tls_files *files, struct reload *reload);

/* New connections use these. Takes them. Logs each certificate's end. */
void tls_files_take(struct node *node, struct tls_files *files);

/* What a listener shows at present. */
struct tls_shown {
	const char *use; /* "clients", "admin", "http" */
	struct certificate_facts facts;
};
#define TLS_SHOWN_MAX 3u

/* Of the listeners that have TLS; returns how many. */
unsigned tls_files_shown(
    struct node *node, struct tls_shown out[TLS_SHOWN_MAX]);

#endif
