/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/herd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/xbuf.h"
#include "herd/keyfile.h"
#include "herd/text.h"
#include "net/tls.h"

/* Errors only; `config check' has the warnings as well. */
static void
list_diagnostics(const char *path, const struct diagnostics *diagnostics,
    struct buf *message)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *d = &diagnostics->items[i];

		if (d->severity == DIAGNOSTIC_WARNING)
			continue;
		put_text(message, message->len > 0 ? "\n" : "");
		put_text(message, path);
		if (d->line > 0)
			putf(message, ":%u:%u", d->line, d->column);
		put_text(message, ": ");
		put_clean(message, span_from(d->text));
	}
}

enum status
herd_read_file(const char *path, struct herdfile *out, struct buf *message)
{
	struct buf text;
	struct diagnostics diagnostics;
	enum herd_error error;

	buf_init(&text, HERDFILE_BYTES_MAX);
	error = file_read(path, HERDFILE_BYTES_MAX, &text);
	if (error != HERD_OK) {
		putf(message, "cannot read %s: %s", path,
		    error == HERD_ESYSTEM ? file_strerror(errno)
					  : herd_strerror(error));
		buf_release(&text);
		return STATUS_LOCAL;
	}
	diagnostics_init(&diagnostics);
	error = herdfile_parse(buf_span(&text), out, &diagnostics);
	list_diagnostics(path, &diagnostics, message);
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
	user = path_config(PATH_USER_HERD);
	if (user != NULL && access(user, F_OK) == 0)
		return user;
	free(user);
	if (access(PATH_SYSTEM_HERD, F_OK) == 0)
		return xstrdup(PATH_SYSTEM_HERD);
	return NULL;
}

char *
herd_folder(const struct herd *herd)
{
	const char *slash = strrchr(herd->path, '/');

	return slash == NULL
		   ? xstrdup(".")
		   : xstrndup(herd->path, (size_t)(slash - herd->path) + 1);
}

/* --- tokens ---------------------------------------------------------- */

#define TOKEN_LEAST 16u /* bytes of one that a node takes */

/* Of several lines that are no tokens one might be another secret. */
static bool
are_tokens(const struct keyfile_words *words)
{
	for (unsigned i = 0; words->count > 1 && i < words->count; i++) {
		if (words->words[i].len < TOKEN_LEAST)
			return false;
	}
	return true;
}

/* STATUS_LOCAL: `message` says what is wrong with the file. */
static enum status
read_token(struct herd *herd, const struct keyfile *file, struct buf *message)
{
	struct keyfile_words words;
	enum herd_error error = keyfile_read_words(
	    file, KEYFILE_WORD, 1, KEYFILE_WORD_MAX, &words, message);

	if (error == HERD_ENOMEM)
		out_of_memory();
	if (error == HERD_OK && !are_tokens(&words)) {
		putf(message,
		    "%s %s: has words of less than %u bytes: are "
		    "these tokens?",
		    file->name, file->value, TOKEN_LEAST);
		keyfile_words_wipe(&words);
		return STATUS_LOCAL;
	}
	if (error != HERD_OK)
		return STATUS_LOCAL;
	herd->token = xstrndup(words.words[0].data, words.words[0].len);
	keyfile_words_wipe(&words);
	return STATUS_OK;
}

/*
 * A herd file names the token's file and the machine that gets the token. Only
 * a file that nobody else can write may do both.
 */
static bool
file_is_trusted(const char *path, struct buf *message)
{
	struct stat facts;

	if (stat(path, &facts) != 0) {
		putf(message, "%s: %s", path, strerror(errno));
		return false;
	}
	if ((facts.st_uid == 0 || facts.st_uid == geteuid()) &&
	    (facts.st_mode & S_IWOTH) == 0)
		return true;
	putf(message,
	    "%s can be changed by others: the token files that it names are "
	    "not read; name one with --token-file",
	    path);
	return false;
}

/* Tries the token that may write first, and reports its fault. */
static void
read_file_tokens(struct herd *herd)
{
	char *base = herd_folder(herd);
	/* The files are the service's, and root operates it. */
	bool any_owner = geteuid() == 0;
	const struct keyfile files[] = {
		{ "admin.token_file", herd->file.settings.admin.token_file, "",
		    base, any_owner },
		{ "admin.read_token_file",
		    herd->file.settings.admin.read_token_file, "", base,
		    any_owner },
	};
	struct buf message = XBUF;

	for (size_t i = 0; i < HERD_ARRAY_LEN(files); i++) {
		if (files[i].value[0] == '\0' || herd->token != NULL)
			continue;
		buf_clear(&message);
		if (file_is_trusted(herd->path, &message))
			(void)read_token(herd, &files[i], &message);
		if (herd->token == NULL && herd->token_fault == NULL)
			herd->token_fault = xstrdup(text_of(&message));
	}
	buf_release(&message);
	free(base);
}

/*
 * A context's secrets are for the herd that the context names, not for one
 * that a flag or a variable names in its place.
 */
