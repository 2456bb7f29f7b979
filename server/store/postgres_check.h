/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work of the PostgreSQL engine: is each row as it was put? */
#ifndef HERD_POSTGRES_CHECK_H
#define HERD_POSTGRES_CHECK_H

#include "store/engine.h"

enum herd_error postgres_check_slice(
    struct engine *engine, struct engine_task *task);
void postgres_check_drop(struct engine_task *task);

#endif
