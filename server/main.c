/* SPDX-License-Identifier: GPL-3.0-or-later */
/* herdd: one node of a herd. */
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/signals.h"
#include "herd/version.h"
#include "herdd.h"
#include "net/peering.h"
#include "net/worker_pool.h"
#include "node/config.h"
#include "node/files.h"
#include "node/reload.h"
#include "places/places.h"
#include "node/tls_files.h"
#include "options.h"
#include "phones/phones.h"

/* Exit statuses; herdd(8) has them. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 8 };

static void
print_span(FILE *out, struct span text)
{
	fwrite(text.data, 1, text.len, out);
}

/* --- signals ------------------------------------------------------------ */

static void
on_terminate(evutil_socket_t signal_number, short what HERD_UNUSED, void *arg)
{
	node_stop(arg, signal_number == SIGINT ? "SIGINT" : "SIGTERM");
}

static void
on_hangup(evutil_socket_t signal_number HERD_UNUSED, short what HERD_UNUSED,
    void *arg)
{
	struct node *node = arg;
	struct reload reload;

	reload_init(&reload);
	/* The result is in the log. */
	if (node_reload(arg, "SIGHUP", &reload) != HERD_OK)
		fflush(stderr);
	reload_release(&reload);
	if (node->places != NULL)
		places_reload_start(node->places);
}

static const struct {
	int number;
	event_callback_fn on_signal;
} SIGNALS[] = {
	{ SIGTERM, on_terminate },
	{ SIGINT, on_terminate },
	{ SIGHUP, on_hangup },
};

#define SIGNAL_COUNT (sizeof(SIGNALS) / sizeof(SIGNALS[0]))

static bool
watch_signals(struct herdd *herdd, struct event *events[SIGNAL_COUNT])
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		events[i] = evsignal_new(herdd->base, SIGNALS[i].number,
		    SIGNALS[i].on_signal, &herdd->node);
		if (events[i] == NULL || event_add(events[i], NULL) != 0)
			return false;
	}
	return true;
}

/* --- the process -------------------------------------------------------- */

/* A core file would have keys and reports. */
static void
leave_no_core(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Root becomes the user that the herd file names, if any. */
static enum herd_error
drop_privileges(const char *user, struct buf *message)
{
	const struct passwd *entry;

	if (geteuid() != 0 || user[0] == '\0')
		return HERD_OK;
	entry = getpwnam(user);
	if (entry != NULL && initgroups(user, entry->pw_gid) == 0 &&
	    setgid(entry->pw_gid) == 0 && setuid(entry->pw_uid) == 0) {
		/* setuid() resets the dumpable flag according to
		 * fs.suid_dumpable; clear it again. */
		leave_no_core();
		return HERD_OK;
	}
	if (buf_addf(message, "user: cannot become %s: %s", user,
		entry == NULL ? "no such user" : strerror(errno)) != HERD_OK)
		return HERD_ENOMEM;
	return HERD_ESYSTEM;
}

/* Adds one more address to what a listener has; nothing if there is none. */
static void
add_address(struct buf *out, const struct address *address)
{
	size_t before = out->len;

	if (address->kind == ADDRESS_NONE)
		return;
	if ((before > 0 && buf_add_byte(out, ' ') != HERD_OK) ||
	    address_format(out, address) != HERD_OK)
		buf_truncate(out, before);
}

static void
say_ready(struct herdd *herdd)
{
	struct address_list own = admin_addresses(herdd->admin);
	const struct address *listen = admin_listen_address(herdd->admin);
	struct node *node = &herdd->node;
	struct buf clients;
	struct buf peers;
	struct buf admin;
	struct buf http;

	buf_init(&clients, 512);
	buf_init(&peers, 512);
	buf_init(&admin, 2048);
	buf_init(&http, 512);
	add_address(&clients, worker_pool_address(node->workers));
	add_address(&peers, peering_address(node->peering));
	for (unsigned i = 0; i < own.count; i++)
		add_address(&admin, &own.items[i]);
	add_address(&admin, listen);
	if (node->phones != NULL)
		add_address(&http, phones_address(node->phones));
	LOG(node->log, LOG_INFO, "ready", log_text("node", node->name),
	    log_text("herd", node->file.herd),
	    log_text("version", HERD_VERSION), log_number("pid", getpid()),
	    log_span("clients", buf_span(&clients)),
	    log_span("peers", buf_span(&peers)),
	    log_span("admin", buf_span(&admin)),
	    log_span("http", buf_span(&http)));
	buf_release(&clients);
	buf_release(&peers);
	buf_release(&admin);
	buf_release(&http);
	notify("READY=1");
}

/* Serves until a signal or an operator ends the main loop. */
static int
run_loop(struct herdd *herdd)
{
	struct event *signals[SIGNAL_COUNT] = { NULL };
	int status = EXIT_FAILED;

	if (watch_signals(herdd, signals)) {
		signals_release();
		say_ready(herdd);
		event_base_dispatch(herdd->base);
		notify("STOPPING=1");
		status = EXIT_OK;
	}
	/* Without a handler a signal would end the process before the stop is
	 * done. */
	signals_hold();
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		if (signals[i] != NULL)
			event_free(signals[i]);
	}
	return status;
}

