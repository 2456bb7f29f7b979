/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * user add: somebody who may report over HTTP, with a password; or a device
 * with a key of its own, for apps that have no place for a password.
 */
#include "cmd/list.h"

#include <errno.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/password.h"
#include "cmd/secret_file.h"
#include "cmd/users_edit.h"
#include "herd/users_hash.h"
#include "net/ssl_api.h"

#define KEY_BYTES 16u
#define KEY_LEN SECRET_FILE_WORD(KEY_BYTES)

static void
hint_reload(struct run *run, const struct users_edit *edit)
{
	run_hint(run,
	    "nodes read %s again at a reload: `config reload -n all'; each "
	    "machine has a copy of its own",
	    edit->path);
}

/* --- a device's key ------------------------------------------------------- */

/* Appends the SHA-256 of the key in hex. */
static enum status
put_digest(struct run *run, struct buf *out, const char *key)
{
	unsigned char digest[USERS_DIGEST];
	const char *error;
	struct ssl_api api;

	if (ssl_api_load(&api, &error) != 0)
		return run_fail(run, STATUS_LOCAL, "no OpenSSL: %s", error);
	api.SHA256((const unsigned char *)key, strlen(key), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		putf(out, "%02x", digest[i]);
	return STATUS_OK;
}

static enum status
save_key(struct run *run, struct span name, struct span line, const char *key)
{
	struct users_edit edit;
	enum status status = users_edit_begin(run, &edit);
	bool is_there = users_file_find(&edit.file, name) != NULL;

	if (status == STATUS_OK)
		status = users_edit_put(run, &edit, name, line);
	if (status == STATUS_OK) {
		run_print(run, SPAN_FMT ": %s key, shown only now: %s",
		    SPAN_ARG(name),
		    is_there ? "in place of the old one, a new" : "a new", key);
		hint_reload(run, &edit);
	}
	users_edit_end(&edit);
	return status;
}

static enum status
add_key(struct run *run, struct span name)
{
	char key[KEY_LEN + 1];
	struct buf line = XBUF;
	enum status status = secret_file_word(run, KEY_BYTES, key);

	put_span(&line, name);
	put_text(&line, ":key:");
	if (status == STATUS_OK)
		status = put_digest(run, &line, key);
	if (status == STATUS_OK)
		status = save_key(run, name, buf_span(&line), key);
	explicit_bzero(key, sizeof(key));
	buf_release(&line);
	return status;
}

/* --- a user's password ---------------------------------------------------- */

/* Appends the hash of the password that is given or asked for. */
static enum status
put_hash(struct run *run, struct buf *out, const char *name)
{
	struct buf password;
	enum status status;

	buf_init(&password, PASSWORD_ROOM);
	must(buf_reserve(&password, PASSWORD_ROOM));
	if (run_flag(run, "password-file") != NULL)
		status = password_read(run, "password-file", &password);
	else
		status = password_ask(run, name, &password);
	if (status == STATUS_OK && !users_hash_takes(buf_span(&password)))
		status = run_fail(run, STATUS_USAGE,
		    "a password has 1 to %u bytes, and no control characters",
		    USERS_PASSWORD_MAX);
	if (status == STATUS_OK &&
	    users_hash_make(buf_span(&password), out) != HERD_OK)
		status = run_fail(run, STATUS_LOCAL,
		    "crypt(3) makes no hash: %s", strerror(errno));
	password_release(&password);
	return status;
}

/* `line` gets the devices that the user may name. */
static enum status
save_user(struct run *run, struct span name, struct buf *line)
{
	const char *devices = run_flag(run, "devices");
	const struct users_entry *old;
	struct users_edit edit;
	struct span list;
	enum status status = users_edit_begin(run, &edit);

	old = users_file_find(&edit.file, name);
	list = devices != NULL ? span_from(devices)
	       : old != NULL   ? old->devices
			       : span_from("");
	if (list.len > 0) {
		put_byte(line, ':');
		put_span(line, list);
	}
	if (status == STATUS_OK)
		status = users_edit_put(run, &edit, name, buf_span(line));
	if (status == STATUS_OK) {
		run_print(run, SPAN_FMT ": %s", SPAN_ARG(name),
		    old != NULL ? "a new password in place of the old one"
				: "a new user");
		hint_reload(run, &edit);
	}
	users_edit_end(&edit);
	return status;
}

static enum status
add_user(struct run *run, struct span name)
{
	struct buf line = XBUF;
	enum status status;

	put_span(&line, name);
	put_byte(&line, ':');
	status = put_hash(run, &line, run_word(run, 0));
	if (status == STATUS_OK)
		status = save_user(run, name, &line);
	buf_release(&line);
	return status;
}

/* --- which of them -------------------------------------------------------- */

static enum status
check_flags(struct run *run, bool has_device)
{
	bool wants_key = run_flag(run, "key") != NULL;

	if (has_device && !wants_key)
		return run_fail(run, STATUS_USAGE,
		    "a device has a key and no password: give --key");
	if (!has_device && wants_key)
		return run_fail(run, STATUS_USAGE,
		    "a key is a device's: name it as %s/DEVICE",
		    run_word(run, 0));
	if (has_device && (run_flag(run, "password-file") != NULL ||
			      run_flag(run, "devices") != NULL))
		return run_fail(run, STATUS_USAGE,
		    "--password-file and --devices are for users, not for "
		    "their devices");
	return STATUS_OK;
}

static enum status
user_add_run(struct run *run)
{
	struct span name = span_from(run_word(run, 0));
	struct span user, device;
	enum status status;

	if (!users_file_split(name, &user, &device))
		return run_fail(run, STATUS_USAGE,
		    "`%s' is not USER or USER/DEVICE: 1 to %u bytes each, "
		    "without spaces, controls and : / ,",
		    run_word(run, 0), USERS_NAME_MAX);
	status = check_flags(run, device.len > 0);
	if (status != STATUS_OK)
		return status;
	return device.len > 0 ? add_key(run, name) : add_user(run, name);
}

const struct command cmd_user_add = {
	.path = "user add",
	.summary = "let somebody report over HTTP",
	.help =
	    "Writes into the users file of this machine: a user with a "
	    "password, which is asked for twice, or a device with a key "
	    "(--key), for apps that have no place for a password. The key is "
	    "the last word that is printed, and is not shown again. A name "
	    "that the file has gets a new password or key. See "
	    "herd-phones(7).",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("NAME[/DEVICE]", .complete = COMPLETE_USER)),
	.flags = FLAGS(FLAG("key", .help = "make a key for the device"),
	    FLAG("password-file", .value = "FILE", .complete = COMPLETE_FILE,
		.help = "take the password from it (-: standard input)"),
	    FLAG("devices", .value = "LIST",
		.help = "the only devices that the user may name (empty: any)"),
	    USERS_FILE_FLAG),
	.traits = COMMAND_WRITE,
	.run = user_add_run,
	.example = "user add jane/phone --key",
};
