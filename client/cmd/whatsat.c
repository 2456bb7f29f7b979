/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * whatsat: the places near a client as a table, a map, or the node's own
 * JSON. Distances and bearings are from where the client was reported.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/first_reply.h"
#include "cmd/places_filter.h"
#include "cmd/typed.h"
#include "herd/request.h"
#include "herd/text.h"
#include "out/canvas.h"
#include "out/screen.h"
#include "run/conversation.h"
#include "run/fields.h"

/* clang-format off */
#define PLACE_COLUMNS(X) \
	X(PLACE_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_LABEL) \
	X(PLACE_RANK, "rank", "#", VALUE_INTEGER, .traits = COLUMN_COMPUTED | COLUMN_LABEL) \
	X(PLACE_NAME, "name", "NAME", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_SHRINK) \
	X(PLACE_DISTANCE, "distance_m", "DISTANCE", VALUE_DISTANCE, .traits = COLUMN_COMPUTED) \
	X(PLACE_BEARING, "bearing_deg", "BEARING", VALUE_BEARING, .traits = COLUMN_COMPUTED, \
	    .drop = 3) \
	X(PLACE_TYPE, "type", "TYPE", VALUE_TEXT, .traits = COLUMN_COMPUTED | COLUMN_SHRINK, \
	    .drop = 2) \
	X(PLACE_RATING, "rating", "RATING", VALUE_REAL, .drop = 4, .digits = 1) \
	X(PLACE_OPEN, "open", "OPEN", VALUE_BOOL, .drop = 5, .path = "opening_hours.open_now") \
	X(PLACE_ADDRESS, "address", "ADDRESS", VALUE_TEXT, .traits = COLUMN_SHRINK, .drop = 1, \
	    .path = "vicinity") \
	X(PLACE_POSITION, "position", "POSITION", VALUE_PLACE, \
	    .traits = COLUMN_COMPUTED | COLUMN_WIDE) \
	X(PLACE_ID, "place_id", "PLACE ID", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(PLACE_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(place_columns, PLACE_COLUMNS);

static const struct view whatsat_view =
    VIEW(place_columns, .schema = "herd.places/1", .list = "places");

/* --- the question ---------------------------------------------------- */

/* Appends the radius in km as the protocol wants it; metres to *metres. */
static enum status
put_radius(struct run *run, const char *typed, struct buf *out, double *metres)
{
	struct span text = span_from(typed);
	size_t digits = strspn(typed, "0123456789.");
	struct span unit = span_of(typed + digits, text.len - digits);
	char km[32];
	double value;

	if (unit.len == 0 || span_is(unit, "km")) {
		/* Sent as it was typed. */
		if (radius_parse(span_of(typed, digits), metres) == HERD_OK) {
			put(out, typed, digits);
			return STATUS_OK;
		}
	} else if (value_parse(VALUE_DISTANCE, text, &value) == HERD_OK &&
		   (span_is(unit, "m") || span_is(unit, "mi"))) {
		int len = snprintf(km, sizeof(km), "%.6f", value / 1000);

		if (radius_parse(span_of(km, (size_t)len), metres) == HERD_OK) {
			put_text(out, km);
			return STATUS_OK;
		}
	}
	return run_fail(run, STATUS_USAGE,
	    "`%s' is no radius: more than 0 and at most 50 km, such as 10, "
	    "500m or 2mi",
	    typed);
}

struct whatsat {
	struct run *run;
	double radius_m;
	unsigned max;
	const char *client;
};

static enum status
read_question(struct whatsat *w, struct buf *request)
{
	struct run *run = w->run;
	enum status status;

	w->client = run_word(run, 0);
	status = typed_client(run, w->client);
	if (status != STATUS_OK)
		return status;
	putf(request, "WHATSAT %s ", w->client);
	status = put_radius(run, run_word(run, 1), request, &w->radius_m);
	if (status != STATUS_OK)
		return status;
	if (bound_parse(span_from(run_word(run, 2)), &w->max) != HERD_OK)
		return run_fail(run, STATUS_USAGE,
		    "`%s' is no number from 1 to 20", run_word(run, 2));
	putf(request, " %s", run_word(run, 2));
	return STATUS_OK;
}

/* --- the answer ------------------------------------------------------ */

static void
set_position(struct out *out, const cJSON *place, struct location from)
{
	const cJSON *lat = fields_at(place, "geometry.location.lat");
	const cJSON *lng = fields_at(place, "geometry.location.lng");
	struct location to;

	if (!cJSON_IsNumber(lat) || !cJSON_IsNumber(lng) ||
	    !(lat->valuedouble >= -90 && lat->valuedouble <= 90) ||
	    !(lng->valuedouble >= -180 && lng->valuedouble <= 180))
		return;
	to.lat_nd = (int64_t)(lat->valuedouble * 1e9);
	to.lon_nd = (int64_t)(lng->valuedouble * 1e9);
	out_place(out, PLACE_POSITION, span_from(""), lat->valuedouble,
	    lng->valuedouble);
	out_real(out, PLACE_DISTANCE, location_distance_m(from, to));
	out_real(out, PLACE_BEARING, location_bearing_deg(from, to));
}

static void
add_places(
    struct run *run, const char *node, const cJSON *json, struct location from)
{
	const cJSON *place;
	int64_t rank = 0;

	cJSON_ArrayForEach(place, fields_at(json, "results")) {
		const char *type = cJSON_GetStringValue(
		    cJSON_GetArrayItem(fields_at(place, "types"), 0));

		fields_set_node(&run->out, node);
		fields_fill_row(&run->out, place);
		out_integer(&run->out, PLACE_RANK, ++rank);
		out_word(&run->out, PLACE_TYPE, type);
		set_position(&run->out, place, from);
		out_row(&run->out);
	}
}

/* "34.068930,-118.445127" with the digits as they were reported. */
static void
put_human_location(struct buf *out, struct span location)
{
	size_t second = 1;

	while (second < location.len && location.data[second] != '+' &&
	       location.data[second] != '-')
		second++;
	if (location.len > 0 && location.data[0] == '+')
		put(out, location.data + 1, second - 1);
	else
		put(out, location.data, second);
	put_byte(out, ',');
	if (second < location.len && location.data[second] == '+')
		second++;
	put(out, location.data + second, location.len - second);
}

static void
add_heading(struct run *run, const struct report *r)
{
	struct buf text = XBUF;
	double age = ((double)now_wall().ns - (double)r->time_ns) / 1e9;
	struct skew skew;

	put_clean(&text, r->client);
	put_text(&text, " at ");
	put_human_location(&text, r->location);
	put_text(&text, ", ");
	put_duration(&text, age < 0 ? -age : age);
	put_text(&text, age < 0 ? " ahead of this clock" : " ago");
	put_text(&text, ", told to ");
	put_clean(&text, r->origin);
	if (skew_parse(r->skew, &skew) == HERD_OK)
		putf(&text, " (skew %c%.3f s)", skew.negative ? '-' : '+',
		    (double)skew.ns / 1e9);
	out_heading(&run->out, "%s", text_of(&text));
	buf_release(&text);
}

/* The character that the entity at `html` means; *len is its length. */
static char
read_entity(const char *html, size_t *len)
{
	static const struct {
		const char *text;
		char c;
	} ENTITIES[] = {
		{ .text = "&amp;", .c = '&' },
		{ .text = "&lt;", .c = '<' },
		{ .text = "&gt;", .c = '>' },
		{ .text = "&quot;", .c = '"' },
		{ .text = "&#39;", .c = '\'' },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(ENTITIES); i++) {
		*len = strlen(ENTITIES[i].text);
		if (strncmp(html, ENTITIES[i].text, *len) == 0)
			return ENTITIES[i].c;
	}
	*len = 1;
	return *html;
}

/* Attributions are HTML; people get the text without tags. */
static void
put_attribution(struct buf *out, const char *html)
{
	struct buf plain = XBUF;
	bool in_tag = false;
	size_t len;

	for (const char *c = html; *c != '\0'; c += len) {
		char shown = read_entity(c, &len);

		if (*c == '<')
			in_tag = true;
		if (!in_tag)
			put_byte(&plain, shown);
		if (*c == '>')
			in_tag = false;
	}
	put_clean(out, buf_span(&plain));
	buf_release(&plain);
}

static void
add_footer(struct whatsat *w, const cJSON *json)
{
	struct run *run = w->run;
	const cJSON *item;
	struct buf text = XBUF;
	int count = cJSON_GetArraySize(fields_at(json, "results"));

	putf(&text, "%d place%s within ", count, count == 1 ? "" : "s");
	if (w->radius_m < 1000)
		putf(&text, "%.10g m", w->radius_m);
	else
		putf(&text, "%.10g km", w->radius_m / 1000);
	putf(&text, " (limit %u).", w->max);
	cJSON_ArrayForEach(item, fields_at(json, "html_attributions")) {
		if (!cJSON_IsString(item))
			continue;
		put_byte(&text, ' ');
		put_attribution(&text, item->valuestring);
	}
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
}

/* A failure of the upstream is an answer too, with its own exit status. */
static enum status
check_places(struct run *run, const cJSON *json)
{
	const char *status = fields_text(json, "status");
	const char *message = fields_text(json, "error_message");

	if (status == NULL)
		return run_fail(
		    run, STATUS_REPLY, "the answer's JSON has no status");
	if (strcmp(status, "OK") == 0 || strcmp(status, "ZERO_RESULTS") == 0)
		return STATUS_OK;
	return run_fail(run, STATUS_REFUSED, "Places: %s%s%s", status,
	    message == NULL ? "" : ": ", message == NULL ? "" : message);
}

static void
add_map(struct run *run, const struct location *from)
{
	bool fits = run->to_terminal;
	struct canvas *canvas = canvas_new(fits ? screen_width() : 80,
	    fits ? screen_height() / 2 + 2 : 20, run->app->utf8);
	struct buf text = XBUF;

	canvas_add(canvas, location_lat(*from), location_lon(*from), "@");
	for (size_t i = 0; i < run->out.count; i++) {
		const struct value *row = run->out.rows[i];
		char label[8];

		if (!row[PLACE_POSITION].known)
			continue;
		snprintf(
		    label, sizeof(label), "%d", (int)row[PLACE_RANK].integer);
		canvas_add(canvas, row[PLACE_POSITION].lat,
		    row[PLACE_POSITION].lon, label);
	}
	(void)canvas_draw(canvas,
	    &(struct canvas_view){ .all = true, .labels_most = SIZE_MAX },
	    &text);
	put_span(&run->out.heading, buf_span(&text));
	buf_release(&text);
	canvas_free(canvas);
}

static enum status
use_answer(struct whatsat *w, struct conversation *x)
{
	struct run *run = w->run;
	struct reply reply;
	struct location from;
	cJSON *json;
	enum status status;

	out_raw(&run->out, buf_span(&x->bytes));
	status = first_reply_read(run, x, &reply);
	if (status != STATUS_OK) {
		if (x->status != STATUS_OK && run->all_nodes)
			out_failure(&run->out, x->target->name, "unreachable",
			    x->message);
		return status;
	}
	json = cJSON_ParseWithLength(reply.json.data, reply.json.len);
	if (json == NULL) {
		x->status = STATUS_REPLY;
		x->message = xstrdup("the answer is not valid JSON");
		return x->status;
	}
	status = check_places(run, json);
	if (location_parse(reply.report.location, &from) == HERD_OK) {
		add_heading(run, &reply.report);
		add_places(run, x->target->name, json, from);
		if (run_flag(run, "map") != NULL)
			add_map(run, &from);
	}
	if (status == STATUS_OK)
		add_footer(w, json);
	cJSON_Delete(json);
	return status;
}

/* One node's JSON is passed on as it is; several answers become rows. */
static bool
passes_json_on(const struct run *run)
{
	const char *format = run->out.options.format->name;

	return !run->all_nodes && strcmp(format, "json") == 0 &&
	       run->out.options.columns == NULL &&
	       run->out.options.where == NULL;
}

static enum status
pass_json_on(struct whatsat *w, struct conversation *x)
{
	struct run *run = w->run;
	struct reply reply;
	cJSON *json;
	enum status status = first_reply_read(run, x, &reply);

	if (status != STATUS_OK)
		return status;
	sink_write(&run->sink, reply.json);
	sink_write(&run->sink, span_from("\n"));
	json = cJSON_ParseWithLength(reply.json.data, reply.json.len);
	status = json == NULL ? run_fail(run, STATUS_REPLY,
				    "the answer is not valid JSON")
			      : check_places(run, json);
	cJSON_Delete(json);
	return status;
}

static enum status
use_answers(struct whatsat *w, struct conversations *answers)
{
	struct run *run = w->run;
	enum status worst = STATUS_OK;
	enum status status;
	bool passed = passes_json_on(run);

	for (size_t i = 0; i < answers->count; i++) {
		struct conversation *x = &answers->items[i];

		status = passed ? pass_json_on(w, x) : use_answer(w, x);
		if (x->status == STATUS_OK)
			worst = exit_status_worst(worst, status);
	}
	if (!passed && worst == STATUS_OK &&
	    (conversations_status(answers) == STATUS_OK || run->all_nodes))
		out_end(&run->out);
	status = conversations_report(run, answers);
	return worst != STATUS_OK ? worst : status;
}

/* --- with a filter ---------------------------------------------------------
 */

/* WHATSAT has no filter, so that this is a question of the admin API. */
static enum status
ask_filtered(struct whatsat *w, struct answers *answers)
{
	struct run *run = w->run;
	struct buf path = XBUF;
	enum status status;

	putf(&path, "/v1/places/search?km=%.10g&max=%u", w->radius_m / 1000,
	    w->max);
	put_query(&path, "&client=", w->client);
	places_filter_put(run, &path);
	status = fields_ask(
	    run, &(struct fields_request){ .path = text_of(&path) }, answers);
	buf_release(&path);
	return status;
}

static enum status
use_filtered(struct whatsat *w, const struct answer *a)
{
	struct run *run = w->run;
	const cJSON *answer = fields_at(a->json, "answer");
	struct location from = {
		(int64_t)(fields_number(a->json, "lat", 0) * 1e9),
		(int64_t)(fields_number(a->json, "lon", 0) * 1e9),
	};
	enum status status = check_places(run, answer);

	add_places(run, a->target->name, answer, from);
	if (run_flag(run, "map") != NULL)
		add_map(run, &from);
	if (status == STATUS_OK)
		add_footer(w, answer);
	return status;
}

static enum status
whatsat_filtered(struct whatsat *w)
{
	struct answers answers = { 0 };
	enum status worst = STATUS_OK;
	enum status status = ask_filtered(w, &answers);

	if (status != STATUS_OK)
		return status;
	answers_each(a, &answers) {
		if (a->status == STATUS_OK)
			worst = exit_status_worst(worst, use_filtered(w, a));
	}
	status = fields_finish(w->run, &answers);
	return worst != STATUS_OK ? worst : status;
}

/* The best rated first, the rest from small to large. */
static enum status
set_order(struct run *run)
{
	const char *key = run_flag(run, "sort");
	enum status status;

	if (key == NULL)
		return STATUS_OK;
	status = prefs_set(&run->prefs, PREF_SORT,
	    strcmp(key, "rating") == 0 ? "rating:desc" : key, ORIGIN_LINE,
	    "--sort", &run->message);
	return status == STATUS_OK ? status : run_fail_message(run, status);
}

static enum status
whatsat_run(struct run *run)
{
	struct whatsat w = { .run = run };
	struct buf request = XBUF;
	struct conversations answers = { 0 };
	enum status status;

	status = read_question(&w, &request);
	if (status == STATUS_OK)
		status = set_order(run);
	if (status == STATUS_OK && places_filter_is_given(run)) {
		status = whatsat_filtered(&w);
		buf_release(&request);
		return status;
	}
	if (status == STATUS_OK)
		status = run_targets(run);
	if (status == STATUS_OK)
		status = run_begin(run, &whatsat_view);
	if (status == STATUS_OK)
		status = conversation_all(run, buf_span(&request), &answers);
	if (status == STATUS_OK)
		status = use_answers(&w, &answers);
	conversations_release(&answers);
	buf_release(&request);
	return status;
}

const struct command cmd_whatsat = {
	.path = "whatsat",
	.summary = "show what is near a client",
	.help =
	    "At most MAX (1 to 20) places within RADIUS (at most 50 km) of the "
	    "client's last location. -o json and -o raw give the "
	    "node's own answer. With --type, --keyword, --open-now or --rank "
	    "the admin API is asked.",
	.group = GROUP_CLIENTS,
	.args = ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT),
	    ARG("RADIUS[km|m|mi]"), ARG("MAX")),
	/* clang-format off */
	.flags = FLAGS(
	    FLAG("map", .help = "draw the places around the client"),
	    FLAG("sort", .value = "KEY", .complete = COMPLETE_WORDS, .words = "distance rating name",
		.help = "by distance, rating or name (else as the server ranks them)"),
	    PLACES_FILTER_FLAGS),
	/* clang-format on */
	.view = &whatsat_view,
	.traits = COMMAND_READ,
	.run = whatsat_run,
	.example = "whatsat kiwi.cs.ucla.edu 10km 5",
};
