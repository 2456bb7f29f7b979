/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/import_progress.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xbuf.h"

#define SHOW_MS 200u

void
import_progress_put(struct buf *out, const struct import_counts *counts,
    double seconds, double share)
{
	put_grouped(out, counts->read);
	put_text(out, " read  ");
	put_grouped(out, counts->taken);
	put_text(out, " reported  ");
	put_grouped(out, counts->refused + counts->bad);
	put_text(out, " refused or malformed");
	if (seconds > 0) {
		put_text(out, "  ");
		put_grouped(out, (int64_t)((double)counts->read / seconds));
		put_text(out, "/s");
	}
	if (share > 0 && share <= 1 && seconds > 0) {
		put_text(out, "  ETA ");
		put_duration(out, seconds * (1 - share) / share);
	}
}

void
import_progress_show(struct import_progress *p)
{
	struct mono now;
	struct buf line = XBUF;

	if (!p->wanted)
		return;
	now = now_mono();
	if (mono_since(now, p->shown_at) < SHOW_MS * HERD_NS_PER_MS)
		return;
	p->shown_at = now;
	p->shown = true;
	import_progress_put(&line, &p->job->counts,
	    (double)mono_since(now, p->begun) / 1e9,
	    import_source_share(&p->job->source));
	fprintf(stderr, "\r%s\x1b[K", text_of(&line));
	fflush(stderr);
	buf_release(&line);
}

void
import_progress_hide(void *progress)
{
	struct import_progress *p = progress;

	if (!p->shown)
		return;
	p->shown = false;
	fputs("\r\x1b[K", stderr);
	fflush(stderr);
}

static void
on_tick(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	import_progress_show(arg);
}

bool
import_progress_is_wanted(const struct run *run)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) == 1 && term != NULL &&
	       strcmp(term, "dumb") != 0 &&
	       !prefs_is(&run->prefs, PREF_QUIET) &&
	       (run_format(run)->traits & FORMAT_JSON) == 0;
}

void
import_progress_begin(struct import_progress *p, const struct import_job *job)
{
	struct timeval every = { .tv_usec = SHOW_MS * 1000 };

	*p = (struct import_progress){ .job = job, .begun = now_mono() };
	p->shown_at = p->begun;
	p->wanted = import_progress_is_wanted(job->run);
	if (!p->wanted)
		return;
	p->tick = event_new(
	    app_loop(job->run->app)->base, -1, EV_PERSIST, on_tick, p);
	if (p->tick == NULL || event_add(p->tick, &every) != 0)
		out_of_memory();
}

void
import_progress_end(struct import_progress *p)
{
	import_progress_hide(p);
	if (p->tick != NULL)
		event_free(p->tick);
	p->tick = NULL;
}
