/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>

#include "herd/herdfile.h"

struct folder {
	char path[64];
};

static int
make_folder(void **state)
{
	struct folder *folder = malloc(sizeof(*folder));

	if (folder == NULL)
		return -1;
	strncpy(folder->path, "/tmp/herd-unit-XXXXXX", sizeof(folder->path));
	*state = folder;
	return mkdtemp(folder->path) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	struct folder *folder = *state;
	char path[100];
	int status;

	(void)snprintf(path, sizeof(path), "%s/file", folder->path);
	(void)unlink(path);
	status = rmdir(folder->path);
	free(folder);
	return status;
}

static void
write_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "w");
	size_t i;

	assert_non_null(file);
	for (i = 0; i < size; i++)
		assert_int_equal(
		    fputc('a' + (int)(i % 26), file), 'a' + (int)(i % 26));
	assert_int_equal(fclose(file), 0);
}

static void
test_whole_files_are_appended(void **state)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 200000 };
	const struct folder *folder = *state;
	char path[100];
	struct buf out;
	size_t i;

	(void)snprintf(path, sizeof(path), "%s/file", folder->path);
	for (i = 0; i < HERD_ARRAY_LEN(sizes); i++) {
		write_file(path, sizes[i]);
		buf_init(&out, sizes[i] + 2u);
		assert_ok(buf_add_text(&out, "><"));
		assert_ok(file_read(path, sizes[i], &out));
		assert_int_equal(out.len, sizes[i] + 2u);
		if (sizes[i] > 0)
			assert_int_equal(buf_span(&out).data[sizes[i] + 1u],
			    'a' + (int)((sizes[i] - 1u) % 26u));
		buf_release(&out);
	}
}

static void
test_larger_files_are_refused(void **state)
{
	const struct folder *folder = *state;
	char path[100];
	struct buf out;

	(void)snprintf(path, sizeof(path), "%s/file", folder->path);
	write_file(path, 100);
	buf_init(&out, 1000);
	assert_ok(buf_add_byte(&out, 'x'));
	assert_int_equal(file_read(path, 99, &out), HERD_ELIMIT);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(out.len, 1);
	assert_ok(file_read(path, 100, &out));
	buf_release(&out);
	buf_init(&out, 99);
	assert_int_equal(file_read(path, 1000, &out), HERD_ELIMIT);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static void
test_what_is_no_file_is_refused(void **state)
{
	const struct folder *folder = *state;
	char path[100];
	struct buf out;

	buf_init(&out, 1000);
	assert_int_equal(file_read(folder->path, 99, &out), HERD_ESYSTEM);
	assert_int_equal(errno, EISDIR);
	(void)snprintf(path, sizeof(path), "%s/file", folder->path);
	(void)unlink(path);
	assert_int_equal(file_read(path, 99, &out), HERD_ESYSTEM);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_read(path, 99, &out), HERD_ESYSTEM);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(file_read("/dev/zero", 99, &out), HERD_ESYSTEM);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_files_are_appended),
		cmocka_unit_test(test_larger_files_are_refused),
		cmocka_unit_test(test_what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
