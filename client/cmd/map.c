/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * map: a node's clients as dots; with their ids while few are in sight. The
 * points are kept from round to round, so that a key moves the picture without
 * a question to the node.
 */
#include "cmd/list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/client_list.h"
#include "cmd/client_track.h"
#include "herd/text.h"
#include "out/canvas.h"
#include "out/screen.h"
#include "run/fields.h"
#include "run/live.h"

#define LABELS_MOST 30u
#define LABELLED_MOST 5000u /* points whose ids are kept */
#define WIDTH_ELSEWHERE 80u
#define HEIGHT_ELSEWHERE 24u
#define KM_DEFAULT "10"
#define KM_PER_DEGREE 111.19508

#define ZOOM_STEP 0.5  /* doublings */
#define MOVE_STEP 0.25 /* of the picture */

struct map_point {
	double lat;
	double lon;
	char *id; /* or NULL */
};

struct map {
	bool watched;
	bool fits; /* to the terminal */
	bool utf8;
	struct canvas_view view;
	char *followed;   /* its id, or NULL */
	const char *what; /* a point is */
	struct map_point *points;
	size_t count;
	size_t room;
	struct buf unknown; /* names of nodes whose clients these are not */
	struct buf footer;
};

static void
forget_points(struct map *map)
{
	for (size_t i = 0; i < map->count; i++)
		free(map->points[i].id);
	map->count = 0;
	buf_clear(&map->unknown);
	buf_clear(&map->footer);
}

static void
release_map(void *state)
{
	struct map *map = state;

	forget_points(map);
	free(map->points);
	free(map->followed);
	buf_release(&map->unknown);
	buf_release(&map->footer);
	free(map);
}

/* A node that could not be asked has a row too, and may have clients. */
static void
note_unknown(struct map *map, const struct value *row)
{
	if (!row[CLIENT_ERROR].known || row[CLIENT_ID].known)
		return;
	put_text(&map->unknown, map->unknown.len > 0 ? ", " : "");
	put_clean(&map->unknown, row[CLIENT_NODE].text);
}

static void
take_points(struct map *map, const struct out *out)
{
	bool labels = out->count <= LABELLED_MOST;

	forget_points(map);
	for (size_t i = 0; i < out->count; i++) {
		const struct value *row = out->rows[i];
		struct span id = row[CLIENT_ID].text;

		note_unknown(map, row);
		if (!row[CLIENT_LOCATION].known)
			continue;
		grow_array(map->points, map->count, map->room);
		map->points[map->count++] = (struct map_point){
			.lat = row[CLIENT_LOCATION].lat,
			.lon = row[CLIENT_LOCATION].lon,
			.id = labels ? xstrndup(id.data, id.len) : NULL,
		};
	}
	put_span(&map->footer, buf_span(&out->footer));
}

/* The title of --watch and the lines below take some of the height. */
static struct canvas *
make_canvas(const struct map *map)
{
	size_t others = map->watched ? 4 : 2;
	size_t height = screen_height();

	if (!map->fits)
		return canvas_new(WIDTH_ELSEWHERE, HEIGHT_ELSEWHERE, map->utf8);
	return canvas_new(
	    screen_width(), height > others ? height - others : 1, map->utf8);
}

static void
draw_map(void *state, struct sink *sink)
{
	const struct map *map = state;
	struct canvas *canvas = make_canvas(map);
	struct buf text = XBUF;
	size_t outside;

	if (map->followed != NULL)
		canvas_mark(
		    canvas, map->view.lat, map->view.lon, map->followed);
	for (size_t i = 0; i < map->count; i++) {
		const char *id = map->points[i].id;

		if (id != NULL && map->followed != NULL &&
		    strcmp(id, map->followed) == 0)
			id = NULL;
		canvas_add(canvas, map->points[i].lat, map->points[i].lon, id);
	}
	outside = canvas_draw(canvas, &map->view, &text);
	putf(&text, "%zu %s%s", map->count, map->what,
	    map->count == 1 ? "" : "s");
	if (outside > 0)
		putf(&text, ", %zu outside", outside);
	if (map->unknown.len > 0)
		putf(&text, "; unknown: " SPAN_FMT,
		    SPAN_ARG(buf_span(&map->unknown)));
	put_text(&text,
	    map->watched ? "  (+ - zoom, arrows move, 0 resets)\n" : "\n");
	put_span(&text, buf_span(&map->footer));
	sink_write(sink, buf_span(&text));
	sink_flush(sink);
	buf_release(&text);
	canvas_free(canvas);
}

