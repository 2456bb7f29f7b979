/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/postgres_conn.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "herd/text.h"
#include "store/postgres_fault.h"

#define LOOK_MS 100u /* how long a wait overlooks that the node stops */
#define OPTIONS_MAX 64u
#define TARGETS_MAX 32u

static const int BINARY[POSTGRES_VALUES_MAX] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };

/* --- failures ------------------------------------------------------------- */

/* What a server says may hold any byte. */
static void
set_error(struct engine *engine, const char *sqlstate, const char *what)
{
	struct buf text;
	struct span first = span_from(what);

	/* A message of libpq has it already. */
	if (strstr(what, sqlstate) != NULL)
		sqlstate = "";
	buf_init(&text, 2048);
	first = span_cut(&first, '\n');
	if (text_escape(&text, first, 200) == HERD_OK)
		snprintf(engine->error, sizeof(engine->error), "%s%s" SPAN_FMT,
		    sqlstate, sqlstate[0] == '\0' ? "" : ": ",
		    SPAN_ARG(buf_span(&text)));
	buf_release(&text);
}

enum herd_error
postgres_conn_fail(struct postgres_conn *conn, enum engine_fault fault,
    const char *hint, const char *what)
{
	set_error(conn->engine, conn->sqlstate, what);
	conn->engine->fault = fault;
	conn->engine->hint = hint;
	return HERD_ESYSTEM;
}

static enum herd_error
fail_judged(struct postgres_conn *conn, const char *what)
{
	const char *hint;
	enum engine_fault fault = postgres_fault_judge(conn->sqlstate, &hint);

	return postgres_conn_fail(conn, fault, hint, what);
}

/* Of a result. Its details are left out: they may quote a client's row. */
static enum herd_error
fail_result(struct postgres_conn *conn, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *what = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	snprintf(conn->sqlstate, sizeof(conn->sqlstate), "%.5s",
	    state == NULL ? "" : state);
	return fail_judged(
	    conn, what == NULL ? PQresultErrorMessage(result) : what);
}

static enum herd_error
fail_contact(struct postgres_conn *conn, const char *what)
{
	conn->sqlstate[0] = '\0';
	return fail_judged(conn, what);
}

static enum herd_error
fail_late(struct postgres_conn *conn)
{
	char what[64];

	snprintf(what, sizeof(what), "no answer within %u ms",
	    (unsigned)(conn->config->timeout_ns / HERD_NS_PER_MS));
	return fail_contact(conn, what);
}

/* --- waiting -------------------------------------------------------------- */

static void
set_deadline(struct postgres_conn *conn)
{
	conn->until = mono_add(clock_mono(), conn->config->timeout_ns);
}

static bool
is_late(const struct postgres_conn *conn, struct mono until)
{
	uint64_t now = clock_mono().ns;

	return now >= until.ns || now >= atomic_load(conn->config->stop_at_ns);
}

/* Until the descriptor is ready; false: it is too late. */
static bool
wait_for(
    const struct postgres_conn *conn, int fd, short events, struct mono until)
{
	struct pollfd one = { fd, events, 0 };

	while (!is_late(conn, until)) {
		uint64_t left =
		    mono_since(until, clock_mono()) / HERD_NS_PER_MS;
		int ms = (int)(left < LOOK_MS ? left + 1 : LOOK_MS);

		if (poll(&one, 1, ms) > 0)
			return true;
	}
	return false;
}

/* --- making contact ------------------------------------------------------- */

/* A place to dial: an address of one of the hosts. */
struct dial_target {
	const struct postgres_host *host;
	char numeric[NI_MAXHOST]; /* "": a socket */
};

struct dial_targets {
	unsigned count;
	struct dial_target list[TARGETS_MAX];
};

static void
add_target(struct dial_targets *targets, const struct postgres_host *host,
    const char *numeric)
{
	struct dial_target *target = &targets->list[targets->count];

	if (targets->count == TARGETS_MAX)
		return;
	target->host = host;
	snprintf(target->numeric, sizeof(target->numeric), "%s", numeric);
	targets->count++;
}

/* What a name of this machine leads to must be this machine. */
static void
add_endpoints(struct dial_targets *targets, const struct postgres_host *host,
    bool is_verified, const struct endpoints *found)
{
	for (unsigned i = 0; i < found->count; i++) {
		const struct endpoint *one = &found->list[i];
		struct address at = { .kind = ADDRESS_TCP };

		if (getnameinfo((const struct sockaddr *)&one->addr, one->len,
			at.host, sizeof(at.host), NULL, 0,
			NI_NUMERICHOST) == 0 &&
		    (is_verified || address_is_loopback(&at)))
			add_target(targets, host, at.host);
	}
}

/* Returns why there is no target of this host, or NULL.
 * libpq's own lookup would hold the thread as long as a DNS server likes. */
