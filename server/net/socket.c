/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOCKET_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

static void
set_no_delay(int fd, int family)
{
	const int on = 1;

	if (family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Nobody answers at that Unix socket: its server died. */
static bool
unix_is_stale(const struct endpoint *endpoint)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)&endpoint->addr,
		    endpoint->len) != 0 &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int
listen_at(const struct endpoint *endpoint)
{
	const int on = 1;
	int family = endpoint->addr.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCKET_FLAGS, 0);
	int error;

	if (fd < 0)
		return -1;
	if (family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&endpoint->addr, endpoint->len) ==
		0 &&
	    listen(fd, SOCKET_BACKLOG) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static const char *
listen_hint(int error)
{
	if (error == EADDRINUSE)
		return "another process listens there: stop it or change the "
		       "address in the herd file";
	if (error == EADDRNOTAVAIL)
		return "this machine has no such address: is this the right "
		       "node name?";
	if (error == EACCES)
		return "not permitted: take a port above 1023 or a folder "
		       "that this user may write";
	if (error == ENOENT)
		return "the folder does not exist: create it";
	return "check the node's addresses in the herd file";
}

/* On the first of the addresses that this machine has. */
static int
listen_at_any(const struct address *address, const struct endpoints *found)
{
	int made = -1;

	for (unsigned i = 0; i < found->count && made < 0; i++) {
		made = listen_at(&found->list[i]);
		if (made < 0 && errno == EADDRINUSE &&
		    address->kind == ADDRESS_UNIX &&
		    unix_is_stale(&found->list[i])) {
			(void)unlink(address->path);
			made = listen_at(&found->list[i]);
		}
		if (made < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT)
			break;
	}
	return made;
}

enum herd_error
socket_listen(const struct address *address, struct buf *message, int *fd)
{
	const char *why = NULL;
	const char *hint = "is the host in the herd file spelled right, and "
			   "does this machine know it?";
	struct endpoints found;
	int error = EADDRNOTAVAIL;
	int made = -1;

	if (resolver_wait(address, &found, &why) == HERD_OK) {
		made = listen_at_any(address, &found);
		error = errno;
		why = strerror(error);
		hint = listen_hint(error);
	}
	if (made >= 0) {
		*fd = made;
		return HERD_OK;
	}
	if (buf_add_text(message, "cannot listen on ") != HERD_OK ||
	    address_format(message, address) != HERD_OK ||
	    buf_addf(message, ": %s; %s", why, hint) != HERD_OK)
		error = ENOMEM;
	errno = error;
	return HERD_ESYSTEM;
}

enum herd_error
socket_dial(const struct endpoint *endpoint, int *out)
{
	int error;
	int fd =
	    socket(endpoint->addr.ss_family, SOCK_STREAM | SOCKET_FLAGS, 0);

	if (fd < 0)
		return HERD_ESYSTEM;
	set_no_delay(fd, endpoint->addr.ss_family);
	if (connect(fd, (const struct sockaddr *)&endpoint->addr,
		endpoint->len) == 0 ||
	    errno == EINPROGRESS) {
		*out = fd;
		return HERD_OK;
	}
	error = errno;
	close(fd);
	errno = error;
	return HERD_ESYSTEM;
}

int
socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

enum herd_error
socket_bound(int fd, const struct address *asked, struct address *out)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} bound = { 0 };
	socklen_t len = sizeof(bound);

	*out = *asked;
	if (asked->kind != ADDRESS_TCP)
		return HERD_OK;
	if (getsockname(fd, &bound.any, &len) != 0)
		return HERD_ESYSTEM;
	out->port = ntohs(bound.any.sa_family == AF_INET6 ? bound.in6.sin6_port
							  : bound.in.sin_port);
	return HERD_OK;
}

void
socket_peer_text(const struct sockaddr_storage *peer, char out[SOCKET_PEER_MAX])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)peer;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
	char host[INET6_ADDRSTRLEN] = "";

	if (peer->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(
		    out, SOCKET_PEER_MAX, "%s:%u", host, ntohs(v4->sin_port));
	} else if (peer->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(out, SOCKET_PEER_MAX, "[%s]:%u", host,
		    ntohs(v6->sin6_port));
	} else {
		snprintf(out, SOCKET_PEER_MAX, "unix");
	}
}

enum herd_error
socket_accept(int listener, int *fd, struct sockaddr_storage *peer)
{
	socklen_t len = sizeof(*peer);
	int made;

	memset(peer, 0, sizeof(*peer));
	do {
		made = accept4(
		    listener, (struct sockaddr *)peer, &len, SOCKET_FLAGS);
	} while (made < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (made < 0)
		return errno == EAGAIN ? HERD_EAGAIN : HERD_ESYSTEM;
	set_no_delay(made, peer->ss_family);
	*fd = made;
	return HERD_OK;
}