/* The middle stays where it is. */
static void
zoom(struct canvas_view *view, double doublings)
{
	double wanted = fmin(
	    fmax(view->zoom + doublings, CANVAS_ZOOM_LEAST), CANVAS_ZOOM_MOST);

	view->right *= exp2(wanted - view->zoom);
	view->up *= exp2(wanted - view->zoom);
	view->zoom = wanted;
}

static bool
take_key(void *state, int key)
{
	struct canvas_view *view = &((struct map *)state)->view;

	switch (key) {
	case '+':
	case '=': zoom(view, ZOOM_STEP); return true;
	case '-':
	case '_': zoom(view, -ZOOM_STEP); return true;
	case 'h':
	case LIVE_LEFT: view->right -= MOVE_STEP; return true;
	case 'l':
	case LIVE_RIGHT: view->right += MOVE_STEP; return true;
	case 'k':
	case LIVE_UP: view->up += MOVE_STEP; return true;
	case 'j':
	case LIVE_DOWN: view->up -= MOVE_STEP; return true;
	case '0': view->right = view->up = view->zoom = 0; return true;
	default: return false;
	}
}

static struct map *
map_of(struct run *run)
{
	struct map *map = run->picture.state;

	if (map != NULL)
		return map;
	map = xcalloc(1, sizeof(*map));
	map->watched = run->watched && run->sink.terminal;
	map->fits = run->to_terminal;
	map->utf8 = run->app->utf8;
	map->view.all = run_flag(run, "all") != NULL;
	map->view.labels_most = LABELS_MOST;
	map->what = "client";
	buf_init(&map->unknown, XBUF_MAX);
	buf_init(&map->footer, XBUF_MAX);
	run->picture.state = map;
	run->picture.release = release_map;
	return map;
}

static void
write_map(struct run *run)
{
	struct map *map = map_of(run);

	if ((run_format(run)->traits & FORMAT_PEOPLE) == 0) {
		out_end(&run->out);
		return;
	}
	take_points(map, &run->out);
	/* From now on there is something that keys can move. */
	run->picture.key = take_key;
	run->picture.draw = draw_map;
	draw_map(map, &run->sink);
}

static enum status
set_middle(struct run *run, const struct cJSON *json, const char *id,
    struct buf *place)
{
	struct map *map = map_of(run);
	const char *location = fields_text(json, "location");

	if (location == NULL || fields_is(json, "removed"))
		return run_fail(
		    run, STATUS_NEGATIVE, "%s has no location any more", id);
	put_text(place, location);
	map->view.centred = true;
	map->view.lat = fields_number(json, "lat", 0);
	map->view.lon = fields_number(json, "lon", 0);
	free(map->followed);
	map->followed = xstrdup(id);
	return STATUS_OK;
}

/* Where the client is now; the first node that has it is believed. */
static enum status
find_followed(struct run *run, const char *id, struct buf *place)
{
	char *path = ask_path("/v1/clients/", span_from(id), "");
	struct answers answers = { 0 };
	const struct answer *found = NULL;
	enum status status = ask_all(run, path, &answers);

	answers_each(a, &answers) {
		if (found == NULL && a->status == STATUS_OK)
			found = a;
	}
	if (status == STATUS_OK && found == NULL)
		status = answers_report(run, &answers);
	else if (status == STATUS_OK)
		status = set_middle(run, found->json, id, place);
	answers_release(&answers);
	free(path);
	return status;
}

static enum status
list(struct run *run, const char *near, const char *km)
{
	struct client_query query = CLIENT_QUERY;
	enum status status = STATUS_OK;

	if (near != NULL)
		status = client_query_near(run, &query, near, km);
	client_query_glob(&query, run_flag(run, "prefix"), false);
	if (status == STATUS_OK)
		status = client_list(run, &query, write_map);
	client_query_release(&query);
	return status;
}

