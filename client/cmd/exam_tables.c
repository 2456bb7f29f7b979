/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/exam_tables.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "run/fields.h"

#define HASH_ROOM 24u /* of a hash as text; what is longer is cut */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

enum part_state { PART_UNSEEN, PART_CHANGING, PART_OTHER, PART_EQUAL };

struct table_part {
	enum part_state state;
	char hash[HASH_ROOM];
	char usual[HASH_ROOM]; /* what most others had then */
};

struct table_node {
	bool lacking; /* in this look */
	struct table_part *parts;
};

char
exam_tables_digit(size_t hash)
{
	return digits[hash];
}

void
exam_tables_begin(
    struct exam_tables *tables, size_t count, size_t parts, size_t restless)
{
	tables->nodes = xcalloc(count + 1, sizeof(*tables->nodes));
	tables->count = count;
	tables->parts = parts;
	tables->restless = restless;
	for (size_t i = 0; i < count; i++)
		tables->nodes[i].parts =
		    xcalloc(parts, sizeof(*tables->nodes[i].parts));
}

void
exam_tables_release(struct exam_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
		free(tables->nodes[i].parts);
	free(tables->nodes);
	*tables = (struct exam_tables){ 0 };
}

void
exam_tables_look(struct exam_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
		tables->nodes[i].lacking = false;
}

/* NULL: the answer has no hashes. */
static const char *
hash_of(const struct answer *a, size_t hash)
{
	const cJSON *list = fields_at(a->json, "hashes");
	const char *text;

	if (a->status != STATUS_OK || !cJSON_IsArray(list))
		return NULL;
	text = cJSON_GetStringValue(cJSON_GetArrayItem(list, (int)hash));
	return text == NULL ? "" : text;
}

/* What most answers have; of several the first one's. */
static const char *
find_usual(const struct answers *answers, size_t hash)
{
	const char *usual = "";
	size_t most = 0;

	answers_each(a, answers) {
		const char *own = hash_of(a, hash);
		size_t like = 0;

		answers_each(b, answers) {
			const char *other = hash_of(b, hash);

			like += own != NULL && other != NULL &&
				strcmp(own, other) == 0;
		}
		if (like > most) {
			most = like;
			usual = own;
		}
	}
	return usual;
}

/*
 * A report on its way in one look is there in the next one, so both sides of
 * a difference that traffic makes have moved.
 */
static void
add_part(struct table_part *part, const char *hash, const char *usual)
{
	bool still =
	    part->state != PART_UNSEEN &&
	    (strcmp(part->hash, hash) == 0 || strcmp(part->usual, usual) == 0);

	if (strcmp(hash, usual) == 0)
		part->state = PART_EQUAL;
	else if (part->state != PART_EQUAL)
		part->state = still ? PART_OTHER : PART_CHANGING;
	snprintf(part->hash, HASH_ROOM, "%s", hash);
	snprintf(part->usual, HASH_ROOM, "%s", usual);
}

void
exam_tables_add(struct exam_tables *tables, size_t first,
    const struct target *const *targets, const struct answers *answers)
{
	for (size_t i = 0; i < tables->count; i++) {
		struct table_node *node = &tables->nodes[i];
		const struct answer *own = NULL;

		answers_each(a, answers) {
			if (a->target == targets[i] && hash_of(a, 0) != NULL)
				own = a;
		}
		node->lacking |= own == NULL;
		for (size_t hash = 0; hash < TABLE_FAN && own != NULL; hash++)
			add_part(&node->parts[first + hash], hash_of(own, hash),
			    find_usual(answers, hash));
	}
}

void
exam_tables_add_equal(struct exam_tables *tables, size_t first)
{
	for (size_t i = 0; i < tables->count; i++) {
		for (size_t hash = 0; hash < TABLE_FAN; hash++)
			tables->nodes[i].parts[first + hash].state = PART_EQUAL;
	}
}

bool
exam_tables_differ(const struct answers *answers, size_t hash)
{
	const char *usual = find_usual(answers, hash);

	answers_each(a, answers) {
		const char *own = hash_of(a, hash);

		if (own != NULL && strcmp(own, usual) != 0)
			return true;
	}
	return false;
}

enum table_verdict
exam_tables_judge(const struct exam_tables *tables, size_t i)
{
	size_t changing = 0;

	if (i >= tables->count || tables->nodes[i].lacking)
		return TABLE_UNASKED;
	for (size_t part = 0; part < tables->parts; part++) {
		enum part_state state = tables->nodes[i].parts[part].state;

		if (state == PART_OTHER)
			return TABLE_OTHER;
		changing += state != PART_EQUAL;
	}
	return changing > tables->restless ? TABLE_CHANGING : TABLE_EQUAL;
}

bool
exam_tables_have(const struct exam_tables *tables, enum table_verdict verdict)
{
	for (size_t i = 0; i < tables->count; i++) {
		if (exam_tables_judge(tables, i) == verdict)
			return true;
	}
	return false;
}
