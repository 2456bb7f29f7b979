/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/tls_files.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum herd_error
tls_files_load(const struct herdfile *file, const char *name,
    const char *base_dir, struct buf *message, struct tls_files *out)
{
	const struct settings *settings = &file->settings;
	const struct certificate_files clients = { "clients",
		settings->clients.tls_cert, settings->clients.tls_key,
		settings->clients.client_ca, name, base_dir };
	const struct certificate_files admin = { "admin",
		settings->admin.tls_cert, settings->admin.tls_key,
		settings->admin.client_ca, name, base_dir };
	const struct certificate_files http = { "http", settings->http.tls_cert,
		settings->http.tls_key, "", name, base_dir };
	struct tls_files files = { NULL, NULL, NULL };
	enum herd_error error =
	    certificate_load(&clients, message, &files.clients);

	if (error == HERD_OK)
		error = certificate_load(&admin, message, &files.admin);
	if (error == HERD_OK)
		error = certificate_load(&http, message, &files.http);
	if (error == HERD_OK)
		*out = files;
	else
		tls_files_drop(&files);
	return error;
}

void
tls_files_drop(struct tls_files *files)
{
	certificate_drop(files->clients);
	certificate_drop(files->admin);
	certificate_drop(files->http);
	*files = (struct tls_files){ NULL, NULL, NULL };
}

static void
compare(struct certificate_slot *slot, struct ssl_ctx_st *context,
    const char *cert, const char *client_ca, struct reload *reload)
{
	struct certificate_hashes before = certificate_slot_hash(slot);
	struct certificate_hashes after = certificate_hash(context);

	if (cert != NULL && before.cert != after.cert)
		reload_applies(reload, cert);
	if (client_ca != NULL && before.client_ca != after.client_ca)
		reload_applies(reload, client_ca);
}

void
tls_files_compare(struct node *node, const struct herdfile *file,
    const struct tls_files *files, struct reload *reload)
{
	const struct settings *before = &node->file.settings;
	const struct settings *after = &file->settings;

	/* A setting that has changed is told anyway. */
#define NAME_OF(setting, name) \
	(strcmp(before->setting, after->setting) == 0 ? (name) : NULL)
	compare(&node->clients_tls.slot, files->clients,
	    NAME_OF(clients.tls_cert, "clients.tls_cert"),
	    NAME_OF(clients.client_ca, "clients.client_ca"), reload);
	compare(&node->admin_tls.slot, files->admin,
	    NAME_OF(admin.tls_cert, "admin.tls_cert"),
	    NAME_OF(admin.client_ca, "admin.client_ca"), reload);
	compare(&node->http_tls.slot, files->http,
	    NAME_OF(http.tls_cert, "http.tls_cert"), NULL, reload);
#undef NAME_OF
}

static void
log_certificate(
    const struct node *node, const char *listener, struct ssl_ctx_st *context)
{
	struct certificate_facts facts;
	int64_t left;
	time_t end;
	struct tm utc;
	char text[32] = "";

	if (context == NULL)
		return;
	facts = certificate_describe(context);
	end = (time_t)facts.expires;
	if (gmtime_r(&end, &utc) != NULL)
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	left = facts.expires - (int64_t)(clock_wall().ns / HERD_NS_PER_S);
	if (left < CERTIFICATE_SOON_S)
		LOG(node->log, LOG_WARN, "certificate",
		    log_text("listener", listener),
		    log_text("name", facts.name), log_text("expires", text),
		    log_text("error",
			left < 0 ? "it has expired" : "it expires soon"),
		    log_text("next", "put a new one in its place, then "
				     "herdctl config reload"));
	else
		LOG(node->log, LOG_INFO, "certificate",
		    log_text("listener", listener),
		    log_text("name", facts.name), log_text("expires", text));
}

void
tls_files_take(struct node *node, struct tls_files *files)
{
	log_certificate(node, "clients", files->clients);
	log_certificate(node, "admin", files->admin);
	log_certificate(node, "http", files->http);
	certificate_slot_set(&node->clients_tls.slot, files->clients);
	certificate_slot_set(&node->admin_tls.slot, files->admin);
	certificate_slot_set(&node->http_tls.slot, files->http);
	*files = (struct tls_files){ NULL, NULL, NULL };
}

unsigned
tls_files_shown(struct node *node, struct tls_shown out[TLS_SHOWN_MAX])
{
	const struct {
		const char *use;
		struct certificate_slot *slot;
	} slots[TLS_SHOWN_MAX] = {
		{ "clients", &node->clients_tls.slot },
		{ "admin", &node->admin_tls.slot },
		{ "http", &node->http_tls.slot },
	};
	unsigned count = 0;

	for (unsigned i = 0; i < TLS_SHOWN_MAX; i++) {
		out[count].use = slots[i].use;
		count +=
		    certificate_slot_describe(slots[i].slot, &out[count].facts);
	}
	return count;
}
