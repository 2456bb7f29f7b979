/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/provider.h"

#include <stdio.h>
#include <stdlib.h>

#include "herd/address.h"

static const struct {
	const char *name;
	const char *help;
} COUNTS[] = {
#define PROVIDER_COUNT_ROW(code, name, help) { name, help },
	PROVIDER_COUNTS(PROVIDER_COUNT_ROW)
#undef PROVIDER_COUNT_ROW
};

const char *
provider_count_name(enum provider_count count)
{
	return COUNTS[count].name;
}

const char *
provider_count_help(enum provider_count count)
{
	return COUNTS[count].help;
}

bool
provider_may_request(struct provider *provider, struct mono now)
{
	return provider->max_per_s == 0 ||
	       rate_take(&provider->rate, provider->max_per_s, now);
}

void
provider_add(
    struct provider *provider, enum provider_count count, uint64_t more)
{
	atomic_fetch_add_explicit(
	    &provider->counts[count], more, memory_order_relaxed);
}

void
provider_bump(struct provider *provider, enum provider_count count)
{
	provider_add(provider, count, 1);
}

void
provider_note_error(
    struct provider *provider, struct span text, struct mono now)
{
	pthread_mutex_lock(&provider->lock);
	places_keep_error(provider->last_error, text);
	provider->last_error_at = now;
	pthread_mutex_unlock(&provider->lock);
}

/* Appends what is wrong with a setting. */
static enum herd_error HERD_PRINTF(2, 3)
    refuse(struct buf *message, const char *fmt, ...)
{
	enum herd_error error;
	va_list args;

	va_start(args, fmt);
	error = buf_addv(message, fmt, args);
	va_end(args);
	return error != HERD_OK ? error : HERD_ESYNTAX;
}

static enum herd_error
set_base_url(struct provider *provider, const char *setting, bool shares_chain,
    struct buf *message)
{
	const char *url = setting;
	const char *fault;
	size_t len;

	if (setting[0] == '\0')
		url = provider->upstream->base_url;
	else if (shares_chain)
		return refuse(message,
		    "places.base_url is for one provider, and places.provider"
		    " has two that are on the network");
	fault = address_url_fault(url);
	if (fault != NULL)
		return refuse(message, "places.base_url %s", fault);
	len = strlen(url);
	while (len > 0 && url[len - 1] == '/')
		len--;
	provider->base_url = strndup(url, len);
	return provider->base_url == NULL ? HERD_ENOMEM : HERD_OK;
}

static enum herd_error
set_key(struct provider *provider, const char *setting, const char *node,
    const char *base_dir, struct buf *message)
{
	if (places_kind_key(provider->kind) == NULL)
		return HERD_OK;
	if (setting[0] == '\0')
		return refuse(message,
		    "places.provider %s needs an API key: put it into a file"
		    " of mode 0600 and name that with places.key_file",
		    places_kind_name(provider->kind));
	return api_key_load(setting, node, base_dir, &provider->key, message);
}

static void
init(struct provider *provider, enum places_kind kind,
    const struct settings *settings)
{
	provider->kind = kind;
	provider->upstream = upstream_find(kind);
	provider->max_active = settings->places.max_concurrent;
	provider->max_waiting = settings->places.max_queued;
	breaker_init(&provider->breaker);
	provider->max_per_s = settings->places.rate;
	TAILQ_INIT(&provider->waiting);
	places_stats_init(&provider->stats);
	pthread_mutex_init(&provider->lock, NULL);
}

enum herd_error
provider_open(enum places_kind kind, const struct settings *settings,
    const char *node, const char *base_dir, bool shares_chain,
    struct buf *message, struct provider **out)
{
	struct provider *provider = calloc(1, sizeof(*provider));
	enum herd_error error;

	if (provider == NULL)
		return HERD_ENOMEM;
	init(provider, kind, settings);
	error = set_base_url(
	    provider, settings->places.base_url, shares_chain, message);
	if (error == HERD_OK)
		error = set_key(provider, settings->places.key_file, node,
		    base_dir, message);
	if (error == HERD_OK && provider->upstream->may_cache &&
	    settings->places.cache)
		error = cache_open(&provider->cache);
	if (error != HERD_OK) {
		provider_close(provider);
		return error;
	}
	provider->icon_base = strdup(settings->places.icon_base);
	if (provider->icon_base == NULL) {
		provider_close(provider);
		return HERD_ENOMEM;
	}
	provider->config = (struct upstream_config){
		.icon_base = provider->icon_base,
		.base_url = provider->base_url,
		.key = &provider->key,
		.rich = settings->places.google_fields != 0,
	};
	*out = provider;
	return HERD_OK;
}

void
provider_close(struct provider *provider)
{
	if (provider == NULL)
		return;
	cache_close(provider->cache);
	explicit_bzero(&provider->key, sizeof(provider->key));
	pthread_mutex_destroy(&provider->lock);
	free(provider->base_url);
	free(provider->icon_base);
	free(provider);
}
