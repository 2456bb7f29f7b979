/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/limits.h"
#include "node/memory_bound.h"

static void
write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
remove_file(const char *folder, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(remove(path), 0);
}

static void
make_folder(const char *folder, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static uint64_t
bound_in(const char *folder)
{
	char own[256];

	(void)snprintf(own, sizeof(own), "%s/own", folder);
	return memory_bound(folder, own);
}

static void
test_bounds_of_version_1_count_too(void **state HERD_UNUSED)
{
	char folder[] = "/tmp/herd-cgroup-XXXXXX";

	assert_non_null(mkdtemp(folder));
	make_folder(folder, "memory");
	make_folder(folder, "memory/docker");
	write_file(folder, "own",
	    "12:pids:/x\n4:memory:/docker\n1:name=systemd:/:memory:/\n");
	assert_true(bound_in(folder) == 0);
	write_file(folder, "memory/memory.limit_in_bytes", "4000\n");
	assert_true(bound_in(folder) == 4000);
	write_file(folder, "memory/docker/memory.limit_in_bytes",
	    "9223372036854771712\n");
	assert_true(bound_in(folder) == 4000);
	write_file(folder, "memory/docker/memory.limit_in_bytes", "3000\n");
	assert_true(bound_in(folder) == 3000);
	/* Both versions: the less one. */
	write_file(folder, "own", "0::/\n4:memory:/docker\n");
	write_file(folder, "memory.max", "2000\n");
	assert_true(bound_in(folder) == 2000);
	write_file(folder, "memory.max", "5000\n");
	assert_true(bound_in(folder) == 3000);
	write_file(folder, "own", "memory:/docker\n4:memory");
	assert_true(bound_in(folder) == 0);
	remove_file(folder, "memory/docker/memory.limit_in_bytes");
	remove_file(folder, "memory/memory.limit_in_bytes");
	remove_file(folder, "memory/docker");
	remove_file(folder, "memory");
	remove_file(folder, "memory.max");
	remove_file(folder, "own");
	assert_int_equal(rmdir(folder), 0);
}

static void
test_least_of_the_cgroups_around_counts(void **state HERD_UNUSED)
{
	char folder[] = "/tmp/herd-cgroup-XXXXXX";

	assert_non_null(mkdtemp(folder));
	assert_true(bound_in(folder) == 0);
	make_folder(folder, "system.slice");
	make_folder(folder, "system.slice/herdd");
	write_file(folder, "own", "4:memory:/other\n0::/system.slice/herdd\n");
	assert_true(bound_in(folder) == 0);
	write_file(folder, "system.slice/herdd/memory.max", "max\n");
	assert_true(bound_in(folder) == 0);
	write_file(folder, "system.slice/memory.max", "5000000000\n");
	assert_true(bound_in(folder) == UINT64_C(5000000000));
	write_file(folder, "system.slice/herdd/memory.max", "1000\n");
	assert_true(bound_in(folder) == 1000);
	/* In a container the own cgroup is the root. */
	write_file(folder, "own", "0::/");
	assert_true(bound_in(folder) == 0);
	write_file(folder, "memory.max", "2000\n");
	assert_true(bound_in(folder) == 2000);
	write_file(folder, "own", "garbage\n0::");
	assert_true(bound_in(folder) == 0);
	remove_file(folder, "memory.max");
	remove_file(folder, "system.slice/herdd/memory.max");
	remove_file(folder, "system.slice/memory.max");
	remove_file(folder, "system.slice/herdd");
	remove_file(folder, "system.slice");
	remove_file(folder, "own");
	assert_int_equal(rmdir(folder), 0);
}

static void
test_table_gets_half_of_the_bound_at_most(void **state HERD_UNUSED)
{
	const uint64_t gib = UINT64_C(1) << 30;

	assert_true(limits_memory_within(64 * gib, 0) == 16 * gib);
	assert_true(limits_memory_within(64 * gib, 48 * gib) == 16 * gib);
	assert_true(limits_memory_within(64 * gib, 2 * gib) == gib);
	assert_true(limits_memory_within(gib, gib / 4) == gib / 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds_of_version_1_count_too),
		cmocka_unit_test(test_least_of_the_cgroups_around_counts),
		cmocka_unit_test(test_table_gets_half_of_the_bound_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
