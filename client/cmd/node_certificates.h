/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificates in a folder that `init' has made: the CA's, and one for
 * each node.
 */
#ifndef HERD_NODE_CERTIFICATES_H
#define HERD_NODE_CERTIFICATES_H

#include "herd/herdfile.h"
#include "run/run.h"

#define CERTIFICATES_CA "ca.pem"
#define CERTIFICATES_CA_KEY "ca.key"
#define CERTIFICATES_CERT "tls-%n.pem" /* as settings have them */
#define CERTIFICATES_KEY "tls-%n.key"

/* Makes the CA's files, which must not be there. Says what fails. */
enum status node_certificates_begin(
    struct run *run, const char *dir, const char *herd);

/*
 * Makes certificates and keys with the CA of the folder, in place of those
 * that are there, for the `count` nodes of `file` that are named, without
 * a name for all. Says what fails.
 */
enum status node_certificates_make(struct run *run, const char *dir,
    const struct herdfile *file, const char *const *names, size_t count);

/* Is the node one of the `count` that are named, or is none named? */
bool node_certificates_is_for(
    const struct herdfile_node *node, const char *const *names, size_t count);

#endif
