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
	if (facts.st_uid != 0 && facts.st_uid != geteuid() && !file->any_owner)
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

/* --- files of several words ----------------------------------------------- */

/* Room for the words, their line ends, and as much again for comments. */
static size_t
text_max(size_t most)
{
	return 2 * KEYFILE_WORDS_MAX * (most + SPACE_MAX);
}

/* Only printable ASCII, from `least` on: '!', or ' ' if spaces are fine. */
static bool
is_printable(struct span word, char least)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < least || word.data[i] > '~')
			return false;
	}
	return true;
}

/* What a file has to be like. */
struct keyfile_rule {
	const struct keyfile *file;
	enum keyfile_form form;
	size_t least;
	size_t most;
};

static enum herd_error
check_line(const struct keyfile_rule *rule, struct span word, unsigned line,
    struct buf *message)
{
	const struct keyfile *file = rule->file;

	if (rule->form == KEYFILE_WORD && !is_printable(word, '!'))
		return refuse(file, file->value, message,
		    "line %u holds more than one word of printable ASCII",
		    line);
	if (word.len < rule->least)
		return refuse(file, file->value, message,
		    "line %u is shorter than %zu bytes; make a word with "
		    "`herdctl key new`",
		    line, rule->least);
	if (word.len > rule->most)
		return refuse(file, file->value, message,
		    "line %u is longer than %zu bytes: is this the key?", line,
		    rule->most);
	return HERD_OK;
}

/* What can only be said of all of them. */
static enum herd_error
check_words(const struct keyfile_rule *rule, const struct keyfile_words *words,
    struct buf *message)
{
	const struct keyfile *file = rule->file;

	if (words->count == 0)
		return refuse(file, file->value, message,
		    "holds no word of %zu bytes or more (a line that begins "
		    "with # is none); make one with `herdctl key new`",
		    rule->least);
	for (unsigned i = 0; words->count > 1 && i < words->count; i++) {
		if (!is_printable(words->words[i], ' '))
			return refuse(file, file->value, message,
			    "word %u of %u is not printable ASCII", i + 1,
			    words->count);
	}
	return HERD_OK;
}

static enum herd_error
split_words(const struct keyfile_rule *rule, struct span text,
    struct keyfile_words *out, struct buf *message)
{
	enum herd_error error = HERD_OK;

	for (unsigned line = 1; error == HERD_OK && text.len > 0; line++) {
		const char *end = memchr(text.data, '\n', text.len);
		size_t len = end == NULL ? text.len : (size_t)(end - text.data);
		struct span word = text_trim(span_of(text.data, len));

		len += end != NULL;
		text = span_of(text.data + len, text.len - len);
		if (word.len == 0 || word.data[0] == '#')
			continue;
		error = check_line(rule, word, line, message);
		if (error == HERD_OK && out->count == KEYFILE_WORDS_MAX)
			error = refuse(rule->file, rule->file->value, message,
			    "holds more than %u words; take out the old ones",
			    KEYFILE_WORDS_MAX);
		if (error == HERD_OK)
			out->words[out->count++] = word;
	}
	return error != HERD_OK ? error : check_words(rule, out, message);
}

enum herd_error
keyfile_read_words(const struct keyfile *file, enum keyfile_form form,
    size_t least, size_t most, struct keyfile_words *out, struct buf *message)
{
	const struct keyfile_rule rule = { file, form, least, most };
	size_t room = text_max(most);
	size_t len = 0;
	enum herd_error error;

	*out = (struct keyfile_words){ .text = calloc(1, room) };
	if (out->text == NULL)
		return HERD_ENOMEM;
	out->room = room;
	error = read_bytes(file, out->text, room, &len, message);
	if (error == HERD_OK)
		error =
		    split_words(&rule, span_of(out->text, len), out, message);
	if (error == HERD_OK && len == room)
		error = refuse(file, file->value, message,
		    "longer than %zu bytes: is this the key?", room);
	if (error != HERD_OK)
		keyfile_words_wipe(out);
	return error;
}

void
keyfile_words_wipe(struct keyfile_words *words)
{
	if (words->text != NULL)
		explicit_bzero(words->text, words->room);
	free(words->text);
	*words = (struct keyfile_words){ 0 };
}

/* --- whole files ---------------------------------------------------------- */

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
		    "shorter than %zu bytes", least);
	if (error == HERD_OK)
		*len = count;
	else
		explicit_bzero(data, most + 1);
	return error;
}

/* --- files of one word ---------------------------------------------------- */

static enum herd_error
check_word(const struct keyfile *file, struct span word, struct buf *message)
{
	if (!is_printable(word, '!'))
		return refuse(file, file->value, message,
		    "holds more than one word of printable ASCII");
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
