/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/loop_watch.h"

#define PATIENT_NICE 5

/* What a new thread needs to begin; begin() frees it. */
struct beginning {
	char name[THREAD_NAME_MAX + 1];
	unsigned traits;
	void *(*run)(void *);
	void *arg;
};

static void *
begin(void *arg)
{
	struct beginning own = *(struct beginning *)arg;

	free(arg);
	(void)pthread_setname_np(pthread_self(), own.name);
	/* On Linux the calling thread has a priority of its own. */
	if ((own.traits & THREAD_PATIENT) != 0)
		(void)setpriority(PRIO_PROCESS, 0, PATIENT_NICE);
	if ((own.traits & THREAD_LOOP) != 0)
		loop_watch_register(own.name);
	return own.run(own.arg);
}

/* Blocks all signals but those that the thread itself causes. */
static int
create(pthread_t *thread, const pthread_attr_t *attributes,
    struct beginning *beginning)
{
	static const int own[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV,
		SIGSYS, SIGTRAP };
	sigset_t blocked;
	sigset_t before;
	int error;

	sigfillset(&blocked);
	for (size_t i = 0; i < HERD_ARRAY_LEN(own); i++)
		sigdelset(&blocked, own[i]);
	(void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
	error = pthread_create(thread, attributes, begin, beginning);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int
thread_start(pthread_t *thread, const char *name, unsigned traits,
    void *(*run)(void *), void *arg)
{
	struct beginning *beginning = calloc(1, sizeof(*beginning));
	pthread_attr_t attributes;
	int error;

	if (beginning == NULL)
		return ENOMEM;
	strncpy(beginning->name, name, THREAD_NAME_MAX);
	beginning->traits = traits;
	beginning->run = run;
	beginning->arg = arg;
	error = pthread_attr_init(&attributes);
	if (error == 0) {
		if ((traits & THREAD_DETACHED) != 0)
			(void)pthread_attr_setdetachstate(
			    &attributes, PTHREAD_CREATE_DETACHED);
		error = create(thread, &attributes, beginning);
		(void)pthread_attr_destroy(&attributes);
	}
	if (error != 0)
		free(beginning);
	return error;
}
