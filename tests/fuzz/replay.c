/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Feeds files, and the files of folders, to one fuzz target without libFuzzer.
 * Usage: replay_NAME PATH...
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "herd/herdfile.h"

#include "fuzz.h"

#define INPUT_MAX (4u << 20)

/* A copy of exactly its size, so that sanitizers see each byte beyond. */
static int
replay_file(const char *path)
{
	struct buf input;
	uint8_t *copy;

	buf_init(&input, INPUT_MAX);
	if (file_read(path, INPUT_MAX, &input) != HERD_OK) {
		perror(path);
		return -1;
	}
	copy = malloc(input.len > 0 ? input.len : 1u);
	if (copy == NULL) {
		buf_release(&input);
		return -1;
	}
	memcpy(copy, buf_span(&input).data, input.len);
	(void)LLVMFuzzerTestOneInput(copy, input.len);
	free(copy);
	buf_release(&input);
	return 0;
}

static int
replay_folder(DIR *folder, const char *path, size_t *count)
{
	const struct dirent *entry;
	char file[4096];
	int status = 0;

	while (status == 0 && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
		    file, sizeof(file), "%s/%s", path, entry->d_name);
		status = replay_file(file);
		(*count)++;
	}
	closedir(folder);
	return status;
}

int
main(int argc, char **argv)
{
	size_t count = 0;
	DIR *folder;
	int i, status = 0;

	for (i = 1; i < argc && status == 0; i++) {
		folder = opendir(argv[i]);
		if (folder != NULL) {
			status = replay_folder(folder, argv[i], &count);
		} else {
			status = replay_file(argv[i]);
			count++;
		}
	}
	printf("%s: %zu inputs\n", argv[0], count);
	return status == 0 && count > 0 ? 0 : 1;
}
