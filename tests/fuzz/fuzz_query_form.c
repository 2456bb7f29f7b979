/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The query form, in a URL and as a body. */
#include "phones/query_form.h"

#include <assert.h>

#include "fuzz_intake.h"

/* What is before the first LF is the URL's part. */
static void
read_query(struct span text, struct intake *intake)
{
	struct span query = span_cut(&text, '\n');
	char word[INTAKE_VALUE_MAX];
	struct span value;

	query_form_read(query, text, intake);
	if (query_form_get(query, "keyword", word, &value) == HERD_OK)
		assert(value.len <= sizeof(word) &&
		       query_form_find(query, "keyword", word) == value.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_intake(data, size, read_query);
	return 0;
}
