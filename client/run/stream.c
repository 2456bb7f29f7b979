/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/stream.h"

#include <stdlib.h>

#include "base/xbuf.h"
#include "herd/framer.h"
#include "run/ask.h"

/*
 * A picture that is drawn again goes on without those that are silent, and
 * sooner when another one has sent all that it has.
 */
#define ROUND_SILENCE_NS HERD_NS_PER_S
#define ROUND_SOON_NS (300 * HERD_NS_PER_MS)

struct stream {
	struct streams *owner;
	const struct target *target;
	struct admin_call *call;
	struct framer lines;
	bool begun;
	bool ended;
	struct mono heard; /* the last data */
	enum status status;
	char *message;
	char *hint; /* or NULL */
};

struct streams {
	struct run *run;
	stream_on_line *on_line;
	void (*on_pause)(void *arg); /* or NULL */
	void *arg;
	struct stream *items;
	size_t count;
	struct mono whole; /* the first one came to its end; or NO_DEADLINE */
};

static void
end(struct stream *s, enum status status, const char *message)
{
	s->ended = true;
	s->status = status;
	free(s->message);
	free(s->hint);
	s->hint = NULL;
	s->message = message == NULL ? NULL : xstrdup(message);
}

static void
on_data(void *arg, struct span data)
{
	struct stream *s = arg;
	struct span line;

	if (s->ended)
		return;
	s->begun = true;
	s->heard = now_mono();
	if (framer_feed(&s->lines, data) != HERD_OK) {
		end(s, STATUS_REPLY, "a line of it is too long");
		return;
	}
	while (!s->ended && framer_next(&s->lines, &line) == HERD_OK)
		s->owner->on_line(s->owner->arg, s->target, line);
	if (s->owner->on_pause != NULL)
		s->owner->on_pause(s->owner->arg);
}

static void
on_done(void *arg, const struct admin_answer *answer)
{
	struct stream *s = arg;

	s->call = NULL;
	if (s->ended)
		return;
	end(s, answer->status, answer->message);
	if (answer->status == STATUS_OK && s->owner->whole.ns == NO_DEADLINE.ns)
		s->owner->whole = now_mono();
	if (answer->hint != NULL)
		s->hint = xstrdup(answer->hint);
}

static const struct admin_events events = { on_data, on_done };

static void
start(struct stream *s, struct admin_client *admin, const char *path)
{
	struct admin_request request = { .method = "GET", .path = path };
	struct buf why = XBUF;
	enum status status;

	framer_init(&s->lines, STREAM_LINE_MAX);
	s->heard = now_mono();
	status = ask_prepare(s->owner->run, s->target, &request, &why);
	if (status == STATUS_OK)
		s->call = admin_client_start(admin, &request, &events, s);
	else
		end(s, status, text_of(&why));
	buf_release(&why);
}

static bool
have_begun(const void *arg)
{
	const struct streams *streams = arg;

	for (size_t i = 0; i < streams->count; i++) {
		if (!streams->items[i].begun && !streams->items[i].ended)
			return false;
	}
	return true;
}

static void
drop(struct stream *s, enum status status, const char *message)
{
	if (s->call != NULL)
		admin_client_cancel(s->call);
	s->call = NULL;
	end(s, status, message);
}

enum status
streams_start(struct run *run, const char *path, stream_on_line *on_line,
    void *arg, struct streams **out)
{
	struct streams *streams = xcalloc(1, sizeof(*streams));
	struct admin_client *admin;
	enum status status = run_targets(run);

	*out = streams;
	streams->run = run;
	streams->whole = NO_DEADLINE;
	streams->on_line = on_line;
	streams->arg = arg;
	if (status != STATUS_OK)
		return status;
	status = app_admin(run->app, &admin, &run->message);
	if (status != STATUS_OK)
		return run_fail_message(run, status);
	streams->count = run->target_count;
	streams->items = xcalloc(streams->count, sizeof(*streams->items));
	for (size_t i = 0; i < streams->count; i++) {
		streams->items[i].owner = streams;
		streams->items[i].target = run->targets[i];
		start(&streams->items[i], admin, path);
	}
	return STATUS_OK;
}

enum status
streams_await(struct streams *streams, struct mono until)
{
	enum wait_result result =
	    loop_wait(app_loop(streams->run->app), have_begun, streams, until);

	return result == WAIT_INTERRUPTED ? STATUS_SIGINT : STATUS_OK;
}

void
streams_drop_silent(struct streams *streams)
{
	for (size_t i = 0; i < streams->count; i++) {
		struct stream *s = &streams->items[i];

		if (!s->begun && !s->ended)
			drop(s, STATUS_TIMEOUT, "no answer in time");
	}
}

enum status
streams_open(struct run *run, const char *path, stream_on_line *on_line,
    void *arg, struct streams **out)
{
	enum status status = streams_start(run, path, on_line, arg, out);

	if (status == STATUS_OK)
		status = streams_await(*out, run->deadline);
	streams_drop_silent(*out);
	return status;
}

