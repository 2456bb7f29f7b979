/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/roster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mutant.h"

/* Does what the node says keep links from resting? */
static bool
is_against(const struct roster *roster, const struct roster_word *word)
{
	bool is_self = word == roster->self;
	bool is_down = word->down[0] != '\0' && !MUTANT(NO_WAKE) &&
		       (is_self || !MUTANT(LOCAL_WAKE));

	if (MUTANT(REST_ALONE) && !is_self)
		return word->number != 0 && is_down;
	if (word->number == ROSTER_NUMBER_MAX && !MUTANT(BELIEVE_ALL))
		return true;
	return word->number == 0 || word->hash == 0 ||
	       word->hash != roster->self->hash || is_down;
}

static void
roster_set_against(struct roster *roster, unsigned against)
{
	if (roster_rests(roster) && against > 0)
		roster->wakes++;
	roster->against = against;
}

/* After a change of the own word, by which all others are judged. */
static void
roster_count(struct roster *roster)
{
	unsigned against = 0;

	for (unsigned i = 0; i < roster->count; i++)
		against += is_against(roster, &roster->words[i]);
	roster_set_against(roster, against);
}

/* It is to be told to all neighbours. */
static void
roster_list(struct roster *roster, struct roster_word *word)
{
	if (word->changed != 0)
		TAILQ_REMOVE(&roster->changed, word, by_change);
	word->changed = ++roster->changes;
	TAILQ_INSERT_TAIL(&roster->changed, word, by_change);
}

static int
compare_words(const void *x, const void *y)
{
	const struct roster_word *a = x, *b = y;

	return strcmp(a->name, b->name);
}

static struct roster_word *
roster_find(const struct roster *roster, struct span name)
{
	struct roster_word key = { .number = 0 };

	if (roster->count == 0 || name.len == 0)
		return NULL;
	assert(name.len < sizeof(key.name));
	memcpy(key.name, name.data, name.len);
	return bsearch(
	    &key, roster->words, roster->count, sizeof(key), compare_words);
}

void
roster_init(struct roster *roster)
{
	memset(roster, 0, sizeof(*roster));
	TAILQ_INIT(&roster->changed);
}

void
roster_release(struct roster *roster)
{
	free(roster->words);
	roster_init(roster);
}

enum herd_error
roster_set(struct roster *roster, const roster_name *names, unsigned count,
    struct span self)
{
	struct roster_word *words = calloc(count, sizeof(*words));
	const struct roster_word *old;

	if (words == NULL)
		return HERD_ENOMEM;
	for (unsigned i = 0; i < count; i++)
		memcpy(words[i].name, names[i], sizeof(names[i]));
	qsort(words, count, sizeof(*words), compare_words);
	for (unsigned i = 0; i < count; i++) {
		old = roster_find(roster, span_from(words[i].name));
		if (old != NULL)
			words[i] = *old;
	}
	/* Before the first herd file nothing rested. */
	if (roster->self == NULL)
		roster->against = count;
	free(roster->words);
	roster->words = words;
	roster->count = count;
	roster->self = roster_find(roster, self);
	roster->sets++;
	TAILQ_INIT(&roster->changed);
	for (unsigned i = 0; i < count; i++) {
		words[i].changed = 0;
		if (words[i].number != 0)
			roster_list(roster, &words[i]);
	}
	roster_count(roster);
	return HERD_OK;
}

/* By content; which of two texts is the greater one has no meaning. */
static int
compare_content(const struct roster_word *a, const struct roster_word *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return strcmp(a->down, b->down);
}

static uint64_t
number_after(uint64_t number)
{
	return number < ROSTER_NUMBER_MAX ? number + 1 : number;
}

void
roster_say(struct roster *roster, uint64_t hash, const char *down)
{
	struct roster_word *self = roster->self;
	bool is_silent = hash == 0 || down[0] != '\0';

	if (self == NULL ||
	    (self->hash == hash && strcmp(self->down, down) == 0 &&
		(self->number != 0 || is_silent)))
		return;
	self->hash = hash;
	snprintf(self->down, sizeof(self->down), "%s", down);
	if (self->number != 0 || !is_silent) {
		self->number = number_after(self->number);
		roster_list(roster, self);
	}
	roster_count(roster);
}

/* From an earlier life of this node, or its echo. */
static void
hear_own(struct roster *roster, const struct roster_word *heard)
{
	struct roster_word *self = roster->self;
	bool is_same = compare_content(heard, self) == 0;

	if (heard->number < self->number ||
	    (heard->number == self->number && is_same))
		return;
	self->number = is_same ? heard->number : number_after(heard->number);
	roster_list(roster, self);
	roster_count(roster);
}

void
roster_hear(struct roster *roster, const struct roster_word *heard)
{
	struct roster_word *word = roster_find(roster, span_from(heard->name));
	unsigned others;

	if (word == NULL)
		return;
	if (word == roster->self) {
		hear_own(roster, heard);
		return;
	}
	if (heard->number < word->number ||
	    (heard->number == word->number &&
		compare_content(heard, word) <= 0))
		return;
	others = roster->against - is_against(roster, word);
	word->number = heard->number;
	word->hash = heard->hash;
	memcpy(word->down, heard->down, sizeof(word->down));
	roster_list(roster, word);
	roster_set_against(roster, others + is_against(roster, word));
}

bool
roster_has_news(const struct roster *roster, uint64_t told)
{
	const struct roster_word *last =
	    TAILQ_LAST(&roster->changed, roster_list);

	return last != NULL && last->changed > told;
}

const struct roster_word *
roster_next(const struct roster *roster, uint64_t told)
{
	const struct roster_word *word =
	    TAILQ_LAST(&roster->changed, roster_list);
	const struct roster_word *next = NULL;

	if (told == 0)
		return TAILQ_FIRST(&roster->changed);
	for (; word != NULL && word->changed > told;
	     word = TAILQ_PREV(word, roster_list, by_change))
		next = word;
	return next;
}

bool
roster_rests(const struct roster *roster)
{
	return roster->self != NULL && roster->against == 0;
}

const char *
roster_reason_word(enum roster_reason reason)
{
	static const char *const words[] = {
#define HERD_ROSTER_WORD(id, word) [id] = word,
		ROSTER_REASONS(HERD_ROSTER_WORD)
#undef HERD_ROSTER_WORD
	};

	return words[reason];
}

static enum roster_reason
reason_of(const struct roster *roster, const struct roster_word *word)
{
	if (word->number == 0)
		return word->down[0] != '\0' ? ROSTER_DOWN : ROSTER_SILENT;
	if (word->number == ROSTER_NUMBER_MAX)
		return ROSTER_SPENT;
	if (word->hash == 0)
		return ROSTER_ALL;
	return word->hash != roster->self->hash ? ROSTER_OTHER : ROSTER_DOWN;
}

const struct roster_word *
roster_objection(const struct roster *roster, enum roster_reason *reason)
{
	for (unsigned i = 0; i < roster->count; i++) {
		const struct roster_word *word = &roster->words[i];

		if (!is_against(roster, word))
			continue;
		*reason = reason_of(roster, word);
		return word;
	}
	return NULL;
}
