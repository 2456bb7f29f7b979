/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * map: a node's clients as dots; with their ids while there are few.
 */
#include "cmd/list.h"

#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/client_list.h"
#include "herd/text.h"
#include "out/canvas.h"
#include "out/screen.h"

#define LABELS_MOST 30u
#define WIDTH_ELSEWHERE 80u
#define HEIGHT_ELSEWHERE 24u

static void
add_points(struct run *run, struct canvas *canvas)
{
	const struct out *out = &run->out;
	bool labels = out->count <= LABELS_MOST;

	for (size_t i = 0; i < out->count; i++) {
		const struct value *row = out->rows[i];
		char *id;

		if (!row[CLIENT_LOCATION].known)
			continue;
		id =
		    xstrndup(row[CLIENT_ID].text.data, row[CLIENT_ID].text.len);
		canvas_add(canvas, row[CLIENT_LOCATION].lat,
		    row[CLIENT_LOCATION].lon, labels ? id : NULL);
		free(id);
	}
}

static void
draw(struct run *run)
{
	bool fits = run->to_terminal;
	struct canvas *canvas =
	    canvas_new(fits ? screen_width() : WIDTH_ELSEWHERE,
		fits ? screen_height() - 2 : HEIGHT_ELSEWHERE, run->app->utf8);
	struct buf text = XBUF;

	add_points(run, canvas);
	canvas_draw(canvas, &text);
	putf(&text, "%zu client%s\n", run->out.count,
	    run->out.count == 1 ? "" : "s");
	put_span(&text, buf_span(&run->out.footer));
	sink_write(&run->sink, buf_span(&text));
	sink_flush(&run->sink);
	buf_release(&text);
	canvas_free(canvas);
}

static void
write_map(struct run *run)
{
	if ((run->out.options.format->traits & FORMAT_PEOPLE) != 0)
		draw(run);
	else
		out_end(&run->out);
}

static enum status
map_run(struct run *run)
{
	const char *near = run_flag(run, "near");
	const char *km = run_flag(run, "km");
	struct client_query query = CLIENT_QUERY;
	enum status status = STATUS_OK;

	if (near != NULL)
		status = client_query_near(
		    run, &query, near, km == NULL ? "10" : km);
	client_query_glob(&query, run_flag(run, "prefix"), false);
	if (status == STATUS_OK)
		status = client_list(run, &query, write_map);
	client_query_release(&query);
	return status;
}

const struct command cmd_map = {
	.path = "map",
	.summary = "draw a node's clients on a map",
	.help =
	    "The formats table, wide and plain get the map; every other format "
	    "gets the clients themselves, as from `client ls'.",
	.group = GROUP_WATCHING,
	/* clang-format off */
	.flags = FLAGS(
	    FLAG("near", .value = "LOCATION", .help = "only clients around this place"),
	    FLAG("km", .value = "KM", .help = "how far around it (10)"),
	    FLAG("prefix", .value = "PREFIX", .complete = COMPLETE_CLIENT,
		.help = "only clients whose id begins with it")),
	/* clang-format on */
	.view = &client_view,
	.traits = COMMAND_READ,
	.run = map_run,
	.example = "map --near 34.068930,-118.445127 --km 20",
};
