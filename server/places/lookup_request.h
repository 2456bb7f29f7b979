/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The requests of a lookup to a provider on the network. */
#ifndef HERD_PLACES_LOOKUP_REQUEST_H
#define HERD_PLACES_LOOKUP_REQUEST_H

#include "places/lookup_internal.h"

/* Asks lookup->provider: its cache, then its upstream. */
enum step lookup_request_start(struct places_lookup *lookup);

/* Makes a second attempt, after a rest. */
void lookup_request_again(struct places_lookup *lookup);

/* Stops what it waits for. */
void lookup_request_interrupt(struct places_lookup *lookup);

/* Starts requests for waiting lookups, up to the provider's limit. */
void lookup_request_serve(struct provider *provider);

#endif
