/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/call.h"

#include <stdlib.h>

enum herd_error
places_call_new(const struct places_question *question, struct mono asked_at,
    struct places_call **out)
{
	struct places_call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return HERD_ENOMEM;
	call->question = *question;
	call->asked_at = asked_at;
	atomic_init(&call->holders, 2);
	pthread_mutex_init(&call->lock, NULL);
	*out = call;
	return HERD_OK;
}

void
places_call_answer(struct places_call *call, struct span json)
{
	pthread_mutex_lock(&call->lock);
	if (!call->cancelled)
		call->on_answer(call->arg, json);
	pthread_mutex_unlock(&call->lock);
}

void
places_call_release(struct places_call *call)
{
	if (atomic_fetch_sub(&call->holders, 1) != 1)
		return;
	pthread_mutex_destroy(&call->lock);
	free(call);
}

void
places_cancel(struct places_call *call)
{
	pthread_mutex_lock(&call->lock);
	call->cancelled = true;
	pthread_mutex_unlock(&call->lock);
}

void
places_call_free(struct places_call *call)
{
	if (call != NULL)
		places_call_release(call);
}