static int
run_node(const struct options *options, struct herdfile *file, size_t self)
{
	struct buf message;
	struct log *log;
	struct herdd herdd;
	enum herd_error error;
	int status = EXIT_FAILED;

	if (log_open(STDERR_FILENO, (enum log_level)file->settings.log.level,
		(enum log_format)file->settings.log.format, &log) != HERD_OK) {
		herdfile_release(file);
		return EXIT_FAILED;
	}
	buf_init(&message, 4096);
	error = drop_privileges(file->settings.user, &message);
	if (error == HERD_OK && geteuid() == 0 &&
	    file->settings.user[0] == '\0')
		LOG(log, LOG_WARN, "runs-as-root",
		    log_text("next", "set user: in the herd file, or start "
				     "it with systemctl start herdd@NODE"));
	if (error != HERD_OK)
		herdfile_release(file);
	else
		error = herdd_open(
		    &herdd, options->file, file, self, log, &message);
	if (error == HERD_OK) {
		status = run_loop(&herdd);
		herdd_close(&herdd);
	} else if (error == HERD_ECANCELED) {
		status = EXIT_OK;
	}
	if (error == HERD_OK || error == HERD_ECANCELED)
		LOG(log, LOG_INFO, "stopped", log_number("status", status));
	else
		LOG(log, LOG_ERROR, "start-failed",
		    log_span("error", buf_span(&message)));
	buf_release(&message);
	log_close(log);
	return status;
}

/* --- checking ------------------------------------------------------------- */

static void
print_diagnostics(
    const struct options *options, const struct diagnostics *diagnostics)
{
	struct buf text;

	buf_init(&text, 1u << 20);
	if (config_print(&text, options->file, diagnostics,
		log_is_journal(STDERR_FILENO)) == HERD_OK)
		print_span(stderr, buf_span(&text));
	buf_release(&text);
}

/* What the sandbox would refuse: of that node, or of all that could run. */
static enum herd_error
check_sandbox(const struct options *options, const struct herdfile *file,
    size_t self, const char *base_dir, struct diagnostics *diagnostics)
{
	enum herd_error error = files_be_service();

	for (size_t i = 0; i < file->node_count && error == HERD_OK; i++) {
		/* A path without %n is the same for all: it is told once. */
		if (options->node[0] == '\0' ? diagnostics->errors == 0
					     : i == self)
			error =
			    files_check_service(file, i, base_dir, diagnostics);
	}
	return error;
}

/* Reads the node's certificates as its start does. */
static enum herd_error
check_certificates(const struct herdfile *file, size_t self,
    const char *base_dir, struct diagnostics *diagnostics)
{
	struct tls_files files;
	struct buf message;
	enum herd_error error;

	buf_init(&message, 4096);
	error = tls_files_load(
	    file, file->nodes[self].name, base_dir, &message, &files);
	if (error == HERD_OK)
		tls_files_drop(&files);
	else if (error != HERD_ENOMEM)
		error = diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, 0, 0,
		    SPAN_FMT, SPAN_ARG(buf_span(&message)));
	buf_release(&message);
	return error;
}