static const char *
look_up(struct postgres_conn *conn, struct dial_targets *targets,
    const struct postgres_host *host, bool is_verified)
{
	struct resolution *resolution;
	const struct endpoints *found;
	struct endpoints numeric;
	unsigned before = targets->count;
	const char *why = "out of memory or threads";
	enum herd_error error;

	if (host->address.kind == ADDRESS_UNIX) {
		add_target(targets, host, "");
		return NULL;
	}
	if (resolver_numeric(&host->address, &numeric) == HERD_OK) {
		add_endpoints(targets, host, is_verified, &numeric);
		return NULL;
	}
	error = resolver_begin(&host->address, &resolution);
	if (error != HERD_OK)
		return error == HERD_ELIMIT
			   ? "too many lookups have no answer yet"
			   : why;
	why = "no answer in time";
	if (wait_for(conn, resolver_fd(resolution), POLLIN, conn->until))
		why = resolver_result(resolution, &found);
	if (why == NULL)
		add_endpoints(targets, host, is_verified, found);
	resolver_free(resolution);
	if (why == NULL && targets->count == before)
		why = "it is a name of this machine, and leads elsewhere";
	return why;
}

static void
on_notice(void *arg, const PGresult *result)
{
	struct postgres_conn *conn = arg;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (state != NULL && strncmp(state, "01", 2) == 0)
		conn->warned = true;
}

struct dial_options {
	unsigned count;
	const char *keywords[OPTIONS_MAX + 1];
	const char *values[OPTIONS_MAX + 1];
};

static void
add_option(struct dial_options *options, const char *keyword, const char *value)
{
	if (options->count == OPTIONS_MAX)
		return;
	options->keywords[options->count] = keyword;
	options->values[options->count++] = value;
}

/* What the address says comes later and wins over what is usual here. */
static void
set_options(struct dial_options *options, const struct postgres_conn *conn,
    const struct postgres_url *url, const struct dial_target *target,
    const char *port)
{
	*options = (struct dial_options){ 0 };
	add_option(options, "gssencmode", "disable");
	/* A peer that is silent for half a minute is gone. */
	add_option(options, "keepalives_idle", "10");
	add_option(options, "keepalives_interval", "5");
	add_option(options, "keepalives_count", "4");
	add_option(options, "fallback_application_name", "herdd");
	add_option(options, "application_name", conn->config->node);
	for (const PQconninfoOption *at = url->options; at->keyword != NULL;
	     at++) {
		if (at->val != NULL && strcmp(at->keyword, "host") != 0 &&
		    strcmp(at->keyword, "hostaddr") != 0 &&
		    strcmp(at->keyword, "port") != 0)
			add_option(options, at->keyword, at->val);
	}
	add_option(options, "host", target->host->host);
	if (target->numeric[0] != '\0')
		add_option(options, "hostaddr", target->numeric);
	add_option(options, "port", port);
	add_option(options, "client_encoding", "UTF8");
}

static enum herd_error
shake_hands(struct postgres_conn *conn, struct mono until)
{
	PostgresPollingStatusType turn = PGRES_POLLING_WRITING;

	while (turn != PGRES_POLLING_OK) {
		if (turn == PGRES_POLLING_FAILED ||
		    PQstatus(conn->pg) == CONNECTION_BAD) {
			const char *what = PQerrorMessage(conn->pg);

			conn->sqlstate[0] = '\0';
			(void)postgres_fault_find(what, conn->sqlstate);
			return fail_judged(conn, what);
		}
		if (!wait_for(conn, PQsocket(conn->pg),
			turn == PGRES_POLLING_READING ? POLLIN : POLLOUT,
			until))
			return fail_late(conn);
		turn = PQconnectPoll(conn->pg);
	}
	return HERD_OK;
}

static const char *
parameter(const struct postgres_conn *conn, const char *name)
{
	const char *value = PQparameterStatus(conn->pg, name);

	return value == NULL ? "" : value;
}

/* A standby takes no writes: another host may. */
static enum herd_error
look_at_server(struct postgres_conn *conn)
{
	struct buf text;

	buf_init(&text, sizeof(conn->server) * TEXT_ESCAPE_MAX);
	if (text_escape(&text, span_from(parameter(conn, "server_version")),
		40) == HERD_OK)
		snprintf(conn->server, sizeof(conn->server),
		    "PostgreSQL " SPAN_FMT, SPAN_ARG(buf_span(&text)));
	buf_release(&text);
	conn->is_replica = strcmp(parameter(conn, "in_hot_standby"), "on") == 0;
	if (!conn->is_replica)
		return HERD_OK;
	snprintf(conn->sqlstate, sizeof(conn->sqlstate), "25006");
	return fail_judged(conn, "the server is a standby");
}

