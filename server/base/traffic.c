/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/thread.h"
#include "herd/file.h"
#include "herd/text.h"

struct traffic {
	int fd;
	struct log *log;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct buf queued;  /* what the writer takes next */
	struct buf writing; /* the writer's own */
	bool stopping;
	bool reopens;
	uint64_t lost;
	char path[]; /* fixed */
};

/* Returns 0 or errno. */
static int
write_all(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.data, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		text.data += n;
		text.len -= (size_t)n;
	}
	return 0;
}

static uint64_t
count_lines(struct span text)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	return lines;
}

/* Only the owner may read the file, because it tells who was where. */
static enum herd_error
open_file(const char *path, struct log *log, int *fd)
{
	struct stat facts;
	bool narrowed;
	enum herd_error error;

	/* A device keeps nothing that could be read later. */
	if (lstat(path, &facts) == 0 && S_ISCHR(facts.st_mode)) {
		*fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return *fd < 0 ? HERD_ESYSTEM : HERD_OK;
	}
	error = file_open_private(
	    path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, fd, &narrowed);
	if (error == HERD_OK && narrowed)
		LOG(log, LOG_WARN, "traffic-narrowed", log_text("file", path),
		    log_text("next", "its mode is 0600 now; let its readers "
				     "read it as the node's user or as root"));
	return error;
}

/* --- the writer's thread ------------------------------------------------ */

static void
open_again(struct traffic *traffic)
{
	int fd;

	if (open_file(traffic->path, traffic->log, &fd) == HERD_OK) {
		close(traffic->fd);
		traffic->fd = fd;
		LOG(traffic->log, LOG_INFO, "traffic-reopened",
		    log_text("file", traffic->path));
		return;
	}
	LOG(traffic->log, LOG_ERROR, "traffic-reopen-failed",
	    log_text("file", traffic->path),
	    log_text("error", file_strerror(errno)),
	    log_text("next", "lines go to the old file; let the node write "
			     "that one, then send SIGHUP again"));
}

static void
write_lines(struct traffic *traffic)
{
	struct span lines = buf_span(&traffic->writing);
	int error = write_all(traffic->fd, lines);

	if (error == 0)
		return;
	LOG(traffic->log, LOG_ERROR, "traffic-lost",
	    log_text("error", strerror(error)),
	    log_text("next", "lines are dropped until the file can be written "
			     "again"));
	pthread_mutex_lock(&traffic->lock);
	traffic->lost += count_lines(lines);
	pthread_mutex_unlock(&traffic->lock);
}

/* Waits for something to do; false when all is done and the log closes. */
static bool
take_work(struct traffic *traffic, bool *reopens)
{
	struct buf full;

	pthread_mutex_lock(&traffic->lock);
	buf_clear(&traffic->writing);
	while (
	    traffic->queued.len == 0 && !traffic->reopens && !traffic->stopping)
		pthread_cond_wait(&traffic->filled, &traffic->lock);
	full = traffic->queued;
	traffic->queued = traffic->writing;
	traffic->writing = full;
	*reopens = traffic->reopens;
	traffic->reopens = false;
	pthread_mutex_unlock(&traffic->lock);
	return full.len > 0 || *reopens;
}

static void *
run_writer(void *arg)
{
	struct traffic *traffic = arg;
	bool reopens;

	while (take_work(traffic, &reopens)) {
		if (reopens)
			open_again(traffic);
		write_lines(traffic);
	}
	return NULL;
}

/* --- any thread --------------------------------------------------------- */

enum herd_error
traffic_open(const char *path, struct log *log, struct traffic **out)
{
	size_t len = strlen(path) + 1;
	struct traffic *traffic = calloc(1, sizeof(*traffic) + len);
	int error;

	if (traffic == NULL)
		return HERD_ENOMEM;
	if (open_file(path, log, &traffic->fd) != HERD_OK) {
		error = errno;
		free(traffic);
		errno = error;
		return HERD_ESYSTEM;
	}
	memcpy(traffic->path, path, len);
	traffic->log = log;
	buf_init(&traffic->queued, TRAFFIC_QUEUED_MAX);
	buf_init(&traffic->writing, TRAFFIC_QUEUED_MAX);
	pthread_mutex_init(&traffic->lock, NULL);
	pthread_cond_init(&traffic->filled, NULL);
	error =
	    thread_start(&traffic->thread, "traffic", 0, run_writer, traffic);
	if (error != 0) {
		close(traffic->fd);
		free(traffic);
		errno = error;
		return HERD_ESYSTEM;
	}
	*out = traffic;
	return HERD_OK;
}

void
traffic_reopen(struct traffic *traffic)
{
	if (traffic == NULL)
		return;
	pthread_mutex_lock(&traffic->lock);
	traffic->reopens = true;
	pthread_cond_signal(&traffic->filled);
	pthread_mutex_unlock(&traffic->lock);
}

void
traffic_close(struct traffic *traffic)
{
	if (traffic == NULL)
		return;
	pthread_mutex_lock(&traffic->lock);
	traffic->stopping = true;
	pthread_cond_signal(&traffic->filled);
	pthread_mutex_unlock(&traffic->lock);
	pthread_join(traffic->thread, NULL);
	close(traffic->fd);
	buf_release(&traffic->queued);
	buf_release(&traffic->writing);
	pthread_cond_destroy(&traffic->filled);
	pthread_mutex_destroy(&traffic->lock);
	free(traffic);
}

void
traffic_note(struct traffic *traffic, const char *what, const char *peer,
    struct span text)
{
	char time[LOG_TIME_MAX];
	enum herd_error error;
	size_t before;

	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;

	pthread_mutex_lock(&traffic->lock);
	before = traffic->queued.len;
	error = buf_addf(&traffic->queued, SPAN_FMT " %s %s \"",
	    SPAN_ARG(log_time(time)), what, peer);
	if (error == HERD_OK)
		error = text_escape(&traffic->queued, text, TRAFFIC_SHOWN_MAX);
	if (error == HERD_OK)
		error = buf_add_text(&traffic->queued, "\"\n");
	if (error != HERD_OK) {
		buf_truncate(&traffic->queued, before);
		traffic->lost++;
	}
	pthread_cond_signal(&traffic->filled);
	pthread_mutex_unlock(&traffic->lock);
}

uint64_t
traffic_lost(struct traffic *traffic)
{
	uint64_t lost;

	pthread_mutex_lock(&traffic->lock);
	lost = traffic->lost;
	pthread_mutex_unlock(&traffic->lock);
	return lost;
}
