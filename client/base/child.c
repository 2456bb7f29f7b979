/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "herd/compiler.h"

static void
set_signal(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/* In the child: signals as a program expects them at its start. */
static void
reset_signals(void)
{
	static const int numbers[] = { SIGPIPE, SIGXFSZ, SIGINT, SIGTERM,
		SIGHUP, SIGTSTP };
	sigset_t none;

	for (size_t i = 0; i < HERD_ARRAY_LEN(numbers); i++)
		set_signal(numbers[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child; never returns. */
static void
become_shell(const char *command, int in)
{
	reset_signals();
	if (dup2(in, STDIN_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(CHILD_NOT_FOUND);
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
		return CHILD_NOT_FOUND;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In the child; never returns. */
static void
become_program(const char *const *argv, int in, int out)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	reset_signals();
	if (null >= 0 && dup2(in, STDIN_FILENO) >= 0 &&
	    dup2(out, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0)
		execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(CHILD_NOT_FOUND);
}

static bool
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return false;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* In the child; never returns. It has nothing open but what it copies. */
static void
become_feeder(struct span head, int in, int out)
{
	static char bytes[65536];
	ssize_t n = 1;

	reset_signals();
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(1);
	(void)close_range(STDERR_FILENO + 1, ~0u, 0);
	if (!write_all(STDOUT_FILENO, head.data, head.len))
		_exit(1);
	while (n != 0) {
		n = read(STDIN_FILENO, bytes, sizeof(bytes));
		if ((n < 0 && errno != EINTR) ||
		    (n > 0 && !write_all(STDOUT_FILENO, bytes, (size_t)n)))
			_exit(1);
	}
	_exit(0);
}

static void
close_both(const int ends[2])
{
	int error = errno;

	close(ends[0]);
	close(ends[1]);
	errno = error;
}

int
child_filter_start(const char *const *argv, struct span head, int input,
    struct child_filter *out)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) != 0)
		return -1;
	if (pipe2(from, O_CLOEXEC) != 0) {
		close_both(to);
		return -1;
	}
	out->program = fork();
	if (out->program == 0)
		become_program(argv, to[0], from[1]);
	out->feeder = out->program < 0 ? -1 : fork();
	if (out->feeder == 0)
		become_feeder(head, input, to[1]);
	close_both(to);
	out->fd = from[0];
	if (out->feeder > 0) {
		close(from[1]);
		return 0;
	}
	close_both(from);
	if (out->program > 0)
		(void)child_wait(out->program);
	return -1;
}

int
child_filter_end(struct child_filter *filter)
{
	int status;

	close(filter->fd);
	filter->fd = -1;
	/* First, because the program may wait for what it writes. */
	kill(filter->feeder, SIGTERM);
	status = child_wait(filter->program);
	(void)child_wait(filter->feeder);
	return status;
}