static enum herd_error
dial(struct postgres_conn *conn, const struct postgres_url *url,
    const struct dial_target *target, struct mono until)
{
	struct dial_options options;
	char port[8];
	enum herd_error error;

	snprintf(port, sizeof(port), "%u", target->host->address.port);
	set_options(&options, conn, url, target, port);
	conn->pg = PQconnectStartParams(options.keywords, options.values, 0);
	if (conn->pg == NULL)
		return HERD_ENOMEM;
	/* The SQLSTATE of a failed contact is in the verbose text alone. */
	(void)PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
	(void)PQsetNoticeReceiver(conn->pg, on_notice, conn);
	error = shake_hands(conn, until);
	if (error == HERD_OK && PQsetnonblocking(conn->pg, 1) != 0)
		error = HERD_ENOMEM;
	if (error == HERD_OK)
		error = look_at_server(conn);
	if (error != HERD_OK)
		postgres_conn_close(conn);
	return error;
}

/* Each target has its part of the time, so that a dead one costs no more. */
static enum herd_error
dial_one_of(struct postgres_conn *conn, const struct postgres_url *url,
    const struct dial_targets *targets)
{
	enum herd_error error = HERD_ESYSTEM;

	for (unsigned i = 0; i < targets->count && error != HERD_OK; i++) {
		unsigned at = (conn->host + i) % targets->count;
		uint64_t left = mono_since(conn->until, clock_mono());

		error = dial(conn, url, &targets->list[at],
		    mono_add(clock_mono(), left / (targets->count - i)));
		if (error == HERD_OK)
			conn->host = at;
	}
	return error;
}

static enum herd_error
find_targets(struct postgres_conn *conn, const struct postgres_url *url,
    struct dial_targets *targets)
{
	char what[ENGINE_ERROR_MAX] = "";

	targets->count = 0;
	for (unsigned i = 0; i < url->count; i++) {
		const struct postgres_host *host = &url->hosts[i];
		const char *why =
		    look_up(conn, targets, host, url->is_verified);

		if (why != NULL)
			snprintf(what, sizeof(what),
			    "cannot look up %.120s: %s", host->address.host,
			    why);
	}
	return targets->count > 0 ? HERD_OK : fail_contact(conn, what);
}

enum herd_error
postgres_conn_open(struct postgres_conn *conn)
{
	struct postgres_url url;
	struct dial_targets targets;
	struct buf message;
	enum herd_error error;

	postgres_conn_close(conn);
	set_deadline(conn);
	conn->sqlstate[0] = '\0';
	buf_init(&message, 4096);
	error = postgres_url_read(conn->config->url_file, &url, &message);
	if (error != HERD_OK && error != HERD_ENOMEM)
		error = postgres_conn_fail(conn, ENGINE_REFUSED, "correct it",
		    buf_cstr(&message) == NULL ? "" : buf_cstr(&message));
	if (error == HERD_OK) {
		snprintf(conn->address, sizeof(conn->address), "%s", url.shown);
		error = find_targets(conn, &url, &targets);
	}
	if (error == HERD_OK)
		error = dial_one_of(conn, &url, &targets);
	postgres_url_release(&url);
	buf_release(&message);
	return error;
}

/* PQfinish() says good-bye, which must not wait for a peer that is silent. */
void
postgres_conn_close(struct postgres_conn *conn)
{
	int fd = conn->pg == NULL ? -1 : PQsocket(conn->pg);

	if (fd >= 0 && PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
		(void)shutdown(fd, SHUT_RDWR);
	PQfinish(conn->pg);
	conn->pg = NULL;
}

/* --- calls ---------------------------------------------------------------- */

static enum herd_error
fail_closed(struct postgres_conn *conn)
{
	conn->sqlstate[0] = '\0';
	return fail_judged(conn, PQerrorMessage(conn->pg));
}

static enum herd_error
flush(struct postgres_conn *conn)
{
	int more;

	while ((more = PQflush(conn->pg)) == 1) {
		if (!wait_for(conn, PQsocket(conn->pg), POLLIN | POLLOUT,
			conn->until))
			return fail_late(conn);
		if (PQconsumeInput(conn->pg) == 0)
			return fail_closed(conn);
	}
	return more == 0 ? HERD_OK : fail_closed(conn);
}

/* Gives *out, NULL: there is no more. */
static enum herd_error
next_result(struct postgres_conn *conn, PGresult **out)
{
	while (PQisBusy(conn->pg)) {
		if (!wait_for(conn, PQsocket(conn->pg), POLLIN, conn->until))
			return fail_late(conn);
		if (PQconsumeInput(conn->pg) == 0)
			return fail_closed(conn);
	}
	/* One that never ends its answer gets no more time than a silent one.
	 */
	if (is_late(conn, conn->until))
		return fail_late(conn);
	*out = PQgetResult(conn->pg);
	return HERD_OK;
}

/* A connection that ended within a call may have taken its commit along. */
static enum herd_error
judge(struct postgres_conn *conn, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
	    status == PGRES_SINGLE_TUPLE)
		return HERD_OK;
	if (status == PGRES_FATAL_ERROR)
		return fail_result(conn, result);
	return fail_contact(conn, "the server does not speak as PostgreSQL");
}

