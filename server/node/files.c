/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "herd/keyfile.h"
#include "herd/users_file.h"

#define STATE_VARIABLE "STATE_DIRECTORY"
#define LOGS_VARIABLE "LOGS_DIRECTORY"
#define RUNTIME_VARIABLE "RUNTIME_DIRECTORY"
#define SECRET_MIN 16u
#define SECRET_MAX 4096u

/* files_be_service() was called: systemd makes the folders. */
static bool is_service;

/* --- where they are ------------------------------------------------------- */

/* The first folder of a list that systemd gives; empty: none. */
static struct span
folder_of(const char *variable)
{
	const char *value = secure_getenv(variable);

	if (value == NULL || value[0] != '/')
		return span_from("");
	return span_of(value, strcspn(value, ":"));
}

static struct span
folder_for(enum files_kind kind)
{
	struct span folder = span_from("");

	if (kind == FILES_LOGS)
		folder = folder_of(LOGS_VARIABLE);
	return folder.len > 0 ? folder : folder_of(STATE_VARIABLE);
}

enum herd_error
files_path(struct buf *out, enum files_kind kind, const char *text,
    const char *node, const char *base_dir)
{
	struct span folder = folder_for(kind);
	size_t before = out->len;
	enum herd_error error;

	if (text[0] == '/' || text[0] == '\0' || folder.len == 0)
		return herdfile_expand(out, text, node, base_dir);
	error = buf_add_span(out, folder);
	if (error == HERD_OK)
		error = buf_add_byte(out, '/');
	if (error == HERD_OK)
		error = herdfile_expand(out, text, node, NULL);
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}

static bool
is_credential(const char *value)
{
	return strncmp(value, "credential:", strlen("credential:")) == 0;
}

enum herd_error
files_read_path(
    struct buf *out, const char *text, const char *node, const char *base_dir)
{
	return is_credential(text) ? buf_add_text(out, text)
				   : herdfile_expand(out, text, node, base_dir);
}

enum herd_error
files_be_service(void)
{
	is_service = true;
	return setenv(STATE_VARIABLE, FILES_SERVICE_STATE, 0) == 0 &&
		       setenv(LOGS_VARIABLE, FILES_SERVICE_LOGS, 0) == 0 &&
		       setenv(RUNTIME_VARIABLE, FILES_SERVICE_RUNTIME, 0) == 0
		   ? HERD_OK
		   : HERD_ENOMEM;
}

/* --- each file of a node -------------------------------------------------- */

enum use {
	READ_SECRET,
	READ_WORD,
	READ_KEY,
	READ_USERS,
	READ,
	WRITE,
	WRITE_NO_LINK,
	SOCKET
};

/* A visit to the files of a node. */
struct visit {
	const struct herdfile *file;
	const struct herdfile_node *node;
	const char *base_dir;
	struct diagnostics *diagnostics;
	/* With the path that the setting means; "" is not visited. */
	enum herd_error (*look)(struct visit *visit, const char *setting,
	    const char *value, const char *path, enum use use);
};

static enum herd_error HERD_PRINTF(2, 3)
    complain(const struct visit *visit, const char *fmt, ...)
{
	va_list args;
	enum herd_error error;

	va_start(args, fmt);
	error = diagnostics_addv(
	    visit->diagnostics, DIAGNOSTIC_ERROR, 0, 0, fmt, args);
	va_end(args);
	return error;
}

static enum herd_error
visit_one(
    struct visit *visit, const char *setting, const char *value, enum use use)
{
	const char *node = visit->node->name;
	struct buf path;
	const char *text;
	enum herd_error error;

	if (value[0] == '\0')
		return HERD_OK;
	buf_init(&path, PATH_MAX);
	if (use == WRITE || use == WRITE_NO_LINK)
		error =
		    files_path(&path, use == WRITE ? FILES_STATE : FILES_LOGS,
			value, node, visit->base_dir);
	else if (use == SOCKET)
		error = buf_add_text(&path, value);
	else
		error = herdfile_expand(&path, value, node, visit->base_dir);
	text = error == HERD_OK ? buf_cstr(&path) : NULL;
	if (error == HERD_OK)
		error = text == NULL
			    ? HERD_ENOMEM
			    : visit->look(visit, setting, value, text, use);
	buf_release(&path);
	return error;
}

/* Does a provider want an API key? */
static bool
wants_api_key(const struct settings *settings)
{
	for (size_t i = 0; i < settings->places.provider.count; i++) {
		if (places_kind_key(
			(enum places_kind)settings->places.provider.items[i]) !=
		    NULL)
			return true;
	}
	return false;
}

