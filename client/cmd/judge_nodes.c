/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/judge_nodes.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "base/xbuf.h"
#include "run/fields.h"

#define NEAR_BOUND 0.9
/* Both of a pair have to be true: a part of a large disk is a lot. */
#define DISK_LOW_PART 0.05
#define DISK_LOW_BYTES 5e9
#define DISK_FULL_PART 0.01
#define DISK_FULL_BYTES 5e8
#define CERTIFICATE_DAYS 30.0
#define STORE_LAG_MOST 100000.0
#define STORE_COMMIT_MS_MOST 1000.0
#define FLOOD_PART 0.25
#define FLOOD_PER_S 100.0
#define INVALID_PER_S 10.0

/* --- silence --------------------------------------------------------- */

static enum finding_id
kind_of_silence(const struct answer *a)
{
	if (a->http == 401 || a->http == 403 || a->status == STATUS_LOCAL ||
	    (a->status == STATUS_REFUSED && a->http == 0))
		return FINDING_FORBIDDEN;
	/* TLS: it answers, but what it shows is not trusted here. */
	if (a->status == STATUS_CONNECT && a->connected)
		return FINDING_FORBIDDEN;
	if (a->status == STATUS_TIMEOUT && a->connected)
		return FINDING_HUNG;
	if (a->status == STATUS_TIMEOUT || a->status == STATUS_CONNECT)
		return FINDING_DOWN;
	return FINDING_GARBLED;
}

/* A picture is drawn before it is known what is wrong with the node. */
static void
find_waiting(struct findings *f, const struct answer *a)
{
	struct finding *found = findings_add(f, FINDING_UNASKED, a->target,
	    a->target->name, "%s has not answered yet", a->target->name);

	finding_say_why(found,
	    "%s: whether it is slow, hung or down is not known", a->message);
}

static void
find_silent(struct findings *f, const struct answer *a)
{
	enum finding_id id = kind_of_silence(a);
	struct finding *found = findings_add(f, id, a->target, NULL,
	    "%s unreachable: %s%s", a->target->name,
	    id == FINDING_HUNG ? "it is hung: it accepts connections, " : "",
	    a->message);

	if (id == FINDING_DOWN || id == FINDING_FORBIDDEN)
		finding_say_why(
		    found, "%s: %s", a->message, finding_row(id)->means);
}

/* A node that answered, and then not to all questions. */
static void
find_unasked(struct findings *f, const struct target *target)
{
	static const struct {
		const char *what;
		enum topic topic;
	} said[] = {
		[EXAM_PEERS] = { "its links", TOPIC_RESTLESS },
		[EXAM_DIGEST] = { "its table", TOPIC_TABLES },
		[EXAM_CONFIG] = { "its settings", TOPIC_CONFIGS },
		[EXAM_TOP] = { "who reports most", TOPIC_FLOODS },
	};

	for (unsigned part = EXAM_STATUS + 1; part < EXAM_PARTS; part++) {
		if ((f->exam->parts & EXAM_BIT(part)) != 0 &&
		    exam_json(f->exam, part, target) == NULL &&
		    !exam_is_unknown_route(f->exam, part, target))
			findings_miss(f, said[part].topic, target,
			    said[part].what,
			    exam_why_not(f->exam, part, target));
	}
}

/* --- state ----------------------------------------------------------- */

/* Undrain does not help it: its finding is the store's. */
static bool
is_drained_by_store(const struct answer *a)
{
	const char *state = fields_text(a->json, "store.state");
	const char *durability = fields_text(a->json, "store.durability");

	return state != NULL && durability != NULL &&
	       strcmp(state, "failed") == 0 && strcmp(durability, "sync") == 0;
}

static void
find_state(struct findings *f, const struct answer *a)
{
	const char *state = fields_text(a->json, "state");
	enum finding_id id = FINDING_STARTING;

	if (state == NULL)
		findings_miss(
		    f, TOPIC_STATES, a->target, "its state", "it lacks it");
	/* The store's finding says why a node is stalled. */
	if (state == NULL || strcmp(state, "ready") == 0 ||
	    strcmp(state, "stalled") == 0 ||
	    (strcmp(state, "draining") == 0 && is_drained_by_store(a)))
		return;
	if (strcmp(state, "draining") == 0)
		id = FINDING_DRAINING;
	else if (strcmp(state, "stopping") == 0)
		id = FINDING_STOPPING;
	(void)findings_add(
	    f, id, a->target, NULL, "%s is %s", a->target->name, state);
}

static void
find_isolated(struct findings *f, const struct answer *a)
{
	const cJSON *isolated = fields_at(a->json, "isolated");

	if (!cJSON_IsBool(isolated))
		findings_lack(f, TOPIC_ISOLATED);
	else if (cJSON_IsTrue(isolated))
		(void)findings_add(f, FINDING_ISOLATED, a->target, NULL,
		    "%s is isolated: it has no neighbour", a->target->name);
}

