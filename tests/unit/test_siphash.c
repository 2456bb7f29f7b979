/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SipHash-2-4 against the vector of the paper and the reference's first ones.
 */
#include "unit.h"

#include "herd/siphash.h"

/* Key 00..0f, message 00, 01 ... of the length that is the index. */
static const uint64_t VECTORS[] = {
	UINT64_C(0x726fdb47dd0e0e31),
	UINT64_C(0x74f839c593dc67fd),
	UINT64_C(0x0d6c8009d9a94f5a),
	UINT64_C(0x85676696d7fb7e2d),
	UINT64_C(0xcf2794e0277187b7),
	UINT64_C(0x18765564cd99a68d),
	UINT64_C(0xcbc9466e58fee3ce),
	UINT64_C(0xab0200f58b01d137),
	UINT64_C(0x93f5f5799a932462),
	UINT64_C(0x9e0082df0ba9e4b0),
	UINT64_C(0x7a5dbbc594ddb9f3),
	UINT64_C(0xf4b32f46226bada7),
	UINT64_C(0x751e8fbc860ee5fb),
	UINT64_C(0x14ea5627c0843d90),
	UINT64_C(0xf723ca908e7af2ee),
	UINT64_C(0xa129ca6149be45e5),
};

static struct siphash_key
reference_key(void)
{
	uint8_t bytes[16];

	for (unsigned i = 0; i < 16; i++)
		bytes[i] = (uint8_t)i;
	return siphash_key(bytes);
}

static void
test_siphash_gives_official_vectors(void **state)
{
	const struct siphash_key key = reference_key();
	uint8_t message[64];

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		message[i] = (uint8_t)i;
	for (size_t i = 0; i < HERD_ARRAY_LEN(VECTORS); i++)
		assert_true(siphash(&key, message, i) == VECTORS[i]);
}

/* Every length, at the edges of a page: nothing outside is read. */
static void
test_siphash_reads_only_its_message(void **state)
{
	const struct siphash_key key = reference_key();
	struct unit_fence fence = unit_fence_new();
	char message[64];

	(void)state;
	memset(message, 7, sizeof(message));
	for (size_t len = 1; len < sizeof(message); len++) {
		struct span text = span_of(message, len);
		uint64_t want = siphash(&key, message, len);
		struct span at = unit_fence_left(&fence, text);

		assert_true(siphash(&key, at.data, at.len) == want);
		at = unit_fence_right(&fence, text);
		assert_true(siphash(&key, at.data, at.len) == want);
	}
	unit_fence_free(&fence);
}

static void
test_siphash_depends_on_every_bit(void **state)
{
	const struct siphash_key key = reference_key();
	uint8_t message[24] = { 0 };
	uint64_t base = siphash(&key, message, sizeof(message));

	(void)state;
	for (unsigned bit = 0; bit < 8 * sizeof(message); bit++) {
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_true(siphash(&key, message, sizeof(message)) != base);
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		struct siphash_key other = key;

		other.k1 ^= UINT64_C(1) << bit;
		assert_true(siphash(&other, message, sizeof(message)) != base);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash_gives_official_vectors),
		cmocka_unit_test(test_siphash_reads_only_its_message),
		cmocka_unit_test(test_siphash_depends_on_every_bit),
	};

	return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