static bool
is_for_this_herd(const struct prefs *prefs, enum pref_id id, enum pref_id herd)
{
	return !prefs->values[id].from_context ||
	       prefs->values[herd].text == NULL ||
	       prefs->values[herd].from_context;
}

/* `named`: the setting that names the herd. */
static enum status
find_token(struct herd *herd, const struct prefs *prefs, enum pref_id named,
    struct buf *message)
{
	const char *path = prefs_text(prefs, PREF_TOKEN_FILE);
	const struct keyfile file = { "token-file", path, NULL, NULL, false };
	bool is_ours = is_for_this_herd(prefs, PREF_TOKEN_FILE, named);

	herd->insecure = prefs_is(prefs, PREF_INSECURE) &&
			 is_for_this_herd(prefs, PREF_INSECURE, named);
	if (path != NULL && is_ours)
		return read_token(herd, &file, message);
	if (herd->has_file)
		read_file_tokens(herd);
	if (!is_ours && herd->token == NULL && herd->token_fault == NULL)
		herd->token_fault =
		    xstrdup("the context's token is for the context's herd "
			    "only; name one for this herd with --token-file");
	return STATUS_OK;
}

/* The token for a request to this listener over TCP. */
static enum status
token_for(const struct herd *herd, const struct address *admin,
    const char **token, struct buf *message)
{
	if (herd->token == NULL && herd->token_fault != NULL) {
		put_text(message, herd->token_fault);
		return STATUS_LOCAL;
	}
	if (herd->token != NULL && !herd->insecure && !herd->admin_tls &&
	    !address_is_loopback(admin)) {
		must(address_format(message, admin));
		put_text(message,
		    " is another machine, and the token would cross the "
		    "network in clear: give its herd TLS (admin.tls_cert), or "
		    "forward a port of this machine to it (ssh -L), or give "
		    "--insecure");
		return STATUS_LOCAL;
	}
	*token = herd->token;
	return STATUS_OK;
}

static void
add_way(struct admin_ways *ways, const struct address *address,
    const char *token, struct tls *tls)
{
	ways->items[ways->count++] = (struct admin_way){ *address, token, tls };
}

/* One over TCP, unless its token or the files for its TLS forbid it. */
static void
add_tcp_way(const struct herd *herd, struct admin_ways *ways,
    const struct address *address, struct buf *why)
{
	struct tls *tls = herd->admin_tls ? herd->tls : NULL;
	const char *token;

	buf_clear(why);
	if ((tls == NULL || tls_check(tls, why) == STATUS_OK) &&
	    token_for(herd, address, &token, why) == STATUS_OK)
		add_way(ways, address, token, tls);
}

static bool
has_tcp(const struct address_list *admin)
{
	for (unsigned i = 0; i < admin->count; i++)
		if (admin->items[i].kind == ADDRESS_TCP)
			return true;
	return false;
}

/* A socket of another machine does not. */
static bool
exists(const struct address *address)
{
	return access(address->path, F_OK) == 0 || errno != ENOENT;
}

enum status
herd_ways(const struct herd *herd, const struct address_list *admin,
    struct admin_ways *ways, struct buf *message)
{
	struct buf why = XBUF;

	*ways = (struct admin_ways){ 0 };
	for (unsigned i = 0; i < admin->count; i++)
		if (admin->items[i].kind == ADDRESS_UNIX &&
		    (!has_tcp(admin) || exists(&admin->items[i])))
			add_way(ways, &admin->items[i], NULL, NULL);
	for (unsigned i = 0; i < admin->count; i++)
		if (admin->items[i].kind == ADDRESS_TCP)
			add_tcp_way(herd, ways, &admin->items[i], &why);
	if (ways->count == 0)
		put_text(message, admin->count > 0
				      ? text_of(&why)
				      : "the herd file gives it no admin "
					"address");
	buf_release(&why);
	return ways->count > 0 ? STATUS_OK : STATUS_LOCAL;
}

/* --- TLS -------------------------------------------------------------- */

/*
 * The CA that the herd file names, as a path to free, or NULL. As with tokens,
 * who can change the file could name a node and its CA of their own.
 */
static char *
ca_of_file(const struct herd *herd)
{
	const char *name = herd->file.settings.ca_file;
	struct buf path = XBUF;
	char *base;

	if (name[0] == '\0' || !file_is_trusted(herd->path, &path)) {
		buf_release(&path);
		return NULL;
	}
	base = herd_folder(herd);
	must(herdfile_expand(&path, name, "", base));
	free(base);
	return text_take(&path);
}

/* A context's files are for the herd that the context names, as its token. */
static const char *
file_for(const struct prefs *prefs, enum pref_id id, enum pref_id named)
{
	return is_for_this_herd(prefs, id, named) ? prefs_text(prefs, id)
						  : NULL;
}

/* `ca`: what is trusted if no setting says it. */
static struct tls *
find_tls(const struct prefs *prefs, enum pref_id named, const char *ca)
{
	const char *chosen = file_for(prefs, PREF_CA_FILE, named);
	const struct tls_names files = {
		chosen != NULL ? chosen : ca,
		file_for(prefs, PREF_CERT_FILE, named),
		file_for(prefs, PREF_KEY_FILE, named),
	};

	return tls_new(&files);
}

