/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/address.h"

#include <string.h>

#include "herd/text.h"

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A resolver's name or a numeric IPv4 address. */
static bool
host_is_valid(struct span host)
{
	size_t i;
	char c;

	for (i = 0; i < host.len; i++) {
		c = host.data[i];
		if (!text_is_digit(c) && !is_letter(c) && c != '.' &&
		    c != '-' && c != '_')
			return false;
	}
	return host.len > 0;
}

/* The alphabet of IPv6 addresses with a scope; the system judges the rest. */
static bool
host6_is_valid(struct span host)
{
	bool scope = false;
	size_t i, colons = 0;
	char c;

	for (i = 0; i < host.len; i++) {
		c = host.data[i];
		if (c == '%')
			scope = true;
		else if (c == ':' && !scope)
			colons++;
		else if (!text_is_digit(c) && c != '.' &&
			 !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F') &&
			 !(scope && (is_letter(c) || c == '-' || c == '_')))
			return false;
	}
	return colons >= 2;
}

static enum herd_error
path_parse(struct span text, struct address *out)
{
	size_t i;

	if (text.len > ADDRESS_PATH_MAX)
		return HERD_ELIMIT;
	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
			return HERD_ESYNTAX;
	*out = (struct address){ .kind = ADDRESS_UNIX };
	memcpy(out->path, text.data, text.len);
	return HERD_OK;
}

/* Cuts "host:port" or "[v6]:port"; both parts without their punctuation. */
static enum herd_error
tcp_split(struct span text, struct span *host, struct span *port)
{
	const char *end;

	if (text.len == 0)
		return HERD_ESYNTAX;
	if (text.data[0] == '[') {
		end = memchr(text.data, ']', text.len);
		if (end == NULL)
			return HERD_ESYNTAX;
		*host = span_of(text.data + 1, (size_t)(end - text.data) - 1u);
		if (!host6_is_valid(*host))
			return HERD_ESYNTAX;
		end++;
	} else {
		end = memchr(text.data, ':', text.len);
		if (end == NULL)
			return HERD_ESYNTAX;
		*host = span_of(text.data, (size_t)(end - text.data));
		if (!host_is_valid(*host))
			return HERD_ESYNTAX;
	}
	*port = span_of(end, text.len - (size_t)(end - text.data));
	if (port->len == 0 || port->data[0] != ':')
		return HERD_ESYNTAX;
	port->data++;
	port->len--;
	return HERD_OK;
}

enum herd_error
address_parse(struct span text, struct address *out)
{
	struct span host, port;
	uint64_t number;
	enum herd_error error;

	if (text.len > 0 && text.data[0] == '/')
		return path_parse(text, out);
	error = tcp_split(text, &host, &port);
	if (error != HERD_OK)
		return error;
	error = text_to_u64(port, 0, UINT16_MAX, &number);
	if (error != HERD_OK)
		return error;
	if (host.len > ADDRESS_HOST_MAX)
		return HERD_ELIMIT;
	*out =
	    (struct address){ .kind = ADDRESS_TCP, .port = (uint16_t)number };
	memcpy(out->host, host.data, host.len);
	return HERD_OK;
}

enum herd_error
address_format(struct buf *out, const struct address *address)
{
	switch (address->kind) {
	case ADDRESS_NONE: return HERD_OK;
	case ADDRESS_UNIX: return buf_add_text(out, address->path);
	case ADDRESS_TCP:
		if (strchr(address->host, ':') != NULL)
			return buf_addf(out, "[%s]:%u", address->host,
			    (unsigned)address->port);
		return buf_addf(
		    out, "%s:%u", address->host, (unsigned)address->port);
	}
	return HERD_ESYNTAX;
}

bool
address_equal(const struct address *a, const struct address *b)
{
	return a->kind == b->kind && a->port == b->port &&
	       strcmp(a->host, b->host) == 0 && strcmp(a->path, b->path) == 0;
}

enum herd_error
address_list_format(struct buf *out, const struct address_list *list)
{
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < list->count && error == HERD_OK; i++) {
		error = buf_add_text(out, i == 0 ? "" : ", ");
		if (error == HERD_OK)
			error = address_format(out, &list->items[i]);
	}
	return error;
}

bool
address_list_equal(const struct address_list *a, const struct address_list *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!address_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

/* Four decimal numbers up to 255, the first one 127. */
static bool
is_loopback4(struct span host)
{
	struct span part;
	const char *dot;
	uint64_t number;
	size_t i;

	for (i = 0; i < 4; i++) {
		dot = host.len == 0 ? NULL : memchr(host.data, '.', host.len);
		if ((dot == NULL) != (i == 3))
			return false;
		part = host;
		if (dot != NULL)
			part.len = (size_t)(dot - host.data);
		if (part.len > 3 ||
		    text_to_u64(part, 0, 255, &number) != HERD_OK ||
		    (i == 0 && number != 127))
			return false;
		if (dot != NULL)
			host = span_of(dot + 1, host.len - part.len - 1u);
	}
	return true;
}

bool
address_is_loopback(const struct address *address)
{
	switch (address->kind) {
	case ADDRESS_NONE: return false;
	case ADDRESS_UNIX: return true;
	case ADDRESS_TCP:
		return strcmp(address->host, "localhost") == 0 ||
		       strcmp(address->host, "::1") == 0 ||
		       is_loopback4(span_from(address->host));
	}
	return false;
}

bool
address_is_anywhere(const struct address *address)
{
	return address->kind == ADDRESS_TCP &&
	       (strcmp(address->host, "0.0.0.0") == 0 ||
		   strcmp(address->host, "::") == 0);
}

bool
address_is_numeric(struct span host)
{
	static const char characters[] = "0123456789abcdefABCDEF.:";
	bool has_mark = host.len == 0;

	for (size_t i = 0; i < host.len; i++) {
		if (memchr(characters, host.data[i], sizeof(characters) - 1) ==
		    NULL)
			return false;
		has_mark |= host.data[i] == '.' || host.data[i] == ':';
	}
	return has_mark;
}

/* The part of a URL between the slashes: user, host and port. */
static struct span
url_authority(const char *url)
{
	const char *start = strstr(url, "://");
	size_t len = 0;

	if (start == NULL)
		return span_of(url, 0);
	start += 3;
	while (start[len] != '\0' && strchr("/?#", start[len]) == NULL)
		len++;
	return span_of(start, len);
}

static bool
authority_is_loopback(struct span text)
{
	char with_port[ADDRESS_HOST_MAX + 16];
	struct address address;

	if (address_parse(text, &address) == HERD_OK)
		return address_is_loopback(&address);
	if (text.len + 3 > sizeof(with_port))
		return false;
	memcpy(with_port, text.data, text.len);
	memcpy(with_port + text.len, ":80", 3);
	return address_parse(span_of(with_port, text.len + 3), &address) ==
		   HERD_OK &&
	       address_is_loopback(&address);
}

const char *
address_url_fault(const char *url)
{
	struct span authority = url_authority(url);

	if (authority.len > 0 &&
	    memchr(authority.data, '@', authority.len) != NULL)
		return "has a user's name before its host, but the herd file "
		       "must not have passwords";
	if (strncmp(url, "https://", 8) != 0 &&
	    (strncmp(url, "http://", 7) != 0 ||
		!authority_is_loopback(authority)))
		return "must begin with https:// (http:// is for a service on "
		       "this machine)";
	if (authority.len == 0)
		return "has no host";
	for (const char *at = url; *at != '\0'; at++) {
		if (*at <= ' ' || *at > '~' || *at == '?' || *at == '#')
			return "is not scheme, host and path";
	}
	return NULL;
}
