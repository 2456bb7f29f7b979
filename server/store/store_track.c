/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_track.h"

#include <stdio.h>
#include <stdlib.h>

struct store_track {
	struct store_tracks *tracks;
	char *client;
	size_t client_len;
	uint64_t since_ns;
	unsigned max;
	unsigned count;
	struct buf lines;
	bool is_cut;
	bool is_full;
	bool is_asked; /* the asker has not ended it */
	enum store_track_state state;
	char error[ENGINE_ERROR_MAX];
	const char *hint;
};

static void
track_free(struct store_track *track)
{
	buf_release(&track->lines);
	free(track->client);
	free(track);
}

/* --- for those who ask ------------------------------------------------------
 */

enum store_track_state
store_track_state(struct store_track *track)
{
	enum store_track_state state;

	pthread_mutex_lock(&track->tracks->lock);
	state = track->state;
	pthread_mutex_unlock(&track->tracks->lock);
	return state;
}

struct span
store_track_lines(const struct store_track *track)
{
	return buf_span(&track->lines);
}

bool
store_track_is_cut(const struct store_track *track)
{
	return track->is_cut;
}

const char *
store_track_error(const struct store_track *track, const char **hint)
{
	*hint = track->hint == NULL ? "" : track->hint;
	return track->error;
}

void
store_track_end(struct store_track *track)
{
	struct store_tracks *tracks;
	bool is_over;

	if (track == NULL)
		return;
	tracks = track->tracks;
	pthread_mutex_lock(&tracks->lock);
	track->is_asked = false;
	is_over = track->state != STORE_TRACK_RUNS;
	pthread_mutex_unlock(&tracks->lock);
	if (is_over)
		track_free(track);
}

/* --- the store's thread -----------------------------------------------------
 */

void
store_tracks_init(struct store_tracks *tracks)
{
	pthread_mutex_init(&tracks->lock, NULL);
}

void
store_tracks_release(struct store_tracks *tracks)
{
	pthread_mutex_destroy(&tracks->lock);
}

static struct store_track *
track_new(struct store_tracks *tracks, struct span client, uint64_t since_ns,
    unsigned max)
{
	struct store_track *track = calloc(1, sizeof(*track));

	if (track == NULL)
		return NULL;
	track->client = malloc(client.len + 1);
	if (track->client == NULL) {
		free(track);
		return NULL;
	}
	memcpy(track->client, client.data, client.len);
	track->client_len = client.len;
	track->tracks = tracks;
	track->since_ns = since_ns;
	track->max = max;
	track->is_asked = true;
	buf_init(&track->lines, STORE_TRACK_BYTES);
	return track;
}

enum herd_error
store_tracks_add(struct store_tracks *tracks, struct span client,
    uint64_t since_ns, unsigned max, struct store_track **out)
{
	struct store_track *track = track_new(tracks, client, since_ns, max);
	enum herd_error error = HERD_OK;

	if (track == NULL)
		return HERD_ENOMEM;
	pthread_mutex_lock(&tracks->lock);
	if (tracks->closed)
		error = HERD_ECANCELED;
	else if (tracks->count == STORE_TRACKS_MAX)
		error = HERD_ELIMIT;
	else
		tracks->waiting[tracks->count++] = track;
	pthread_mutex_unlock(&tracks->lock);
	if (error == HERD_OK)
		*out = track;
	else
		track_free(track);
	return error;
}

/* The next question; those that nobody waits for any more are dropped. */
static struct store_track *
take(struct store_tracks *tracks)
{
	struct store_track *track = NULL;

	pthread_mutex_lock(&tracks->lock);
	while (track == NULL && tracks->count > 0) {
		track = tracks->waiting[0];
		tracks->count--;
		memmove(tracks->waiting, tracks->waiting + 1,
		    tracks->count * sizeof(*tracks->waiting));
		if (!track->is_asked) {
			track_free(track);
			track = NULL;
		}
	}
	pthread_mutex_unlock(&tracks->lock);
	return track;
}

static void
tell(struct store_track *track, enum store_track_state state)
{
	struct store_tracks *tracks = track->tracks;
	bool is_asked;

	pthread_mutex_lock(&tracks->lock);
	track->state = state;
	is_asked = track->is_asked;
	pthread_mutex_unlock(&tracks->lock);
	if (!is_asked)
		track_free(track);
}

static bool
on_track(void *arg, const struct report *report)
{
	struct store_track *track = arg;

	if (buf_reserve(&track->lines, report_line_len(report) + 1) !=
		HERD_OK ||
	    report_format(&track->lines, report) != HERD_OK ||
	    buf_add_byte(&track->lines, '\n') != HERD_OK) {
		track->is_full = true;
		return false;
	}
	track->count++;
	return true;
}

enum herd_error
store_tracks_serve(struct store_tracks *tracks, struct engine *engine)
{
	struct store_track *track = take(tracks);
	enum herd_error error;

	if (track == NULL)
		return HERD_OK;
	error = engine->ops->track(engine,
	    span_of(track->client, track->client_len), track->since_ns,
	    track->max, on_track, track);
	track->is_cut = track->is_full || track->count == track->max;
	if (error != HERD_OK) {
		snprintf(track->error, sizeof(track->error), "%s",
		    engine->error[0] == '\0' ? herd_strerror(error)
					     : engine->error);
		track->hint = engine->hint;
	}
	tell(track, error == HERD_OK ? STORE_TRACK_DONE : STORE_TRACK_FAILED);
	return error;
}

void
store_tracks_close(struct store_tracks *tracks)
{
	pthread_mutex_lock(&tracks->lock);
	tracks->closed = true;
	pthread_mutex_unlock(&tracks->lock);
	store_tracks_fail(tracks, "the node stops");
}

void
store_tracks_fail(struct store_tracks *tracks, const char *why)
{
	struct store_track *track;

	while ((track = take(tracks)) != NULL) {
		snprintf(track->error, sizeof(track->error), "%s", why);
		tell(track, STORE_TRACK_FAILED);
	}
}
