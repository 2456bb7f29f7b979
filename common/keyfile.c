/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "herd/herdfile.h"
#include "herd/text.h"

#define CREDENTIAL "credential:"
/* White space around a word is read too, up to this. */
#define SPACE_MAX 64u

/* Appends "SETTING PATH: " and the text; HERD_ESYSTEM or worse. */
static enum herd_error HERD_PRINTF(4, 5) refuse(const struct keyfile *file,
    const char *path, struct buf *message, const char *fmt, ...)
{
	va_list args;
	enum herd_error error = buf_addf(message, "%s %s: ", file->name, path);

	va_start(args, fmt);
	if (error == HERD_OK)
		error = buf_addv(message, fmt, args);
	va_end(args);
	return error != HERD_OK ? error : HERD_ESYSTEM;
}

static bool
is_credential(const struct keyfile *file)
{
	return strncmp(file->value, CREDENTIAL, strlen(CREDENTIAL)) == 0;
}

static enum herd_error
find_credential(
    const struct keyfile *file, struct buf *path, struct buf *message)
{
	const char *name = file->value + strlen(CREDENTIAL);
	const char *folder = secure_getenv("CREDENTIALS_DIRECTORY");

	if (folder == NULL || folder[0] != '/')
		return refuse(file, file->value, message,
		    "there is no $CREDENTIALS_DIRECTORY; give the unit"
		    " LoadCredential=%s:/path/of/the/key",
		    name);
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return refuse(
		    file, file->value, message, "not a credential's name");
	return buf_addf(path, "%s/%s", folder, name);
}

static enum herd_error
check(const struct keyfile *file, const char *path, int fd, struct buf *message)
{
	/* systemd may give a credential to the service through an ACL, whose
	 * mask shows as the group's bits. */
	mode_t closed = is_credential(file) ? S_IRWXO : S_IRWXG | S_IRWXO;
	struct stat facts;

	if (fstat(fd, &facts) != 0)
		return refuse(file, path, message, "%s", strerror(errno));
	if (!S_ISREG(facts.st_mode))
		return refuse(file, path, message, "not a regular file");
	if (facts.st_uid != 0 && facts.st_uid != geteuid())
		return refuse(file, path, message,
		    "belongs to user %lu, not to root or to user %lu who"
		    " runs this",
		    (unsigned long)facts.st_uid, (unsigned long)geteuid());
	if ((facts.st_mode & closed) != 0)
		return refuse(file, path, message,
		    "mode %04o lets others at it; chmod 600 it",
		    (unsigned)(facts.st_mode & 07777));
	return HERD_OK;
}

static enum herd_error
open_path(
    const struct keyfile *file, const char *path, struct buf *message, int *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum herd_error error;

	if (fd < 0)
		return refuse(file, path, message, "%s", strerror(errno));
	error = check(file, path, fd, message);
	if (error == HERD_OK)
		*out = fd;
	else
		(void)close(fd);
	return error;
}

static enum herd_error
keyfile_open(const struct keyfile *file, struct buf *message, int *fd)
{
	struct buf path;
	const char *text;
	enum herd_error error;

	buf_init(&path, PATH_MAX);
	if (is_credential(file))
		error = find_credential(file, &path, message);
	else if (file->node == NULL)
		error = buf_add_text(&path, file->value);
	else
		error = herdfile_expand(
		    &path, file->value, file->node, file->base_dir);
	if (error == HERD_OK) {
		text = buf_cstr(&path);
		error = text == NULL ? HERD_ENOMEM
				     : open_path(file, text, message, fd);
	}
	buf_release(&path);
	return error;
}

/* Up to `room` bytes; then there may be more. */
static enum herd_error
read_bytes(const struct keyfile *file, char *data, size_t room, size_t *len,
    struct buf *message)
{
	size_t count = 0;
	ssize_t got = 1;
	int fd = -1;
	enum herd_error error = keyfile_open(file, message, &fd);

	if (error != HERD_OK)
		return error;
	while (error == HERD_OK && got != 0 && count < room) {
		got = read(fd, data + count, room - count);
		if (got > 0)
			count += (size_t)got;
		else if (got < 0 && errno != EINTR)
			error = refuse(
			    file, file->value, message, "%s", strerror(errno));
	}
	(void)close(fd);
	*len = count;
	return error;
}

enum herd_error
keyfile_read(const struct keyfile *file, size_t least, size_t most, char *data,
    size_t *len, struct buf *message)
{
	size_t count = 0;
	enum herd_error error =
	    read_bytes(file, data, most + 1, &count, message);

	if (error == HERD_OK && count > most)
		error = refuse(file, file->value, message,
		    "longer than %zu bytes: is this the key?", most);
	while (count > 0 && text_is_space(data[count - 1]))
		count--;
	if (error == HERD_OK && count < least)
		error = refuse(file, file->value, message,
		    "shorter than %zu bytes; make one with "
		    "`openssl rand -hex 32`",
		    least);
	if (error == HERD_OK)
		*len = count;
	else
		explicit_bzero(data, most + 1);
	return error;
}

static enum herd_error
check_word(const struct keyfile *file, struct span word, struct buf *message)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] <= ' ' || word.data[i] > '~')
			return refuse(file, file->value, message,
			    "holds more than one word of printable ASCII");
	}
	if (word.len == 0 || word.len > KEYFILE_WORD_MAX)
		return refuse(file, file->value, message,
		    "a key has 1 to %u characters", KEYFILE_WORD_MAX);
	return HERD_OK;
}

enum herd_error
keyfile_read_word(const struct keyfile *file, char word[KEYFILE_WORD_MAX + 1],
    size_t *len, struct buf *message)
{
	char raw[KEYFILE_WORD_MAX + SPACE_MAX];
	size_t count = 0;
	struct span text;
	enum herd_error error =
	    read_bytes(file, raw, sizeof(raw), &count, message);

	text = text_trim(span_of(raw, count));
	if (error == HERD_OK)
		error = check_word(file, text, message);
	if (error == HERD_OK) {
		memcpy(word, text.data, text.len);
		word[text.len] = '\0';
		*len = text.len;
	}
	explicit_bzero(raw, sizeof(raw));
	return error;
}
