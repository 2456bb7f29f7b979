/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/friends.h"

#include <stdlib.h>
#include <string.h>

#include "herd/location.h"
#include "herd/text.h"

#define CLIENT_MAX (2u * USERS_NAME_MAX + 1u)
#define TOPIC "owntracks/"
#define TID_LEN 2u /* characters */

/* A device to show. */
struct friend
{
	const struct account *account;
	const char *device;
	uint64_t time_ns;
	struct location at;
};

struct friend_list {
	struct friend items[FRIENDS_SHOWN_MAX]; /* newest first */
	unsigned count;
	unsigned looked;
};

/* --- the walk --------------------------------------------------------------
 */

/* Learns the device of an id; no record has to be read for that. */
static bool
learn(void *arg, struct span client)
{
	struct phones *phones = arg;
	struct span device = client;
	struct span user = span_cut(&device, '/');
	struct account *account;

	if (device.len == 0 || device.len > USERS_NAME_MAX)
		return false;
	account = accounts_find(phones->config.accounts, user);
	if (account != NULL && users_file_name_is_valid(device))
		(void)account_add_device(account, device, false);
	return false;
}

static bool
visit(void *arg HERD_UNUSED, const struct report *report HERD_UNUSED,
    uint32_t from HERD_UNUSED)
{
	return true;
}

/* False: the walk is over. */
static bool
walk_on(struct phones *phones)
{
	bool more = true;

	for (unsigned i = 0; i < FRIENDS_SLICES && more; i++)
		more = table_walk_some(phones->node->table, &phones->walk,
		    FRIENDS_SLOTS, learn, visit, phones);
	return more;
}

void
friends_walk(struct phones *phones)
{
	if (phones->walk_pause > 0) {
		phones->walk_pause--;
		return;
	}
	if (accounts_count(phones->config.accounts) > 0 && walk_on(phones))
		return;
	phones->walk = (struct table_cursor){ 0 };
	phones->walk_pause = FRIENDS_PAUSE_TICKS;
}

/* --- one device ------------------------------------------------------------
 */

enum herd_error
friends_report(struct phones *phones, struct span user, struct span device,
    struct record *out)
{
	char client[CLIENT_MAX];
	size_t len = user.len;
	enum herd_error error;

	if (user.len > USERS_NAME_MAX || device.len > USERS_NAME_MAX)
		return HERD_ENOTFOUND;
	memcpy(client, user.data, len);
	client[len++] = '/';
	memcpy(client + len, device.data, device.len);
	len += device.len;
	error = table_get(phones->node->table, span_of(client, len), out);
	if (error == HERD_OK && out->report.kind == REPORT_REMOVAL)
		return HERD_ENOTFOUND;
	return error;
}

enum herd_error
friends_newest(
    struct phones *phones, struct account *account, struct record *out)
{
	const char *newest = NULL;
	uint64_t time_ns = 0;
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < account->device_count; i++) {
		error = friends_report(phones, account->name,
		    span_from(account->devices[i].name), out);
		if (error == HERD_ENOMEM)
			return error;
		if (error != HERD_OK || out->report.time_ns < time_ns)
			continue;
		newest = account->devices[i].name;
		time_ns = out->report.time_ns;
	}
	if (newest == NULL)
		return HERD_ENOTFOUND;
	return friends_report(phones, account->name, span_from(newest), out);
}

void
friends_add_location(struct json *json, struct span location)
{
	struct location at;

	if (location_parse(location, &at) != HERD_OK)
		return;
	json_decimal(json, "lat", at.lat_nd, LOCATION_DECIMALS);
	json_decimal(json, "lon", at.lon_nd, LOCATION_DECIMALS);
}

/* --- friends ---------------------------------------------------------------
 */

/* Into its place by time, if there is one. */
static void
insert(struct friend_list *list, const struct friend *friend)
{
	unsigned at = list->count;

	while (at > 0 && list->items[at - 1].time_ns < friend->time_ns)
		at--;
	if (at == FRIENDS_SHOWN_MAX)
		return;
	if (list->count < FRIENDS_SHOWN_MAX)
		list->count++;
	memmove(&list->items[at + 1], &list->items[at],
	    (list->count - at - 1) * sizeof(list->items[0]));
	list->items[at] = *friend;
}

static enum herd_error
look_at(struct phones *phones, const struct account *account,
    struct friend_list *list)
{
	enum herd_error error = HERD_OK;
	struct record record;

	record_init(&record);
	for (unsigned i = 0;
	     i < account->device_count && list->looked < FRIENDS_LOOKED_MAX &&
	     error != HERD_ENOMEM;
	     i++) {
		struct friend friend = { account, account->devices[i].name, 0,
			{ 0, 0 } };

		list->looked++;
		error = friends_report(
		    phones, account->name, span_from(friend.device), &record);
		friend.time_ns = record.report.time_ns;
		if (error == HERD_OK && location_parse(record.report.location,
					    &friend.at) == HERD_OK)
			insert(list, &friend);
	}
	record_release(&record);
	return error == HERD_ENOMEM ? error : HERD_OK;
}

/* Is he in one of the user's first `count` groups? */
static bool
was_seen(
    const struct account *account, unsigned count, const struct account *friend)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < account->groups[i]->count; j++)
			if (account->groups[i]->members[j] == friend)
				return true;
	return false;
}

static enum herd_error
find_friends(struct phones *phones, const struct account *account,
    struct friend_list *list)
{
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < account->group_count; i++) {
		const struct account_group *group = account->groups[i];

		for (unsigned j = 0; j < group->count && error == HERD_OK &&
				     list->looked < FRIENDS_LOOKED_MAX;
		     j++) {
			if (group->members[j] != account &&
			    !was_seen(account, i, group->members[j]))
				error =
				    look_at(phones, group->members[j], list);
		}
	}
	return error;
}

static void
add_friend(struct json *json, const struct friend *friend, struct buf *topic)
{
	struct span device = span_from(friend->device);

	buf_clear(topic);
	if (buf_addf(topic, TOPIC SPAN_FMT "/%s",
		SPAN_ARG(friend->account->name), friend->device) != HERD_OK)
		json_fail(json, HERD_ENOMEM);
	json_object(json, NULL);
	json_word(json, "_type", "location");
	json_decimal(json, "lat", friend->at.lat_nd, LOCATION_DECIMALS);
	json_decimal(json, "lon", friend->at.lon_nd, LOCATION_DECIMALS);
	json_count(json, "tst", friend->time_ns / HERD_NS_PER_S);
	json_text(json, "tid", text_utf8_last(device, TID_LEN));
	json_text(json, "topic", buf_span(topic));
	json_object_end(json);
}

static enum herd_error
write_list(const struct friend_list *list, struct buf *out)
{
	struct json json;
	struct buf topic;

	buf_init(&topic, sizeof(TOPIC) + CLIENT_MAX);
	json_begin(&json, out, JSON_COMPACT);
	json_array(&json, NULL);
	for (unsigned i = 0; i < list->count; i++)
		add_friend(&json, &list->items[i], &topic);
	json_array_end(&json);
	buf_release(&topic);
	return json_end(&json);
}

enum herd_error
friends_write(struct phones *phones, struct account *account, struct buf *out)
{
	struct friend_list *list;
	enum herd_error error;

	if (account == NULL || account->group_count == 0)
		return buf_add_text(out, "[]");
	list = calloc(1, sizeof(*list));
	if (list == NULL)
		return HERD_ENOMEM;
	error = find_friends(phones, account, list);
	if (error == HERD_OK)
		error = write_list(list, out);
	free(list);
	return error;
}
