/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The address of a shared store, with a password that no message may have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres_url.h"

#include "fuzz.h"

#define SECRET "Xq7Secret7qX"

/* The secret is put where a '#' is. */
static char *
text_of_input(const uint8_t *data, size_t size)
{
	char *text = malloc(size * strlen(SECRET) + 1);
	size_t len = 0;

	assert(text != NULL);
	for (size_t i = 0; i < size && data[i] != '\0'; i++) {
		if (data[i] == '#') {
			memcpy(text + len, SECRET, strlen(SECRET));
			len += strlen(SECRET);
		} else {
			text[len++] = (char)data[i];
		}
	}
	text[len] = '\0';
	return text;
}

/* A password of the usual place: after the user, before the host. */
static bool
is_password(const char *text)
{
	const char *at = strstr(text, ":" SECRET "@");

	return at != NULL && strstr(at + 1, SECRET "@") != NULL &&
	       strstr(strstr(text, "//") == NULL ? text : strstr(text, "//"),
		   SECRET) == at + 1 &&
	       strstr(at + 2, SECRET) == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of_input(data, size);
	struct postgres_url url;
	struct buf message;
	enum herd_error error;

	buf_init(&message, 4096);
	error = postgres_url_parse(text, &url, &message);
	assert(error == HERD_OK || error == HERD_ESYNTAX);
	assert((error == HERD_OK) == (message.len == 0));
	if (message.len > 0)
		assert(strstr(buf_cstr(&message), SECRET) == NULL);
	for (unsigned i = 0; error == HERD_OK && i < url.count; i++)
		assert(url.is_verified ||
		       address_is_loopback(&url.hosts[i].address));
	if (error == HERD_OK && is_password(text))
		assert(strstr(url.shown, SECRET) == NULL);
	postgres_url_release(&url);
	buf_release(&message);
	free(text);
	return 0;
}
