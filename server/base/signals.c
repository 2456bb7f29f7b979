/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/signals.h"

#include <signal.h>
#include <stddef.h>

#include "herd/compiler.h"

/* SIGUSR1 reopens logs in other daemons: out of habit it must not kill. */
static const int IGNORED[] = { SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2 };
static const int HELD[] = { SIGTERM, SIGINT, SIGHUP };

static void
mask_held(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < HERD_ARRAY_LEN(HELD); i++)
		sigaddset(&set, HELD[i]);
	(void)pthread_sigmask(how, &set, NULL);
}

void
signals_hold(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	mask_held(SIG_BLOCK);
	for (size_t i = 0; i < HERD_ARRAY_LEN(IGNORED); i++)
		(void)sigaction(IGNORED[i], &ignore, NULL);
}

void
signals_release(void)
{
	mask_held(SIG_UNBLOCK);
}

const char *
signals_stop_wanted(void)
{
	sigset_t pending;

	if (sigpending(&pending) != 0)
		return NULL;
	if (sigismember(&pending, SIGTERM) == 1)
		return "SIGTERM";
	return sigismember(&pending, SIGINT) == 1 ? "SIGINT" : NULL;
}
