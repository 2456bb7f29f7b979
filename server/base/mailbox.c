/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/mailbox.h"

#include <errno.h>
#include <event2/event.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/loop_watch.h"

static void
mailbox_run(struct mailbox *mailbox)
{
	struct message *message;

	pthread_mutex_lock(&mailbox->lock);
	message = mailbox->first;
	mailbox->first = NULL;
	mailbox->last = &mailbox->first;
	pthread_mutex_unlock(&mailbox->lock);
	while (message != NULL) {
		struct message *next = message->next;

		message->run(message);
		message = next;
	}
}

static void
on_readable(evutil_socket_t fd, short what HERD_UNUSED, void *arg)
{
	struct mailbox *mailbox = arg;
	uint64_t count;

	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	loop_watch_begin("messages");
	mailbox_run(mailbox);
	if (mailbox->on_wake != NULL)
		mailbox->on_wake(mailbox->arg);
	loop_watch_end();
}

enum herd_error
mailbox_init(struct mailbox *mailbox, struct event_base *base,
    void (*on_wake)(void *arg), void *arg)
{
	mailbox->first = NULL;
	mailbox->last = &mailbox->first;
	mailbox->on_wake = on_wake;
	mailbox->arg = arg;
	mailbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (mailbox->fd < 0)
		return HERD_ESYSTEM;
	mailbox->event = event_new(
	    base, mailbox->fd, EV_READ | EV_PERSIST, on_readable, mailbox);
	if (mailbox->event == NULL || event_add(mailbox->event, NULL) != 0) {
		if (mailbox->event != NULL)
			event_free(mailbox->event);
		close(mailbox->fd);
		return HERD_ENOMEM;
	}
	pthread_mutex_init(&mailbox->lock, NULL);
	return HERD_OK;
}

void
mailbox_release(struct mailbox *mailbox)
{
	mailbox_run(mailbox);
	event_free(mailbox->event);
	close(mailbox->fd);
	pthread_mutex_destroy(&mailbox->lock);
}

void
mailbox_wake(const struct mailbox *mailbox)
{
	const uint64_t one = 1;

	/* A full counter means that the owner will wake anyway. */
	while (write(mailbox->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void
mailbox_post(struct mailbox *mailbox, struct message *message)
{
	bool was_empty;

	message->next = NULL;
	pthread_mutex_lock(&mailbox->lock);
	was_empty = mailbox->first == NULL;
	*mailbox->last = message;
	mailbox->last = &message->next;
	pthread_mutex_unlock(&mailbox->lock);
	if (was_empty)
		mailbox_wake(mailbox);
}
