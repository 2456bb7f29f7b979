/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/app.h"

#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "base/xbuf.h"
#include "conf/contexts.h"
#include "out/width.h"

static enum status
read_files(struct app *app, struct buf *message)
{
	char *user = path_config(PATH_USER_RC);
	enum status status = prefs_read_file(
	    &app->base, PATH_SYSTEM_RC, ORIGIN_SYSTEM, &app->aliases, message);

	if (status == STATUS_OK && user != NULL)
		status = prefs_read_file(
		    &app->base, user, ORIGIN_USER, &app->aliases, message);
	free(user);
	return status;
}

enum status
app_init(
    struct app *app, const struct args *args, bool no_rc, struct buf *message)
{
	enum status status = STATUS_OK;

	*app = (struct app){ 0 };
	app->utf8 = width_is_utf8();
	prefs_init(&app->base);
	prefs_init(&app->prefs);
	if (!no_rc)
		status = read_files(app, message);
	if (status == STATUS_OK)
		status = prefs_read_environment(&app->base, message);
	if (status == STATUS_OK)
		status =
		    prefs_read_options(&app->base, args, ORIGIN_FLAG, message);
	if (status == STATUS_OK)
		status = app_apply(app, message);
	prefs_copy(&app->begun, &app->base);
	return status;
}

void
app_release(struct app *app)
{
	admin_client_free(app->admin);
	if (app->herd_ready)
		herd_release(&app->herd);
	if (app->loop_ready)
		loop_release(&app->loop);
	prefs_release(&app->begun);
	prefs_release(&app->base);
	prefs_release(&app->prefs);
	aliases_release(&app->aliases);
	free(app->context);
}

enum status
app_apply(struct app *app, struct buf *message)
{
	struct prefs next;
	char *context;
	enum status status;

	prefs_copy(&next, &app->base);
	status = contexts_apply(&next, &context, message);
	if (status != STATUS_OK) {
		prefs_release(&next);
		return status;
	}
	if (app->herd_ready && !herd_is_same(&next, &app->prefs)) {
		herd_release(&app->herd);
		app->herd_ready = false;
	}
	prefs_release(&app->prefs);
	app->prefs = next;
	free(app->context);
	app->context = context;
	return STATUS_OK;
}

struct loop *
app_loop(struct app *app)
{
	if (!app->loop_ready)
		loop_init(&app->loop);
	app->loop_ready = true;
	return &app->loop;
}

enum status
app_herd(struct app *app, struct herd **out, struct buf *message)
{
	if (!app->herd_ready) {
		enum status status =
		    herd_load(&app->prefs, &app->herd, message);

		if (status != STATUS_OK)
			return status;
		app->herd_ready = true;
	}
	*out = &app->herd;
	return STATUS_OK;
}

enum status
app_admin(struct app *app, struct admin_client **out, struct buf *message)
{
	if (app->admin == NULL) {
		enum status status =
		    admin_client_new(app_loop(app), &app->admin, message);

		if (status != STATUS_OK)
			return status;
	}
	*out = app->admin;
	return STATUS_OK;
}

const struct target *
app_current(struct app *app)
{
	const char *name = prefs_text(&app->prefs, PREF_NODE);
	size_t i;

	if (!app->herd_ready)
		return NULL;
	i = name == NULL ? app->herd.count : herd_find(&app->herd, name);
	if (i == app->herd.count)
		i = app->herd.nearest;
	return &app->herd.targets[i];
}

const char *
app_several(const struct app *app)
{
	const char *nodes = prefs_text(&app->prefs, PREF_NODE);

	if (nodes == NULL || (app->herd_ready && app->herd.server_name != NULL))
		return NULL;
	return strcmp(nodes, "all") == 0 || strchr(nodes, ',') != NULL ? nodes
								       : NULL;
}
