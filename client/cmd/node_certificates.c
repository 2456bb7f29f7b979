/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/node_certificates.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "cmd/secret_file.h"
#include "cmd/store_place.h"
#include "herd/file.h"
#include "herd/keyfile.h"
#include "net/authority.h"

#define FILE_MAX 16384u

/* --- files ---------------------------------------------------------------- */

static enum status
write_whole(struct run *run, int fd, const char *path, struct span text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.data, text.len);

		if (n < 0 && errno != EINTR)
			return run_fail(run, STATUS_LOCAL,
			    "cannot write %s: %s", path, strerror(errno));
		if (n > 0)
			text = span_of(text.data + n, text.len - (size_t)n);
	}
	return STATUS_OK;
}

/* In place of what is there. A certificate is public, a key its owner's. */
static enum status
write_pem(
    struct run *run, const char *path, const struct buf *text, mode_t mode)
{
	char *temporary = xasprintf("%s.new", path);
	int fd = -1;
	enum status status = store_place_open(run, path, temporary, &fd);

	if (status == STATUS_OK)
		status = write_whole(run, fd, temporary, buf_span(text));
	if (status == STATUS_OK && fchmod(fd, mode) != 0)
		status = run_fail(run, STATUS_LOCAL, "cannot chmod %s: %s",
		    temporary, strerror(errno));
	if (status == STATUS_OK)
		status = store_place_keep(run, fd, temporary, path);
	if (fd >= 0)
		close(fd);
	if (status != STATUS_OK)
		(void)unlink(temporary);
	free(temporary);
	return status;
}

static enum status
write_pair(struct run *run, const char *cert, const char *key,
    const struct authority_pair *pair)
{
	enum status status = write_pem(run, key, &pair->key, 0600);

	return status == STATUS_OK
		   ? write_pem(run, cert, &pair->certificate, 0644)
		   : status;
}

/* --- the CA --------------------------------------------------------------- */

enum status
node_certificates_begin(struct run *run, const char *dir, const char *herd)
{
	char *cert = xasprintf("%s/" CERTIFICATES_CA, dir);
	char *key = xasprintf("%s/" CERTIFICATES_CA_KEY, dir);
	char *name = xasprintf("CA of %s", herd);
	struct buf message = XBUF;
	struct authority *authority = authority_new(name, &message);
	struct authority_pair pair;
	enum status status;

	authority_pair_init(&pair);
	if (authority != NULL && authority_write(authority, &pair, &message))
		status = write_pair(run, cert, key, &pair);
	else
		status = run_fail(run, STATUS_LOCAL, "%s", text_of(&message));
	authority_pair_release(&pair);
	authority_free(authority);
	buf_release(&message);
	free(name);
	free(key);
	free(cert);
	return status;
}

/* Appends the two texts; `message` says what fails. */
static bool
read_pair(const char *cert, const char *key, struct authority_pair *pair,
    struct buf *message)
{
	const struct keyfile file = { .name = "the CA's key", .value = key };
	size_t len = 0;
	enum herd_error error;

	errno = 0;
	if (file_read(cert, FILE_MAX, &pair->certificate) != HERD_OK) {
		putf(message, "cannot read %s: %s", cert, file_strerror(errno));
		return false;
	}
	error = keyfile_read(
	    &file, 1, FILE_MAX - 1, buf_tail(&pair->key), &len, message);
	if (error == HERD_ENOMEM)
		out_of_memory();
	if (error == HERD_OK)
		buf_grow(&pair->key, len);
	return error == HERD_OK;
}

