/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The nodes that a command line means: the herd of its settings, and the names
 * in it.
 */
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"

static enum status
find_herd(struct run *run)
{
	enum status status;

	if (run->herd != NULL)
		return STATUS_OK;
	if (herd_is_same(&run->prefs, &run->app->prefs))
		return app_herd(run->app, &run->herd, &run->message);
	status = herd_load(&run->prefs, &run->own_herd, &run->message);
	if (status == STATUS_OK) {
		run->owns_herd = true;
		run->herd = &run->own_herd;
	}
	return status;
}

static enum status
unknown_node(struct run *run, struct span name)
{
	const char **names = xcalloc(run->herd->count + 1, sizeof(*names));

	for (size_t i = 0; i < run->herd->count; i++)
		names[i] = run->herd->targets[i].name;
	put_text(&run->message, "no node `");
	put_clean(&run->message, name);
	put_text(&run->message, "' in the herd");
	put_nearest(&run->message, name, names, ", which has", 20);
	free(names);
	return run_fail_message(run, STATUS_USAGE);
}

enum status
run_find_target(struct run *run, const char *name, const struct target **out)
{
	enum status status = find_herd(run);
	size_t i;

	if (status != STATUS_OK)
		return run_fail_message(run, status);
	i = herd_find(run->herd, name);
	if (i == run->herd->count)
		return unknown_node(run, span_from(name));
	*out = &run->herd->targets[i];
	return STATUS_OK;
}

static void
add_target(struct run *run, const struct target *target)
{
	for (size_t i = 0; i < run->target_count; i++) {
		if (run->targets[i] == target)
			return;
	}
	run->targets[run->target_count++] = target;
}

static enum status
add_named(struct run *run, const char *list)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ",");
		char *name = xstrndup(list, len);
		size_t i = herd_find(run->herd, name);

		free(name);
		if (i == run->herd->count)
			return unknown_node(run, span_of(list, len));
		add_target(run, &run->herd->targets[i]);
		list += len;
		list += *list == ',';
	}
	return STATUS_OK;
}

/* A herd-wide command ignores the node of the session, however it was set. */
static const char *
named_nodes(const struct run *run)
{
	const struct pref_value *node = &run->prefs.values[PREF_NODE];
	bool herd_wide = (run->args->command->traits & COMMAND_HERD) != 0;
	bool is_sessions =
	    node->origin == ORIGIN_SESSION || node->from_context ||
	    (node->origin == ORIGIN_FLAG && run->app->repl != NULL);

	if (herd_wide && (node->origin < ORIGIN_FLAG || is_sessions))
		return "all";
	return node->text;
}

enum status
run_targets(struct run *run)
{
	enum status status;
	const char *names;

	if (run->target_count > 0)
		return STATUS_OK;
	status = find_herd(run);
	if (status != STATUS_OK)
		return run_fail_message(run, status);
	run->targets = xcalloc(run->herd->count + 1, sizeof(*run->targets));
	names = named_nodes(run);
	if (names != NULL && strcmp(names, "all") == 0) {
		for (size_t i = 0; i < run->herd->count; i++)
			add_target(run, &run->herd->targets[i]);
		run->all_nodes = true;
		return STATUS_OK;
	}
	if (names == NULL || names[0] == '\0') {
		add_target(run, &run->herd->targets[run->herd->nearest]);
		return STATUS_OK;
	}
	/* --server has one target, whatever a setting calls the node. */
	if (run->herd->server_name != NULL) {
		add_target(run, &run->herd->targets[0]);
		return STATUS_OK;
	}
	status = add_named(run, names);
	run->all_nodes = run->target_count > 1;
	return status;
}

enum status
run_one_target(struct run *run, const struct target **out)
{
	enum status status = run_targets(run);

	if (status != STATUS_OK)
		return status;
	if (run->target_count != 1)
		return run_fail(run, STATUS_USAGE,
		    "`%s' is for one node: name it with -n NODE",
		    run->args->command->path);
	*out = run->targets[0];
	return STATUS_OK;
}

enum status
run_use_node(struct run *run, const char *name)
{
	enum status status;

	if (run->target_count > 0)
		return STATUS_OK;
	run->targets = xcalloc(1, sizeof(*run->targets));
	status = run_find_target(run, name, &run->targets[0]);
	if (status == STATUS_OK)
		run->target_count = 1;
	return status;
}

const char *
run_where(struct run *run)
{
	if (run->target_count == 1)
		return run->targets[0]->name;
	buf_clear(&run->where);
	putf(&run->where, "%zu nodes", run->target_count);
	return text_of(&run->where);
}

const char *
run_herd_name(const struct run *run)
{
	if (run->context != NULL)
		return run->context;
	if (run->herd != NULL && run->herd->name != NULL)
		return run->herd->name;
	return "no context";
}
