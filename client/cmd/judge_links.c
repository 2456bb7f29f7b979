/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/judge_links.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/parts.h"
#include "herd/eager.h"
#include "herd/time.h"
#include "run/fields.h"

static const struct answer *
status_of(const struct findings *f, const char *node)
{
	answers_each(a, &f->exam->answers[EXAM_STATUS]) {
		if (strcmp(a->target->name, node) == 0)
			return a;
	}
	return NULL;
}

/* What the node says of its link to the peer when that is not synced. */
static const cJSON *
down_at(const struct findings *f, const char *node, const char *peer)
{
	const struct answer *a = status_of(f, node);
	const cJSON *item;

	cJSON_ArrayForEach(
	    item, fields_at(a == NULL ? NULL : a->json, "peers.down")) {
		if (fields_says(item, "peer", peer))
			return item;
	}
	return NULL;
}

/* --- links that are down --------------------------------------------- */

static enum finding_id
kind_of_link(const cJSON *link)
{
	const char *error = fields_text(link, "last_error");

	if (fields_says(link, "state", "disabled"))
		return FINDING_DISABLED;
	if (error != NULL && (strstr(error, "wrong key") != NULL ||
				 strstr(error, "pre-shared key") != NULL))
		return FINDING_WRONG_KEY;
	if (fields_says(link, "state", "refused"))
		return FINDING_REFUSED;
	return FINDING_LINK_DOWN;
}

/* Does the other end tell the same with more reason? One finding is enough. */
static bool
is_told_there(const struct findings *f, const char *node, const cJSON *link)
{
	const char *peer = fields_text(link, "peer");
	const cJSON *there = down_at(f, peer, node);
	enum finding_id here_is = kind_of_link(link);
	enum finding_id there_is;

	if (there == NULL || here_is == FINDING_DISABLED)
		return false;
	there_is = kind_of_link(there);
	if (there_is == FINDING_DISABLED)
		return true;
	return there_is != here_is ? there_is < here_is
				   : strcmp(peer, node) < 0;
}

static void
find_down_link(struct findings *f, const struct answer *a, const cJSON *link)
{
	const char *peer = fields_text(link, "peer");
	const char *state = fields_text(link, "state");
	const char *error = fields_text(link, "last_error");
	const struct answer *other;
	struct finding *found;

	if (peer == NULL || is_told_there(f, a->target->name, link))
		return;
	found = findings_add(f, kind_of_link(link), a->target, peer,
	    "%s says that its link to %s is %s", a->target->name, peer,
	    state == NULL ? "down" : state);
	if (error != NULL && found->id != FINDING_DISABLED)
		finding_say_why(
		    found, "%s: %s", error, finding_row(found->id)->means);
	other = status_of(f, peer);
	found->follows = found->id == FINDING_LINK_DOWN && other != NULL &&
			 other->status != STATUS_OK;
}

static void
find_cut_off(struct findings *f, const struct answer *a)
{
	double total = fields_number(a->json, "peers.total", FIELDS_UNKNOWN);
	double synced = fields_number(a->json, "peers.synced", FIELDS_UNKNOWN);

	if (isnan(total) || isnan(synced) ||
	    !cJSON_IsArray(fields_at(a->json, "peers.down")))
		findings_miss(
		    f, TOPIC_LINKS, a->target, "its links", "it lacks them");
	else if (total > 0 && synced == 0)
		(void)findings_add(f, FINDING_CUT_OFF, a->target, NULL,
		    "%s has 0 of %.0f links synced", a->target->name, total);
}

static void
find_twins(struct findings *f, const struct answer *a)
{
	const cJSON *twins = fields_at(a->json, "peers.twins");
	const cJSON *twin;

	if (!cJSON_IsArray(twins))
		findings_lack(f, TOPIC_TWINS);
	cJSON_ArrayForEach(twin, twins) {
		if (cJSON_IsString(twin))
			(void)findings_add(f, FINDING_TWIN, a->target,
			    twin->valuestring,
			    "%s says that two processes run as %s",
			    a->target->name, twin->valuestring);
	}
}

/* --- links that come and go ------------------------------------------ */

/* How often the link came up lately, by the node's own clock. */
static double
count_connects(const cJSON *link, double now)
{
	const cJSON *change;
	double count = 0;

	cJSON_ArrayForEach(change, fields_at(link, "history")) {
		const char *last = fields_text(change, "last");
		uint64_t ns;

		if (fields_says(change, "state", "synced") && last != NULL &&
		    time_parse(span_from(last), &ns) == HERD_OK &&
		    now - (double)ns / 1e9 < EXAM_RESTLESS_S)
			count++;
	}
	return count;
}

