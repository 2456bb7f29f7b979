/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void
set_signal(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/* In the child; never returns. */
static void
become_shell(const char *command, int in)
{
	sigset_t none;

	set_signal(SIGPIPE, SIG_DFL);
	set_signal(SIGXFSZ, SIG_DFL);
	set_signal(SIGINT, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, STDIN_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

int
child_start_shell(const char *command, pid_t *pid, int *fd)
{
	int ends[2];
	struct sigaction interrupt;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	*pid = fork();
	if (*pid < 0) {
		int error = errno;

		close(ends[0]);
		close(ends[1]);
		errno = error;
		return -1;
	}
	if (*pid == 0)
		become_shell(command, ends[0]);
	close(ends[0]);
	/*
	 * herdctl must outlive its pager, or the shell's prompt and the pager
	 * fight for the terminal.
	 */
	if (sigaction(SIGINT, NULL, &interrupt) == 0 &&
	    interrupt.sa_handler == SIG_DFL)
		set_signal(SIGINT, SIG_IGN);
	set_signal(SIGPIPE, SIG_IGN);
	*fd = ends[1];
	return 0;
}

int
child_wait(pid_t pid)
{
	int status = 0;
	pid_t ended;
	struct sigaction suspend;

	/* Ctrl-Z in a pager: the loop does not run, so stop at once. */
	sigaction(SIGTSTP, NULL, &suspend);
	set_signal(SIGTSTP, SIG_DFL);
	do {
		ended = waitpid(pid, &status, 0);
	} while (ended < 0 && errno == EINTR);
	sigaction(SIGTSTP, &suspend, NULL);
	if (ended < 0)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
