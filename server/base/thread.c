/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"

#include <signal.h>
#include <stddef.h>

int
thread_start(pthread_t *thread, const pthread_attr_t *attributes,
    void *(*run)(void *), void *arg)
{
	/* Blocked, these would end the process without a word. */
	static const int own[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV,
		SIGSYS, SIGTRAP };
	sigset_t blocked;
	sigset_t before;
	int error;

	sigfillset(&blocked);
	for (size_t i = 0; i < HERD_ARRAY_LEN(own); i++)
		sigdelset(&blocked, own[i]);
	(void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
	error = pthread_create(thread, attributes, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}
