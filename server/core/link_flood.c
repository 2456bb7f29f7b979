/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/link_flood.h"

#include "core/link_conn.h"
#include "core/mutant.h"
#include "core/session_hello.h"

/*
 * Does it carry reports, and did for long? If the peer is of an edition without
 * words, those that are known of it are from an earlier life.
 */
static bool
is_settled(const struct link *link)
{
	return link->conn != NULL && link->conn->up &&
	       link->settle_at.ns == 0 &&
	       session_knows(&link->conn->session, SESSION_SPARSE);
}

/* An eager link that is not settled. */
static const char *
first_down(const struct link_driver *driver)
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		const struct link *link = driver->links[i];

		if (link != NULL && link->eager && !is_settled(link))
			return link->peer;
	}
	return "";
}

/*
 * A link that woke stays awake for a while, because each wake costs a
 * comparison, and what other nodes say may change all the time.
 */
static void
note_wake(struct link *link, struct mono now)
{
	link->awake_until = mono_add(now, link->driver->rest_after_ns);
	link->driver->actions->arm_link(link->driver->arg, link);
}

static void
follow_link(struct link *link, bool rests, struct mono now)
{
	struct session *session = &link->conn->session;
	bool may_rest = rests && !link->eager && link->awake_until.ns == 0;
	bool turns = session->may_rest != may_rest;

	if (turns && !may_rest && !MUTANT(WAKE_OFTEN))
		note_wake(link, now);
	if (turns)
		session_let_rest(session, may_rest, now);
	if (turns || session_has_words(session))
		link->driver->actions->arm(link->driver->arg, link->conn, true);
}

static void
follow_all(struct link_driver *driver, struct mono now)
{
	const struct roster *roster = driver->sessions->roster;
	/* Few links compare at a time: nodes do not all begin with the same. */
	unsigned first = (unsigned)(driver->sessions->boot % LINKS_MAX);

	driver->followed = roster->changes;
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		struct link *link = driver->links[(first + i) % LINKS_MAX];

		if (link != NULL && link->conn != NULL &&
		    link->conn->session.state != SESSION_CLOSED)
			follow_link(link, roster_rests(roster), now);
	}
}

void
link_flood_follow(struct link_driver *driver, struct mono now)
{
	const struct roster *roster = driver->sessions->roster;

	if (roster != NULL && roster->changes != driver->followed)
		follow_all(driver, now);
}

void
link_flood_note(struct link_driver *driver, struct mono now)
{
	struct roster *roster = driver->sessions->roster;

	if (roster == NULL || driver->stopping)
		return;
	roster_say(roster, driver->eager_hash,
	    driver->eager_hash == 0 ? "" : first_down(driver));
	follow_all(driver, now);
}

enum herd_error
link_flood_set(struct link_driver *driver, const roster_name *names,
    unsigned count, uint64_t hash)
{
	enum herd_error error;

	if (hash == driver->file_hash)
		return HERD_OK;
	driver->file_hash = 0;
	driver->eager_hash = 0;
	error = roster_set(
	    driver->sessions->roster, names, count, driver->sessions->name);
	if (error == HERD_OK)
		driver->file_hash = hash;
	return error;
}

void
link_flood_begin(struct link_driver *driver, bool sparse, struct mono now)
{
	driver->eager_hash = sparse ? driver->file_hash : 0;
	link_flood_note(driver, now);
}

void
link_flood_up(struct link *link, struct mono now)
{
	link->settle_at = mono_add(now, link->driver->rest_after_ns);
	link->driver->actions->arm_link(link->driver->arg, link);
	link_flood_note(link->driver, now);
}

static bool
is_past(struct mono *at, struct mono now)
{
	if (at->ns == 0 || now.ns < at->ns)
		return false;
	*at = (struct mono){ 0 };
	return true;
}

void
link_flood_on_time(struct link *link, struct mono now)
{
	bool settles = is_past(&link->settle_at, now);

	if (is_past(&link->awake_until, now) || settles)
		link_flood_note(link->driver, now);
}

void
link_set_eager(struct link *link, bool eager, struct mono now)
{
	if (link->eager == eager)
		return;
	link->eager = eager;
	/* It may have rested: its reports take a while. */
	if (link->driver != NULL && link->conn != NULL && link->conn->up)
		link_flood_up(link, now);
}
