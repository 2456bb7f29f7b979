/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store check: are the rows of a store what was put there? Of a running node,
 * which looks itself, or of a file on this machine.
 */
#include "cmd/list.h"

#include "base/xbuf.h"
#include "cmd/store_patience.h"
#include "input/store_file.h"
#include "run/fields.h"

/* clang-format off */
#define CHECK_COLUMNS(X) \
	X(CHECK_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE) \
	X(CHECK_PATH, "path", "FILE", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_SHRINK) \
	X(CHECK_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE | COLUMN_COMPUTED) \
	X(CHECK_FORMAT, "format", "FORMAT", VALUE_INTEGER, .traits = COLUMN_NUMERAL) \
	X(CHECK_ROWS, "rows", "ROWS", VALUE_INTEGER) \
	X(CHECK_REMOVALS, "removals", "REMOVALS", VALUE_INTEGER) \
	X(CHECK_DAMAGED, "damaged", "DAMAGED", VALUE_INTEGER) \
	X(CHECK_BYTES, "bytes", "BYTES", VALUE_BYTES, .traits = COLUMN_IF_ANY) \
	X(CHECK_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE)
/* clang-format on */

COLUMN_TABLE(check_columns, CHECK_COLUMNS);

static const struct view check_view =
    VIEW(check_columns, .schema = "herd.store-check/1", .list = "stores");

/* --- a file ------------------------------------------------------------- */

static void
add_file_row(struct run *run, const char *path, struct store_file *file)
{
	struct out *out = &run->out;

	out_word(out, CHECK_PATH, path);
	out_word(out, CHECK_STATE, file->is_whole ? "ok" : "damaged");
	out_integer(out, CHECK_FORMAT, file->format);
	out_integer(out, CHECK_ROWS, (int64_t)file->rows);
	out_integer(out, CHECK_REMOVALS, (int64_t)file->removals);
	out_integer(out, CHECK_DAMAGED, (int64_t)file->damaged);
	out_real(out, CHECK_BYTES, (double)file->bytes);
	if (file->fault.len > 0)
		out_text(out, CHECK_ERROR, buf_span(&file->fault));
	out_row(out);
}

static enum status
check_file(struct run *run, const char *path)
{
	struct store_file file;
	enum status status = run_begin(run, &check_view);

	if (status != STATUS_OK)
		return status;
	status = store_file_read(path, &file, &run->message);
	if (status != STATUS_OK)
		return run_fail_message(run, status);
	add_file_row(run, path, &file);
	out_end(&run->out);
	status = file.is_whole ? STATUS_OK : STATUS_NEGATIVE;
	store_file_release(&file);
	return status;
}

/* --- nodes -------------------------------------------------------------- */

static bool
is_whole(const struct answer *answer)
{
	return fields_number(answer->json, "damaged", FIELDS_UNKNOWN) == 0;
}

static void
set_state(
    struct out *out, const struct answer *answer, const struct cJSON *object)
{
	if (object != NULL)
		out_word(out, CHECK_STATE, is_whole(answer) ? "ok" : "damaged");
}

static enum status
check_nodes(struct run *run)
{
	struct answers answers;
	bool whole = true;
	enum status status;

	store_be_patient(run);
	status = fields_ask(run,
	    &(struct fields_request){ .path = "/v1/store/check" }, &answers);
	if (status != STATUS_OK)
		return status;
	fields_rows(run, &answers, NULL, set_state);
	answers_each(a, &answers)
		whole = whole && (a->status != STATUS_OK || is_whole(a));
	status = fields_finish(run, &answers);
	return status == STATUS_OK && !whole ? STATUS_NEGATIVE : status;
}

static enum status
store_check_run(struct run *run)
{
	const char *path = run_word(run, 0);

	return path != NULL ? check_file(run, path) : check_nodes(run);
}

const struct command cmd_store_check = {
	.path = "store check",
	.summary = "check a node's store, or the file of one",
	.help =
	    "Each row has a checksum over all that it says. A running node "
	    "reads all rows while it goes on. A FILE is read on this machine: "
	    "its format, its structure, its rows; it is not changed. Exit "
	    "status 1: it is damaged.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE, .optional = true)),
	.view = &check_view,
	.traits = COMMAND_READ,
	.run = store_check_run,
	.example = "store check -n all",
};