/* The files that one node would use, as the user that it would be. */
static enum herd_error
check_node(const struct herdfile *file, size_t self, const char *base_dir,
    struct diagnostics *diagnostics)
{
	struct buf message;
	enum herd_error error;

	buf_init(&message, 1024);
	error = drop_privileges(file->settings.user, &message);
	if (error == HERD_OK)
		error = files_check(file, self, base_dir, diagnostics);
	else if (error == HERD_ESYSTEM)
		error = diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, 0, 0,
		    SPAN_FMT, SPAN_ARG(buf_span(&message)));
	if (error == HERD_OK && diagnostics->errors == 0)
		error = check_certificates(file, self, base_dir, diagnostics);
	buf_release(&message);
	return error;
}

static enum herd_error
check_files(const struct options *options, const struct herdfile *file,
    size_t self, struct diagnostics *diagnostics)
{
	char *path = realpath(options->file, NULL);
	const char *base_dir;
	enum herd_error error = HERD_OK;

	if (path == NULL)
		return HERD_ENOMEM;
	base_dir = dirname(path);
	if (options->as_service)
		error =
		    check_sandbox(options, file, self, base_dir, diagnostics);
	/* What the sandbox refuses anyway is not refused twice. */
	if (error == HERD_OK && options->node[0] != '\0' &&
	    diagnostics->errors == 0)
		error = check_node(file, self, base_dir, diagnostics);
	free(path);
	return error;
}

static int
check_config(const struct options *options)
{
	struct diagnostics diagnostics;
	struct herdfile file;
	enum herd_error error;
	size_t self = 0;
	int status = EXIT_CONFIG;

	diagnostics_init(&diagnostics);
	error = config_load(
	    options->file, options->node, &file, &self, &diagnostics);
	if (error == HERD_OK) {
		error = check_files(options, &file, self, &diagnostics);
		if (error == HERD_OK && diagnostics.errors == 0) {
			printf("%s: herd %s, %zu nodes, %zu links: no "
			       "errors\n",
			    options->file, file.herd, file.node_count,
			    file.link_count);
			status = EXIT_OK;
		}
		herdfile_release(&file);
	}
	print_diagnostics(options, &diagnostics);
	diagnostics_release(&diagnostics);
	return status;
}

static int
load_and_run(const struct options *options)
{
	struct diagnostics diagnostics;
	struct herdfile file;
	enum herd_error error;
	size_t self = 0;

	diagnostics_init(&diagnostics);
	error = config_load(
	    options->file, options->node, &file, &self, &diagnostics);
	print_diagnostics(options, &diagnostics);
	diagnostics_release(&diagnostics);
	return error == HERD_OK ? run_node(options, &file, self) : EXIT_CONFIG;
}

int
main(int argc, char **argv)
{
	struct options options;
	struct buf message;

	if (file_hold_standard() != HERD_OK)
		return EXIT_FAILED;
	signals_hold();
	buf_init(&message, 1024);
	if (options_parse(argc, argv, &options, &message) != HERD_OK) {
		fputs("herdd: ", stderr);
		print_span(stderr, buf_span(&message));
		fputs("\nTry `herdd --help`.\n", stderr);
		buf_release(&message);
		return EXIT_USAGE;
	}
	buf_release(&message);
	if (options.action == OPTIONS_HELP) {
		options_help(stdout);
		return EXIT_OK;
	}
	if (options.action == OPTIONS_VERSION) {
		puts("herdd " HERD_VERSION);
		return EXIT_OK;
	}
	if (options.action != OPTIONS_RUN)
		signals_release();
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	leave_no_core();
	evthread_use_pthreads();
	return options.action == OPTIONS_CHECK_CONFIG ? check_config(&options)
						      : load_and_run(&options);
}
