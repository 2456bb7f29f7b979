/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/secret.h"

#include "herd/keyfile.h"

_Static_assert(SECRET_LEN_MAX == KEYFILE_WORD_MAX, "a key is a file's word");

enum herd_error
secret_load(const char *setting, const char *node, const char *base_dir,
    struct secret *out, struct buf *message)
{
	const struct keyfile file = { "places.key_file", setting, node,
		base_dir };

	return keyfile_read_word(&file, out->text, &out->len, message);
}

void
secret_wipe(struct secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}

/* Where the key begins in `text`; NULL: nowhere. */
static const char *
find(const struct secret *secret, struct span text)
{
	return secret->len == 0
		   ? NULL
		   : memmem(text.data, text.len, secret->text, secret->len);
}

bool
secret_is_in(const struct secret *secret, struct span text)
{
	return find(secret, text) != NULL;
}

enum herd_error
secret_mask(const struct secret *secret, struct span text, struct buf *out)
{
	enum herd_error error = HERD_OK;
	const char *at;

	while (error == HERD_OK && (at = find(secret, text)) != NULL) {
		size_t before = (size_t)(at - text.data);

		error = buf_add(out, text.data, before);
		if (error == HERD_OK)
			error = buf_add_text(out, SECRET_MASK);
		text =
		    span_of(at + secret->len, text.len - before - secret->len);
	}
	return error == HERD_OK ? buf_add_span(out, text) : error;
}
