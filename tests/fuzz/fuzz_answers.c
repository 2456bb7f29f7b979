/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a node that is none could answer: the whole way from an answer of the
 * admin API or of the client protocol to what herdctl prints. The first byte
 * picks the command, the second the HTTP status; the rest is cut at each
 * record separator (0x1e) into one answer after the other.
 *
 * The network is taken away below the parsers: the admin client is the one
 * here, and connect() gives a socket that holds the answer already.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "fuzz.h"
#include "herd/text.h"
#include "net/admin_client.h"
#include "run/run.h"

#define ANSWERS_MAX 32u /* then everything is refused: no cursor is endless */
#define INPUT_MAX 65536u
#define ENDS_MAX 64u
#define WORDS_OF_LINE 16u

static const char herd_text[] =
    "herd: lab\n"
    "nodes:\n"
    "  Ann: {clients: \"127.0.0.1:11\", peers: \"127.0.0.1:1\","
    " admin: /a}\n"
    "  Bob: {clients: \"127.0.0.1:12\", peers: \"127.0.0.1:2\","
    " admin: /b}\n"
    "links: [[Ann, Bob]]\n";

static const char *const lines[] = {
	"status",
	"status -o json",
	"node ls",
	"node show Ann -o kv",
	"node drain Ann",
	"peer ls -n all",
	"peer show Bob",
	"peer enable Bob -o csv",
	"peer graph",
	"peer graph -o dot",
	"client ls",
	"client ls --sort time:desc --limit 3 -o csv",
	"client ls --where 'client ~ k*' -o geojson",
	"client show kiwi -n all",
	"client show kiwi -o json",
	"client near 34.0,-118.0 5",
	"client count -n all",
	"client forget kiwi --yes",
	"client export",
	"herd status",
	"herd status -o prometheus",
	"herd diff",
	"herd check",
	"herd wait",
	"check all",
	"check convergence",
	"places status",
	"places test 34.0,-118.0",
	"places cache show",
	"places cache flush",
	"config show",
	"config diff",
	"config reload -n all",
	"log level debug",
	"log tail -o jsonl",
	"log tail -o table",
	"events -o table",
	"events -o json",
	"stats",
	"stats -o csv",
	"stats -o prometheus",
	"map",
	"map -o geojson",
	"trace kiwi 34.0,-118.0",
	"whatsat kiwi 1 2",
	"whatsat kiwi 1 2 --map --sort rating",
	"whatsat kiwi 1 2 -o geojson",
	"iamat kiwi 34.0,-118.0 5",
	"raw WHATSAT kiwi 1 2",
	"ping",
};

/* --- answers ---------------------------------------------------------- */

static struct span rest;
static unsigned given;
static long http;
static int far_ends[ENDS_MAX];
static unsigned far_end_count;

static struct span
next_answer(void)
{
	const char *end = span_find(rest, 0x1e);
	struct span answer = rest;

	given++;
	if (end == NULL)
		return answer; /* the last one again */
	answer.len = (size_t)(end - rest.data);
	rest = span_of(end + 1, rest.len - answer.len - 1);
	return answer;
}

struct admin_client {
	struct event_base *base;
	struct admin_call *calls;
};

struct admin_call {
	struct admin_client *admin;
	struct admin_call *next;
	struct event *event;
	const struct admin_events *events;
	void *arg;
};

static void
drop_call(struct admin_call *call)
{
	struct admin_call **at = &call->admin->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	event_free(call->event);
	free(call);
}

/* A stream comes in two pieces; an error is an answer to collect. */
static void
on_answer(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct admin_call *call = arg;
	const struct admin_events *events = call->events;
	struct admin_answer answer = { .http = http };
	void *owner = call->arg;
	struct span body = next_answer();

	if (given > ANSWERS_MAX)
		answer.http = 503;
	answer.status = answer.http < 400    ? STATUS_OK
			: answer.http == 404 ? STATUS_NEGATIVE
					     : STATUS_REFUSED;
	if (answer.http >= 400)
		answer.message = "it says no";
	if (answer.http < 400 && events->on_data != NULL) {
		events->on_data(owner, span_of(body.data, body.len / 2));
		events->on_data(owner,
		    span_of(body.data + body.len / 2, body.len - body.len / 2));
	} else {
		answer.body = body;
	}
	drop_call(call);
	events->on_done(owner, &answer);
}

