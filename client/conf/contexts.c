/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/contexts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/xbuf.h"
#include "herd/herdfile.h"
#include "herd/text.h"
#include "out/width.h"

#define STATE_MAX 4096u

bool
context_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len <= CONTEXT_NAME_MAX && name[0] != '.' && name[0] != '-' &&
	       strcmp(name, "none") != 0 && node_name_is_valid(span_from(name));
}

char *
context_path(const char *name)
{
	char *directory = path_config(PATH_CONTEXTS);
	char *path;

	if (directory == NULL)
		return NULL;
	path = xasprintf("%s/%s", directory, name);
	free(directory);
	return path;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
contexts_list(void)
{
	char *path = path_config(PATH_CONTEXTS);
	DIR *directory = path == NULL ? NULL : opendir(path);
	struct dirent *entry;
	char **names = NULL;
	size_t count = 0;
	size_t room = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (!context_name_is_valid(entry->d_name))
			continue;
		grow_array(names, count, room);
		names[count++] = xstrdup(entry->d_name);
	}
	if (directory != NULL)
		closedir(directory);
	free(path);
	if (count > 1)
		qsort(names, count, sizeof(*names), by_name);
	grow_array(names, count, room);
	names[count] = NULL;
	return names;
}

void
contexts_free(char **names)
{
	for (char **name = names; *name != NULL; name++)
		free(*name);
	free(names);
}

/* A line of the state file: a name, `none`, or `-`. Gives it or NULL. */
static char *
take_name(struct span *rest)
{
	struct span line = width_take_line(rest, 0);
	char *name = xstrndup(line.data, line.len);

	if (context_name_is_valid(name) || strcmp(name, "none") == 0)
		return name;
	free(name);
	return NULL;
}

void
contexts_read_state(char **current, char **previous)
{
	char *path = path_state(PATH_CONTEXT_STATE);
	struct buf text;
	struct span rest;

	buf_init(&text, STATE_MAX);
	*current = NULL;
	*previous = NULL;
	if (path != NULL && file_read(path, STATE_MAX, &text) == HERD_OK) {
		rest = buf_span(&text);
		*current = take_name(&rest);
		*previous = take_name(&rest);
	}
	free(path);
	buf_release(&text);
}

int
contexts_use(const char *name)
{
	char *path = path_state(PATH_CONTEXT_STATE);
	char *current;
	char *previous;
	char *text;
	int result;

	if (path == NULL) {
		errno = ENOENT;
		return -1;
	}
	contexts_read_state(&current, &previous);
	text = xasprintf("%s\n%s\n", name == NULL ? "-" : name,
	    current == NULL ? "none" : current);
	result = path_write(path, text);
	free(text);
	free(current);
	free(previous);
	free(path);
	return result;
}

static enum status
unknown(const char *name, struct buf *message)
{
	char **names = contexts_list();
	const char *near =
	    text_did_you_mean(span_from(name), (const char *const *)names);

	put_text(message, "no context `");
	put_clean(message, span_from(name));
	put_byte(message, '\'');
	put_did_you_mean(message, near, " (see `context ls')");
	contexts_free(names);
	return STATUS_LOCAL;
}

enum status
contexts_apply(struct prefs *prefs, char **name, struct buf *message)
{
	const struct pref_value *value = &prefs->values[PREF_CONTEXT];
	enum pref_origin origin = value->origin;
	char *current = NULL;
	char *previous = NULL;
	char *path = NULL;
	enum status status = STATUS_OK;

	*name = NULL;
	if (value->text == NULL) {
		contexts_read_state(&current, &previous);
		free(previous);
		origin = ORIGIN_USER;
	} else if (strcmp(value->text, "none") != 0) {
		current = xstrdup(value->text);
	}
	if (current == NULL)
		return STATUS_OK;
	if (context_name_is_valid(current))
		path = context_path(current);
	if (path == NULL || access(path, F_OK) != 0) {
		/* The one in use was removed by hand: that is none. */
		if (value->text != NULL)
			status = unknown(current, message);
	} else {
		status = prefs_read_file(prefs, path, origin, NULL, message);
		if (status == STATUS_OK)
			*name = xstrdup(current);
	}
	free(path);
	free(current);
	return status;
}
