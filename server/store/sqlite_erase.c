/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite_erase.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/sqlite_page.h"

#define BYTES_PER_SLICE (2u << 20)

enum page_kind { PAGE_USED, PAGE_FREE, PAGE_TRUNK };

struct erase {
	uint32_t page;  /* the next, from 1 on */
	uint32_t first; /* of the slice, and the one after its last */
	uint32_t end;
	struct sqlite_page_head head;
	struct mono give_up;
	uint8_t *bytes; /* the slice */
	uint8_t *kinds; /* enum page_kind by page of the slice */
};

void
sqlite_erase_drop(struct engine_task *task)
{
	struct erase *erase = task->state;

	if (erase == NULL)
		return;
	free(erase->bytes);
	free(erase->kinds);
	free(erase);
	task->state = NULL;
}

static enum herd_error
fail(struct engine_task *task, const char *what, const char *hint)
{
	snprintf(task->error, sizeof(task->error), "%s", what);
	task->hint = hint;
	return HERD_ESYSTEM;
}

static enum herd_error
fail_system(struct engine_task *task, const char *what)
{
	snprintf(
	    task->error, sizeof(task->error), "%s: %s", what, strerror(errno));
	task->hint = "look at the disk, then erase again";
	return HERD_ESYSTEM;
}

static enum herd_error
begin(struct engine_task *task)
{
	struct erase *erase = calloc(1, sizeof(*erase));

	if (erase == NULL)
		return HERD_ENOMEM;
	task->state = erase;
	erase->page = 1;
	erase->give_up = mono_add(clock_mono(), SQLITE_ERASE_WAIT_NS);
	erase->bytes = malloc(BYTES_PER_SLICE);
	erase->kinds = malloc(BYTES_PER_SLICE / SQLITE_PAGE_SIZE_MIN);
	return erase->bytes == NULL || erase->kinds == NULL ? HERD_ENOMEM
							    : HERD_EAGAIN;
}

/*
 * The log into the file, so that the file alone has all rows; and SQLite's
 * copies of pages out of memory, so that it reads what we write. HERD_EAGAIN:
 * another program reads.
 */
