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
#include "node/reload.h"
#include "node/tls_files.h"
#include "options.h"

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
	struct reload reload;

	reload_init(&reload);
	/* The result is in the log. */
	if (node_reload(arg, "SIGHUP", &reload) != HERD_OK)
		fflush(stderr);
	reload_release(&reload);
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

static enum herd_error
drop_privileges(const char *user, struct log *log, struct buf *message)
{
	const struct passwd *entry;

	if (geteuid() != 0)
		return HERD_OK;
	if (user[0] == '\0') {
		LOG(log, LOG_WARN, "runs-as-root",
		    log_text("next", "set user: in the herd file, or start "
				     "it with systemctl start herdd@NODE"));
		return HERD_OK;
	}
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

static const char *
address_text(struct buf *out, const struct address *address)
{
	const char *text = NULL;

	buf_clear(out);
	if (address_format(out, address) == HERD_OK)
		text = buf_cstr(out);
	return text == NULL ? "" : text;
}

static const char *
list_text(struct buf *out, const struct address_list *list)
{
	const char *text = NULL;

	if (address_list_format(out, list) == HERD_OK)
		text = buf_cstr(out);
	return text == NULL ? "" : text;
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

	buf_init(&clients, 512);
	buf_init(&peers, 512);
	buf_init(&admin, 2048);
	LOG(node->log, LOG_INFO, "ready", log_text("node", node->name),
	    log_text("herd", node->file.herd),
	    log_text("version", HERD_VERSION), log_number("pid", getpid()),
	    log_text("clients",
		address_text(&clients, worker_pool_address(node->workers))),
	    log_text(
		"peers", address_text(&peers, peering_address(node->peering))),
	    log_text("admin", own.count > 0 ? list_text(&admin, &own)
					    : address_text(&admin, listen)));
	buf_release(&clients);
	buf_release(&peers);
	buf_release(&admin);
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
	error = drop_privileges(file->settings.user, log, &message);
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

/* As the user that the node becomes, whose files they are. */
static bool
become(const char *user)
{
	const struct passwd *entry;

	if (geteuid() != 0 || user[0] == '\0')
		return true;
	entry = getpwnam(user);
	return entry != NULL && initgroups(user, entry->pw_gid) == 0 &&
	       setegid(entry->pw_gid) == 0 && seteuid(entry->pw_uid) == 0;
}

/* Reads the node's certificates as its start does. */
static enum herd_error
check_certificates(const struct options *options, const struct herdfile *file)
{
	char *path = realpath(options->file, NULL);
	struct tls_files files;
	struct buf message;
	enum herd_error error = HERD_ENOMEM;

	/* A start says what is wrong with the user. */
	if (!become(file->settings.user)) {
		free(path);
		return HERD_OK;
	}
	buf_init(&message, 4096);
	if (path != NULL)
		error = tls_files_load(
		    file, options->node, dirname(path), &message, &files);
	if (error == HERD_OK)
		tls_files_drop(&files);
	else
		fprintf(stderr, "%s: error: " SPAN_FMT "\n", options->file,
		    SPAN_ARG(buf_span(&message)));
	buf_release(&message);
	free(path);
	return error;
}

static int
load_and_run(const struct options *options)
{
	struct diagnostics diagnostics;
	struct herdfile file;
	enum herd_error error;
	size_t self = 0;
	struct buf text;

	diagnostics_init(&diagnostics);
	error = config_load(
	    options->file, options->node, &file, &self, &diagnostics);
	buf_init(&text, 1u << 20);
	if (config_print(&text, options->file, &diagnostics) == HERD_OK)
		print_span(stderr, buf_span(&text));
	buf_release(&text);
	diagnostics_release(&diagnostics);
	if (error != HERD_OK)
		return EXIT_CONFIG;
	if (options->action == OPTIONS_RUN)
		return run_node(options, &file, self);
	if (options->node[0] != '\0' &&
	    check_certificates(options, &file) != HERD_OK) {
		herdfile_release(&file);
		return EXIT_CONFIG;
	}
	printf("%s: herd %s, %zu nodes, %zu links: no errors\n", options->file,
	    file.herd, file.node_count, file.link_count);
	herdfile_release(&file);
	return EXIT_OK;
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
	return load_and_run(&options);
}
