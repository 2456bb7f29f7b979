/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/sketch.h"

#include "base/xbuf.h"
#include "out/screen.h"

bool
sketch_is_possible(const struct run *run)
{
	return run->to_terminal && !screen_is_dumb() &&
	       (run_format(run)->traits & FORMAT_LOOKS) != 0;
}

/* The cursor is below the lines, which it goes up by. */
static void
put_erased(struct buf *out, const struct sketch *sketch)
{
	if (sketch->lines > 0)
		putf(out, "\033[%zuA\r\033[J", sketch->lines);
}

static void
show(const struct sketch *sketch, struct buf *text)
{
	struct sink out;

	sink_init(&out, sketch->run->sink.fd);
	sink_write(&out, buf_span(text));
	sink_flush(&out);
	buf_release(&out.held);
}

void
sketch_draw(struct sketch *sketch, struct span text)
{
	struct buf frame = XBUF;

	put_erased(&frame, sketch);
	sketch->lines = screen_put_lines(&frame, text, sketch->run->app->utf8);
	show(sketch, &frame);
	buf_release(&frame);
}

void
sketch_clear(struct sketch *sketch)
{
	struct buf frame = XBUF;

	if (sketch->lines == 0)
		return;
	put_erased(&frame, sketch);
	sketch->lines = 0;
	show(sketch, &frame);
	buf_release(&frame);
}

/*
 * The same command for the same nodes. Its messages are part of the sketch:
 * they come again, on stderr, when the answer is there.
 */
void
sketch_draw_command(struct sketch *sketch)
{
	struct run once = *sketch->run;

	once.out_begun = false;
	once.is_sketch = true;
	once.message = (struct buf)XBUF;
	once.where = (struct buf)XBUF;
	once.afterwards = (struct buf)XBUF;
	prefs_copy(&once.prefs, &sketch->run->prefs);
	sink_init_memory(&once.sink, true);
	(void)once.args->command->run(&once);
	if (once.out_begun)
		out_release(&once.out);
	if (!app_loop(once.app)->interrupted)
		sketch_draw(sketch, buf_span(&once.sink.held));
	buf_release(&once.sink.held);
	buf_release(&once.message);
	buf_release(&once.where);
	buf_release(&once.afterwards);
	prefs_release(&once.prefs);
}