static bool
is_copy(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
	       status == PGRES_COPY_BOTH;
}

struct row_reader {
	postgres_on_row *on_row; /* NULL: no rows are wanted */
	void *arg;
};

/* Reads to the end of what the server says of one call. */
static enum herd_error
read_results(
    struct postgres_conn *conn, const struct row_reader *reader, PGresult **out)
{
	enum herd_error error = HERD_OK;
	enum herd_error verdict = HERD_OK;
	PGresult *result = NULL;

	while (error == HERD_OK &&
	       (error = next_result(conn, &result)) == HERD_OK &&
	       result != NULL) {
		if (verdict == HERD_OK)
			verdict = judge(conn, result);
		if (verdict == HERD_OK && reader != NULL &&
		    PQresultStatus(result) == PGRES_SINGLE_TUPLE)
			verdict = reader->on_row(reader->arg, result);
		if (is_copy(result))
			error = verdict; /* it would never end */
		if (out != NULL) {
			PQclear(*out);
			*out = result;
		} else
			PQclear(result);
	}
	return error == HERD_OK ? verdict : error;
}

static bool
send_call(struct postgres_conn *conn, const struct postgres_call *call)
{
	return call->name != NULL
		   ? PQsendQueryPrepared(conn->pg, call->name, call->count,
			 call->values, call->lengths, BINARY, 1)
		   : PQsendQueryParams(conn->pg, call->sql, call->count, NULL,
			 call->values, call->lengths, BINARY, 1);
}

/* A call that got no whole answer leaves a connection that is of no use. */
static enum herd_error
finish(struct postgres_conn *conn, enum herd_error error)
{
	if (error == HERD_OK)
		return HERD_OK;
	if (PQtransactionStatus(conn->pg) != PQTRANS_IDLE ||
	    conn->engine->fault == ENGINE_AWAY) {
		conn->host++;
		postgres_conn_close(conn);
	}
	return error;
}

static enum herd_error
begin(struct postgres_conn *conn)
{
	if (conn->pg == NULL)
		return fail_contact(conn, "no contact");
	set_deadline(conn);
	conn->warned = false;
	conn->sqlstate[0] = '\0';
	conn->engine->fault = ENGINE_FINE;
	return HERD_OK;
}

static enum herd_error
call_server(struct postgres_conn *conn, bool sent,
    const struct row_reader *reader, PGresult **out)
{
	PGresult *last = NULL;
	enum herd_error error = sent ? flush(conn) : fail_closed(conn);

	if (error == HERD_OK && reader != NULL)
		(void)PQsetSingleRowMode(conn->pg);
	if (error == HERD_OK)
		error = read_results(conn, reader, &last);
	error = finish(conn, error);
	if (error == HERD_OK && out != NULL) {
		*out = last;
		return HERD_OK;
	}
	PQclear(last);
	return error;
}

enum herd_error
postgres_conn_run(struct postgres_conn *conn, const struct postgres_call *call,
    PGresult **out)
{
	enum herd_error error = begin(conn);

	return error == HERD_OK
		   ? call_server(conn, send_call(conn, call), NULL, out)
		   : error;
}

enum herd_error
postgres_conn_prepare(
    struct postgres_conn *conn, const char *name, const char *sql)
{
	enum herd_error error = begin(conn);

	return error == HERD_OK
		   ? call_server(conn,
			 PQsendPrepare(conn->pg, name, sql, 0, NULL) == 1, NULL,
			 NULL)
		   : error;
}

enum herd_error
postgres_conn_rows(struct postgres_conn *conn, const struct postgres_call *call,
    postgres_on_row *on_row, void *arg)
{
	const struct row_reader reader = { on_row, arg };
	enum herd_error error = begin(conn);

	return error == HERD_OK
		   ? call_server(conn, send_call(conn, call), &reader, NULL)
		   : error;
}

enum herd_error
postgres_conn_look(struct postgres_conn *conn)
{
	enum herd_error error = begin(conn);

	if (error == HERD_OK && (PQconsumeInput(conn->pg) == 0 ||
				    PQstatus(conn->pg) == CONNECTION_BAD))
		error = finish(conn, fail_closed(conn));
	return error;
}

struct span
postgres_conn_value(const PGresult *result, int column)
{
	if (PQntuples(result) < 1 || column >= PQnfields(result))
		return span_of("", 0);
	return span_of(PQgetvalue(result, 0, column),
	    (size_t)PQgetlength(result, 0, column));
}
