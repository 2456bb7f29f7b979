/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite_page.h"

#include <string.h>

enum page_type {
	INDEX_INNER = 2,
	TABLE_INNER = 5,
	INDEX_LEAF = 10,
	TABLE_LEAF = 13,
};

#define HEAD_PAGE_SIZE 16
#define HEAD_RESERVED 20
#define HEAD_FIRST_TRUNK 32
#define HEAD_FREE_COUNT 36

static uint32_t
read_2(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

uint32_t
sqlite_page_read_4(const uint8_t *at)
{
	return read_2(at) << 16 | read_2(at + 2);
}

bool
sqlite_page_read_head(
    const uint8_t head[SQLITE_PAGE_HEAD], struct sqlite_page_head *out)
{
	uint32_t size = read_2(head + HEAD_PAGE_SIZE);

	if (size == 1)
		size = 65536;
	if (memcmp(head, "SQLite format 3", 16) != 0 ||
	    size < SQLITE_PAGE_SIZE_MIN || (size & (size - 1)) != 0)
		return false;
	*out = (struct sqlite_page_head){
		.page_size = size,
		.usable = size - head[HEAD_RESERVED],
		.first_trunk = sqlite_page_read_4(head + HEAD_FIRST_TRUNK),
		.free_count = sqlite_page_read_4(head + HEAD_FREE_COUNT),
	};
	return true;
}

size_t
sqlite_page_clear(uint8_t *page, size_t from, size_t to)
{
	size_t changed = 0;

	for (size_t i = from; i < to; i++)
		changed += page[i] != 0;
	if (changed > 0)
		memset(page + from, 0, to - from);
	return changed;
}

/* Walks the chain of free blocks: clears them, or says whether it is sound. */
static bool
walk_blocks(uint8_t *page, uint32_t first, uint32_t content, uint32_t usable,
    size_t *cleared)
{
	uint32_t least = content;

	for (uint32_t at = first; at != 0; at = read_2(page + at)) {
		uint32_t len;

		if (at < least || at + 4 > usable)
			return false;
		len = read_2(page + at + 2);
		if (len < 4 || at + len > usable)
			return false;
		if (cleared != NULL)
			*cleared += sqlite_page_clear(page, at + 4, at + len);
		least = at + len;
	}
	return true;
}

size_t
sqlite_page_clean(
    uint8_t *page, const struct sqlite_page_head *head, bool is_first)
{
	uint32_t at = is_first ? SQLITE_PAGE_HEAD : 0;
	uint32_t type = page[at];
	uint32_t pointers =
	    at + (type == INDEX_INNER || type == TABLE_INNER ? 12 : 8);
	uint32_t content = read_2(page + at + 5);
	uint32_t first_block = read_2(page + at + 1);
	size_t cleared = 0;

	if (type != INDEX_INNER && type != TABLE_INNER && type != INDEX_LEAF &&
	    type != TABLE_LEAF)
		return 0;
	pointers += 2 * read_2(page + at + 3);
	if (content == 0)
		content = 65536;
	if (pointers > content || content > head->usable ||
	    !walk_blocks(page, first_block, content, head->usable, NULL))
		return 0;
	(void)walk_blocks(page, first_block, content, head->usable, &cleared);
	return cleared + sqlite_page_clear(page, pointers, content);
}
