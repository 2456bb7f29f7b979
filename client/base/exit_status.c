/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/exit_status.h"

static const struct status_entry table[] = {
#define STATUS_ENTRY(name, code, word, text) { name, word, text },
	STATUSES(STATUS_ENTRY)
#undef STATUS_ENTRY
	    { STATUS_OK, NULL, NULL },
};

const struct status_entry *
exit_status_table(void)
{
	return table;
}

const char *
exit_status_word(enum status status)
{
	for (const struct status_entry *e = table; e->word != NULL; e++) {
		if (e->status == status)
			return e->word;
	}
	return "other";
}

void
tally_add(struct tally *tally, enum status status)
{
	tally->count++;
	if (status != STATUS_OK && tally->failed++ == 0)
		tally->first = status;
}

enum status
tally_status(const struct tally *tally)
{
	if (tally->failed > 0 && tally->failed < tally->count)
		return STATUS_PARTIAL;
	return tally->first;
}

enum status
exit_status_worst(enum status a, enum status b)
{
	return a > b ? a : b;
}
