/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files of a node: where they are, and whether a start could use them.
 *
 * A relative path is taken from the herd file's folder. But under systemd that
 * is read-only, so what the node writes is taken from the service's own
 * folders: $STATE_DIRECTORY for the store, $LOGS_DIRECTORY for logs (or the
 * state's folder, for a unit without LogsDirectory=).
 */
#ifndef HERD_NODE_FILES_H
#define HERD_NODE_FILES_H

#include "herd/diagnostics.h"
#include "herd/herdfile.h"

/* The folders of server/herdd@.service.in. */
#define FILES_SERVICE_STATE "/var/lib/herd"
#define FILES_SERVICE_LOGS "/var/log/herd"
#define FILES_SERVICE_RUNTIME "/run/herd"
#define FILES_SERVICE_USER "herd"

enum files_kind { FILES_STATE, FILES_LOGS };

/*
 * Appends the path of a file that the node reads; credential:NAME as it is, for
 * keyfile_read(). Errors as files_path().
 */
HERD_MUST_CHECK enum herd_error files_read_path(
    struct buf *out, const char *text, const char *node, const char *base_dir);

/*
 * Appends the path that a setting's `text` means for that node. HERD_ESYNTAX
 * as herdfile_expand(), HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error files_path(struct buf *out,
    enum files_kind kind, const char *text, const char *node,
    const char *base_dir);

/*
 * If this process runs by hand, gives it the folders that the unit would:
 * $STATE_DIRECTORY, $LOGS_DIRECTORY, $RUNTIME_DIRECTORY, where they are unset.
 * files_check() then takes them for made, as systemd makes them at the start.
 * One thread only.
 */
HERD_MUST_CHECK enum herd_error files_be_service(void);

/*
 * Looks at the files that node `self` would read and write at its start, as
 * the present user, and adds an error for each that it could not. It makes and
 * changes nothing. `base_dir` is the herd file's folder. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error files_check(const struct herdfile *file,
    size_t self, const char *base_dir, struct diagnostics *diagnostics);

/*
 * Adds an error for each file of that node that the unit's sandbox would not
 * let it use: written outside of the service's folders, read from where it
 * sees nothing, or a key that is not its user's. After files_be_service().
 * HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error files_check_service(const struct herdfile *file,
    size_t self, const char *base_dir, struct diagnostics *diagnostics);

#endif
