/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The PostgreSQL engine as its own files see it: engine_postgres.c, which reads
 * and writes rows, and postgres_*.c, which it is made of.
 */
#ifndef HERD_ENGINE_POSTGRES_H
#define HERD_ENGINE_POSTGRES_H

#include "store/postgres_history.h"

struct postgres_engine {
	struct engine engine;
	const struct engine_config *config;
	struct postgres_conn conn;
	struct postgres_rows rows;
	struct postgres_history history;
	struct buf line; /* of the row at hand */
};

#endif
