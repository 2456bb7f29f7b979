/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/same_file.h"

struct place {
	char folder[64];
	char path[100];
	char other[100];
	int fd; /* of the file that is written */
	struct same_file file;
};

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	if (place == NULL)
		return -1;
	*state = place;
	strncpy(place->folder, "/tmp/herd-unit-XXXXXX", sizeof(place->folder));
	if (mkdtemp(place->folder) == NULL)
		return -1;
	(void)snprintf(
	    place->path, sizeof(place->path), "%s/file", place->folder);
	(void)snprintf(
	    place->other, sizeof(place->other), "%s/other", place->folder);
	place->fd = open(place->path, O_RDWR | O_CREAT, 0600);
	if (place->fd < 0 || write(place->fd, "12345", 5) != 5)
		return -1;
	return same_file_note(&place->file, place->path) == HERD_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	(void)close(place->fd);
	(void)unlink(place->path);
	(void)unlink(place->other);
	(void)rmdir(place->folder);
	free(place);
	return 0;
}

/* The same answer while its owner writes and while it does not. */
static void
assert_is(const struct place *place, const char *want)
{
	for (int writing = 0; writing < 2; writing++) {
		const char *what = same_file_check(&place->file, writing == 1);

		if (want == NULL)
			assert_null(what);
		else
			assert_string_equal(what, want);
	}
}

static void
set_modified(const struct place *place, const struct timespec *at)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, *at };

	assert_int_equal(futimens(place->fd, times), 0);
}

static void
copy(const struct place *place)
{
	int fd = open(place->other, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "12345", 5), 5);
	assert_int_equal(close(fd), 0);
}

static void
test_a_file_that_is_left_alone_is_the_same(void **state)
{
	struct place *place = *state;

	assert_is(place, NULL);
	assert_int_equal(chmod(place->path, 0400), 0);
	assert_int_equal(link(place->path, place->other), 0);
	assert_is(place, NULL);
}

static void
test_a_file_that_is_gone_is_removed(void **state)
{
	struct place *place = *state;

	assert_int_equal(unlink(place->path), 0);
	assert_is(place, "was removed");
}

static void
test_a_file_that_is_away_is_removed_until_it_is_back(void **state)
{
	struct place *place = *state;

	assert_int_equal(rename(place->path, place->other), 0);
	assert_is(place, "was removed");
	assert_int_equal(rename(place->other, place->path), 0);
	assert_is(place, NULL);
}

static void
test_a_copy_in_its_place_is_another(void **state)
{
	struct place *place = *state;

	copy(place);
	assert_int_equal(rename(place->other, place->path), 0);
	assert_is(place, "was replaced");
}

static void
test_a_link_that_leads_elsewhere_is_another(void **state)
{
	struct place *place = *state;

	copy(place);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(symlink(place->other, place->path), 0);
	assert_is(place, "was replaced");
}

static void
test_a_folder_that_is_gone_took_it_along(void **state)
{
	struct place *place = *state;
	char away[80];

	(void)snprintf(away, sizeof(away), "%s-away", place->folder);
	assert_int_equal(rename(place->folder, away), 0);
	assert_is(place, "was removed");
	assert_int_equal(rename(away, place->folder), 0);
	assert_is(place, NULL);
}

static void
test_what_its_owner_writes_is_expected(void **state)
{
	struct place *place = *state;

	assert_int_equal(write(place->fd, "6", 1), 1);
	assert_null(same_file_check(&place->file, true));
	assert_string_equal(same_file_check(&place->file, false),
	    "was written by another program");
	assert_ok(same_file_note(&place->file, place->path));
	assert_is(place, NULL);
}

static void
test_what_others_write_is_seen(void **state)
{
	struct place *place = *state;
	struct timespec at = place->file.modified;

	at.tv_nsec ^= 1;
	set_modified(place, &at);
	assert_string_equal(same_file_check(&place->file, false),
	    "was written by another program");
	assert_null(same_file_check(&place->file, true));
	assert_int_equal(ftruncate(place->fd, 4), 0);
	assert_is(place, "was written by another program");
}

static void
test_what_is_not_there_cannot_be_noted(void **state)
{
	struct place *place = *state;
	struct same_file file = { .size = 7 };

	assert_int_equal(same_file_note(&file, place->other), HERD_ESYSTEM);
	assert_int_equal(file.size, 7);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_a_file_that_is_left_alone_is_the_same),
		EACH(test_a_file_that_is_gone_is_removed),
		EACH(test_a_file_that_is_away_is_removed_until_it_is_back),
		EACH(test_a_copy_in_its_place_is_another),
		EACH(test_a_link_that_leads_elsewhere_is_another),
		EACH(test_a_folder_that_is_gone_took_it_along),
		EACH(test_what_its_owner_writes_is_expected),
		EACH(test_what_others_write_is_seen),
		EACH(test_what_is_not_there_cannot_be_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
