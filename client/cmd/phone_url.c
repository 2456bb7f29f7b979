/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * phone url: what to type into an app, so that it reports to this herd. An app
 * is one row of a table: which secret it has a place for, and its lines.
 */
#include "cmd/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/password.h"
#include "herd/text.h"
#include "herd/users_file.h"

/* What the lines are made of. */
struct phone {
	struct span user;
	struct span device;
	char *
	    base; /* "https://phones.example.org", without a slash at the end */
	const char *secret; /* the password or key, or what is in its place */
	bool has_secret;
};

struct phone_app {
	const char *name;
	bool has_password; /* else a key */
	void (*print)(struct run *run, const struct phone *phone);
};

static void HERD_PRINTF(3, 4)
    print(struct run *run, const char *field, const char *fmt, ...)
{
	struct buf value = XBUF;
	va_list args;

	va_start(args, fmt);
	putv(&value, fmt, args);
	va_end(args);
	run_print(run, "%-18s %s", field, text_of(&value));
	buf_release(&value);
}

/* --- the apps ------------------------------------------------------------- */

/* The configuration that the app takes from a link. */
static void
put_configuration(struct buf *out, const struct phone *phone)
{
	char *url = xasprintf("%s/owntracks", phone->base);
	struct json json;

	json_begin(&json, out, JSON_COMPACT);
	json_object(&json, NULL);
	json_word(&json, "_type", "configuration");
	json_integer(&json, "mode", 3);
	json_word(&json, "url", url);
	json_bool(&json, "auth", true);
	json_text(&json, "username", phone->user);
	if (phone->has_secret)
		json_word(&json, "password", phone->secret);
	json_text(&json, "deviceId", phone->device);
	json_text(&json, "tid", text_utf8_last(phone->device, 2));
	json_object_end(&json);
	must(json_end(&json));
	free(url);
}

static void
print_owntracks(struct run *run, const struct phone *phone)
{
	struct span tid = text_utf8_last(phone->device, 2);
	struct buf configuration = XBUF;
	struct buf text = XBUF;

	print(run, "Mode", "HTTP");
	print(run, "URL", "%s/owntracks", phone->base);
	print(run, "Username", SPAN_FMT, SPAN_ARG(phone->user));
	print(run, "Password", "%s", phone->secret);
	print(run, "Device ID", SPAN_FMT, SPAN_ARG(phone->device));
	print(run, "Tracker ID", SPAN_FMT, SPAN_ARG(tid));
	put_configuration(&configuration, phone);
	must(text_to_base64(&text, buf_span(&configuration)));
	print(run, "or open this link", "owntracks:///config?inline=%s",
	    text_of(&text));
	password_release(&configuration);
	password_release(&text);
}

static void
print_traccar(struct run *run, const struct phone *phone)
{
	print(run, "Device identifier", "%s", phone->secret);
	print(run, "Server URL", "%s/", phone->base);
}

static void
print_osmand(struct run *run, const struct phone *phone)
{
	print(run, "Web address",
	    "%s/?id=%s&lat={0}&lon={1}&timestamp={2}&hdop={3}&altitude={4}"
	    "&speed={5}&bearing={6}",
	    phone->base, phone->secret);
}

static void
print_gpslogger(struct run *run, const struct phone *phone)
{
	print(run, "Custom URL",
	    "%s/?id=%s&lat=%%LAT&lon=%%LON&timestamp=%%TIMESTAMP"
	    "&altitude=%%ALT&accuracy=%%ACC&speed=%%SPD&bearing=%%DIR"
	    "&batt=%%BATT",
	    phone->base, phone->secret);
	print(run, "HTTP method", "GET");
}

static void
print_overland(struct run *run, const struct phone *phone)
{
	struct buf url = XBUF;
	struct buf device = XBUF;

	print(run, "Receiver endpoint", "%s/overland", phone->base);
	print(run, "Access token", "%s", phone->secret);
	print(run, "Device ID", SPAN_FMT, SPAN_ARG(phone->device));
	must(text_to_percent(&url, span_from(phone->base)));
	must(text_to_percent(&device, phone->device));
	print(run, "or open this link",
	    "overland://setup?url=%s%%2Foverland&token=%s&device_id=%s",
	    text_of(&url), phone->secret, text_of(&device));
	buf_release(&url);
	buf_release(&device);
}

static const struct phone_app apps[] = {
	{ "owntracks", true, print_owntracks },
	{ "traccar", false, print_traccar },
	{ "osmand", false, print_osmand },
	{ "gpslogger", false, print_gpslogger },
	{ "overland", false, print_overland },
};

#define PHONE_APPS "owntracks traccar osmand gpslogger overland"

/* --- the address ---------------------------------------------------------- */

