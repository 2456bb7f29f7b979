/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of herdd, as one table: --help prints it, herdd(8) is
 * compared with it.
 */
#ifndef HERD_OPTIONS_H
#define HERD_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "herd/buf.h"

#define OPTIONS_FILE_DEFAULT "/etc/herd/herd.yaml"
#define OPTIONS_FILE_VARIABLE "HERD_CONF"

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK_CONFIG,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options {
	enum options_action action;
	const char *file;
	const char *node; /* "" with --check-config: any node */
	bool as_service;  /* --check-config: in the unit's sandbox */
};

/*
 * HERD_ESYNTAX: `message` says what is wrong. The texts borrow argv and the
 * environment.
 */
HERD_MUST_CHECK enum herd_error options_parse(
    int argc, char *const *argv, struct options *out, struct buf *message);

void options_help(FILE *out);

#endif