static void
find_flapping(struct findings *f, const struct answer *a)
{
	const char *peer = fields_text(a->json, "peer");
	const char *error = fields_text(a->json, "last_error");
	const cJSON *status = exam_json(f->exam, EXAM_STATUS, a->target);
	const char *time = fields_text(status, "time");
	double often;
	uint64_t ns;

	if (peer == NULL || time == NULL ||
	    time_parse(span_from(time), &ns) != HERD_OK)
		return;
	often = count_connects(a->json, (double)ns / 1e9);
	if (often < EXAM_RESTLESS_TIMES)
		return;
	finding_say_why(
	    findings_add(f, FINDING_FLAPPING, a->target, peer,
		"%s says that its link to %s came up %.0f times in %.0f minutes",
		a->target->name, peer, often, EXAM_RESTLESS_S / 60),
	    "%s: %s", error == NULL ? "no error is known" : error,
	    finding_row(FINDING_FLAPPING)->means);
}

/* --- links that do not rest ------------------------------------------- */

/* A restart or a reload of all nodes takes a while. */
#define AWAKE_S 60.0

/* In a tree or a ring all links are needed. */
static bool
may_any_rest(const struct findings *f)
{
	const struct herdfile *file = &f->exam->run->herd->file;
	struct eager eager;
	bool may;

	must(eager_of_file(file, &eager));
	may = eager.count < eager.links;
	eager_release(&eager);
	return may;
}

/* Does another finding tell why? */
static bool
is_known_why(const struct findings *f, const char *node, const char *peer)
{
	const struct answer *a = status_of(f, node);
	const struct answer *other = peer == NULL ? NULL : status_of(f, peer);

	return (a != NULL && a->status != STATUS_OK) ||
	       (other != NULL && other->status != STATUS_OK) ||
	       (peer != NULL && (down_at(f, node, peer) != NULL ||
				    down_at(f, peer, node) != NULL));
}

static void
say_why_awake(
    struct finding *found, const char *why, const char *node, const char *peer)
{
	const char *means = finding_row(FINDING_AWAKE)->means;

	if (strcmp(why, "link-down") == 0 && peer != NULL)
		finding_say_why(found,
		    "%s: its link to %s is needed, and was not up for "
		    "link.rest_after, or %s is of an earlier edition: %s",
		    node, peer, peer, means);
	else if (strcmp(why, "flood-all") == 0)
		finding_say_why(found, "%s: its herd file says flood: all: %s",
		    node, means);
	else if (strcmp(why, "other-file") == 0)
		finding_say_why(found,
		    "%s: its herd file has other nodes or links: %s", node,
		    means);
	else if (strcmp(why, "silent") == 0)
		finding_say_why(found,
		    "%s: it is of an earlier edition, or has never had all of "
		    "the links that are needed: %s",
		    node, means);
	else
		finding_say_why(found,
		    "%s: somebody has said of it what it cannot have said; "
		    "until all nodes were down at once: %s",
		    node, means);
}

/* One for the herd, because what one node says keeps all links awake. */
static void
find_awake(struct findings *f, const struct answer *a)
{
	const cJSON *flood = fields_at(a->json, "flood");
	const char *why = fields_text(flood, "because");
	const char *node = fields_text(flood, "node");
	const char *peer = fields_text(flood, "peer");
	double since = fields_number(flood, "since_s", FIELDS_UNKNOWN);
	const struct answer *culprit;
	struct finding *found;

	if (!cJSON_IsObject(flood))
		findings_lack(f, TOPIC_AWAKE);
	if (why == NULL || node == NULL || !(since >= AWAKE_S))
		return;
	findings_each(other, f) if (other->id == FINDING_AWAKE) return;
	if (!may_any_rest(f))
		return;
	culprit = status_of(f, node);
	found = findings_add(f, FINDING_AWAKE,
	    culprit == NULL ? a->target : culprit->target, node,
	    "%s says that links cannot rest because of %s, for %.0f s",
	    a->target->name, node, since);
	found->follows = is_known_why(f, node, peer);
	say_why_awake(found, why, node, peer);
}

/* --- the herd -------------------------------------------------------- */

static void
find_split(struct findings *f)
{
	struct parts parts;

	parts_find(f->exam->run, &f->exam->answers[EXAM_STATUS], &parts);
	/* A node that is cut off is a part of its own. */
	findings_each(other, f) other->follows |=
	    other->id == FINDING_CUT_OFF && parts.count > 1;
	if (parts.count > 1)
		findings_add(f, FINDING_SPLIT, NULL, NULL,
		    "the herd is split into %zu parts: %s", parts.count,
		    text_of(&parts.names))
		    ->value = (double)parts.count;
	else if (!parts.known || !parts.certain)
		findings_lack(f, TOPIC_SPLIT);
	parts_release(&parts);
}

void
judge_links(struct findings *findings)
{
	answers_each(a, &findings->exam->answers[EXAM_STATUS]) {
		const cJSON *link;

		if (a->status != STATUS_OK)
			continue;
		find_cut_off(findings, a);
		cJSON_ArrayForEach(link, fields_at(a->json, "peers.down"))
			find_down_link(findings, a, link);
		find_twins(findings, a);
		find_awake(findings, a);
	}
	answers_each(link, &findings->exam->restless)
		find_flapping(findings, link);
	find_split(findings);
}