static enum herd_error
visit_all(struct visit *visit)
{
	const struct settings *s = &visit->file->settings;
	bool keeps = s->store.engine != STORE_NONE;
	bool shares =
	    store_engine_is_shared((enum store_engine)s->store.engine);
	const struct {
		const char *setting;
		const char *value;
		enum use use;
	} files[] = {
		{ "key_file",
		    s->link_security == LINK_SECURITY_NONE ? "" : s->key_file,
		    READ_SECRET },
		{ "admin.token_file", s->admin.token_file, READ_WORD },
		{ "admin.read_token_file", s->admin.read_token_file,
		    READ_WORD },
		{ "admin.tls_key", s->admin.tls_key, READ_KEY },
		{ "clients.tls_key", s->clients.tls_key, READ_KEY },
		{ "http.tls_key", s->http.tls_key, READ_KEY },
		{ "http.users_file",
		    visit->node->http.kind == ADDRESS_NONE ? ""
							   : s->http.users_file,
		    READ_USERS },
		{ "places.key_file", wants_api_key(s) ? s->places.key_file : "",
		    READ_WORD },
		{ "places.ca_file", s->places.ca_file, READ },
		{ "places.data", s->places.data, READ },
		{ "store.path", keeps && !shares ? s->store.path : "", WRITE },
		{ "store.url_file", shares ? s->store.url_file : "",
		    READ_WORD },
		{ "log.traffic", s->log.traffic, WRITE_NO_LINK },
	};
	const struct address_list *admin = &visit->node->admin;
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < HERD_ARRAY_LEN(files) && error == HERD_OK; i++)
		error = visit_one(
		    visit, files[i].setting, files[i].value, files[i].use);
	for (unsigned i = 0; i < admin->count && error == HERD_OK; i++) {
		if (admin->items[i].kind == ADDRESS_UNIX)
			error = visit_one(
			    visit, "admin", admin->items[i].path, SOCKET);
	}
	return error;
}

/* --- can they be used? ---------------------------------------------------- */

static enum herd_error
read_words(const struct keyfile *file, enum use use, struct buf *message)
{
	struct keyfile_words words = { 0 };
	/* Neither is made by herdctl. */
	bool is_foreign = strcmp(file->name, "places.key_file") == 0 ||
			  strcmp(file->name, "store.url_file") == 0;
	enum herd_error error;

	error = keyfile_read_words(file,
	    use == READ_SECRET ? KEYFILE_PHRASE : KEYFILE_WORD,
	    is_foreign ? 1 : SECRET_MIN,
	    use == READ_SECRET ? SECRET_MAX : KEYFILE_WORD_MAX, &words,
	    message);
	keyfile_words_wipe(&words);
	return error;
}

static enum herd_error
read_users(const struct keyfile *file, struct buf *message)
{
	struct users_file users = { 0 };
	enum herd_error error = users_file_read(file, &users, message);

	users_file_release(&users);
	return error;
}

static enum herd_error
look_at_secret(
    struct visit *visit, const char *setting, const char *value, enum use use)
{
	const struct keyfile file = { setting, value, visit->node->name,
		visit->base_dir, false };
	struct buf message;
	enum herd_error error;

	/* What a unit loads is there only when it runs. */
	if (is_credential(value) &&
	    secure_getenv("CREDENTIALS_DIRECTORY") == NULL &&
	    folder_of(STATE_VARIABLE).len > 0)
		return HERD_OK;
	buf_init(&message, 4096);
	error = use == READ_USERS ? read_users(&file, &message)
				  : read_words(&file, use, &message);
	if (error != HERD_OK && error != HERD_ENOMEM)
		error = complain(visit, SPAN_FMT, SPAN_ARG(buf_span(&message)));
	buf_release(&message);
	return error;
}

/* Will systemd make it when the unit starts? */
static bool
is_made(const char *folder)
{
	struct span path = span_from(folder);

	return is_service && (span_equal(path, folder_of(STATE_VARIABLE)) ||
				 span_equal(path, folder_of(LOGS_VARIABLE)) ||
				 span_equal(path, folder_of(RUNTIME_VARIABLE)));
}

/* May the present user make files in that file's folder? 0 or errno. */
static int
folder_fault(const char *path)
{
	char *copy = strdup(path);
	const char *folder;
	int fault = 0;

	if (copy == NULL)
		return ENOMEM;
	folder = dirname(copy);
	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
		fault = errno;
	if (fault == ENOENT && is_made(folder))
		fault = 0;
	free(copy);
	return fault;
}

/* Could open() have it for writing? 0 or errno. */
static int
write_fault(const char *path, enum use use)
{
	struct stat facts;
	int found =
	    use == WRITE_NO_LINK ? lstat(path, &facts) : stat(path, &facts);

	if (found != 0)
		return errno == ENOENT ? folder_fault(path) : errno;
	if (S_ISLNK(facts.st_mode))
		return ELOOP;
	if (S_ISDIR(facts.st_mode))
		return EISDIR;
	if (!S_ISREG(facts.st_mode) &&
	    !(use == WRITE_NO_LINK && S_ISCHR(facts.st_mode)))
		return EINVAL;
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
		return errno;
	/* SQLite has files beside its own. */
	return use == WRITE ? folder_fault(path) : 0;
}

