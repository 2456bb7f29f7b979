/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "cmd/store_place.h"
#include "herd/file.h"
#include "herd/keyfile.h"

#define SERVICE_USER "herd"
#define SECRET_BYTES 32u
#define SECRET_LEN SECRET_FILE_WORD(SECRET_BYTES)
#define SECRET_LEAST 16u
#define SECRET_MOST 4096u
#define SECRET_FILE_MAX (1u << 20)
/* The user of the service: files of root are closed to it. */
#define SERVICE_USER "herd"

/* --- making a word -------------------------------------------------------- */

enum status
secret_file_word(struct run *run, size_t bytes, char *word)
{
	unsigned char raw[SECRET_BYTES];

	if (getrandom(raw, bytes, 0) != (ssize_t)bytes)
		return run_fail(run, STATUS_LOCAL, "no random numbers: %s",
		    strerror(errno));
	for (size_t i = 0; i < bytes; i++)
		snprintf(word + 2 * i, 3, "%02x", raw[i]);
	explicit_bzero(raw, sizeof(raw));
	return STATUS_OK;
}

static void
release_secret(struct buf *text)
{
	if (text->data != NULL)
		explicit_bzero(text->data, text->len);
	buf_release(text);
}

/* --- writing -------------------------------------------------------------- */

/* Writes all of it to the disk; false with errno. */
static bool
write_all(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.data, text.len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			text = span_of(text.data + n, text.len - (size_t)n);
	}
	return fsync(fd) == 0;
}

/* Removes it; errno stays. */
static void
discard(const char *path)
{
	int saved = errno;

	(void)unlink(path);
	errno = saved;
}

/* Closes it too. A file that could not be written whole goes. */
static bool
finish(int fd, const char *path, bool ok)
{
	if (close(fd) != 0)
		ok = false;
	if (!ok)
		discard(path);
	return ok;
}

bool
secret_file_write(const char *path, struct span text)
{
	bool ok = false;
	int fd;

	if (file_open_private(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
		&fd, NULL) == HERD_OK)
		ok = finish(fd, path, write_all(fd, text));
	if (ok)
		store_place_sync_folder(path);
	return ok;
}

bool
secret_file_replace(const char *path, struct span text)
{
	char *other = xasprintf("%s.new-%ld", path, (long)getpid());
	struct stat facts;
	bool ok = false;
	int fd;

	if (stat(path, &facts) == 0 &&
	    file_open_private(other, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
		&fd, NULL) == HERD_OK) {
		ok = write_all(fd, text) &&
		     (facts.st_uid == geteuid() ||
			 fchown(fd, facts.st_uid, facts.st_gid) == 0) &&
		     fchmod(fd, facts.st_mode & (S_IRUSR | S_IWUSR)) == 0;
		ok = finish(fd, other, ok);
		if (ok && rename(other, path) != 0) {
			discard(other);
			ok = false;
		}
		if (ok)
			store_place_sync_folder(path);
	}
	free(other);
	return ok;
}

static enum status
fail_write(struct run *run, const char *path)
{
	return run_fail(
	    run, STATUS_LOCAL, "cannot write %s: %s", path, strerror(errno));
}

/* --- changing a file ------------------------------------------------------ */

/* Reads its words, by the rules that a node has too. */
static enum status
read_words(struct run *run, const char *what, const char *path,
    struct keyfile_words *words)
{
	const struct keyfile file = {
		.name = what, .value = path, .any_owner = geteuid() == 0
	};
	struct buf message = XBUF;
	enum herd_error error = keyfile_read_words(&file,
	    strcmp(what, "key") == 0 ? KEYFILE_PHRASE : KEYFILE_WORD,
	    SECRET_LEAST, SECRET_MOST, words, &message);
	enum status status = STATUS_OK;

	if (error == HERD_ENOMEM)
		out_of_memory();
	if (error != HERD_OK)
		status = run_fail(run, STATUS_LOCAL, "%s", text_of(&message));
	buf_release(&message);
	return status;
}

/* The words from `first` on as a file has them; comments are lost. */
static void
put_words(struct buf *text, const struct keyfile_words *words, unsigned first)
{
	for (unsigned i = first; i < words->count; i++) {
		put_span(text, words->words[i]);
		put_byte(text, '\n');
	}
}

