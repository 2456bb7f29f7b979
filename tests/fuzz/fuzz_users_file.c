/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A users file: read whole, or refused with the number of a line. */
#include "herd/users_file.h"

#include "fuzz.h"

static void
check_entry(const struct users_file *file, const struct users_entry *entry)
{
	struct span user, device;

	assert(users_file_find(file, entry->name) == entry);
	assert(users_file_split(entry->name, &user, &device));
	assert(span_equal(user, entry->user));
	assert(span_equal(device, entry->device));
	assert((entry->device.len > 0) == (entry->hash.len == 0));
	if (entry->device.len > 0)
		assert(users_file_key(file, entry->digest) == entry);
	else
		assert(entry->hash.data[0] == '$');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct users_file file;
	struct buf message;
	enum herd_error error;

	buf_init(&message, 1000);
	error = users_file_parse(
	    span_of((const char *)data, size), &file, &message);
	if (error == HERD_OK) {
		assert(message.len == 0);
		for (size_t i = 0; i < file.count; i++)
			check_entry(&file, &file.entries[i]);
		users_file_release(&file);
	} else {
		assert(span_begins(buf_span(&message), span_from("line ")));
	}
	buf_release(&message);
	return 0;
}