/* Gives the URL that --host means. */
static char *
url_of_host(const char *host, bool has_tls)
{
	char *url = strstr(host, "://") != NULL
			? xstrdup(host)
			: xasprintf("http%s://%s", has_tls ? "s" : "", host);
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		url[--len] = '\0';
	return url;
}

/* Gives the URL of the node's listener. */
static enum status
url_of_node(struct run *run, const char *name, bool has_tls, char **url)
{
	const struct herdfile *file = &run->herd->file;
	const struct address *http = NULL;
	struct buf text = XBUF;
	size_t node;

	if (herdfile_find(file, span_from(name), &node) == HERD_OK)
		http = &file->nodes[node].http;
	if (http == NULL || http->kind == ADDRESS_NONE)
		return run_fail(run, STATUS_LOCAL,
		    "node %s has no listener for phones (`http' in the herd "
		    "file)",
		    name);
	if (address_is_anywhere(http))
		return run_fail(run, STATUS_USAGE,
		    "node %s listens at every address of its machine: give "
		    "the one that phones use with --host",
		    name);
	if (address_is_loopback(http))
		run_note(run,
		    "node %s listens on loopback, which no phone reaches: "
		    "--host gives the address of the proxy before it",
		    name);
	must(address_format(&text, http));
	*url = url_of_host(text_of(&text), has_tls);
	buf_release(&text);
	return STATUS_OK;
}

static enum status
find_url(struct run *run, char **url)
{
	const char *host = run_flag(run, "host");
	const struct target *target;
	enum status status;

	if (host != NULL) {
		*url = url_of_host(host, true);
		return STATUS_OK;
	}
	status = run_one_target(run, &target);
	if (status != STATUS_OK)
		return status;
	if (!run->herd->has_file)
		return run_fail(run, STATUS_USAGE,
		    "only a herd file says where phones connect: give one "
		    "with -c, or --host HOST");
	return url_of_node(run, target->name,
	    run->herd->file.settings.http.tls_cert[0] != '\0', url);
}

/* --- the command ---------------------------------------------------------- */

static const struct phone_app *
find_app(const char *name)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(apps); i++) {
		if (strcmp(apps[i].name, name) == 0)
			return &apps[i];
	}
	return NULL;
}

static enum status
print_app(struct run *run, const struct phone_app *app, struct phone *phone)
{
	struct buf secret;
	enum status status = STATUS_OK;

	buf_init(&secret, PASSWORD_ROOM);
	must(buf_reserve(&secret, PASSWORD_ROOM));
	phone->has_secret = run_flag(run, "secret-file") != NULL;
	if (phone->has_secret)
		status = password_read(run, "secret-file", &secret);
	if (status == STATUS_OK)
		status = find_url(run, &phone->base);
	if (status == STATUS_OK) {
		phone->secret = phone->has_secret   ? text_of(&secret)
				: app->has_password ? "PASSWORD"
						    : "KEY";
		app->print(run, phone);
	}
	if (status == STATUS_OK && !phone->has_secret && !app->has_password)
		run_hint(run,
		    "KEY is the last word of `user add " SPAN_FMT "/" SPAN_FMT
		    " --key'",
		    SPAN_ARG(phone->user), SPAN_ARG(phone->device));
	free(phone->base);
	password_release(&secret);
	return status;
}

static enum status
phone_url_run(struct run *run)
{
	const char *name = run_flag(run, "app");
	const struct phone_app *app = name == NULL ? NULL : find_app(name);
	struct phone phone = { .base = NULL };

	if (app == NULL)
		return run_fail(
		    run, STATUS_USAGE, "--app: give one of " PHONE_APPS);
	if (!users_file_split(
		span_from(run_word(run, 0)), &phone.user, &phone.device) ||
	    phone.device.len == 0)
		return run_fail(run, STATUS_USAGE,
		    "`%s' is not USER/DEVICE, such as jane/phone",
		    run_word(run, 0));
	return print_app(run, app, &phone);
}

const struct command cmd_phone_url = {
	.path = "phone url",
	.summary = "print what to type into an app that reports over HTTP",
	.help = "The address is the listener for phones of the node (-n). "
		"PASSWORD and KEY are in the place of the secret, unless "
		"--secret-file has it; links then contain it: hand them over "
		"as you would a password. See herd-phones(7).",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("USER/DEVICE", .complete = COMPLETE_USER)),
	.flags = FLAGS(FLAG("app", .value = "APP", .complete = COMPLETE_WORDS,
			   .words = PHONE_APPS, .help = PHONE_APPS),
	    FLAG("host", .value = "HOST[:PORT]",
		.help = "the address that phones use, with TLS unless it "
			"begins with http://"),
	    FLAG("secret-file", .value = "FILE", .complete = COMPLETE_FILE,
		.help = "print the password or key that it has (-: standard "
			"input)")),
	.traits = COMMAND_HARMLESS,
	.run = phone_url_run,
	.example =
	    "phone url jane/phone --app owntracks --host phones.example.org",
};
