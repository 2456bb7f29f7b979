/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * init: the files of a new herd, in a new folder.
 */
#include "cmd/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "cmd/init_advice.h"
#include "cmd/node_certificates.h"
#include "cmd/secret_file.h"

static const char *const secrets[] = { INIT_KEY_FILE, INIT_TOKEN_FILE,
	INIT_READ_TOKEN_FILE };

static const char *const folders[] = { "systemd", "systemd/herdd@.service.d",
	"monitoring" };

static bool
is_empty(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	if (folder == NULL)
		return false;
	while ((entry = readdir(folder)) != NULL)
		count += strcmp(entry->d_name, ".") != 0 &&
			 strcmp(entry->d_name, "..") != 0;
	closedir(folder);
	return count == 0;
}

static enum status
make_folder(struct run *run, const char *path)
{
	if (mkdir(path, 0755) == 0)
		return STATUS_OK;
	if (errno != EEXIST)
		return run_fail(run, STATUS_LOCAL, "cannot make %s: %s", path,
		    strerror(errno));
	if (is_empty(path))
		return STATUS_OK;
	return run_fail(run, STATUS_LOCAL,
	    "%s is not an empty folder, and nothing in it is overwritten",
	    path);
}

static enum status
write_text(struct run *run, const char *path, struct span text)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	bool ok = fd >= 0;

	while (ok && text.len > 0) {
		ssize_t n = write(fd, text.data, text.len);

		ok = n > 0 || (n < 0 && errno == EINTR);
		if (n > 0)
			text = span_of(text.data + n, text.len - (size_t)n);
	}
	if (fd >= 0 && (fsync(fd) != 0 || close(fd) != 0))
		ok = false;
	return ok ? STATUS_OK
		  : run_fail(run, STATUS_LOCAL, "cannot write %s: %s", path,
			strerror(errno));
}

/* Writes `text`, which is released, to DIR/NAME. */
static enum status
write_file(struct run *run, const char *dir, const char *name, struct buf *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	enum status status = write_text(run, path, buf_span(text));

	free(path);
	buf_release(text);
	return status;
}

static enum status
make_secret(struct run *run, const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	enum status status = secret_file_make(run, path);

	if (status == STATUS_OK)
		status = secret_file_own(run, path);
	free(path);
	return status;
}

/* What herdd would say of it: nothing, or init has a fault. Gives *file. */
static enum status
parse_herd_file(struct run *run, struct span text, struct herdfile *file)
{
	struct diagnostics diagnostics;
	enum herd_error error;
	enum status status = STATUS_OK;

	diagnostics_init(&diagnostics);
	error = herdfile_parse(text, file, &diagnostics);
	if (error == HERD_ENOMEM)
		out_of_memory();
	if (error != HERD_OK)
		status = run_fail(run, STATUS_USAGE,
		    "no herd can be made of that: %s",
		    diagnostics.count > 0 ? diagnostics.items[0].text
					  : herd_strerror(error));
	diagnostics_release(&diagnostics);
	return status;
}

static enum status
make_folders(struct run *run, const char *dir)
{
	enum status status = make_folder(run, dir);

	for (size_t i = 0; status == STATUS_OK && i < HERD_ARRAY_LEN(folders);
	     i++) {
		char *path = xasprintf("%s/%s", dir, folders[i]);

		status = make_folder(run, path);
		free(path);
	}
	return status;
}

/* Beyond loopback the admin API needs certificates. */
static enum status
make_secrets(struct run *run, const char *dir, const struct init_plan *plan,
    const struct herdfile *file)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < HERD_ARRAY_LEN(secrets);
	     i++)
		status = make_secret(run, dir, secrets[i]);
	if (status == STATUS_OK && !plan->is_local)
		status = node_certificates_begin(run, dir, plan->herd);
	if (status == STATUS_OK && !plan->is_local)
		status = node_certificates_make(run, dir, file, NULL, 0);
	return status;
}

/* `herd_file` is released; `file` is what it says. */
static enum status
write_all(struct run *run, const char *dir, const struct init_plan *plan,
    struct buf *herd_file, const struct herdfile *file)
{
	struct buf scrape = XBUF;
	struct buf drop_in = XBUF;
	struct buf advice = XBUF;
	enum status status = write_file(run, dir, INIT_HERD_FILE, herd_file);

	if (status == STATUS_OK)
		status = make_secrets(run, dir, plan, file);
	init_plan_scrape(plan, &scrape);
	if (status == STATUS_OK)
		status =
		    write_file(run, dir, "monitoring/prometheus.yml", &scrape);
	init_plan_drop_in(&drop_in);
	if (status == STATUS_OK)
		status = write_file(
		    run, dir, "systemd/herdd@.service.d/herd.conf", &drop_in);
	init_advice_herd(plan, dir, &advice);
	if (status == STATUS_OK)
		sink_write(&run->sink, buf_span(&advice));
	buf_release(&scrape);
	buf_release(&drop_in);
	buf_release(&advice);
	return status;
}

/* Commands with it are printed. */
static enum status
check_dir(struct run *run, const char *dir)
{
	for (const char *p = dir; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return run_fail(run, STATUS_USAGE,
			    "a folder whose name has control characters "
			    "cannot be typed");
	}
	return STATUS_OK;
}

/* `text` is the herd file's. */
static enum status
make_herd(struct run *run, const char *dir, const struct init_plan *plan,
    struct buf *text)
{
	struct herdfile file;
	enum status status = parse_herd_file(run, buf_span(text), &file);

	if (status != STATUS_OK)
		return status;
	status = make_folders(run, dir);
	if (status == STATUS_OK)
		status = write_all(run, dir, plan, text, &file);
	herdfile_release(&file);
	return status;
}

static enum status
init_run(struct run *run)
{
	const char *dir = run_word(run, 0);
	const char *herd = run_flag(run, "herd");
	struct init_plan *plan = xcalloc(1, sizeof(*plan));
	struct buf text = XBUF;
	enum status status = check_dir(run, dir);

	if (status == STATUS_OK)
		status = init_plan_read(run, herd == NULL ? "herd" : herd,
		    run_flag(run, "nodes"), plan);
	if (status == STATUS_OK) {
		init_plan_herd_file(plan, &text);
		status = make_herd(run, dir, plan, &text);
	}
	buf_release(&text);
	free(plan);
	return status;
}

const struct command cmd_init = {
	.path = "init",
	.summary = "make the files of a new herd",
	.help = "Writes a herd file that works as it is, a key for the links, "
		"tokens for the admin API, a drop-in for systemd and what "
		"Prometheus needs into DIR, which must be new or empty; and "
		"says what to copy where. Up to four nodes are all linked, "
		"more are a ring. A node takes three ports, from 12000 or "
		"PORT on: clients, peers, admin. If all are on loopback, the "
		"admin API is on TCP without TLS. Otherwise it is on a Unix "
		"socket in /run/herd too, and over TCP it has TLS: DIR also "
		"gets a CA and a certificate for each node.",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("DIR", .complete = COMPLETE_FILE)),
	.flags = FLAGS(FLAG("herd", .value = "NAME", .help = "its name (herd)"),
	    FLAG("nodes", .value = "NODES",
		.help = "A@HOST,B@HOST:PORT,... (one node, on this machine)")),
	.traits = COMMAND_WRITE,
	.run = init_run,
	.example = "init lab --herd lab --nodes A@192.0.2.1,B@192.0.2.2",
};
