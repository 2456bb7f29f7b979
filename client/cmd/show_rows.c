/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/show_rows.h"

#include "run/fields.h"

enum status
show_rows(struct run *run, const struct view *view, const char *path,
    const char *list)
{
	struct answers answers;
	enum status status =
	    json_command(run, view, path, list, NULL, &answers);

	if (status == STATUS_OK)
		return json_finish(run, &answers);
	answers_release(&answers);
	return status;
}
