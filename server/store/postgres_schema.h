/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables of a herd in a PostgreSQL database. The first node makes them;
 * nodes that start at once make them at once, so an error of CREATE means: look
 * again. herd_meta says whose they are, and another herd's are refused.
 */
#ifndef HERD_POSTGRES_SCHEMA_H
#define HERD_POSTGRES_SCHEMA_H

#include "store/postgres_conn.h"

#define POSTGRES_SCHEMA_VERSION 1u

/* Looks at the tables of a new connection, or creates them. */
HERD_MUST_CHECK enum herd_error postgres_schema_open(
    struct postgres_conn *conn);

#endif