/* Its folder is made at the start, if the folder around that one is there. */
static int
socket_fault(const char *path)
{
	int fault = folder_fault(path);
	char *copy;

	if (fault != ENOENT)
		return fault;
	copy = strdup(path);
	fault = copy == NULL ? ENOMEM : folder_fault(dirname(copy));
	free(copy);
	return fault;
}

static enum herd_error
look_at(struct visit *visit, const char *setting, const char *value,
    const char *path, enum use use)
{
	int fault = 0;

	switch (use) {
	case READ_SECRET:
	case READ_WORD:
	case READ_USERS: return look_at_secret(visit, setting, value, use);
	case READ_KEY: break; /* tls_files_load() reads it */
	case READ:
		if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
			fault = errno;
		break;
	case WRITE:
	case WRITE_NO_LINK: fault = write_fault(path, use); break;
	case SOCKET: fault = socket_fault(path); break;
	}
	if (fault == 0)
		return HERD_OK;
	return complain(visit, "%s: node %s cannot %s %s: %s%s", setting,
	    visit->node->name, use == READ ? "read" : "write", path,
	    file_strerror(fault),
	    use == READ ? ""
			: "; give it a file in a folder that is there and "
			  "that the node may write");
}

enum herd_error
files_check(const struct herdfile *file, size_t self, const char *base_dir,
    struct diagnostics *diagnostics)
{
	struct visit visit = { file, &file->nodes[self], base_dir, diagnostics,
		look_at };

	return visit_all(&visit);
}

/* --- may the service use them? -------------------------------------------- */

/* Without `..`, which could lead out of a folder. */
static bool
is_within(const char *path, struct span folder)
{
	return folder.len > 0 && strncmp(path, folder.data, folder.len) == 0 &&
	       path[folder.len] == '/' && strstr(path, "/../") == NULL;
}

/* ProtectHome=yes. */
static bool
is_hidden(const char *path)
{
	return is_within(path, span_from("/home")) ||
	       is_within(path, span_from("/root")) ||
	       is_within(path, span_from("/run/user"));
}

/* A key that is not the service's own is closed to it, even root's. */
static enum herd_error
look_at_owner(struct visit *visit, const char *setting, const char *path)
{
	const struct passwd *user = getpwnam(FILES_SERVICE_USER);
	struct stat facts;

	if (user == NULL || stat(path, &facts) != 0 ||
	    facts.st_uid == user->pw_uid)
		return HERD_OK;
	return complain(visit,
	    "%s: %s belongs to user %lu, and the service runs as " FILES_SERVICE_USER
	    ": chown " FILES_SERVICE_USER ":" FILES_SERVICE_USER " it",
	    setting, path, (unsigned long)facts.st_uid);
}

static enum herd_error
look_at_group(const struct visit *visit)
{
	const char *group = visit->file->settings.admin.group;

	if (group[0] == '\0' || strcmp(group, FILES_SERVICE_USER) == 0)
		return HERD_OK;
	return complain(visit,
	    "admin.group: the service has no group %s (PrivateUsers=yes): "
	    "name its own, " FILES_SERVICE_USER,
	    group);
}

static enum herd_error
look_as_service(struct visit *visit, const char *setting, const char *value,
    const char *path, enum use use)
{
	struct span state = folder_of(STATE_VARIABLE);
	struct span logs = folder_of(LOGS_VARIABLE);
	struct span runtime = folder_of(RUNTIME_VARIABLE);

	if (is_hidden(path) && !is_credential(value))
		return complain(visit,
		    "%s: the service sees nothing of %s (ProtectHome=yes); "
		    "put it into the herd file's folder, /etc/herd",
		    setting, path);
	if (use == READ_SECRET || use == READ_WORD || use == READ_KEY ||
	    use == READ_USERS)
		return is_credential(value)
			   ? HERD_OK
			   : look_at_owner(visit, setting, path);
	if (use == READ)
		return HERD_OK;
	if (is_within(path, state) || is_within(path, logs) ||
	    is_within(path, runtime) ||
	    (use == WRITE_NO_LINK && is_within(path, span_from("/dev"))))
		return use == SOCKET ? look_at_group(visit) : HERD_OK;
	return complain(visit,
	    "%s: %s is read-only for the service (ProtectSystem=strict); it "
	    "writes to " SPAN_FMT ", " SPAN_FMT " and " SPAN_FMT " only: %s",
	    setting, path, SPAN_ARG(state), SPAN_ARG(logs), SPAN_ARG(runtime),
	    use == SOCKET ? "put the socket into the last of them"
			  : "a relative path is in the right one");
}

enum herd_error
files_check_service(const struct herdfile *file, size_t self,
    const char *base_dir, struct diagnostics *diagnostics)
{
	struct visit visit = { file, &file->nodes[self], base_dir, diagnostics,
		look_as_service };

	return visit_all(&visit);
}
