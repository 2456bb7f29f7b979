/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "herd/text.h"
#include "paths.h"
#include "xbuf.h"

#define TOKEN_MAX 4096u

static void
list_diagnostics(const char *path, const struct diagnostics *diagnostics,
    struct buf *message, struct buf *warnings)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *d = &diagnostics->items[i];
		bool warning = d->severity == DIAGNOSTIC_WARNING;
		struct buf *out = warning ? warnings : message;

		if (out == NULL)
			continue;
		if (out->len > 0)
			put_byte(out, '\n');
		put_text(out, path);
		if (d->line > 0)
			putf(out, ":%u:%u", d->line, d->column);
		put_text(out, warning ? ": warning: " : ": ");
		put_clean(out, span_from(d->text));
	}
}

enum status
herd_read_file(const char *path, struct herdfile *out, struct buf *message,
    struct buf *warnings)
{
	struct buf text;
	struct diagnostics diagnostics;
	enum herd_error error;

	buf_init(&text, HERDFILE_BYTES_MAX);
	error = file_read(path, HERDFILE_BYTES_MAX, &text);
	if (error != HERD_OK) {
		putf(message, "cannot read %s: %s", path,
		    error == HERD_ESYSTEM ? strerror(errno)
					  : herd_strerror(error));
		buf_release(&text);
		return STATUS_LOCAL;
	}
	diagnostics_init(&diagnostics);
	error = herdfile_parse(buf_span(&text), out, &diagnostics);
	list_diagnostics(path, &diagnostics, message, warnings);
	diagnostics_release(&diagnostics);
	buf_release(&text);
	if (error == HERD_ENOMEM)
		out_of_memory();
	return error == HERD_OK ? STATUS_OK : STATUS_LOCAL;
}

/* Gives the path of the herd file that is to be used, or NULL. */
static char *
find_file(const struct prefs *prefs)
{
	const char *named = prefs_text(prefs, PREF_CONF);
	char *user;

	if (named != NULL)
		return xstrdup(named);
	if (access(PATH_HERE, F_OK) == 0)
		return xstrdup("./" PATH_HERE);
	user = path_user_herd();
	if (user != NULL && access(user, F_OK) == 0)
		return user;
	free(user);
	if (access(PATH_SYSTEM_HERD, F_OK) == 0)
		return xstrdup(PATH_SYSTEM_HERD);
	return NULL;
}

static void
read_token(struct herd *herd, const char *path)
{
	struct buf text;
	struct span token;

	buf_init(&text, TOKEN_MAX);
	/* A token that this user must not read may not be needed either. */
	if (file_read(path, TOKEN_MAX, &text) == HERD_OK) {
		token = text_trim(buf_span(&text));
		herd->token = xstrndup(token.data, token.len);
	}
	buf_release(&text);
}

static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? xstrdup(".")
			     : xstrndup(path, (size_t)(slash - path) + 1);
}

/* What may be written is asked for first. */
static void
find_token(struct herd *herd, const struct prefs *prefs)
{
	const char *named = prefs_text(prefs, PREF_TOKEN_FILE);
	const char *const *path;
	const char *paths[3] = { NULL, NULL, NULL };
	char *base;

	if (named != NULL) {
		read_token(herd, named);
		return;
	}
	if (!herd->has_file)
		return;
	paths[0] = herd->file.settings.admin.token_file;
	paths[1] = herd->file.settings.admin.read_token_file;
	base = directory_of(herd->path);
	for (path = paths; *path != NULL && herd->token == NULL; path++) {
		struct buf expanded;

		buf_init(&expanded, XBUF_MAX);
		if ((*path)[0] != '\0' &&
		    herdfile_expand(&expanded, *path, "", base) == HERD_OK)
			read_token(herd, text_of(&expanded));
		buf_release(&expanded);
	}
	free(base);
}

/* One server: clients and admin are spoken to at the same address, each
 * command with the protocol that it needs; a socket is the admin's. */
static enum status
use_server(struct herd *herd, const char *text, struct buf *message)
{
	struct address address;

	if (address_parse(span_from(text), &address) != HERD_OK) {
		put_text(message, "--server: `");
		put_clean(message, span_from(text));
		put_text(message, "' is not HOST:PORT or /SOCKET");
		return STATUS_USAGE;
	}
	herd->server_name = xstrdup(text);
	herd->targets = xcalloc(1, sizeof(*herd->targets));
	herd->count = 1;
	herd->targets[0].name = herd->server_name;
	herd->targets[0].admin = address;
	if (address.kind == ADDRESS_TCP)
		herd->targets[0].clients = address;
	return STATUS_OK;
}

static enum status
use_file(struct herd *herd, const struct prefs *prefs, struct buf *message)
{
	enum status status;

	herd->path = find_file(prefs);
	if (herd->path == NULL) {
		put_text(message,
		    "no herd file: give one with -c FILE or HERD_CONF, or a "
		    "server with -s HOST:PORT");
		return STATUS_LOCAL;
	}
	status = herd_read_file(herd->path, &herd->file, message, NULL);
	if (status != STATUS_OK)
		return status;
	herd->has_file = true;
	herd->name = xstrdup(herd->file.herd);
	herd->count = herd->file.node_count;
	herd->targets = xcalloc(herd->count, sizeof(*herd->targets));
	for (size_t i = 0; i < herd->count; i++) {
		const struct herdfile_node *node = &herd->file.nodes[i];

		herd->targets[i] = (struct target){ .name = node->name,
			.clients = node->clients,
			.admin = node->admin,
			.is_node = true };
	}
	return STATUS_OK;
}

/* Once: a node whose socket goes away later is still the one meant. */
static size_t
find_nearest(const struct herd *herd)
{
	for (size_t i = 0; i < herd->count; i++) {
		const struct address *admin = &herd->targets[i].admin;

		if (admin->kind == ADDRESS_UNIX &&
		    access(admin->path, F_OK) == 0)
			return i;
	}
	return 0;
}

enum status
herd_load(const struct prefs *prefs, struct herd *out, struct buf *message)
{
	const struct pref_value *server = &prefs->values[PREF_SERVER];
	const struct pref_value *conf = &prefs->values[PREF_CONF];
	struct herd herd = { 0 };
	enum status status;

	if (server->text != NULL &&
	    (conf->text == NULL || server->origin >= conf->origin))
		status = use_server(&herd, server->text, message);
	else
		status = use_file(&herd, prefs, message);
	if (status != STATUS_OK) {
		herd_release(&herd);
		return status;
	}
	find_token(&herd, prefs);
	herd.nearest = find_nearest(&herd);
	*out = herd;
	return STATUS_OK;
}

void
herd_release(struct herd *herd)
{
	if (herd->has_file)
		herdfile_release(&herd->file);
	free(herd->name);
	free(herd->path);
	free(herd->server_name);
	free(herd->targets);
	if (herd->token != NULL)
		explicit_bzero(herd->token, strlen(herd->token));
	free(herd->token);
	*herd = (struct herd){ 0 };
}

size_t
herd_find(const struct herd *herd, const char *name)
{
	size_t i;

	for (i = 0; i < herd->count; i++) {
		if (strcmp(herd->targets[i].name, name) == 0)
			break;
	}
	return i;
}