/* --- the herd's nodes ------------------------------------------------ */

#define SCHEME "tls://"

/* One server: clients and admin are spoken to at the same address, each
 * command with the protocol that it needs; a socket is the admin's. */
static enum status
use_server(struct herd *herd, const struct prefs *prefs, const char *text,
    struct buf *message)
{
	bool has_tls = strncmp(text, SCHEME, strlen(SCHEME)) == 0;
	struct address address;

	if (address_parse(span_from(text + (has_tls ? strlen(SCHEME) : 0)),
		&address) != HERD_OK ||
	    (has_tls && address.kind != ADDRESS_TCP)) {
		put_text(message, "--server: `");
		put_clean(message, span_from(text));
		put_text(
		    message, "' is not HOST:PORT, tls://HOST:PORT or /SOCKET");
		return STATUS_USAGE;
	}
	herd->tls = find_tls(prefs, PREF_SERVER, NULL);
	herd->admin_tls = has_tls;
	herd->server_name = xstrdup(text);
	herd->targets = xcalloc(1, sizeof(*herd->targets));
	herd->count = 1;
	herd->targets[0].name = herd->server_name;
	herd->targets[0].admin =
	    (struct address_list){ .count = 1, .items = { address } };
	if (address.kind == ADDRESS_TCP)
		herd->targets[0].clients = address;
	if (has_tls)
		herd->targets[0].clients_tls = herd->tls;
	return STATUS_OK;
}

static enum status
use_file(struct herd *herd, const struct prefs *prefs, struct buf *message)
{
	enum status status;
	bool has_tls;
	char *ca;

	herd->path = find_file(prefs);
	if (herd->path == NULL) {
		put_text(message,
		    "no herd file: give one with -c FILE or HERD_CONF, or a "
		    "server with -s HOST:PORT");
		return STATUS_LOCAL;
	}
	status = herd_read_file(herd->path, &herd->file, message);
	if (status != STATUS_OK)
		return status;
	herd->has_file = true;
	ca = ca_of_file(herd);
	herd->tls = find_tls(prefs, PREF_CONF, ca);
	free(ca);
	herd->admin_tls = herd->file.settings.admin.tls_cert[0] != '\0';
	has_tls = herd->file.settings.clients.tls_cert[0] != '\0';
	herd->name = xstrdup(herd->file.herd);
	herd->count = herd->file.node_count;
	herd->targets = xcalloc(herd->count, sizeof(*herd->targets));
	for (size_t i = 0; i < herd->count; i++) {
		const struct herdfile_node *node = &herd->file.nodes[i];

		herd->targets[i] = (struct target){ .name = node->name,
			.clients = node->clients,
			.admin = node->admin,
			.clients_tls = has_tls ? herd->tls : NULL,
			.is_node = true };
	}
	return STATUS_OK;
}

/* Is one of its sockets on this machine? */
static bool
is_here(const struct address_list *admin)
{
	for (unsigned i = 0; i < admin->count; i++)
		if (admin->items[i].kind == ADDRESS_UNIX &&
		    access(admin->items[i].path, F_OK) == 0)
			return true;
	return false;
}

/* Found once, so that the choice stays when a socket goes away later. */
static size_t
find_nearest(const struct herd *herd)
{
	for (size_t i = 0; i < herd->count; i++)
		if (is_here(&herd->targets[i].admin))
			return i;
	return 0;
}

enum status
herd_load(const struct prefs *prefs, struct herd *out, struct buf *message)
{
	const struct pref_value *server = &prefs->values[PREF_SERVER];
	const struct pref_value *conf = &prefs->values[PREF_CONF];
	struct herd herd = { 0 };
	bool is_server = server->text != NULL &&
			 (conf->text == NULL || server->origin >= conf->origin);
	enum status status;

	if (is_server)
		status = use_server(&herd, prefs, server->text, message);
	else
		status = use_file(&herd, prefs, message);
	if (status == STATUS_OK)
		status = find_token(
		    &herd, prefs, is_server ? PREF_SERVER : PREF_CONF, message);
	if (status != STATUS_OK) {
		herd_release(&herd);
		return status;
	}
	herd.nearest = find_nearest(&herd);
	*out = herd;
	return STATUS_OK;
}

bool
herd_is_same(const struct prefs *a, const struct prefs *b)
{
	static const enum pref_id ids[] = { PREF_CONF, PREF_SERVER,
		PREF_TOKEN_FILE, PREF_INSECURE, PREF_CA_FILE, PREF_CERT_FILE,
		PREF_KEY_FILE };

	for (size_t i = 0; i < HERD_ARRAY_LEN(ids); i++) {
		const char *left = prefs_text(a, ids[i]);
		const char *right = prefs_text(b, ids[i]);

		if ((left == NULL) != (right == NULL) ||
		    (left != NULL && strcmp(left, right) != 0))
			return false;
	}
	return true;
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
	tls_drop(herd->tls);
	if (herd->token != NULL)
		explicit_bzero(herd->token, strlen(herd->token));
	free(herd->token);
	free(herd->token_fault);
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
