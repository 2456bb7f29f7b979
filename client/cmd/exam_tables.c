/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/exam_tables.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "run/fields.h"

#define PARTS 64u
#define HASH_ROOM 24u /* of a hash as text; what is longer is cut */

enum part_state { PART_UNSEEN, PART_EQUAL, PART_OTHER, PART_CHANGING };

struct table_parts {
	bool asked; /* in the last round */
	char hashes[PARTS][HASH_ROOM];
	char usual[PARTS][HASH_ROOM]; /* what most others had then */
	enum part_state states[PARTS];
	unsigned rounds;
};

/* The hash of a part that most nodes have; of several the first one's. */
static const char *
find_usual(const cJSON *const *lists, size_t count, size_t part)
{
	const char *usual = "";
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		const char *own = cJSON_GetStringValue(
		    cJSON_GetArrayItem(lists[i], (int)part));
		size_t like = 0;

		for (size_t j = 0; j < count && own != NULL; j++) {
			const char *other = cJSON_GetStringValue(
			    cJSON_GetArrayItem(lists[j], (int)part));

			like += other != NULL && strcmp(own, other) == 0;
		}
		if (like > most) {
			most = like;
			usual = own;
		}
	}
	return usual;
}

static void
add_part(
    struct table_parts *node, size_t part, const char *hash, const char *usual)
{
	enum part_state *state = &node->states[part];
	bool moved =
	    node->rounds > 0 && (strcmp(node->hashes[part], hash) != 0 ||
				    strcmp(node->usual[part], usual) != 0);

	if (strcmp(hash, usual) == 0)
		*state = PART_EQUAL;
	else if (*state != PART_EQUAL)
		*state = moved ? PART_CHANGING : PART_OTHER;
	snprintf(node->hashes[part], HASH_ROOM, "%s", hash);
	snprintf(node->usual[part], HASH_ROOM, "%s", usual);
}

/* The lists of hashes, one per target, NULL where there is none. */
static const cJSON **
find_lists(struct exam_tables *tables, const struct target *const *targets,
    const struct answers *answers)
{
	const cJSON **lists = xcalloc(tables->count + 1, sizeof(cJSON *));

	for (size_t i = 0; i < tables->count; i++) {
		answers_each(a, answers) {
			const cJSON *list = fields_at(a->json, "hashes");

			if (a->target == targets[i] && a->status == STATUS_OK &&
			    cJSON_IsArray(list))
				lists[i] = list;
		}
		tables->nodes[i].asked = lists[i] != NULL;
	}
	return lists;
}

void
exam_tables_add(struct exam_tables *tables, const struct target *const *targets,
    size_t count, const struct answers *answers)
{
	const cJSON **lists;

	if (tables->nodes == NULL) {
		tables->nodes = xcalloc(count + 1, sizeof(*tables->nodes));
		tables->count = count;
	}
	lists = find_lists(tables, targets, answers);
	for (size_t part = 0; part < PARTS; part++) {
		const char *usual = find_usual(lists, count, part);

		for (size_t i = 0; i < count; i++) {
			const char *hash = cJSON_GetStringValue(
			    cJSON_GetArrayItem(lists[i], (int)part));

			if (lists[i] != NULL)
				add_part(&tables->nodes[i], part,
				    hash == NULL ? "" : hash, usual);
		}
	}
	for (size_t i = 0; i < count; i++)
		tables->nodes[i].rounds += lists[i] != NULL;
	free(lists);
}

enum table_verdict
exam_tables_judge(const struct exam_tables *tables, size_t i)
{
	const struct table_parts *node;
	bool changing = false;

	if (i >= tables->count || !tables->nodes[i].asked)
		return TABLE_UNASKED;
	node = &tables->nodes[i];
	for (size_t part = 0; part < PARTS; part++) {
		if (node->states[part] == PART_OTHER)
			return TABLE_OTHER;
		changing |= node->states[part] == PART_CHANGING;
	}
	return changing ? TABLE_CHANGING : TABLE_EQUAL;
}

void
exam_tables_release(struct exam_tables *tables)
{
	free(tables->nodes);
	*tables = (struct exam_tables){ 0 };
}