static enum status
add_to(struct run *run, const char *what, const char *path, const char *word)
{
	struct buf text = XBUF;
	struct keyfile_words words;
	enum status status = read_words(run, what, path, &words);

	if (status != STATUS_OK)
		return status;
	if (words.count == KEYFILE_WORDS_MAX) {
		status = run_fail(run, STATUS_LOCAL,
		    "%s has %u %ss, and no node takes more", path,
		    KEYFILE_WORDS_MAX, what);
		run_hint(run, "`%s drop FILE` leaves the last one", what);
	} else {
		/* No copy of the secrets is left in memory that a buffer
		 * outgrew. */
		must(buf_reserve(&text, SECRET_FILE_MAX));
		put_words(&text, &words, 0);
		put_text(&text, word);
		put_byte(&text, '\n');
		if (!secret_file_replace(path, buf_span(&text)))
			status = fail_write(run, path);
	}
	release_secret(&text);
	keyfile_words_wipe(&words);
	return status;
}

enum status
secret_file_make(struct run *run, const char *path)
{
	char word[SECRET_LEN + 2];
	enum status status = secret_file_word(run, SECRET_BYTES, word);

	if (status != STATUS_OK)
		return status;
	word[SECRET_LEN] = '\n';
	word[SECRET_LEN + 1] = '\0';
	if (!secret_file_write(path, span_of(word, SECRET_LEN + 1)))
		status = fail_write(run, path);
	explicit_bzero(word, sizeof(word));
	return status;
}

enum status
secret_file_own(struct run *run, const char *path)
{
	const struct passwd *user =
	    geteuid() == 0 ? getpwnam(SERVICE_USER) : NULL;

	if (user == NULL || lchown(path, user->pw_uid, user->pw_gid) == 0)
		return STATUS_OK;
	return run_fail(
	    run, STATUS_LOCAL, "cannot chown %s: %s", path, strerror(errno));
}

/* --- commands ------------------------------------------------------------- */

char *
secret_file_resolve(const char *path)
{
	char *real = realpath(path, NULL);

	return real != NULL ? real : xstrdup(path);
}

static enum status
add_new(struct run *run, const char *what, const char *path)
{
	char word[SECRET_LEN + 1];
	char *real = secret_file_resolve(path);
	enum status status = secret_file_word(run, SECRET_BYTES, word);

	if (status == STATUS_OK)
		status = add_to(run, what, real, word);
	explicit_bzero(word, sizeof(word));
	free(real);
	if (status == STATUS_OK)
		run_print(run, "%s: a new %s after what it had", path, what);
	return status;
}

static enum status
print_new(struct run *run)
{
	char word[SECRET_LEN + 1];
	enum status status = secret_file_word(run, SECRET_BYTES, word);

	if (status == STATUS_OK)
		run_print(run, "%s", word);
	explicit_bzero(word, sizeof(word));
	return status;
}

enum status
secret_file_new(struct run *run, const char *what)
{
	const char *path = run_word(run, 0);
	enum status status;

	if (path == NULL && run_flag(run, "add") != NULL)
		return run_fail(
		    run, STATUS_USAGE, "`%s new --add' needs a file", what);
	if (path == NULL)
		return print_new(run);
	if (run_flag(run, "add") != NULL)
		return add_new(run, what, path);
	if (access(path, F_OK) == 0) {
		status = run_fail(run, STATUS_LOCAL,
		    "%s is there, and is not overwritten", path);
		run_hint(run, "`%s new --add FILE` adds one to a file", what);
		return status;
	}
	status = secret_file_make(run, path);
	if (status == STATUS_OK)
		run_print(run, "%s: a new %s", path, what);
	return status;
}

enum status
secret_file_drop(struct run *run, const char *what)
{
	const char *path = run_word(run, 0);
	struct buf text = XBUF;
	struct keyfile_words words;
	enum status status;
	char *real;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return run_fail(run, STATUS_NEGATIVE,
		    "there is no %s, so no old %s in it", path, what);
	real = secret_file_resolve(path);
	status = read_words(run, what, real, &words);

	if (status == STATUS_OK) {
		must(buf_reserve(&text, SECRET_FILE_MAX));
		put_words(&text, &words, words.count - 1);
		if (!secret_file_replace(real, buf_span(&text)))
			status = fail_write(run, path);
		else
			run_print(run, "%s: %u %s%s dropped, the last stays",
			    path, words.count - 1, what,
			    words.count == 2 ? "" : "s");
		keyfile_words_wipe(&words);
	}
	release_secret(&text);
	free(real);
	return status;
}
