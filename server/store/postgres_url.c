/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/postgres_url.h"

#include <stdio.h>
#include <stdlib.h>

#include "herd/keyfile.h"
#include "herd/text.h"

#define URL_LEN_MIN 8u
#define URL_LEN_MAX 4096u
#define PORT_DEFAULT 5432u

static const char FORM[] =
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full";

static const char *
option_of(const struct postgres_url *url, const char *keyword)
{
	const PQconninfoOption *at = url->options;

	while (at->keyword != NULL && strcmp(at->keyword, keyword) != 0)
		at++;
	return at->keyword == NULL || at->val == NULL ? "" : at->val;
}

static enum herd_error
refuse(struct buf *message, const char *what)
{
	return buf_addf(message,
		   "store.url_file: the file's address %s; it has the form %s",
		   what, FORM) == HERD_OK
		   ? HERD_ESYNTAX
		   : HERD_ENOMEM;
}

static bool
take_text(struct span *rest, char out[POSTGRES_HOST_MAX + 1])
{
	struct span word = span_cut(rest, ',');

	if (word.len > POSTGRES_HOST_MAX)
		return false;
	if (word.len > 0)
		memcpy(out, word.data, word.len);
	out[word.len] = '\0';
	return true;
}

/* One port for all hosts, or one for each; an empty one is the usual. */
static bool
take_port(struct span *rest, const char *all, uint16_t *port)
{
	struct span word = span_cut(rest, ',');
	uint64_t number = PORT_DEFAULT;

	if (word.len == 0 && strchr(all, ',') == NULL)
		word = span_from(all);
	if (word.len > 0 && text_to_u64(word, 1, 65535, &number) != HERD_OK)
		return false;
	*port = (uint16_t)number;
	return true;
}

/* What of it tells where it is: a socket's folder, a number, a name. */
static const char *
set_address(struct postgres_host *host, uint16_t port)
{
	const char *where =
	    host->numeric[0] != '\0' ? host->numeric : host->host;

	host->address = (struct address){ .kind = ADDRESS_TCP, .port = port };
	if (host->host[0] == '\0')
		return "names no host";
	if (where[0] == '/') {
		host->address.kind = ADDRESS_UNIX;
		return NULL;
	}
	if (where[0] == '@')
		return "has a socket without a folder";
	snprintf(host->address.host, sizeof(host->address.host), "%s", where);
	return NULL;
}

static const char *
read_hosts(struct postgres_url *url)
{
	const char *ports = option_of(url, "port");
	struct span hosts = span_from(option_of(url, "host"));
	struct span numbers = span_from(option_of(url, "hostaddr"));
	struct span rest = span_from(ports);

	do {
		struct postgres_host *host = &url->hosts[url->count];
		const char *wrong;
		uint16_t port;

		if (url->count == POSTGRES_HOSTS_MAX)
			return "names too many hosts";
		if (!take_text(&hosts, host->host) ||
		    !take_text(&numbers, host->numeric) ||
		    !take_port(&rest, ports, &port))
			return "has a bad host or port";
		wrong = set_address(host, port);
		if (wrong != NULL)
			return wrong;
		if (!url->is_verified && !address_is_loopback(&host->address))
			return "leaves this machine without "
			       "sslmode=verify-full";
		url->count++;
	} while (hosts.len > 0);
	return NULL;
}

static void
show(struct postgres_url *url)
{
	snprintf(url->shown, sizeof(url->shown), "%.60s%s%.100s/%.60s",
	    option_of(url, "user"),
	    option_of(url, "user")[0] == '\0' ? "" : "@",
	    option_of(url, "host"), option_of(url, "dbname"));
}

/* libpq's own messages are not passed on: they quote the password. */
enum herd_error
postgres_url_parse(
    const char *text, struct postgres_url *out, struct buf *message)
{
	const char *wrong;

	*out = (struct postgres_url){ 0 };
	if (strncmp(text, "postgresql://", 13) != 0 &&
	    strncmp(text, "postgres://", 11) != 0)
		return refuse(message, "does not begin with postgresql://");
	out->options = PQconninfoParse(text, NULL);
	if (out->options == NULL)
		return refuse(message, "is malformed");
	out->is_verified =
	    strcmp(option_of(out, "sslmode"), "verify-full") == 0;
	wrong = read_hosts(out);
	if (wrong != NULL)
		return refuse(message, wrong);
	show(out);
	return HERD_OK;
}

enum herd_error
postgres_url_read(
    const char *url_file, struct postgres_url *out, struct buf *message)
{
	const struct keyfile file = { "store.url_file", url_file, NULL, NULL,
		false };
	char text[URL_LEN_MAX + 1];
	size_t len = 0;
	enum herd_error error =
	    keyfile_read(&file, URL_LEN_MIN, URL_LEN_MAX, text, &len, message);

	*out = (struct postgres_url){ 0 };
	if (error != HERD_OK)
		return error;
	text[len] = '\0';
	error = postgres_url_parse(text, out, message);
	explicit_bzero(text, sizeof(text));
	return error;
}

void
postgres_url_release(struct postgres_url *url)
{
	for (PQconninfoOption *at = url->options;
	     at != NULL && at->keyword != NULL; at++) {
		if (at->val != NULL && strcmp(at->keyword, "password") == 0)
			explicit_bzero(at->val, strlen(at->val));
	}
	PQconninfoFree(url->options);
	url->options = NULL;
}