/* The last place is where the client is. */
static void
take_track(struct map *map, const char *id, const struct out *out)
{
	forget_points(map);
	map->what = "position";
	free(map->followed);
	map->followed = NULL;
	for (size_t i = 0; i < out->count; i++) {
		const struct value *place = &out->rows[i][TRACK_LOCATION];

		if (!place->known)
			continue;
		grow_array(map->points, map->count, map->room);
		map->points[map->count++] =
		    (struct map_point){ place->lat, place->lon, NULL };
		map->view.lat = place->lat;
		map->view.lon = place->lon;
	}
	if (map->count > 0)
		map->followed = xstrdup(id);
}

static enum status
draw_track(struct run *run, const char *id)
{
	struct map *map = map_of(run);
	struct answers answers;
	enum status status = client_track_ask(run, id, &answers);

	if (status != STATUS_OK)
		return status;
	if ((run_format(run)->traits & FORMAT_PEOPLE) == 0)
		return fields_finish(run, &answers);
	take_track(map, id, &run->out);
	run->picture.key = take_key;
	run->picture.draw = draw_map;
	draw_map(map, &run->sink);
	status = answers_report(run, &answers);
	answers_release(&answers);
	return status;
}

static enum status
map_run(struct run *run)
{
	const char *client = run_word(run, 0);
	const char *follow = run_flag(run, "follow");
	const char *near = run_flag(run, "near");
	const char *km = run_flag(run, "km");
	struct buf place = XBUF;
	double reach;
	enum status status = STATUS_OK;

	if (run_flag(run, "track") != NULL && client == NULL &&
	    follow == NULL && near == NULL)
		return draw_track(run, run_flag(run, "track"));
	if (run_flag(run, "track") != NULL)
		return run_fail(run, STATUS_USAGE,
		    "--track excludes CLIENT, --follow and --near");
	if (run_flag(run, "since") != NULL)
		return run_fail(run, STATUS_USAGE, "--since goes with --track");
	km = km == NULL ? KM_DEFAULT : km;
	if (client != NULL && follow != NULL && follow[0] != '\0')
		return run_fail(run, STATUS_USAGE,
		    "`%s' and `%s': only one CLIENT can be followed", follow,
		    client);
	if (follow != NULL && follow[0] != '\0')
		client = follow;
	if (client != NULL && near != NULL)
		status = run_fail(
		    run, STATUS_USAGE, "CLIENT and --near exclude each other");
	else if (client == NULL && follow != NULL)
		status = run_fail(
		    run, STATUS_USAGE, "--follow needs a CLIENT to follow");
	else if (client != NULL)
		status = find_followed(run, client, &place);
	if (status == STATUS_OK && client != NULL) {
		near = text_of(&place);
		if (value_parse(VALUE_REAL, span_from(km), &reach) == HERD_OK)
			map_of(run)->view.radius = reach / KM_PER_DEGREE;
	}
	if (status == STATUS_OK)
		status = list(run, near, km);
	buf_release(&place);
	return status;
}

const struct command cmd_map = {
	.path = "map",
	.summary = "draw a node's clients on a map",
	.help =
	    "The formats table, wide and plain get the map; every other format "
	    "gets the clients themselves, as from `client ls'. A client far "
	    "from all others does not set the scale: the map is made for those "
	    "between the 2nd and the 98th percentile, and says how many are "
	    "outside. CLIENT is in the middle of its map, with those --km "
	    "around it. With --watch + and - zoom, the arrows or h, j, k, l "
	    "move and 0 resets.",
	.group = GROUP_WATCHING,
	/* clang-format off */
	.args = ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT, .optional = true)),
	.flags = FLAGS(
	    FLAG("all", .help = "let every client set the scale"),
	    FLAG("follow", .value = "CLIENT", .value_optional = true, .complete = COMPLETE_CLIENT,
		.help = "stay with CLIENT as it moves: --watch on a terminal"),
	    FLAG("near", .value = "LOCATION", .help = "only clients around this place"),
	    FLAG("track", .value = "CLIENT", .complete = COMPLETE_CLIENT,
		.help = "where CLIENT has been, as from `client track'"),
	    FLAG("since", .value = "TIME", .help = "of --track: only from then on, 1h (ago) or a time"),
	    FLAG("km", .value = "KM", .help = "how far around it (10)"),
	    FLAG("prefix", .value = "PREFIX", .complete = COMPLETE_CLIENT,
		.help = "only clients whose id begins with it")),
	/* clang-format on */
	.view = &client_view,
	.traits = COMMAND_READ,
	.run = map_run,
	.live_flag = "follow",
	.example = "map --near 34.068930,-118.445127 --km 20",
};
