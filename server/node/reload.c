/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/reload.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/traffic.h"
#include "node/config.h"
#include "node/settings_apply.h"
#include "node/tls_files.h"

#define RELOAD_MESSAGE_MAX 4096u

void
reload_init(struct reload *reload)
{
	memset(reload, 0, sizeof(*reload));
	diagnostics_init(&reload->diagnostics);
}

void
reload_release(struct reload *reload)
{
	diagnostics_release(&reload->diagnostics);
}

static void
reload_add(struct reload *reload, bool now, const char *name)
{
	assert(reload->applied_count < RELOAD_NAMES_MAX &&
	       reload->restart_count < RELOAD_NAMES_MAX);
	if (now)
		reload->applied[reload->applied_count++] = name;
	else
		reload->restart[reload->restart_count++] = name;
}

void
reload_applies(struct reload *reload, const char *name)
{
	reload_add(reload, true, name);
}

static bool
addresses_are_equal(
    const struct herdfile_node *a, const struct herdfile_node *b)
{
	return address_equal(&a->clients, &b->clients) &&
	       address_equal(&a->peers, &b->peers) &&
	       address_equal(&a->http, &b->http) &&
	       address_list_equal(&a->admin, &b->admin);
}

static bool
nodes_are_equal(const struct herdfile *a, const struct herdfile *b)
{
	if (a->node_count != b->node_count)
		return false;
	for (size_t i = 0; i < a->node_count; i++) {
		if (strcmp(a->nodes[i].name, b->nodes[i].name) != 0 ||
		    !addresses_are_equal(&a->nodes[i], &b->nodes[i]))
			return false;
	}
	return true;
}

static bool
links_are_equal(const struct herdfile *a, const struct herdfile *b)
{
	if (a->link_count != b->link_count)
		return false;
	for (size_t i = 0; i < a->link_count; i++) {
		const struct herdfile_link *x = &a->links[i];
		const struct herdfile_link *y = &b->links[i];

		if (strcmp(a->nodes[x->a].name, b->nodes[y->a].name) != 0 ||
		    strcmp(a->nodes[x->b].name, b->nodes[y->b].name) != 0 ||
		    x->b_dials != y->b_dials)
			return false;
	}
	return true;
}

/*
 * Sorts the differences of the new file into `reload`. What applies now is
 * compared with the running file. What needs a restart is compared with the
 * file of the start, so that each reload names it again.
 */
static void
compare(struct reload *reload, const struct node *node,
    const struct herdfile *file, size_t self)
{
	const struct herdfile *boot = &node->boot;
	const struct herdfile *running = &node->file;
	const struct herdfile_node *before = &boot->nodes[node->boot_self];
	const struct herdfile_node *after = &file->nodes[self];
	const struct setting *table;
	size_t count;

	if (strcmp(boot->herd, file->herd) != 0)
		reload_add(reload, false, "herd");
	if (!addresses_are_equal(before, after))
		reload_add(reload, false, "addresses of this node");
	if (!nodes_are_equal(running, file))
		reload_add(reload, true, "nodes");
	if (!links_are_equal(running, file))
		reload_add(reload, true, "links");
	table = settings_table(&count);
	for (size_t i = 0; i < count; i++) {
		const struct herdfile *from =
		    table[i].reloadable ? running : boot;

		if (!setting_equal(&table[i], &from->settings, &file->settings))
			reload_add(reload, table[i].reloadable, table[i].name);
	}
}

/* --- applying ----------------------------------------------------------- */

/* A name beyond NAMES_MAX is left out, and so a strange origin. */
static enum herd_error
names_add_file(struct names *names, const struct herdfile *file)
{
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < file->node_count && error != HERD_ENOMEM; i++)
		error = names_add(names, span_from(file->nodes[i].name));
	return error == HERD_ENOMEM ? error : HERD_OK;
}

enum herd_error
reload_names(struct node *node, const struct herdfile *file)
{
	struct names *names = table_names(node->table);
	enum herd_error error = names_add_file(names, file);

	if (error != HERD_OK)
		return error;
	names_unlist(names);
	return names_add_file(names, file);
}

static void
log_diagnostics(struct node *node, const struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];
		bool error = item->severity == DIAGNOSTIC_ERROR;

		LOG(node->log, error ? LOG_ERROR : LOG_WARN,
		    error ? "config-error" : "config-warning",
		    log_text("file", node->file_path),
		    log_number("line", item->line),
		    log_number("column", item->column),
		    log_text("text", item->text));
	}
}

/* Takes the file, except on failure, which changes nothing. */
static enum herd_error
apply_file(struct node *node, const struct herdfile *file, size_t self)
{
	struct herdfile old = node->file;
	size_t old_self = node->self;
	enum herd_error error = reload_names(node, file);

	if (error != HERD_OK)
		return error;
	node->file = *file;
	node->self = self;
	settings_apply(node);
	if (node->on_reload.apply != NULL)
		error = node->on_reload.apply(node->on_reload.arg);
	if (error != HERD_OK) {
		node->file = old;
		node->self = old_self;
		settings_apply(node);
		return error;
	}
	/* The file of the start stays until the end. */
	if (old.nodes != node->boot.nodes)
		herdfile_release(&old);
	node->file_loaded = clock_wall();
	return HERD_OK;
}

