/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/watch.h"

#include <time.h>

#include "base/xbuf.h"
#include "out/screen.h"
#include "run/live.h"

static void
put_title(struct buf *out, const struct watch_options *options)
{
	time_t now = time(NULL);
	struct tm tm;
	char clock[16];

	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	putf(out, "%s  every ", options->title);
	must(duration_for_people(out, options->every_ns));
	putf(out, "  %s  (q ends)\n\n", clock);
}

/* A pipe and a dumb terminal get one answer below the other. */
static enum status
append(const struct watch_options *options, struct sink *out,
    watch_round *round, void *arg)
{
	for (uint64_t n = 1;; n++) {
		struct sink memory;
		enum status status;

		sink_init_memory(&memory, out->terminal);
		status = round(arg, &memory);
		sink_write(out, buf_span(&memory.held));
		sink_flush(out);
		buf_release(&memory.held);
		if (options->loop->interrupted)
			return STATUS_SIGINT;
		if (out->gone || status == STATUS_USAGE || n == options->count)
			return status;
		if (loop_rest(options->loop, options->every_ns) ==
		    WAIT_INTERRUPTED)
			return STATUS_SIGINT;
	}
}

/* Between two rounds. False: that was the last one. */
static bool
rest(const struct watch_options *options, struct live *live)
{
	struct mono until = mono_add(now_mono(), options->every_ns);
	char key;

	for (;;) {
		switch (live_rest(live, until, &key)) {
		case LIVE_TIME:
		case LIVE_RESIZED: return true;
		case LIVE_INTERRUPTED: return false;
		case LIVE_KEY:
			if (key == 'q')
				return false;
		}
	}
}

static enum status
redraw(const struct watch_options *options, struct sink *out,
    watch_round *round, void *arg)
{
	struct live *live =
	    live_begin(options->loop, out, false, options->utf8);
	enum status status;
	uint64_t n = 0;

	do {
		struct sink memory;
		struct buf text = XBUF;

		sink_init_memory(&memory, true);
		status = round(arg, &memory);
		put_title(&text, options);
		put_span(&text, buf_span(&memory.held));
		if (!options->loop->interrupted)
			live_draw(live, buf_span(&text));
		buf_release(&text);
		buf_release(&memory.held);
		n++;
	} while (!out->gone && status != STATUS_USAGE &&
		 !options->loop->interrupted && n != options->count &&
		 rest(options, live));
	live_end(live);
	return options->loop->interrupted ? STATUS_SIGINT : status;
}

enum status
watch_run(const struct watch_options *options, struct sink *out,
    watch_round *round, void *arg)
{
	if (out->terminal && !screen_is_dumb())
		return redraw(options, out, round, arg);
	return append(options, out, round, arg);
}
