/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a PostgreSQL server's error means for the next call, by its SQLSTATE:
 * whether the same call may succeed later, or not before somebody has changed
 * something. A class that is not known may be of a passing kind.
 * Source: PostgreSQL, "Appendix A. PostgreSQL Error Codes".
 */
#ifndef HERD_POSTGRES_FAULT_H
#define HERD_POSTGRES_FAULT_H

#include "store/engine.h"

#define POSTGRES_SQLSTATE_LEN 5u

/* `sqlstate` may be NULL or "": the server said nothing. Gives a static hint.
 */
enum engine_fault postgres_fault_judge(const char *sqlstate, const char **hint);

/* The table, or a schema to put it into, is not there. */
bool postgres_fault_is_missing(const char *sqlstate);

/* The role may not do that; no other try will help. */
bool postgres_fault_is_forbidden(const char *sqlstate);

/*
 * The SQLSTATE in a message of libpq in its verbose form ("FATAL:  28P01:
 * ..."), which is all that it gives of a connection that failed. False: there
 * is none.
 */
bool postgres_fault_find(
    const char *message, char sqlstate[POSTGRES_SQLSTATE_LEN + 1]);

#endif