static void
find_file(struct findings *f, const struct answer *a)
{
	const cJSON *content = fields_at(a->json, "config.content_changed");
	const char *path = fields_text(a->json, "config.path");

	/* An older node knows only when the file was written. */
	if (content == NULL)
		content = fields_at(a->json, "config.changed_on_disk");
	if (!cJSON_IsBool(content))
		findings_lack(f, TOPIC_FILES);
	else if (cJSON_IsTrue(content))
		(void)findings_add(f, FINDING_FILE, a->target, NULL,
		    "%s on the machine of %s is not what it runs with",
		    path == NULL ? "the herd file" : path, a->target->name);
}

/* --- store ----------------------------------------------------------- */

static void
find_disk(struct findings *f, const struct answer *a)
{
	double bytes =
	    fields_number(a->json, "store.disk_bytes", FIELDS_UNKNOWN);
	double left =
	    fields_number(a->json, "store.disk_free_bytes", FIELDS_UNKNOWN);
	bool full = left < bytes * DISK_FULL_PART && left < DISK_FULL_BYTES;
	bool low = left < bytes * DISK_LOW_PART && left < DISK_LOW_BYTES;

	if (isnan(bytes) || isnan(left)) {
		findings_lack(f, TOPIC_DISKS);
		return;
	}
	if (!low && !full)
		return;
	(void)findings_add(f, full ? FINDING_DISK_FULL : FINDING_DISK,
	    a->target, NULL, "the disk of %s's store has %.1f%% free, %.0f MB",
	    a->target->name, 100 * left / bytes, left / 1e6);
}

static void
find_lag(struct findings *f, const struct answer *a)
{
	double lag = fields_number(a->json, "store.lag", FIELDS_UNKNOWN);
	double ms = fields_number(a->json, "store.last_commit_ms", 0);
	double damaged = fields_number(a->json, "store.damaged", 0);

	if (isnan(lag))
		findings_lack(f, TOPIC_STORES);
	if (lag > STORE_LAG_MOST || ms > STORE_COMMIT_MS_MOST)
		(void)findings_add(f, FINDING_STORE_LAG, a->target, NULL,
		    "the store of %s lags: %.0f reports are not stored, the "
		    "last commit took %.0f ms",
		    a->target->name, isnan(lag) ? 0 : lag, ms);
	if (damaged > 0)
		(void)findings_add(f, FINDING_STORE_DAMAGED, a->target, NULL,
		    "the store of %s had %.0f damaged rows", a->target->name,
		    damaged);
}

/* The store's own error comes first. */
static void
add_store(struct findings *f, const struct answer *a, enum finding_id id,
    const char *what)
{
	const char *error = fields_text(a->json, "store.error");
	struct finding *found = findings_add(f, id, a->target, NULL,
	    "the store of %s %s", a->target->name, what);

	if (error != NULL)
		finding_say_why(found, "%s: %s", error, finding_row(id)->means);
}

static void
find_store(struct findings *f, const struct answer *a)
{
	const char *state = fields_text(a->json, "store.state");

	if (state == NULL) {
		findings_miss(f, TOPIC_STORES, a->target, "its store's state",
		    "it lacks it");
		return;
	}
	if (strcmp(state, "off") == 0)
		return;
	if (strcmp(state, "failed") == 0)
		add_store(f, a, FINDING_STORE_FAILED, "has failed");
	else if (strcmp(state, "refused") == 0)
		add_store(f, a, FINDING_STORE_REFUSED, "refuses it");
	else if (strcmp(state, "away") == 0)
		add_store(f, a,
		    fields_says(a->json, "store.durability", "sync")
			? FINDING_STORE_STALLED
			: FINDING_STORE_AWAY,
		    "is away");
	else
		find_lag(f, a);
	if (!fields_is(a->json, "store.shared"))
		find_disk(f, a);
}

/* --- bounds ---------------------------------------------------------- */

static const struct bound {
	enum finding_id id;
	const char *used;
	const char *most;
	const char *what;
} bounds[] = {
	{ FINDING_PROCESS, "bounds.memory_bytes", "bounds.memory_bytes_max",
	    "bytes of memory" },
	{ FINDING_MEMORY, "bounds.table_bytes", "bounds.table_bytes_max",
	    "bytes of its table" },
	{ FINDING_CONNECTIONS, "bounds.connections", "bounds.connections_max",
	    "connections" },
	{ FINDING_DESCRIPTORS, "bounds.open_files", "bounds.open_files_max",
	    "file descriptors" },
	{ FINDING_FULL, "clients.count", "clients.max", "clients" },
};