static enum herd_error
empty_log(struct sqlite_engine *self, struct engine_task *task)
{
	struct erase *erase = task->state;
	int code;
	enum herd_error error = engine_sqlite_check_files(self, false);

	if (error != HERD_OK)
		return error;
	/* Commits must not wait for a reader. */
	(void)sqlite3_busy_timeout(self->db, 0);
	code = sqlite3_wal_checkpoint_v2(
	    self->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	(void)sqlite3_busy_timeout(self->db, ENGINE_SQLITE_BUSY_MS);
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		error = engine_sqlite_fail(self, "checkpoint");
	(void)sqlite3_db_release_memory(self->db);
	if (error == HERD_OK)
		error = engine_sqlite_note_files(self);
	task->is_blocked = code == SQLITE_BUSY;
	if (error != HERD_OK || !task->is_blocked)
		return error;
	if (clock_mono().ns > erase->give_up.ns)
		return fail(task, "another program reads the store's file",
		    "end it, then erase again");
	return HERD_EAGAIN;
}

static bool
read_at(const struct sqlite_engine *self, void *to, size_t len, uint64_t at)
{
	ssize_t n = pread(self->owner, to, len, (off_t)at);

	if (n >= 0 && (size_t)n != len)
		errno = EIO;
	return n >= 0 && (size_t)n == len;
}

static void
set_kind(struct erase *erase, uint32_t page, enum page_kind kind)
{
	if (page >= erase->first && page < erase->end)
		erase->kinds[page - erase->first] = (uint8_t)kind;
}

/* Which pages of the slice are in the list of free ones? */
static bool
find_free(struct sqlite_engine *self, struct erase *erase, uint32_t pages)
{
	const struct sqlite_page_head *head = &erase->head;
	uint32_t trunk = head->first_trunk;

	memset(erase->kinds, PAGE_USED, erase->end - erase->first);
	for (uint32_t i = 0; trunk != 0 && trunk <= pages && i < pages; i++) {
		uint32_t leaves;

		/* The slice's room is free yet. */
		if (!read_at(self, erase->bytes, head->page_size,
			(uint64_t)(trunk - 1) * head->page_size))
			return false;
		leaves = sqlite_page_read_4(erase->bytes + 4);
		if (leaves > head->usable / 4 - 2)
			break;
		set_kind(erase, trunk, PAGE_TRUNK);
		for (uint32_t k = 0; k < leaves; k++)
			set_kind(erase,
			    sqlite_page_read_4(erase->bytes + 8 + 4 * k),
			    PAGE_FREE);
		trunk = sqlite_page_read_4(erase->bytes);
	}
	return true;
}

/* A trunk has the next one's number, a count, and so many numbers. */
static size_t
clean_page(struct erase *erase, uint32_t i)
{
	uint32_t size = erase->head.page_size;
	uint8_t *page = erase->bytes + (size_t)i * size;

	switch ((enum page_kind)erase->kinds[i]) {
	case PAGE_USED:
		return sqlite_page_clean(
		    page, &erase->head, erase->first + i == 1);
	case PAGE_FREE: return sqlite_page_clear(page, 0, size);
	case PAGE_TRUNK:
		return sqlite_page_clear(
		    page, 8 + 4 * (size_t)sqlite_page_read_4(page + 4), size);
	}
	return 0;
}

static enum herd_error
clean_slice(struct sqlite_engine *self, struct engine_task *task)
{
	struct erase *erase = task->state;
	uint32_t size = erase->head.page_size;
	uint64_t start = (uint64_t)(erase->first - 1) * size;
	uint32_t count = erase->end - erase->first;

	if (!read_at(self, erase->bytes, (size_t)count * size, start))
		return fail_system(task, "cannot read the store's file");
	for (uint32_t i = 0; i < count; i++) {
		size_t cleared = clean_page(erase, i);

		task->cleaned += cleared;
		if (cleared > 0 &&
		    pwrite(self->owner, erase->bytes + (size_t)i * size, size,
			(off_t)(start + (uint64_t)i * size)) != (ssize_t)size)
			return fail_system(
			    task, "cannot write the store's file");
	}
	return engine_sqlite_note_files(self);
}

/* Works out the slice: the file may have grown. HERD_OK: all is done. */
static enum herd_error
plan_slice(struct sqlite_engine *self, struct engine_task *task)
{
	struct erase *erase = task->state;
	uint8_t head[SQLITE_PAGE_HEAD];
	struct stat file;
	uint64_t pages;

	if (fstat(self->owner, &file) != 0 ||
	    !read_at(self, head, sizeof(head), 0))
		return fail_system(task, "cannot read the store's file");
	if (!sqlite_page_read_head(head, &erase->head))
		return fail(task, "the store's file has no header",
		    "restart the node, which looks at the file");
	pages = (uint64_t)file.st_size / erase->head.page_size;
	if (pages >= SQLITE_PAGE_COUNT_MAX)
		return fail(task, "the store's file is too large for that",
		    "stop the node, run VACUUM in sqlite3 on its file");
	task->total = pages;
	erase->first = erase->page;
	erase->end = erase->first + BYTES_PER_SLICE / erase->head.page_size;
	if (erase->end > pages + 1)
		erase->end = (uint32_t)pages + 1;
	if (erase->first >= erase->end)
		return HERD_OK;
	if (!find_free(self, erase, (uint32_t)pages))
		return fail_system(task, "cannot read the store's file");
	return HERD_EAGAIN;
}

static enum herd_error
go_on(struct sqlite_engine *self, struct engine_task *task)
{
	struct erase *erase = task->state;
	enum herd_error error = empty_log(self, task);

	if (error != HERD_OK)
		return error;
	error = plan_slice(self, task);
	if (error == HERD_OK)
		return fdatasync(self->owner) == 0
			   ? HERD_OK
			   : fail_system(task, "cannot sync the store's file");
	if (error == HERD_EAGAIN)
		error = clean_slice(self, task);
	if (error != HERD_OK)
		return error;
	erase->page = erase->end;
	erase->give_up = mono_add(clock_mono(), SQLITE_ERASE_WAIT_NS);
	task->done = erase->end - 1;
	return HERD_EAGAIN;
}

enum herd_error
sqlite_erase_slice(struct engine *engine, struct engine_task *task)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;

	return engine_sqlite_blame(
	    self, task, task->state == NULL ? begin(task) : go_on(self, task));
}
