/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A table in 64 x 64 x 64 hashes. A leaf is the XOR of the keyed hashes of
 * its records' lines, an inner node the XOR of its children; 0 is empty. The
 * client id's keyed hash picks the leaf. The key is new for each exchange, so
 * that nobody can prepare a collision, and none lasts.
 * Source: herd-protocol(7), EXCHANGE.
 */
#ifndef HERD_DIGEST_H
#define HERD_DIGEST_H

#include <stdbool.h>

#include "herd/siphash.h"
#include "herd/report.h"

#define DIGEST_FAN 64u
#define DIGEST_LEAVES (DIGEST_FAN * DIGEST_FAN * DIGEST_FAN)
#define DIGEST_DEPTH 3u
#define DIGEST_NONCE_LEN 16u

/*
 * A node of the tree: `depth` digits from the root. `index` is their value as
 * a number in base 64. The root is {0, 0}.
 */
struct digest_path {
	unsigned depth; /* 0 to DIGEST_DEPTH */
	uint32_t index;
};

/* How much was hashed. */
struct digest_size {
	uint64_t records;
	uint64_t bytes; /* of their lines, LF included */
};

/* What a DIGEST says. */
struct digest_node {
	uint64_t hashes[DIGEST_FAN];
	struct digest_size size; /* of the root, by peers that tell it */
};

/* Most records and bytes that a peer may tell: products fit into 64 bits. */
#define DIGEST_SIZE_MAX (UINT64_C(1) << 48)

struct digest {
	struct siphash_key key;
	struct digest_size size;
	uint64_t top[DIGEST_FAN];
	uint64_t middle[DIGEST_FAN * DIGEST_FAN];
	uint64_t
	    *rows[DIGEST_FAN * DIGEST_FAN]; /* of leaves; NULL: all empty */
};

/* The exchange's key: both nonces (the lesser node name's first) and N. */
struct siphash_key digest_key(const uint8_t first[DIGEST_NONCE_LEN],
    const uint8_t second[DIGEST_NONCE_LEN], uint64_t exchange);

/* Gives *out, empty. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error digest_new(
    const struct siphash_key *key, struct digest **out);
void digest_free(struct digest *digest); /* NULL is fine */

/* The leaf of a client: top 18 bits of its id's hash. */
uint32_t digest_leaf(const struct siphash_key *key, struct span client);

/* Hashes one record into its leaf and the nodes above. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error digest_add(
    struct digest *digest, const struct report *report);

/* The 64 hashes below a node of depth 0 to 2. */
const uint64_t *digest_children(
    const struct digest *digest, struct digest_path path);

struct digest_path digest_child(struct digest_path path, unsigned child);

/* First leaf below a node, and how many there are. */
uint32_t digest_first_leaf(struct digest_path path, uint32_t *count);

/* "-" or base-64 digits (RFC 4648 alphabet), as in DIGEST and the admin API. */
HERD_MUST_CHECK enum herd_error digest_path_parse(
    struct span text, unsigned max_depth, struct digest_path *out);
HERD_MUST_CHECK enum herd_error digest_path_format(
    struct buf *out, struct digest_path path);

/*
 * Two forms. Dense: 64 hashes of 16 lower-case hex digits each, no separator.
 * Pairs: for each hash that is not 0 its place as a base-64 digit and the hash
 * in 11 more, the most significant first, in ascending order; "-" for none.
 * Parsing takes both, by the number of characters. HERD_ESYNTAX.
 */
HERD_MUST_CHECK enum herd_error digest_hashes_parse(
    struct span text, uint64_t hashes[DIGEST_FAN]);
HERD_MUST_CHECK enum herd_error digest_hashes_format(
    struct buf *out, const uint64_t hashes[DIGEST_FAN], bool pairs);

/* Lower-case hex of `len` bytes, and back (exactly 2 * len digits). */
HERD_MUST_CHECK enum herd_error digest_hex_format(
    struct buf *out, const uint8_t *bytes, size_t len);
HERD_MUST_CHECK enum herd_error digest_hex_parse(
    struct span text, uint8_t *bytes, size_t len);

#endif
