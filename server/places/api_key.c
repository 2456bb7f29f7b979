/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/api_key.h"

#include "herd/keyfile.h"

_Static_assert(API_KEY_LEN_MAX == KEYFILE_WORD_MAX, "a key is a file's word");

enum herd_error
api_key_load(const char *setting, const char *node, const char *base_dir,
    struct api_key *out, struct buf *message)
{
	const struct keyfile file = { "places.key_file", setting, node,
		base_dir, false };

	return keyfile_read_word(&file, out->text, &out->len, message);
}

/* Where the key begins in `text`; NULL: nowhere. */
static const char *
find(const struct api_key *key, struct span text)
{
	return key->len == 0 ? NULL
			     : memmem(text.data, text.len, key->text, key->len);
}

bool
api_key_is_in(const struct api_key *key, struct span text)
{
	return find(key, text) != NULL;
}

enum herd_error
api_key_mask(const struct api_key *key, struct span text, struct buf *out)
{
	enum herd_error error = HERD_OK;
	const char *at;

	while (error == HERD_OK && (at = find(key, text)) != NULL) {
		size_t before = (size_t)(at - text.data);

		error = buf_add(out, text.data, before);
		if (error == HERD_OK)
			error = buf_add_text(out, API_KEY_MASK);
		text = span_of(at + key->len, text.len - before - key->len);
	}
	return error == HERD_OK ? buf_add_span(out, text) : error;
}
