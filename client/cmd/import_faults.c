/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/import_faults.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "run/fields.h"

/* The node keeps the reasons of the last 100: ask before they are gone. */
#define REFUSED_AT_ONCE 50u

#define CLIENT_SHOWN 100u /* bytes of an id in a message */

/* Is the file of rejects the one that is read? Writing would destroy it. */
static bool
is_same_file(const char *path, int input)
{
	struct stat a, b;

	return stat(path, &a) == 0 && fstat(input, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino &&
	       S_ISREG(a.st_mode);
}

enum status
import_faults_begin(struct import_faults *f, int input)
{
	if (f->rejects_path == NULL)
		return STATUS_OK;
	if (is_same_file(f->rejects_path, input))
		return run_fail(f->run, STATUS_USAGE,
		    "--rejects: %s is the file to import", f->rejects_path);
	f->rejects = fopen(f->rejects_path, "we");
	if (f->rejects == NULL)
		return run_fail(f->run, STATUS_LOCAL, "%s: %s", f->rejects_path,
		    strerror(errno));
	return STATUS_OK;
}

enum status
import_faults_end(struct import_faults *f, struct span tail)
{
	bool failed;

	for (size_t i = 0; i < f->refused_count; i++)
		free((void *)(uintptr_t)f->refused[i].client.data);
	free(f->refused);
	f->refused = NULL;
	f->refused_count = 0;
	if (f->rejects == NULL)
		return STATUS_OK;
	if (f->begun)
		(void)fwrite(tail.data, 1, tail.len, f->rejects);
	failed = ferror(f->rejects) != 0;
	failed = fclose(f->rejects) != 0 || failed;
	f->rejects = NULL;
	if (failed)
		return run_fail(f->run, STATUS_LOCAL,
		    "%s: the rejects could not be written", f->rejects_path);
	return STATUS_OK;
}

bool
import_faults_is_full(const struct import_faults *f)
{
	return f->max > 0 && f->count >= f->max;
}

void
import_faults_reject(
    struct import_faults *f, struct span head, struct span text)
{
	if (f->rejects == NULL || text.len == 0)
		return;
	if (!f->begun)
		(void)fwrite(head.data, 1, head.len, f->rejects);
	f->begun = true;
	(void)fwrite(text.data, 1, text.len, f->rejects);
}

/* run_fail() cleans the id; an endless one would hide the reason. */
static void
put_client(struct buf *out, struct span client)
{
	bool cut = client.len > CLIENT_SHOWN;

	if (client.len == 0)
		return;
	put_text(out, " (client ");
	put_clean(out, text_utf8_whole(span_of(
			   client.data, cut ? CLIENT_SHOWN : client.len)));
	put_text(out, cut ? "...)" : ")");
}

static void
say(struct import_faults *f, enum status status, struct import_place at,
    struct span client, const char *why)
{
	struct buf text = XBUF;

	if (f->quiet != NULL)
		f->quiet(f->arg);
	if (f->unit != NULL)
		putf(&text, "%s %lu: ", f->unit, at.number);
	put_text(&text, why);
	put_client(&text, client);
	run_fail(
	    f->run, status, "%s:%lu: %s", f->path, at.line, text_of(&text));
	buf_release(&text);
}

void
import_faults_say(struct import_faults *f, enum status status,
    struct import_place at, struct span client, const char *why)
{
	if (!import_faults_is_full(f))
		say(f, status, at, client, why);
	f->count++;
}

void
import_faults_refuse(struct import_faults *f, struct import_place at,
    struct span client, bool ahead)
{
	/* Those on their way when the last bearable one came are counted. */
	if (!import_faults_is_full(f)) {
		struct import_refusal *refusal;

		grow_array(f->refused, f->refused_count, f->refused_room);
		refusal = &f->refused[f->refused_count++];
		*refusal = (struct import_refusal){ .at = at, .ahead = ahead };
		refusal->client =
		    span_of(xstrndup(client.data, client.len), client.len);
	}
	f->count++;
}

bool
import_faults_has_refused(const struct import_faults *f)
{
	return f->refused_count >= REFUSED_AT_ONCE;
}

/* The reason that the node's list has for the client, or NULL. */
static const char *
find_reason(const cJSON *list, struct span client)
{
	const char *reason = NULL;
	const cJSON *item;
	struct buf id = XBUF;

	cJSON_ArrayForEach(item, list) {
		buf_clear(&id);
		if (!fields_client_id(item, &id))
			continue;
		if (fields_is(item, "cut")
			? span_begins(client, buf_span(&id))
			: span_equal(client, buf_span(&id))) {
			reason = fields_text(item, "reason");
			break;
		}
	}
	buf_release(&id);
	return reason;
}

static const char *
sentence_of(const char *reason)
{
	static const struct {
		const char *reason;
		const char *sentence;
	} sentences[] = {
		{ "ahead", "its time is ahead of the node's clock by more than "
			   "max_ahead" },
		{ "memory", "the node's table is at max_memory" },
		{ "clients", "the node's table is at max_clients" },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(sentences); i++) {
		if (strcmp(reason, sentences[i].reason) == 0)
			return sentences[i].sentence;
	}
	return reason;
}

static void
name(struct import_faults *f, const struct import_refusal *refusal,
    const cJSON *list)
{
	const char *reason = find_reason(list, refusal->client);
	struct buf why = XBUF;

	put_text(&why, "refused: ");
	if (reason != NULL)
		put_text(&why, sentence_of(reason));
	else if (refusal->ahead)
		put_text(&why, "its time is ahead of this machine's clock");
	else
		put_text(&why, "the node does not say why");
	say(f, STATUS_REFUSED, refusal->at, refusal->client, text_of(&why));
	buf_release(&why);
}

void
import_faults_explain(struct import_faults *f, const struct target *target)
{
	static const struct question question = { .path = "/v1/refused" };
	struct answers answers = { 0 };
	const cJSON *list = NULL;
	size_t count = f->refused_count;

	if (count == 0)
		return;
	run_renew_deadline(f->run);
	if (!f->no_reasons) {
		f->no_reasons =
		    ask(f->run, &question, &target, 1, &answers) != STATUS_OK ||
		    answers.items[0].status != STATUS_OK;
		if (!f->no_reasons)
			list = fields_at(answers.items[0].json, "refused");
	}
	/* More may have come while the node was asked; they wait. */
	for (size_t i = 0; i < count; i++) {
		name(f, &f->refused[i], list);
		free((void *)(uintptr_t)f->refused[i].client.data);
	}
	f->refused_count -= count;
	if (f->refused_count > 0)
		memmove(f->refused, f->refused + count,
		    f->refused_count * sizeof(*f->refused));
	answers_release(&answers);
	run_renew_deadline(f->run);
}