/* --- the files that it names ---------------------------------------------- */

/* Ends the first `count` reads. */
static void
end_files(struct node *node, unsigned count, bool use)
{
	for (unsigned i = 0; i < count; i++)
		node->reload_files[i].files->end(
		    node->reload_files[i].arg, use);
}

static enum herd_error
refuse_files(
    struct reload *reload, enum herd_error error, const struct buf *message)
{
	if (error == HERD_ENOMEM)
		return error;
	return diagnostics_add(&reload->diagnostics, DIAGNOSTIC_ERROR, 0, 0,
		   SPAN_FMT, SPAN_ARG(buf_span(message))) == HERD_OK
		   ? error
		   : HERD_ENOMEM;
}

/* Reads them all, or none is left read. */
static enum herd_error
read_files(struct node *node, struct reload *reload)
{
	enum herd_error error = HERD_OK;
	struct buf message;
	unsigned i;

	buf_init(&message, RELOAD_MESSAGE_MAX);
	for (i = 0; i < node->reload_files_count; i++) {
		error = node->reload_files[i].files->read(
		    node->reload_files[i].arg, reload, &message);
		if (error != HERD_OK)
			break;
	}
	if (error != HERD_OK) {
		end_files(node, i, false);
		error = refuse_files(reload, error, &message);
	}
	buf_release(&message);
	return error;
}

/* Certificates may be new although the herd file is not. */
static enum herd_error
read_tls(const struct node *node, const struct herdfile *file,
    struct tls_files *tls, struct diagnostics *diagnostics)
{
	enum herd_error error;
	const char *text;
	struct buf message;

	buf_init(&message, 4096);
	error = tls_files_load(file, node->name, node->base_dir, &message, tls);
	text = buf_cstr(&message);
	if (error != HERD_OK && message.len > 0 && text != NULL &&
	    config_note(diagnostics, text) != HERD_OK)
		error = HERD_ENOMEM;
	buf_release(&message);
	return error;
}

/* Reads all, then takes all. */
static enum herd_error
apply_all(struct node *node, const struct herdfile *file, size_t self,
    struct reload *reload)
{
	struct tls_files tls;
	enum herd_error error = read_files(node, reload);

	if (error != HERD_OK)
		return error;
	error = read_tls(node, file, &tls, &reload->diagnostics);
	if (error == HERD_OK) {
		tls_files_compare(node, file, &tls, reload);
		error = apply_file(node, file, self);
		if (error == HERD_OK)
			tls_files_take(node, &tls);
		else
			tls_files_drop(&tls);
	}
	end_files(node, node->reload_files_count, error == HERD_OK);
	if (error == HERD_OK && node->on_reloaded.run != NULL)
		node->on_reloaded.run(node->on_reloaded.arg);
	return error;
}

enum herd_error
node_reload(struct node *node, const char *who, struct reload *reload)
{
	struct herdfile file;
	size_t self = 0;
	enum herd_error error;

	/* A file that is refused must not keep logs from rotating. */
	traffic_reopen(node->traffic);
	error = config_load(
	    node->file_path, node->name, &file, &self, &reload->diagnostics);
	if (error == HERD_OK) {
		compare(reload, node, &file, self);
		error = apply_all(node, &file, self, reload);
		if (error != HERD_OK)
			herdfile_release(&file);
	}
	log_diagnostics(node, &reload->diagnostics);
	if (error != HERD_OK)
		LOG(node->log, LOG_ERROR, "reload-rejected",
		    log_text("by", who),
		    log_number("errors", (int64_t)reload->diagnostics.errors),
		    log_text("next", "the running configuration stays; fix "
				     "the file and reload again"));
	else
		LOG(node->log, LOG_INFO, "reloaded", log_text("by", who),
		    log_number("applied", (int64_t)reload->applied_count),
		    log_number("restart", (int64_t)reload->restart_count));
	return error;
}

void
node_on_reload(
    struct node *node, enum herd_error (*apply)(void *arg), void *arg)
{
	assert(node->on_reload.apply == NULL);
	node->on_reload.apply = apply;
	node->on_reload.arg = arg;
}

void
node_on_reload_files(
    struct node *node, const struct reload_files *files, void *arg)
{
	unsigned at = node->reload_files_count++;

	assert(at < RELOAD_FILES_MAX);
	node->reload_files[at].files = files;
	node->reload_files[at].arg = arg;
}

void
node_on_reloaded(struct node *node, void (*run)(void *arg), void *arg)
{
	node->on_reloaded.run = run;
	node->on_reloaded.arg = arg;
}
