/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "herd/herdfile.h"
#include "herd/text.h"

#define CREDENTIAL "credential:"

/* Appends "places.key_file PATH: " and the text; HERD_ESYSTEM or worse. */
static enum herd_error HERD_PRINTF(3, 4)
    refuse(struct buf *message, const char *path, const char *fmt, ...)
{
	va_list args;
	enum herd_error error = buf_addf(message, "places.key_file %s: ", path);

	va_start(args, fmt);
	if (error == HERD_OK)
		error = buf_addv(message, fmt, args);
	va_end(args);
	return error != HERD_OK ? error : HERD_ESYSTEM;
}

/* Appends the path; *is_credential says whose rules hold. */
static enum herd_error
find_path(const char *setting, const char *node, const char *base_dir,
    struct buf *path, bool *is_credential, struct buf *message)
{
	const char *name = setting + strlen(CREDENTIAL);
	const char *folder;

	*is_credential = strncmp(setting, CREDENTIAL, strlen(CREDENTIAL)) == 0;
	if (!*is_credential)
		return herdfile_expand(path, setting, node, base_dir);
	folder = secure_getenv("CREDENTIALS_DIRECTORY");
	if (folder == NULL || folder[0] != '/')
		return refuse(message, setting,
		    "there is no $CREDENTIALS_DIRECTORY; give the unit"
		    " LoadCredential=%s:/path/of/the/key",
		    name);
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return refuse(message, setting, "not a credential's name");
	return buf_addf(path, "%s/%s", folder, name);
}

static enum herd_error
check_file(int fd, const char *path, bool is_credential, struct buf *message)
{
	/* systemd may give a credential to the service through an ACL, whose
	 * mask shows as the group's bits. */
	mode_t closed = is_credential ? S_IRWXO : S_IRWXG | S_IRWXO;
	struct stat facts;

	if (fstat(fd, &facts) != 0)
		return refuse(message, path, "%s", strerror(errno));
	if (!S_ISREG(facts.st_mode))
		return refuse(message, path, "not a regular file");
	if (facts.st_uid != 0 && facts.st_uid != geteuid())
		return refuse(message, path,
		    "belongs to user %lu, not to root or to user %lu who"
		    " runs this",
		    (unsigned long)facts.st_uid, (unsigned long)geteuid());
	if ((facts.st_mode & closed) != 0)
		return refuse(message, path,
		    "mode %04o lets others at it; chmod 600 it",
		    (unsigned)(facts.st_mode & 07777));
	return HERD_OK;
}

static enum herd_error
read_key(int fd, const char *path, struct secret *out, struct buf *message)
{
	char raw[SECRET_LEN_MAX + 64];
	size_t len = 0;
	ssize_t got;
	struct span text;
	enum herd_error error = HERD_OK;

	while (len < sizeof(raw) &&
	       (got = read(fd, raw + len, sizeof(raw) - len)) != 0) {
		if (got < 0 && errno != EINTR)
			return refuse(message, path, "%s", strerror(errno));
		if (got > 0)
			len += (size_t)got;
	}
	text = text_trim(span_of(raw, len));
	for (size_t i = 0; error == HERD_OK && i < text.len; i++) {
		if (text.data[i] <= ' ' || text.data[i] > '~')
			error = refuse(message, path,
			    "holds more than one word of printable ASCII");
	}
	if (error == HERD_OK && (text.len == 0 || text.len > SECRET_LEN_MAX))
		error = refuse(message, path, "a key has 1 to %u characters",
		    SECRET_LEN_MAX);
	if (error == HERD_OK) {
		memcpy(out->text, text.data, text.len);
		out->text[text.len] = '\0';
		out->len = text.len;
	}
	explicit_bzero(raw, sizeof(raw));
	return error;
}

static enum herd_error
load_path(const char *path, bool is_credential, struct secret *out,
    struct buf *message)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum herd_error error;

	if (fd < 0)
		return refuse(message, path, "%s", strerror(errno));
	error = check_file(fd, path, is_credential, message);
	if (error == HERD_OK)
		error = read_key(fd, path, out, message);
	(void)close(fd);
	return error;
}

enum herd_error
secret_load(const char *setting, const char *node, const char *base_dir,
    struct secret *out, struct buf *message)
{
	bool is_credential = false;
	struct buf path;
	const char *text;
	enum herd_error error;

	buf_init(&path, PATH_MAX);
	error =
	    find_path(setting, node, base_dir, &path, &is_credential, message);
	if (error == HERD_OK) {
		text = buf_cstr(&path);
		error = text == NULL
			    ? HERD_ENOMEM
			    : load_path(text, is_credential, out, message);
	}
	buf_release(&path);
	return error;
}

void
secret_wipe(struct secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}

/* Where the key begins in `text`; NULL: nowhere. */
static const char *
find(const struct secret *secret, struct span text)
{
	return secret->len == 0
		   ? NULL
		   : memmem(text.data, text.len, secret->text, secret->len);
}

bool
secret_is_in(const struct secret *secret, struct span text)
{
	return find(secret, text) != NULL;
}

enum herd_error
secret_mask(const struct secret *secret, struct span text, struct buf *out)
{
	enum herd_error error = HERD_OK;
	const char *at;

	while (error == HERD_OK && (at = find(secret, text)) != NULL) {
		size_t before = (size_t)(at - text.data);

		error = buf_add(out, text.data, before);
		if (error == HERD_OK)
			error = buf_add_text(out, SECRET_MASK);
		text =
		    span_of(at + secret->len, text.len - before - secret->len);
	}
	return error == HERD_OK ? buf_add_span(out, text) : error;
}
