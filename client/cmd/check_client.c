/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/check_client.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "run/fields.h"
#include "run/plugin.h"

struct freshness {
	struct run *run;
	double max_age_s;
	bool known;        /* a node has a report */
	double age_s;      /* the newest one's */
	bool removed;      /* which is a removal */
	size_t asked;      /* nodes that answered */
	struct buf silent; /* those that did not, and why */
};

/* By the client's own time; if that is to come, since a node has heard it. */
static double
age_of(const struct answer *a, uint64_t time_ns)
{
	const char *received = fields_text(a->json, "received_at");
	uint64_t ns = time_ns;

	if (time_ns > a->came.ns && received != NULL &&
	    time_parse(span_from(received), &ns) != HERD_OK)
		ns = time_ns;
	return ((double)a->came.ns - (double)ns) / 1e9;
}

/* The newest position counts. */
static void
look_at(struct freshness *f, const struct answer *a)
{
	const char *time = fields_text(a->json, "time");
	double age;
	uint64_t ns;

	if (a->status == STATUS_NEGATIVE) {
		f->asked++;
		return;
	}
	if (a->status != STATUS_OK || time == NULL ||
	    time_parse(span_from(time), &ns) != HERD_OK) {
		putf(&f->silent, "%s%s (%s)", f->silent.len > 0 ? ", " : "",
		    a->target->name,
		    a->message == NULL ? "the answer is not a client"
				       : a->message);
		return;
	}
	f->asked++;
	age = age_of(a, ns);
	if (!f->known || age < f->age_s) {
		f->age_s = age;
		f->removed = fields_is(a->json, "removed");
	}
	f->known = true;
}

static bool
has_position(const struct freshness *f)
{
	return f->known && !f->removed;
}

static enum plugin_state
state_of(const struct freshness *f)
{
	if (f->asked == 0)
		return PLUGIN_UNKNOWN;
	return has_position(f) && f->age_s <= f->max_age_s ? PLUGIN_OK
							   : PLUGIN_CRITICAL;
}

static void
put_verdict(const struct freshness *f, struct buf *text)
{
	const char *client = run_word(f->run, 1);

	if (f->asked == 0) {
		putf(text, "%s: no node could be asked", client);
	} else if (!has_position(f)) {
		putf(text, "%s is not known", client);
	} else {
		putf(text, "%s is ", client);
		put_duration(text, f->age_s);
		put_text(text, " old, at most ");
		put_duration(text, f->max_age_s);
	}
	if (f->silent.len > 0)
		putf(text, ", not asked: " SPAN_FMT,
		    SPAN_ARG(buf_span(&f->silent)));
}

static enum status
write_verdict(struct freshness *f)
{
	enum plugin_state state = state_of(f);
	struct buf text = XBUF;
	struct buf data = XBUF;
	struct buf line = XBUF;

	put_verdict(f, &text);
	if (has_position(f))
		putf(&data, " age_s=%.3f;;%.3f", f->age_s, f->max_age_s);
	else
		put_text(&data, " age_s=U");
	plugin_put(&line, state, buf_span(&text), buf_span(&data));
	sink_write(&f->run->sink, buf_span(&line));
	buf_release(&text);
	buf_release(&data);
	buf_release(&line);
	return (enum status)state;
}

static enum status
ask_client(struct freshness *f)
{
	struct answers answers;
	char *path = ask_path(
	    "/v1/clients/", span_from(run_word(f->run, 1)), "?removed=1");
	enum status status = ask_all(f->run, path, &answers);

	free(path);
	if (status == STATUS_OK) {
		answers_each(a, &answers)
			look_at(f, a);
		status = write_verdict(f);
	} else if (f->run->complaint.len == 0) {
		run_fail(f->run, status, "%s", exit_status_word(status));
	}
	answers_release(&answers);
	buf_release(&f->silent);
	return status;
}

enum status
check_client_run(struct run *run)
{
	struct freshness f = { .run = run, .silent = XBUF };
	uint64_t ns = 0;
	enum status status = run_duration_flag(run, "max-age", 0, &ns);

	if (status != STATUS_OK)
		return status;
	if (run_word(run, 1) == NULL || run_flag(run, "max-age") == NULL)
		return run_fail(run, STATUS_USAGE,
		    "`check client' needs a client and --max-age, as in: check "
		    "client kiwi --max-age 10m");
	f.max_age_s = (double)ns / 1e9;
	return ask_client(&f);
}