/* Gives the CA of the folder, or NULL. Says what fails. */
static struct authority *
read_authority(struct run *run, const char *dir)
{
	char *cert = xasprintf("%s/" CERTIFICATES_CA, dir);
	char *key = xasprintf("%s/" CERTIFICATES_CA_KEY, dir);
	struct authority *authority = NULL;
	struct buf message = XBUF;
	struct authority_pair pair;

	authority_pair_init(&pair);
	if (read_pair(cert, key, &pair, &message)) {
		authority = authority_read(&pair, &message);
		if (authority == NULL)
			run_fail(run, STATUS_LOCAL, "%s, %s: %s", cert, key,
			    text_of(&message));
	} else {
		run_fail(run, STATUS_LOCAL,
		    "%s; only the folder that `init' made has the CA",
		    text_of(&message));
	}
	authority_pair_release(&pair);
	buf_release(&message);
	free(key);
	free(cert);
	return authority;
}

/* --- a node --------------------------------------------------------------- */

/* "IP:192.0.2.1", after a comma; once. */
static void
put_host(struct buf *out, const struct address *address)
{
	unsigned char binary[sizeof(struct in6_addr)];
	bool is_ip;
	char *host;

	if (address->kind != ADDRESS_TCP)
		return;
	is_ip = inet_pton(AF_INET, address->host, binary) == 1 ||
		inet_pton(AF_INET6, address->host, binary) == 1;
	host = xasprintf("%s:%s,", is_ip ? "IP" : "DNS", address->host);
	if (strstr(text_of(out), host) == NULL)
		put_text(out, host);
	free(host);
}

/* All that the node is asked by, so that its listeners may share it. */
static void
put_hosts(struct buf *out, const struct herdfile_node *node)
{
	put_host(out, &node->clients);
	put_host(out, &node->peers);
	for (unsigned i = 0; i < node->admin.count; i++)
		put_host(out, &node->admin.items[i]);
	if (out->len > 0)
		buf_truncate(out, out->len - 1);
}

static char *
path_of(const char *setting, const char *node, const char *dir)
{
	struct buf path = XBUF;

	must(herdfile_expand(&path, setting, node, dir));
	return text_take(&path);
}

static enum status
make_one(struct run *run, const char *dir, struct authority *authority,
    const struct herdfile_node *node)
{
	char *cert = path_of(CERTIFICATES_CERT, node->name, dir);
	char *key = path_of(CERTIFICATES_KEY, node->name, dir);
	struct buf message = XBUF;
	struct buf hosts = XBUF;
	struct authority_pair pair;
	enum status status;

	authority_pair_init(&pair);
	put_hosts(&hosts, node);
	if (authority_issue(
		authority, node->name, text_of(&hosts), &pair, &message))
		status = write_pair(run, cert, key, &pair);
	else
		status = run_fail(run, STATUS_LOCAL, "node %s: %s", node->name,
		    text_of(&message));
	if (status == STATUS_OK)
		status = secret_file_own(run, key);
	authority_pair_release(&pair);
	buf_release(&hosts);
	buf_release(&message);
	free(key);
	free(cert);
	return status;
}

bool
node_certificates_is_for(
    const struct herdfile_node *node, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(node->name, names[i]) == 0)
			return true;
	}
	return count == 0;
}

static enum status
check_names(struct run *run, const struct herdfile *file,
    const char *const *names, size_t count)
{
	size_t at;

	for (size_t i = 0; i < count; i++) {
		if (herdfile_find(file, span_from(names[i]), &at) != HERD_OK)
			return run_fail(run, STATUS_USAGE,
			    "the herd file has no node `%s'", names[i]);
	}
	return STATUS_OK;
}

enum status
node_certificates_make(struct run *run, const char *dir,
    const struct herdfile *file, const char *const *names, size_t count)
{
	enum status status = check_names(run, file, names, count);
	struct authority *authority =
	    status == STATUS_OK ? read_authority(run, dir) : NULL;

	if (status == STATUS_OK && authority == NULL)
		status = STATUS_LOCAL;
	for (size_t i = 0; status == STATUS_OK && i < file->node_count; i++) {
		if (node_certificates_is_for(&file->nodes[i], names, count))
			status = make_one(run, dir, authority, &file->nodes[i]);
	}
	authority_free(authority);
	return status;
}
