/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the endpoints that ask the store for work share. */
#ifndef HERD_ADMIN_STORE_API_H
#define HERD_ADMIN_STORE_API_H

#include "admin/http_call.h"
#include "store/store.h"
#include "store/store_work.h"

/* False: the node has no store, and the call is answered. */
HERD_MUST_CHECK bool store_api_need(struct http_call *call);

/* Answers what store_work_begin() said; `work` is a word for it. */
void store_api_refuse(
    struct http_call *call, enum herd_error error, const char *work);

/* Adds what a store has that nodes share: its server, comparisons, retries. */
void store_api_add_shared(struct json *json, const struct store_status *status);

/* Answers that the work has failed. */
void store_api_fail(struct http_call *call, const struct engine_task *task);

#endif
