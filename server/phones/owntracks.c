/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/owntracks.h"

#include "herd/text.h"

/* "owntracks/jane/phone": the device is what comes last. */
static void
claim_topic(struct intake *intake, struct span topic)
{
	struct span last = topic;

	while (topic.len > 0)
		last = span_cut(&topic, '/');
	intake_claim(intake, last);
}

static void
read_message(const struct json_item *message, struct intake *intake)
{
	struct json_members members = json_members(message);
	struct fix_source source = { .or_now = false };
	struct span type = span_from(""), topic = type, key;
	struct json_item value;

	while (json_members_next(&members, &key, &value)) {
		if (span_is(key, "_type"))
			type = intake_value(&value);
		else if (span_is(key, "lat"))
			source.lat = intake_value(&value);
		else if (span_is(key, "lon"))
			source.lon = intake_value(&value);
		else if (span_is(key, "tst"))
			source.time = intake_value(&value);
		else if (span_is(key, "topic"))
			topic = intake_value(&value);
	}
	claim_topic(intake, topic);
	if (members.bad || message->kind != JSON_OBJECT)
		intake_fault(intake, INTAKE_FORMAT);
	else if (span_is(type, "encrypted"))
		intake_fault(intake, INTAKE_ENCRYPTED);
	else if (span_is(type, "location"))
		intake_add(intake, &source);
}

void
owntracks_read(struct span body, struct intake *intake)
{
	struct json_item item;
	struct json_members members;

	if (text_trim(body).len == 0)
		return;
	if (!intake_json(body, &item)) {
		intake_fault(intake, INTAKE_FORMAT);
	} else if (item.kind == JSON_ARRAY) {
		members = json_members(&item);
		while (json_members_element(&members, &item))
			read_message(&item, intake);
		if (members.bad)
			intake_fault(intake, INTAKE_FORMAT);
	} else {
		read_message(&item, intake);
	}
}