enum status
admin_client_new(struct loop *loop, struct admin_client **out,
    struct buf *message HERD_UNUSED)
{
	*out = xcalloc(1, sizeof(**out));
	(*out)->base = loop->base;
	return STATUS_OK;
}

void
admin_client_free(struct admin_client *admin)
{
	while (admin != NULL && admin->calls != NULL)
		drop_call(admin->calls);
	free(admin);
}

struct admin_call *
admin_client_start(struct admin_client *admin,
    const struct admin_request *request, const struct admin_events *events,
    void *arg)
{
	const struct timeval now = { 0, 0 };
	struct admin_call *call = xcalloc(1, sizeof(*call));

	assert(request->path[0] == '/' && request->ways.count > 0);
	call->admin = admin;
	call->events = events;
	call->arg = arg;
	call->event = evtimer_new(admin->base, on_answer, call);
	assert(call->event != NULL && evtimer_add(call->event, &now) == 0);
	call->next = admin->calls;
	admin->calls = call;
	return call;
}

void
admin_client_cancel(struct admin_call *call)
{
	drop_call(call);
}

/* Connected to one who has said all already, and reads on. */
int
connect(int fd, const struct sockaddr *address HERD_UNUSED,
    socklen_t len HERD_UNUSED)
{
	struct span answer = next_answer();
	int pair[2];

	if (far_end_count == ENDS_MAX ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		pair) != 0) {
		errno = ECONNREFUSED;
		return -1;
	}
	if (dup3(pair[0], fd, O_CLOEXEC) < 0)
		abort();
	(void)close(pair[0]);
	if (answer.len > 0)
		(void)!write(pair[1], answer.data, answer.len);
	(void)shutdown(pair[1], SHUT_WR);
	far_ends[far_end_count++] = pair[1];
	return 0;
}

/* --- the program ------------------------------------------------------ */

/* Read once, as a session does. */
static struct app *
the_ctl(void)
{
	static struct app app;
	static struct target targets[2];
	struct diagnostics faults;
	enum herd_error error;

	if (app.herd_ready)
		return &app;
	app.utf8 = true;
	prefs_init(&app.base);
	prefs_init(&app.prefs);
	diagnostics_init(&faults);
	error = herdfile_parse(span_from(herd_text), &app.herd.file, &faults);
	assert(error == HERD_OK);
	diagnostics_release(&faults);
	app.herd.has_file = true;
	app.herd.name = xstrdup("lab");
	app.herd.path = xstrdup("/lab.yaml");
	app.herd.targets = targets;
	app.herd.count = 2;
	for (size_t i = 0; i < 2; i++)
		targets[i] = (struct target){
			.name = app.herd.file.nodes[i].name,
			.clients = app.herd.file.nodes[i].clients,
			.admin = app.herd.file.nodes[i].admin,
			.is_node = true,
		};
	app.herd_ready = true;
	return &app;
}

static void
run_line(const char *text)
{
	static const struct run_origin origin = {
		.place = "x:1",
		.redirect = REDIRECT_WRITE,
		.target = "/dev/null",
		.is_line = true,
	};
	static const char *const more[] = { "--timeout", "20ms", "--color",
		"always", "-q" };
	const char *words[WORDS_OF_LINE + HERD_ARRAY_LEN(more)];
	enum status status;
	struct line line;
	size_t count = 0;

	if (line_split(span_from(text), NULL, &line) != WORDS_OK)
		abort();
	/* First: after raw they would be bytes. */
	for (; count < HERD_ARRAY_LEN(more); count++)
		words[count] = more[count];
	for (size_t i = 0; i < line.commands[0].count; i++)
		words[count++] = line.commands[0].words[i].text;
	/* A plugin's 2 is CRITICAL. */
	status = run_words(the_ctl(), words, count, &origin);
	assert(status != STATUS_USAGE || strncmp(text, "check", 5) == 0);
	line_release(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const long statuses[] = { 200, 200, 200, 404, 500 };
	FILE *before = stderr;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	http = statuses[data[1] % HERD_ARRAY_LEN(statuses)];
	rest = span_of((const char *)data + 2, size - 2);
	given = 0;
	stderr = fopen("/dev/null", "we");
	assert(stderr != NULL);
	run_line(lines[data[0] % HERD_ARRAY_LEN(lines)]);
	(void)fclose(stderr);
	stderr = before;
	while (far_end_count > 0)
		(void)close(far_ends[--far_end_count]);
	return 0;
}
