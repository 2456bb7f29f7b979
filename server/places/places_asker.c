/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/places_asker.h"

#include <stdlib.h>

#include "base/clock.h"

enum herd_error
places_asker_new(
    const struct places_question *question, struct places_asker **out)
{
	struct places_asker *asker = calloc(1, sizeof(*asker));

	if (asker == NULL)
		return HERD_ENOMEM;
	asker->question = *question;
	asker->asked_at = clock_mono();
	atomic_init(&asker->holders, 2);
	pthread_mutex_init(&asker->lock, NULL);
	*out = asker;
	return HERD_OK;
}

void
places_asker_answer(struct places_asker *asker, struct span json)
{
	pthread_mutex_lock(&asker->lock);
	if (!asker->cancelled)
		asker->on_answer(asker->arg, json);
	pthread_mutex_unlock(&asker->lock);
}

void
places_asker_cancel(struct places_asker *asker)
{
	pthread_mutex_lock(&asker->lock);
	asker->cancelled = true;
	pthread_mutex_unlock(&asker->lock);
}

void
places_asker_free(struct places_asker *asker)
{
	if (asker == NULL || atomic_fetch_sub(&asker->holders, 1) != 1)
		return;
	pthread_mutex_destroy(&asker->lock);
	free(asker);
}