enum stream_state
streams_state(const struct streams *streams, size_t i, const char **why)
{
	const struct stream *s = &streams->items[i];

	*why = s->ended ? s->message : NULL;
	if (s->ended)
		return STREAM_ENDED;
	return s->begun ? STREAM_OPEN : STREAM_WAITING;
}

void
streams_free(struct streams *streams)
{
	if (streams == NULL)
		return;
	for (size_t i = 0; i < streams->count; i++) {
		struct stream *s = &streams->items[i];

		drop(s, STATUS_OK, NULL);
		framer_release(&s->lines);
	}
	free(streams->items);
	free(streams);
}

static size_t
count_alive(const struct streams *streams)
{
	size_t count = 0;

	for (size_t i = 0; i < streams->count; i++)
		count += !streams->items[i].ended;
	return count;
}

struct waiting {
	const struct streams *streams;
	bool (*done)(const void *arg);
	const void *arg;
};

static bool
is_over(const void *arg)
{
	const struct waiting *w = arg;

	return count_alive(w->streams) == 0 ||
	       (w->done != NULL && w->done(w->arg));
}

enum status
streams_wait(struct streams *streams, bool (*done)(const void *arg),
    const void *arg, struct mono deadline)
{
	struct waiting waiting = { streams, done, arg };
	enum wait_result result =
	    loop_wait(app_loop(streams->run->app), is_over, &waiting, deadline);

	return result == WAIT_INTERRUPTED ? STATUS_SIGINT : STATUS_OK;
}

void
streams_on_pause(struct streams *streams, void (*on_pause)(void *arg))
{
	streams->on_pause = on_pause;
}

void
streams_fail(struct streams *streams, const struct target *target,
    enum status status, const char *message, const char *hint)
{
	for (size_t i = 0; i < streams->count; i++) {
		struct stream *s = &streams->items[i];

		if (s->target != target || s->ended)
			continue;
		end(s, status, message);
		if (hint != NULL)
			s->hint = xstrdup(hint);
	}
}

static struct mono
earlier(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

/* The moment at which the stream has been silent for too long. */
static struct mono
silence_end(const struct stream *s)
{
	const struct streams *streams = s->owner;
	uint64_t timeout = prefs_ns(&streams->run->prefs, PREF_TIMEOUT);
	struct mono whole = streams->whole;
	struct mono at =
	    timeout == 0 ? NO_DEADLINE : mono_add(s->heard, timeout);

	if (!streams->run->watched || streams->count == 1)
		return at;
	at = earlier(at, mono_add(s->heard, ROUND_SILENCE_NS));
	if (whole.ns == NO_DEADLINE.ns)
		return at;
	if (whole.ns < s->heard.ns)
		whole = s->heard;
	return earlier(at, mono_add(whole, ROUND_SOON_NS));
}

/* The moment at which the first of them has been so. */
static struct mono
first_deadline(const struct streams *streams)
{
	struct mono first = NO_DEADLINE;

	for (size_t i = 0; i < streams->count; i++) {
		if (!streams->items[i].ended)
			first = earlier(first, silence_end(&streams->items[i]));
	}
	return first;
}

/* Until it may end sooner, because another one has come to its end. */
struct patience {
	const struct waiting *waiting;
	struct mono whole;
};

static bool
has_news(const void *arg)
{
	const struct patience *p = arg;

	return is_over(p->waiting) ||
	       p->waiting->streams->whole.ns != p->whole.ns;
}

static void
drop_overdue(struct streams *streams)
{
	for (size_t i = 0; i < streams->count; i++) {
		struct stream *s = &streams->items[i];

		if (!s->ended && silence_end(s).ns <= now_mono().ns)
			drop(s, STATUS_TIMEOUT, "no answer in time");
	}
}

enum status
streams_finish(
    struct streams *streams, bool (*done)(const void *arg), const void *arg)
{
	struct waiting waiting = { streams, done, arg };

	while (!is_over(&waiting)) {
		struct patience patience = { &waiting, streams->whole };

		if (loop_wait(app_loop(streams->run->app), has_news, &patience,
			first_deadline(streams)) == WAIT_INTERRUPTED)
			return STATUS_SIGINT;
		drop_overdue(streams);
	}
	return STATUS_OK;
}

enum status
streams_status(const struct streams *streams)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < streams->count; i++)
		tally_add(&tally, streams->items[i].ended
				      ? streams->items[i].status
				      : STATUS_OK);
	return tally_status(&tally);
}

enum status
streams_report(struct streams *streams)
{
	for (size_t i = 0; i < streams->count; i++) {
		const struct stream *s = &streams->items[i];

		if (s->ended && s->status != STATUS_OK)
			run_fail_node(streams->run, s->status, s->target->name,
			    s->message, s->hint);
	}
	return streams_status(streams);
}
