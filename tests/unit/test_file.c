/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "herd/file.h"

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

/* --- private files -------------------------------------------------------- */

static mode_t
mode_of(int fd)
{
	struct stat facts;

	assert_int_equal(fstat(fd, &facts), 0);
	return facts.st_mode & 07777;
}

static void
test_private_files_are_their_owners_alone(void **state)
{
	static const mode_t modes[] = { 0644, 0666, 0640, 0604, 0777 };
	const struct folder *folder = *state;
	mode_t umask_before = umask(0);
	char path[100];
	bool narrowed = true;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/file", folder->path);
	(void)unlink(path);
	assert_ok(file_open_private(
	    path, O_WRONLY | O_APPEND | O_CREAT, &fd, &narrowed));
	(void)umask(umask_before);
	assert_false(narrowed);
	assert_int_equal(mode_of(fd), 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	for (size_t i = 0; i < HERD_ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_ok(file_open_private(path, O_RDWR, &fd, &narrowed));
		assert_true(narrowed);
		assert_int_equal(mode_of(fd), modes[i] & 0700);
		close(fd);
	}
	assert_ok(file_open_private(path, O_RDWR, &fd, NULL));
	close(fd);
	(void)unlink(path);
	assert_int_equal(
	    file_open_private(path, O_RDWR, &fd, NULL), HERD_ESYSTEM);
	assert_int_equal(errno, ENOENT);
}

static void
assert_not_private(const char *path, int flags, int want)
{
	int fd = -7;

	assert_int_equal(
	    file_open_private(path, flags, &fd, NULL), HERD_ESYSTEM);
	assert_int_equal(errno, want);
	assert_int_equal(fd, -7);
	assert_string_not_equal(file_strerror(want), strerror(want));
}

static void
test_only_regular_files_are_private(void **state)
{
	const struct folder *folder = *state;
	const int append = O_WRONLY | O_APPEND | O_CREAT;
	char path[100];

	(void)snprintf(path, sizeof(path), "%s/file", folder->path);
	assert_not_private(folder->path, append, EISDIR);
	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	/* Nobody reads it: this must not wait. */
	assert_not_private(path, append, EINVAL);
	assert_not_private(path, O_RDWR, EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_not_private(path, append | O_NOFOLLOW, ELOOP);
	assert_not_private(path, append, EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_string_equal(file_strerror(ENOSPC), strerror(ENOSPC));
}

/* --- standard descriptors ------------------------------------------------- */

/* In a child with the descriptors of `closed` closed; 0 if all is well. */
static int
hold_and_look(unsigned closed)
{
	char byte;

	for (int fd = 0; fd <= 2; fd++) {
		if ((closed >> fd & 1u) != 0)
			close(fd);
	}
	if (file_hold_standard() != HERD_OK)
		return 1;
	for (int fd = 0; fd <= 2; fd++) {
		struct stat facts;

		if ((closed >> fd & 1u) == 0)
			continue;
		if (fstat(fd, &facts) != 0 || !S_ISCHR(facts.st_mode))
			return 2;
		/* As on a closed one. */
		if ((fd == 0 ? read(fd, &byte, 1) : write(fd, "x", 1)) != -1 ||
		    errno != EBADF)
			return 3;
	}
	return open("/dev/null", O_RDONLY) > 2 ? 0 : 4;
}

static void
test_closed_standard_descriptors_are_held(void **state HERD_UNUSED)
{
	for (unsigned closed = 0; closed < 8; closed++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(hold_and_look(closed));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_files_are_appended),
		cmocka_unit_test(test_larger_files_are_refused),
		cmocka_unit_test(test_what_is_no_file_is_refused),
		cmocka_unit_test(test_private_files_are_their_owners_alone),
		cmocka_unit_test(test_only_regular_files_are_private),
		cmocka_unit_test(test_closed_standard_descriptors_are_held),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
