/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state that lives as long as herdctl runs: the loop, the settings, the
 * herd, the admin client. Everything that costs time is made when first needed.
 */
#ifndef HERD_APP_H
#define HERD_APP_H

#include "base/loop.h"
#include "conf/herd.h"
#include "net/admin_client.h"

struct standing;
struct repl;

struct app {
	struct loop loop;
	bool loop_ready;
	struct admin_client *admin;
	struct prefs begun; /* at the start, without a context's values */
	struct prefs base;  /* and now, as `set' has changed them */
	struct prefs prefs; /* with them: what is in force */
	struct aliases aliases;
	char *context; /* name, or NULL */
	struct herd herd;
	bool herd_ready;
	struct standing
	    *standing;     /* REPL: the connection to the current node */
	struct repl *repl; /* NULL outside the REPL */
	bool utf8;
	bool leaving; /* the present command is the last one */
};

/* Settings as they are without a context; reads rc files unless `no_rc`. */
enum status app_init(
    struct app *app, const struct args *args, bool no_rc, struct buf *message);
void app_release(struct app *app);

/*
 * Works out the settings in force after `base` has changed; forgets the herd
 * if another one is meant. On failure nothing changes.
 */
enum status app_apply(struct app *app, struct buf *message);

/* The loop; made on first use. */
struct loop *app_loop(struct app *app);

/* The herd of the settings in force; read on first use. */
enum status app_herd(struct app *app, struct herd **out, struct buf *message);

/* The admin client; made on first use. */
enum status app_admin(
    struct app *app, struct admin_client **out, struct buf *message);

/* The target that is asked when a line names none; NULL: no herd. */
const struct target *app_current(struct app *app);

/* "all", or names with commas, when the settings mean several; else NULL. */
const char *app_several(const struct app *app);

#endif
