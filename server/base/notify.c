/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "herd/text.h"
#include "herd/time.h"

#define WATCHDOG_US_MAX (UINT64_C(1000000) * 86400)

void
notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (path == NULL || path[0] == '\0' ||
	    strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
	    (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	close(fd);
}

uint64_t
notify_watchdog_ns(void)
{
	const char *every = getenv("WATCHDOG_USEC");
	const char *whose = getenv("WATCHDOG_PID");
	uint64_t us;
	uint64_t pid;

	if (every == NULL ||
	    text_to_u64(span_from(every), 1, WATCHDOG_US_MAX, &us) != HERD_OK)
		return 0;
	if (whose != NULL &&
	    (text_to_u64(span_from(whose), 1, UINT32_MAX, &pid) != HERD_OK ||
		pid != (uint64_t)getpid()))
		return 0;
	return us * HERD_NS_PER_US;
}
