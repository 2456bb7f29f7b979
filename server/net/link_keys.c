/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/link_keys.h"

#include <stdlib.h>

#include "net/peering_internal.h"
#include "node/reload.h"

#define KEY_SETTING "key_file"
/* All links are made again within this, be they as many as can be, ... */
#define RENEW_ALL_NS (40u * HERD_NS_PER_S)
/* ... and one waits no longer than this for the one before. */
#define RENEW_ONE_NS (5u * HERD_NS_PER_S)
/* The side that dials goes first, so that not both make one link again. */
#define RENEW_ACCEPTED_NS (10u * HERD_NS_PER_S)
#define NAMES_TEXT_MAX 128u

/* New keys on their way to the links thread. */
struct key_news {
	struct message message;
	struct peering *peering;
	struct keyring keys;
};

/* --- reading -------------------------------------------------------------- */

static void
log_keys(const struct peering *peering, const struct keyring *keys)
{
	struct buf names;

	buf_init(&names, NAMES_TEXT_MAX);
	if (keyring_names(keys, &names) == HERD_OK)
		LOG(peering->node->log, LOG_INFO, "link-keys",
		    log_text("used", keys->keys[0].fingerprint),
		    log_span("accepted", buf_span(&names)));
	buf_release(&names);
}

/* Are there any? Only a restart changes that. */
static bool
has_keys(const struct settings *settings)
{
	return settings->link_security != LINK_SECURITY_NONE &&
	       settings->key_file[0] != '\0';
}

static enum herd_error
read_keys(
    const struct peering *peering, struct keyring *out, struct buf *message)
{
	const struct node *node = peering->node;
	const struct keyfile file = { KEY_SETTING, node->boot.settings.key_file,
		node->name, node->base_dir, false };

	return keyring_read(&file, KEYRING_LINK_KEYS, TRANSPORT_KEY_MIN,
	    TRANSPORT_KEY_MAX, &peering->keys.used, out, message);
}

/* --- reload --------------------------------------------------------------- */

static void
news_free(struct key_news *news)
{
	if (news != NULL)
		keyring_wipe(&news->keys);
	free(news);
}

/* In the links thread. */
static void
on_news(struct message *message)
{
	struct key_news *news = (struct key_news *)message;
	struct peering *peering = news->peering;

	transport_tls_set_keys(peering->tls, &news->keys);
	peering->keys.changed = clock_mono();
	peering->keys.until = (struct mono){ 0 };
	news_free(news);
}

static enum herd_error
on_read(void *arg, struct reload *reload, struct buf *message)
{
	struct peering *peering = arg;
	struct key_news *news = calloc(1, sizeof(*news));
	enum herd_error error;

	if (news == NULL)
		return HERD_ENOMEM;
	error = read_keys(peering, &news->keys, message);
	if (error != HERD_OK ||
	    keyring_equal(&news->keys, &peering->keys.used)) {
		news_free(news);
		return error;
	}
	news->message.run = on_news;
	news->peering = peering;
	peering->keys.news = news;
	reload_applies(reload, KEY_SETTING);
	return HERD_OK;
}

static void
on_end(void *arg, bool use)
{
	struct peering *peering = arg;
	struct key_news *news = peering->keys.news;

	peering->keys.news = NULL;
	if (news == NULL)
		return;
	if (!use) {
		news_free(news);
		return;
	}
	peering->keys.used = news->keys;
	log_keys(peering, &news->keys);
	mailbox_post(&peering->mailbox, &news->message);
}

static const struct reload_files KEY_FILE = { on_read, on_end };

/* --- making links again --------------------------------------------------- */

static bool
is_stale(const struct peering *peering, const struct net_link *net_link)
{
	const struct link *link = &net_link->link;

	if (!net_link->used || link->conn == NULL ||
	    keyring_find(transport_tls_keys(peering->tls),
		net_link_key(net_link)) != NULL)
		return false;
	return link->dials || mono_since(clock_mono(), peering->keys.changed) >=
				  RENEW_ACCEPTED_NS;
}

/* Still waiting for the link that was made again last? */
static bool
is_renewing(const struct peering *peering, struct mono now)
{
	const struct net_link *last =
	    &peering->net_links[peering->keys.renewing];

	return now.ns < peering->keys.until.ns && last->used &&
	       last->link.enabled && last->link.state != LINK_SYNCED;
}

/* For all that are still to be made again. */
static uint64_t
time_left(const struct peering *peering, struct mono now)
{
	uint64_t past = mono_since(now, peering->keys.changed);

	return past < RENEW_ALL_NS ? RENEW_ALL_NS - past : 0;
}

void
link_keys_renew(struct peering *peering)
{
	struct mono now = clock_mono();
	unsigned first = LINKS_MAX;
	unsigned count = 0;
	uint64_t wait;

	if (peering->tls == NULL || peering->driver.stopping)
		return;
	for (unsigned i = LINKS_MAX; i-- > 0;) {
		if (!is_stale(peering, &peering->net_links[i]))
			continue;
		first = i;
		count++;
	}
	if (count == 0 || is_renewing(peering, now))
		return;
	wait = time_left(peering, now) / count;
	peering->keys.renewing = first;
	peering->keys.until =
	    mono_add(now, wait < RENEW_ONE_NS ? wait : RENEW_ONE_NS);
	link_command(
	    &peering->net_links[first].link, LINK_RENEW, now, clock_wall());
}

/* --- life ----------------------------------------------------------------- */

enum herd_error
link_keys_open(struct peering *peering, struct buf *message)
{
	const struct node *node = peering->node;
	enum herd_error error;

	if (!has_keys(&node->boot.settings))
		return HERD_OK;
	error = read_keys(peering, &peering->keys.used, message);
	if (error != HERD_OK)
		return error;
	log_keys(peering, &peering->keys.used);
	return transport_tls_open(
	    &peering->keys.used, node->name, message, &peering->tls);
}

void
link_keys_watch(struct peering *peering)
{
	if (peering->tls != NULL)
		node_on_reload_files(peering->node, &KEY_FILE, peering);
}

void
link_keys_close(struct peering *peering)
{
	transport_tls_close(peering->tls);
	keyring_wipe(&peering->keys.used);
}
