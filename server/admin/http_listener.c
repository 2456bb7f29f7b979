/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/http_listener.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/socket.h"

/* The target's bytes and as much again for headers. */
#define HEADERS_MAX (2u * QUERY_TARGET_MAX)

/* HERD_ENOTFOUND: there is no such group. */
static enum herd_error
find_group(const char *name, gid_t *out)
{
	char room[16384];
	struct group entry;
	struct group *found = NULL;

	if (getgrnam_r(name, &entry, room, sizeof(room), &found) != 0 ||
	    found == NULL)
		return HERD_ENOTFOUND;
	*out = found->gr_gid;
	return HERD_OK;
}

/*
 * Makes the folder of a Unix socket, if only that is missing; with admin.group
 * its members may enter it.
 */
static void
make_folder(const char *path, const char *group)
{
	char copy[ADDRESS_PATH_MAX + 1];
	const char *folder;
	gid_t gid;

	snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	/* An error shows when the socket is bound, or given to the group. */
	if (mkdir(folder, 0700) == 0 && group[0] != '\0' &&
	    find_group(group, &gid) == HERD_OK &&
	    chown(folder, (uid_t)-1, gid) == 0)
		(void)chmod(folder, 0750);
}

/* Opens a socket that only its owner may use from the start. */
static enum herd_error
listen_at(const struct address *address, const char *group, struct buf *message,
    int *fd)
{
	mode_t before;
	enum herd_error error;

	if (address->kind != ADDRESS_UNIX)
		return socket_listen(address, message, fd);
	make_folder(address->path, group);
	before = umask(0177);
	error = socket_listen(address, message, fd);
	umask(before);
	return error;
}

static enum herd_error
open_on(struct http_listener *listener, int fd)
{
	struct admin *admin = listener->admin;
	const struct http_acceptor_config config = {
		.base = admin->base,
		.log = admin->node->log,
		.limits = admin->limits,
		.name = "admin",
		.trusted = listener->trusted,
		.slot = &admin->node->admin_tls.slot,
		.idle_s = ADMIN_IDLE_S,
		.head_max = HEADERS_MAX,
		.body_max = ADMIN_BODY_MAX,
		/* All, because we answer 405 ourselves. */
		.methods = UINT16_MAX,
		.on_request = admin_on_request,
		.arg = listener,
	};

	return http_acceptor_open(&listener->acceptor, &config, fd);
}

enum herd_error
http_listener_open(struct admin *admin, struct http_listener *listener,
    const struct address *address, struct buf *message)
{
	enum herd_error error;
	int fd;

	listener->admin = admin;
	listener->trusted = address->kind == ADDRESS_UNIX;
	if (!listener->trusted && !bearer_tokens_exist(&admin->tokens) &&
	    admin->node->admin_tls.client_ca[0] == '\0')
		return buf_addf(message, "the admin API over TCP needs "
					 "admin.token_file, "
					 "admin.read_token_file or "
					 "admin.client_ca") == HERD_OK
			   ? HERD_ERANGE
			   : HERD_ENOMEM;
	error = listen_at(address, admin->node->admin_group, message, &fd);
	if (error != HERD_OK)
		return error;
	error = socket_bound(fd, address, &listener->address);
	if (error == HERD_OK)
		error = http_listener_share(
		    listener, admin->node->admin_group, message);
	if (error != HERD_OK) {
		close(fd);
		return error;
	}
	return open_on(listener, fd);
}

/*
 * The service's sandbox permits no chown(), not even to the group that the
 * socket has from the start.
 */
static bool
set_group(const char *path, gid_t gid)
{
	struct stat facts;

	return stat(path, &facts) == 0 &&
	       (facts.st_gid == gid || chown(path, (uid_t)-1, gid) == 0);
}

enum herd_error
http_listener_share(
    struct http_listener *listener, const char *group, struct buf *message)
{
	const char *path = listener->address.path;
	gid_t gid = getegid();
	const char *why = NULL;

	if (listener->address.kind != ADDRESS_UNIX)
		return HERD_OK;
	if (group[0] != '\0' && find_group(group, &gid) != HERD_OK)
		why = "there is no such group";
	/* Closed first: the new group is not to get the old one's rights. */
	else if (chmod(path, 0600) != 0 || !set_group(path, gid) ||
		 (group[0] != '\0' && chmod(path, 0660) != 0))
		why = strerror(errno);
	if (why == NULL)
		return HERD_OK;
	if (buf_addf(message,
		"admin.group: cannot give the socket %s to %s%s: %s; "
		"name a group that this node's user is a member of (the "
		"service herdd@ has only its own, herd)",
		path, group[0] == '\0' ? "its owner alone" : "group ", group,
		why) != HERD_OK)
		return HERD_ENOMEM;
	return HERD_ESYSTEM;
}

void
http_listener_close(struct http_listener *listener)
{
	if (listener->acceptor.http == NULL)
		return;
	http_acceptor_close(&listener->acceptor);
	if (listener->address.kind == ADDRESS_UNIX)
		(void)unlink(listener->address.path);
}
