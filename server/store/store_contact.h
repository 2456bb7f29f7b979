/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Contact with a shared engine: it is sought until it is there, and again after
 * each loss, with the backoff of links. Then what the engine has is loaded,
 * page by page. A refusal is final until store_retry(). Store's thread.
 */
#ifndef HERD_STORE_CONTACT_H
#define HERD_STORE_CONTACT_H

#include "store/store.h"

/* There is no contact yet. Before the thread starts. */
void store_contact_init(struct store *store);

/* Seeks contact if that is due. */
void store_contact_seek(struct store *store);

/* Loads a page; false: all is loaded, or contact is lost. */
bool store_contact_load(struct store *store);

/* A call has failed, as `error` and the engine say. */
void store_contact_lose(struct store *store, enum herd_error error);

/* Publishes since when replies wait. */
void store_contact_tell(struct store *store);

/* When it is to be sought again; UINT64_MAX: not before a retry. */
struct mono store_contact_due(const struct store *store);

#endif
