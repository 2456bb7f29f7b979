/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of those who may report over HTTP (http.users_file): lines
 *
 *     USER:HASH             a user with a password, as crypt(3) keeps it
 *     USER:HASH:DEV,DEV     the same, who may name these devices only
 *     USER/DEVICE:key:HEX   a device's key: the SHA-256 of its text
 *
 * Empty lines and those that begin with # are comments. A name is on one line
 * only. No hash is computed here: see herd/users_hash.h.
 */
#ifndef HERD_USERS_FILE_H
#define HERD_USERS_FILE_H

#include <stdint.h>

#include "herd/keyfile.h"

#define USERS_FILE_BYTES_MAX (8u << 20)
#define USERS_FILE_LINES_MAX 65536u
#define USERS_NAME_MAX 64u    /* of a user, and of a device */
#define USERS_DEVICES_MAX 32u /* of a user */
#define USERS_HASH_MAX 384u   /* crypt(3)'s CRYPT_OUTPUT_SIZE */
#define USERS_DIGEST 32u      /* bytes of a SHA-256 */

struct users_entry {
	struct span name;    /* USER or USER/DEVICE */
	struct span user;    /* its beginning */
	struct span device;  /* of a key; else empty */
	struct span hash;    /* of a user, in printable ASCII */
	struct span devices; /* of a user, commas between; empty: any */
	uint8_t digest[USERS_DIGEST]; /* of a key */
	unsigned line;                /* from 1 */
};

struct users_file {
	struct users_entry *entries; /* by name */
	size_t count;
	const struct users_entry **keys; /* those with a device, by digest */
	size_t key_count;
	char *text; /* where the spans are */
	size_t len;
};

/*
 * A user's or a device's name: 1 to USERS_NAME_MAX bytes of UTF-8 without
 * white space, controls, ':', '/' and ',', and no # at its beginning.
 */
bool users_file_name_is_valid(struct span name);

/* Splits USER/DEVICE, or USER with an empty device, into two valid names. */
bool users_file_split(struct span name, struct span *user, struct span *device);

/*
 * Reads one line, which `entry` borrows. False: `why` says what is wrong with
 * it; NULL if it is a comment. No text of the line is in `why`.
 */
bool users_file_line(
    struct span line, struct users_entry *entry, const char **why);

/*
 * Reads a whole text. On success *out is given (release it). HERD_ESYNTAX,
 * HERD_ELIMIT: "line 3: ..." is appended to `message`, without any hash.
 * HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error users_file_parse(
    struct span text, struct users_file *out, struct buf *message);

/* The same for a file, with keyfile_read()'s rules and errors. */
HERD_MUST_CHECK enum herd_error users_file_read(
    const struct keyfile *file, struct users_file *out, struct buf *message);

/* Wipes and frees it; fine for one that is all zero. */
void users_file_release(struct users_file *file);

/* The entry of USER or USER/DEVICE, or NULL. */
const struct users_entry *users_file_find(
    const struct users_file *file, struct span name);

/* The device whose key has that SHA-256, or NULL. */
const struct users_entry *users_file_key(
    const struct users_file *file, const uint8_t digest[USERS_DIGEST]);

/* May that user name this device? */
bool users_file_allows(const struct users_entry *user, struct span device);

#endif
