/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/app.h"

#include <stdlib.h>
#include <string.h>

#include "conf/contexts.h"
#include "base/paths.h"
#include "out/width.h"
#include "base/xbuf.h"

static enum status
read_files(struct ctl *ctl, struct buf *message)
{
	char *user = path_user_rc();
	enum status status = prefs_read_file(
	    &ctl->base, PATH_SYSTEM_RC, ORIGIN_SYSTEM, false, message);

	if (status == STATUS_OK && user != NULL)
		status = prefs_read_file(
		    &ctl->base, user, ORIGIN_USER, false, message);
	free(user);
	return status;
}

enum status
ctl_init(
    struct ctl *ctl, const struct args *args, bool no_rc, struct buf *message)
{
	enum status status = STATUS_OK;

	*ctl = (struct ctl){ 0 };
	ctl->utf8 = width_is_utf8();
	prefs_init(&ctl->base);
	prefs_init(&ctl->prefs);
	if (!no_rc)
		status = read_files(ctl, message);
	if (status == STATUS_OK)
		status = prefs_read_environment(&ctl->base, message);
	if (status == STATUS_OK)
		status =
		    prefs_read_options(&ctl->base, args, ORIGIN_FLAG, message);
	if (status == STATUS_OK)
		status = ctl_apply(ctl, message);
	return status;
}

void
ctl_release(struct ctl *ctl)
{
	admin_free(ctl->admin);
	if (ctl->herd_ready)
		herd_release(&ctl->herd);
	if (ctl->loop_ready)
		loop_release(&ctl->loop);
	prefs_release(&ctl->base);
	prefs_release(&ctl->prefs);
	free(ctl->context);
}

static bool
is_same(const struct prefs *a, const struct prefs *b, enum pref_id id)
{
	const char *left = prefs_text(a, id);
	const char *right = prefs_text(b, id);

	if (left == NULL || right == NULL)
		return left == right;
	return strcmp(left, right) == 0;
}

enum status
ctl_apply(struct ctl *ctl, struct buf *message)
{
	struct prefs next;
	char *context;
	enum status status;

	prefs_copy(&next, &ctl->base);
	status = contexts_apply(&next, &context, message);
	if (status != STATUS_OK) {
		prefs_release(&next);
		return status;
	}
	if (ctl->herd_ready &&
	    !(is_same(&next, &ctl->prefs, PREF_CONF) &&
		is_same(&next, &ctl->prefs, PREF_SERVER) &&
		is_same(&next, &ctl->prefs, PREF_TOKEN_FILE) &&
		is_same(&next, &ctl->prefs, PREF_INSECURE))) {
		herd_release(&ctl->herd);
		ctl->herd_ready = false;
	}
	prefs_release(&ctl->prefs);
	ctl->prefs = next;
	free(ctl->context);
	ctl->context = context;
	return STATUS_OK;
}

struct loop *
ctl_loop(struct ctl *ctl)
{
	if (!ctl->loop_ready)
		loop_init(&ctl->loop);
	ctl->loop_ready = true;
	return &ctl->loop;
}

enum status
ctl_herd(struct ctl *ctl, struct herd **out, struct buf *message)
{
	if (!ctl->herd_ready) {
		enum status status =
		    herd_load(&ctl->prefs, &ctl->herd, message);

		if (status != STATUS_OK)
			return status;
		ctl->herd_ready = true;
	}
	*out = &ctl->herd;
	return STATUS_OK;
}

enum status
ctl_admin(struct ctl *ctl, struct admin **out, struct buf *message)
{
	if (ctl->admin == NULL) {
		enum status status =
		    admin_new(ctl_loop(ctl), &ctl->admin, message);

		if (status != STATUS_OK)
			return status;
	}
	*out = ctl->admin;
	return STATUS_OK;
}

const struct target *
ctl_current(struct ctl *ctl)
{
	const char *name = prefs_text(&ctl->prefs, PREF_NODE);
	size_t i;

	if (!ctl->herd_ready)
		return NULL;
	i = name == NULL ? ctl->herd.count : herd_find(&ctl->herd, name);
	if (i == ctl->herd.count)
		i = ctl->herd.nearest;
	return &ctl->herd.targets[i];
}