static void
find_bounds(struct findings *f, const struct answer *a)
{
	bool lacks = false;

	for (size_t i = 0; i < HERD_ARRAY_LEN(bounds); i++) {
		const struct bound *b = &bounds[i];
		double used = fields_number(a->json, b->used, FIELDS_UNKNOWN);
		double most = fields_number(a->json, b->most, FIELDS_UNKNOWN);

		if (isnan(used) || isnan(most))
			lacks = true;
		else if (most > 0 && used >= most * NEAR_BOUND)
			(void)findings_add(f, b->id, a->target, NULL,
			    "%s has %.0f of at most %.0f %s", a->target->name,
			    used, most, b->what);
	}
	if (lacks)
		findings_lack(f, TOPIC_BOUNDS);
}

static void
find_places(struct findings *f, const struct answer *a)
{
	const char *state = fields_text(a->json, "places.state");
	const char *provider = fields_text(a->json, "places.provider");

	if (state == NULL)
		findings_miss(f, TOPIC_PLACES, a->target, "the state of Places",
		    "it lacks it");
	else if (strcmp(state, "ready") != 0 && strcmp(state, "off") != 0)
		(void)findings_add(f, FINDING_PLACES, a->target, NULL,
		    "Places of %s: %s is %s", a->target->name,
		    provider == NULL ? "the provider" : provider, state);
}

/* --- certificates ---------------------------------------------------- */

/* By this machine's clock, as herdctl judges them. */
static void
find_certificates(struct findings *f, const struct answer *a)
{
	const cJSON *all = fields_at(a->json, "certificates");
	const cJSON *item;

	if (!cJSON_IsArray(all))
		findings_lack(f, TOPIC_CERTIFICATES);
	cJSON_ArrayForEach(item, all) {
		const char *use = fields_text(item, "use");
		double end = fields_number(item, "expires_s", FIELDS_UNKNOWN);
		double days = (end - (double)a->came.ns / 1e9) / 86400;

		if (isnan(end))
			findings_lack(f, TOPIC_CERTIFICATES);
		if (!(days < CERTIFICATE_DAYS))
			continue;
		(void)findings_add(f,
		    days <= 0 ? FINDING_EXPIRED : FINDING_EXPIRES, a->target,
		    use, "%s's certificate for %s %s %.0f day%s%s",
		    a->target->name, use == NULL ? "a listener" : use,
		    days <= 0 ? "ended" : "ends in", floor(fabs(days)),
		    floor(fabs(days)) == 1 ? "" : "s", days <= 0 ? " ago" : "");
	}
}

/* --- listeners ------------------------------------------------------- */

static void
find_listeners(struct findings *f, const struct answer *a)
{
	if (fields_number(a->json, "phones.users", 1) < 1)
		(void)findings_add(f, FINDING_USERS, a->target, NULL,
		    "%s listens for phones, and has no users", a->target->name);
}

/* --- floods ---------------------------------------------------------- */

static void
find_busy_clients(
    struct findings *f, const struct target *target, const cJSON *json)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, fields_at(json, "clients")) {
		double rate =
		    fields_number(item, "reports_per_s", FIELDS_UNKNOWN);
		double share = fields_number(item, "share", FIELDS_UNKNOWN);
		struct buf id = XBUF;

		if (rate >= FLOOD_PER_S && share >= FLOOD_PART &&
		    fields_client_id(item, &id))
			(void)findings_add(f, FINDING_FLOOD, target,
			    text_of(&id),
			    "%s sends %.0f reports/s to %s, %.0f%% of all",
			    text_of(&id), rate, target->name, 100 * share);
		buf_release(&id);
	}
}

static void
find_busy_addresses(
    struct findings *f, const struct target *target, const cJSON *json)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, fields_at(json, "addresses")) {
		const char *address = fields_text(item, "address");
		double rate =
		    fields_number(item, "invalid_per_s", FIELDS_UNKNOWN);

		if (address != NULL && rate >= INVALID_PER_S)
			(void)findings_add(f, FINDING_INVALID, target, address,
			    "%s sends %.0f invalid lines/s to %s", address,
			    rate, target->name);
	}
}

static void
find_floods(struct findings *f, const struct target *target)
{
	const cJSON *json = exam_json(f->exam, EXAM_TOP, target);

	find_busy_clients(f, target, json);
	find_busy_addresses(f, target, json);
}

void
judge_nodes(struct findings *findings)
{
	answers_each(a, &findings->exam->answers[EXAM_STATUS]) {
		if (a->waiting) {
			find_waiting(findings, a);
			continue;
		}
		if (a->status != STATUS_OK) {
			find_silent(findings, a);
			continue;
		}
		find_state(findings, a);
		find_isolated(findings, a);
		find_store(findings, a);
		find_bounds(findings, a);
		find_certificates(findings, a);
		find_places(findings, a);
		find_listeners(findings, a);
		find_file(findings, a);
		find_floods(findings, a->target);
		find_unasked(findings, a->target);
	}
}
