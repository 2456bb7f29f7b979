/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/users_file.h"

#include <stdlib.h>

#include "herd/text.h"

#define KEY_MARK "key"

/* --- names ---------------------------------------------------------------- */

bool
users_file_name_is_valid(struct span name)
{
	struct span rest = name;

	if (name.len == 0 || name.len > USERS_NAME_MAX || name.data[0] == '#')
		return false;
	while (rest.len > 0) {
		size_t n = text_shown(rest);

		if (n == 0 || strchr(" :/,", rest.data[0]) != NULL)
			return false;
		rest = span_of(rest.data + n, rest.len - n);
	}
	return true;
}

bool
users_file_split(struct span name, struct span *user, struct span *device)
{
	bool has_device = span_find(name, '/') != NULL;

	*user = span_cut(&name, '/');
	*device = has_device ? name : span_of("", 0);
	return users_file_name_is_valid(*user) &&
	       (!has_device || users_file_name_is_valid(*device));
}

/* --- lines ---------------------------------------------------------------- */

static int
hex_value(char c)
{
	if (text_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
digest_parse(struct span text, uint8_t digest[USERS_DIGEST])
{
	if (text.len != 2u * USERS_DIGEST)
		return false;
	for (size_t i = 0; i < USERS_DIGEST; i++) {
		int high = hex_value(text.data[2 * i]);
		int low = hex_value(text.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool
hash_is_valid(struct span hash)
{
	if (hash.len < 2 || hash.len >= USERS_HASH_MAX || hash.data[0] != '$')
		return false;
	for (size_t i = 0; i < hash.len; i++) {
		if (hash.data[i] < '!' || hash.data[i] > '~')
			return false;
	}
	return true;
}

static bool
devices_are_valid(struct span list)
{
	for (unsigned i = 0; i < USERS_DEVICES_MAX; i++) {
		bool last = span_find(list, ',') == NULL;

		if (!users_file_name_is_valid(span_cut(&list, ',')))
			return false;
		if (last)
			return true;
	}
	return false;
}

/* What is wrong with the rest of a device's line, or NULL. */
static const char *
key_fault(struct span rest, struct users_entry *entry)
{
	if (!span_is(span_cut(&rest, ':'), KEY_MARK))
		return "a device has a key, not a password: "
		       "USER/DEVICE:key:SHA256";
	if (!digest_parse(rest, entry->digest))
		return "a key is kept as its SHA-256, 64 digits and small "
		       "letters a to f";
	return NULL;
}

/* What is wrong with the rest of a user's line, or NULL. */
static const char *
user_fault(struct span rest, struct users_entry *entry)
{
	bool has_list;

	entry->hash = span_cut(&rest, ':');
	has_list = rest.data != entry->hash.data + entry->hash.len;
	entry->devices = rest;
	if (!hash_is_valid(entry->hash))
		return "no hash of crypt(3), which begins with $, follows the "
		       "name; `herdctl user add' makes one";
	if (has_list && !devices_are_valid(rest))
		return "the list after the hash is not of 1 to 32 devices with "
		       "commas between them";
	return NULL;
}

bool
users_file_line(struct span line, struct users_entry *entry, const char **why)
{
	struct span rest = text_trim(line);

	*why = NULL;
	*entry = (struct users_entry){ .hash = span_of("", 0) };
	if (rest.len == 0 || rest.data[0] == '#')
		return false;
	entry->name = span_cut(&rest, ':');
	if (!users_file_split(entry->name, &entry->user, &entry->device))
		*why = "the line does not begin with USER: or USER/DEVICE:, "
		       "of 1 to 64 bytes each, without spaces and controls";
	else
		*why = entry->device.len > 0 ? key_fault(rest, entry)
					     : user_fault(rest, entry);
	return *why == NULL;
}

/* --- the order ------------------------------------------------------------ */

static int
name_compare(const void *a, const void *b)
{
	const struct users_entry *left = a, *right = b;
	int order = span_compare(left->name, right->name);

	return order != 0
		   ? order
		   : (left->line > right->line) - (left->line < right->line);
}

static int
digest_compare(const void *a, const void *b)
{
	const struct users_entry *const *left = a, *const *right = b;
	int order = memcmp((*left)->digest, (*right)->digest, USERS_DIGEST);

	return order != 0 ? order
			  : ((*left)->line > (*right)->line) -
				((*left)->line < (*right)->line);
}

static enum herd_error HERD_PRINTF(4, 5) refuse(struct buf *message,
    enum herd_error error, unsigned line, const char *fmt, ...)
{
	enum herd_error failed = buf_addf(message, "line %u: ", line);
	va_list args;

	va_start(args, fmt);
	if (failed == HERD_OK)
		failed = buf_addv(message, fmt, args);
	va_end(args);
	return failed != HERD_OK ? failed : error;
}

/* A name twice, or more keys than a user may have devices. */
static enum herd_error
check_names(const struct users_file *file, struct buf *message)
{
	const struct users_entry *entries = file->entries;
	unsigned devices = 0;

	for (size_t i = 1; i < file->count; i++) {
		const struct users_entry *before = &entries[i - 1];
		const struct users_entry *entry = &entries[i];
		bool more = before->device.len > 0 && entry->device.len > 0 &&
			    span_equal(before->user, entry->user);

		devices = more ? devices + 1 : 0;
		if (span_equal(before->name, entry->name))
			return refuse(message, HERD_ESYNTAX, entry->line,
			    "line %u has that name already; remove one of them",
			    before->line);
		if (devices >= USERS_DEVICES_MAX)
			return refuse(message, HERD_ELIMIT, entry->line,
			    "a user has at most %u devices with a key",
			    USERS_DEVICES_MAX);
	}
	return HERD_OK;
}

static enum herd_error
check_keys(const struct users_file *file, struct buf *message)
{
	for (size_t i = 1; i < file->key_count; i++) {
		const struct users_entry *before = file->keys[i - 1];
		const struct users_entry *entry = file->keys[i];

		if (memcmp(before->digest, entry->digest, USERS_DIGEST) == 0)
			return refuse(message, HERD_ESYNTAX, entry->line,
			    "line %u has that key already; give each device "
			    "a key of its own",
			    before->line);
	}
	return HERD_OK;
}

/* Puts the entries into their orders. */
static enum herd_error
put_in_order(struct users_file *file, struct buf *message)
{
	enum herd_error error;

	if (file->count == 0)
		return HERD_OK;
	file->keys = calloc(file->count, sizeof(file->keys[0]));
	if (file->keys == NULL)
		return HERD_ENOMEM;
	qsort(
	    file->entries, file->count, sizeof(file->entries[0]), name_compare);
	for (size_t i = 0; i < file->count; i++) {
		if (file->entries[i].device.len > 0)
			file->keys[file->key_count++] = &file->entries[i];
	}
	qsort(
	    file->keys, file->key_count, sizeof(file->keys[0]), digest_compare);
	error = check_names(file, message);
	return error != HERD_OK ? error : check_keys(file, message);
}

/* --- files ---------------------------------------------------------------- */

static size_t
count_lines(struct span text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == '\n';
	return count;
}

/* There is an entry for each line. */
static enum herd_error
read_lines(struct users_file *file, struct span text, struct buf *message)
{
	for (unsigned line = 1; text.len > 0; line++) {
		struct users_entry *entry = &file->entries[file->count];
		const char *why;

		if (users_file_line(span_cut(&text, '\n'), entry, &why)) {
			entry->line = line;
			file->count++;
		} else if (why != NULL) {
			return refuse(message, HERD_ESYNTAX, line, "%s", why);
		}
	}
	return put_in_order(file, message);
}

/* Takes `text`, which is allocated. */
static enum herd_error
take_text(char *text, size_t len, struct users_file *out, struct buf *message)
{
	struct users_file file = { .text = text, .len = len };
	struct span span = text_without_bom(span_of(text, len));
	size_t lines = count_lines(span);
	enum herd_error error;

	if (lines > USERS_FILE_LINES_MAX) {
		error = refuse(message, HERD_ELIMIT, USERS_FILE_LINES_MAX,
		    "more lines than a users file may have");
	} else {
		file.entries = calloc(lines, sizeof(file.entries[0]));
		error = file.entries == NULL ? HERD_ENOMEM
					     : read_lines(&file, span, message);
	}
	if (error == HERD_OK)
		*out = file;
	else
		users_file_release(&file);
	return error;
}

enum herd_error
users_file_parse(struct span text, struct users_file *out, struct buf *message)
{
	char *copy;

	if (text.len > USERS_FILE_BYTES_MAX)
		return refuse(message, HERD_ELIMIT, 1,
		    "the file is longer than %u bytes", USERS_FILE_BYTES_MAX);
	copy = malloc(text.len + 1u);
	if (copy == NULL)
		return HERD_ENOMEM;
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	return take_text(copy, text.len, out, message);
}

enum herd_error
users_file_read(
    const struct keyfile *file, struct users_file *out, struct buf *message)
{
	char *text = malloc(USERS_FILE_BYTES_MAX + 1u);
	size_t before = message->len, len = 0;
	enum herd_error error;

	if (text == NULL)
		return HERD_ENOMEM;
	error =
	    keyfile_read(file, 0, USERS_FILE_BYTES_MAX, text, &len, message);
	if (error != HERD_OK) {
		free(text);
		return error;
	}
	error = buf_addf(message, "%s %s: ", file->name, file->value);
	if (error == HERD_OK)
		error = users_file_parse(span_of(text, len), out, message);
	if (error == HERD_OK)
		buf_truncate(message, before);
	explicit_bzero(text, len);
	free(text);
	return error;
}

void
users_file_release(struct users_file *file)
{
	if (file->text != NULL)
		explicit_bzero(file->text, file->len);
	free(file->text);
	free(file->entries);
	free(file->keys);
	*file = (struct users_file){ 0 };
}

/* --- looking up ----------------------------------------------------------- */

static int
find_name(const void *key, const void *item)
{
	const struct span *name = key;
	const struct users_entry *entry = item;

	return span_compare(*name, entry->name);
}

const struct users_entry *
users_file_find(const struct users_file *file, struct span name)
{
	return file->count == 0 ? NULL
				: bsearch(&name, file->entries, file->count,
				      sizeof(file->entries[0]), find_name);
}

static int
find_digest(const void *key, const void *item)
{
	const struct users_entry *const *entry = item;

	return memcmp(key, (*entry)->digest, USERS_DIGEST);
}

const struct users_entry *
users_file_key(
    const struct users_file *file, const uint8_t digest[USERS_DIGEST])
{
	const struct users_entry *const *found =
	    file->key_count == 0 ? NULL
				 : bsearch(digest, file->keys, file->key_count,
				       sizeof(file->keys[0]), find_digest);

	return found == NULL ? NULL : *found;
}

bool
users_file_allows(const struct users_entry *user, struct span device)
{
	struct span list = user->devices;

	while (list.len > 0) {
		if (span_equal(span_cut(&list, ','), device))
			return true;
	}
	return user->devices.len == 0;
}
