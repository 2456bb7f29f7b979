/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each setting that applies on reload changes what it governs in the running
 * node, and nothing else; one that waits for a restart changes nothing. A
 * reload applies all of a file or nothing.
 */
#include "unit.h"

#include <event2/thread.h>
#include <fcntl.h>

#include "net/peering.h"
#include "node/config.h"
#include "node/reload.h"
#include "node/settings_apply.h"

#define HERD_YAML "herd: h\nnodes:\n  A:\n    clients: 127.0.0.1:0\n"

struct running {
	char dir[32];
	char path[64];
	struct node node;
};

static void
write_file(const struct running *running, const char *settings)
{
	FILE *file = fopen(running->path, "w");

	assert_non_null(file);
	assert_true(fprintf(file, HERD_YAML "%s", settings) > 0);
	assert_int_equal(fclose(file), 0);
}

static int
set_up(void **state)
{
	const struct table_config config = { .max_clients = 0 };
	struct running *running = calloc(1, sizeof(*running));
	struct node *node = &running->node;
	struct diagnostics diagnostics;

	strcpy(running->dir, "/tmp/herd-apply-XXXXXX");
	assert_non_null(mkdtemp(running->dir));
	snprintf(
	    running->path, sizeof(running->path), "%s/herd.yaml", running->dir);
	write_file(running, "");
	node->name = "A";
	node->herd = "h";
	node->file_path = running->path;
	node->base_dir = running->dir;
	diagnostics_init(&diagnostics);
	assert_ok(config_load(
	    running->path, "A", &node->file, &node->self, &diagnostics));
	diagnostics_release(&diagnostics);
	node->boot = node->file;
	assert_ok(log_open(
	    open("/dev/null", O_WRONLY), LOG_INFO, LOG_LOGFMT, &node->log));
	assert_ok(table_new(&config, &node->table));
	settings_apply(node);
	*state = running;
	return 0;
}

static int
tear_down(void **state)
{
	struct running *running = *state;
	struct node *node = &running->node;

	if (node->file.nodes != node->boot.nodes)
		herdfile_release(&node->boot);
	herdfile_release(&node->file);
	table_free(node->table);
	log_close(node->log);
	unlink(running->path);
	rmdir(running->dir);
	free(running);
	return 0;
}

/* --- what settings govern ------------------------------------------------ */

struct governed {
	const char *setting;
	uint64_t value;
};

#define GOVERNED_MAX 64u

/* As the log writes it: a line of JSON begins with a brace. */
static bool
log_is_json(struct log *log)
{
	/* One after the other, because an event's lines have a rate. */
	static const char *const EVENTS[] = { "a", "b", "c", "d", "e" };
	static unsigned next;
	struct buf line;
	bool is_json;

	buf_init(&line, 10000);
	LOG(log, LOG_ERROR, EVENTS[next++ % HERD_ARRAY_LEN(EVENTS)],
	    log_text("key", "value"));
	assert_ok(log_lines(log, 1, &line));
	is_json = buf_span(&line).data[0] == '{';
	buf_release(&line);
	return is_json;
}

static uint64_t
hash_of(const char *text)
{
	return herdfile_hash(span_from(text));
}

/* Every setting that applies on reload, with its value where it is read. */
static unsigned
look(const struct node *node, struct governed out[GOVERNED_MAX])
{
	const struct node_limits *limits = &node->limits;
	const struct node_timings *timings = &node->timings;
	const struct governed all[] = {
		{ "max_ahead", limits->max_ahead_ns },
		{ "flood", timings->sparse },
		{ "max_memory", limits->max_memory },
		{ "at_limit", limits->refuse_at_cap },
		{ "max_connections", limits->max_connections },
		{ "max_connections_per_address", limits->max_per_address },
		{ "request_timeout", limits->request_timeout_ns },
		{ "write_timeout", limits->write_timeout_ns },
		{ "idle_timeout", limits->idle_timeout_ns },
		{ "request_rate", limits->request_rate },
		{ "ready_after", limits->ready_after_ns },
		{ "link.ping_after", timings->ping_after_ns },
		{ "link.dead_after", timings->dead_after_ns },
		{ "link.stall_after", timings->stall_after_ns },
		{ "link.verify_every", timings->verify_every_ns },
		{ "link.flush_every", timings->flush_every_ns },
		{ "link.redial_max", timings->redial_max_ns },
		{ "link.rest_after", timings->rest_after_ns },
		/* Only herdctl uses it: from the file itself. */
		{ "ca_file", hash_of(node->file.settings.ca_file) },
		{ "clients.tls_cert", hash_of(node->clients_tls.cert) },
		{ "clients.tls_key", hash_of(node->clients_tls.key) },
		{ "clients.client_ca", hash_of(node->clients_tls.client_ca) },
		{ "clients.bind_ids", limits->bind_ids },
		{ "admin.tls_cert", hash_of(node->admin_tls.cert) },
		{ "admin.tls_key", hash_of(node->admin_tls.key) },
		{ "admin.client_ca", hash_of(node->admin_tls.client_ca) },
		{ "admin.group", hash_of(node->admin_group) },
		{ "admin.plaintext", node->admin_plaintext },
		{ "http.tls_cert", hash_of(node->http_tls.cert) },
		{ "http.tls_key", hash_of(node->http_tls.key) },
		{ "http.friends", hash_of(node->http_friends) },
		{ "http.trust_proxy", hash_of(node->http_proxy) },
		{ "http.rate", limits->http_rate },
		{ "log.level", log_level_get(node->log) },
		{ "log.format", log_is_json(node->log) },
	};

	memcpy(out, all, sizeof(all));
	return HERD_ARRAY_LEN(all);
}

/* Another value than the default, which is the one that the node has. */
static void
set_another(struct settings *settings, const struct setting *setting)
{
	struct buf text;

	buf_init(&text, 100);
	switch (setting->type) {
	case SETTING_COUNT:
	case SETTING_SIZE:
		assert_ok(buf_addf(&text, "%llu",
		    (unsigned long long)setting->min + (setting->min == 0)));
		break;
	case SETTING_DURATION: assert_ok(buf_add_text(&text, "40ms")); break;
	case SETTING_BOOL:
	case SETTING_ENUM:
		assert_ok(buf_add_text(
		    &text, setting->words[strcmp(setting->words[0],
					      setting->initial) == 0]));
		break;
	case SETTING_ENUMS:
		setting_clear(settings, setting);
		assert_ok(buf_add_text(&text, setting->words[1]));
		break;
	case SETTING_TEXT:
	case SETTING_GROUPS:
	case SETTING_PATH: assert_ok(buf_add_text(&text, "other")); break;
	case SETTING_ADDRESS:
		assert_ok(buf_add_text(&text, "localhost:1"));
		break;
	}
	assert_ok(setting_set(settings, setting, buf_span(&text), NULL));
	buf_release(&text);
}

static void
check_change(struct node *node, const struct setting *setting)
{
	struct governed before[GOVERNED_MAX], after[GOVERNED_MAX];
	unsigned count = look(node, before);
	bool found = false;

	set_another(&node->file.settings, setting);
	settings_apply(node);
	look(node, after);
	for (unsigned i = 0; i < count; i++) {
		bool own = setting->reloadable &&
			   strcmp(before[i].setting, setting->name) == 0;

		found |= own;
		if ((before[i].value != after[i].value) != own)
			fail_msg("%s: what %s governs is %s", setting->name,
			    before[i].setting,
			    own ? "as before" : "another one");
	}
	if (found != setting->reloadable)
		fail_msg("%s applies on reload: add what it governs to look()",
		    setting->name);
	if (setting->type == SETTING_GROUPS)
		setting_clear(&node->file.settings, setting);
	assert_ok(setting_set(
	    &node->file.settings, setting, span_from(setting->initial), NULL));
	settings_apply(node);
}

static void
test_each_setting_changes_what_it_governs(void **state)
{
	struct running *running = *state;
	struct governed all[GOVERNED_MAX];
	size_t count, reloadable = 0;
	const struct setting *table = settings_table(&count);

	for (size_t i = 0; i < count; i++) {
		check_change(&running->node, &table[i]);
		reloadable += table[i].reloadable;
	}
	assert_int_equal(look(&running->node, all), reloadable);
}

/* --- a reload ----------------------------------------------------------- */

static enum herd_error
on_reload(void *arg)
{
	struct node *node = arg;

	/* The settings are the new ones already. */
	assert_int_equal(
	    node->timings.ping_after_ns, node->file.settings.link.ping_after);
	return node->file.settings.max_ahead == 0 ? HERD_ENOMEM : HERD_OK;
}

static void
test_reload_says_what_applied(void **state)
{
	struct running *running = *state;
	struct node *node = &running->node;
	struct reload reload;

	node_on_reload(node, on_reload, node);
	write_file(running, "workers: 3\nlink:\n  ping_after: 1s\n"
			    "log:\n  format: json\n");
	reload_init(&reload);
	assert_ok(node_reload(node, "test", &reload));
	assert_int_equal(reload.applied_count, 2);
	assert_string_equal(reload.applied[0], "link.ping_after");
	assert_string_equal(reload.applied[1], "log.format");
	assert_int_equal(reload.restart_count, 1);
	assert_string_equal(reload.restart[0], "workers");
	reload_release(&reload);
	assert_int_equal(node->timings.ping_after_ns, HERD_NS_PER_S);
	assert_true(log_is_json(node->log));
	/* A reload names what it applies once, what needs a restart again. */
	reload_init(&reload);
	assert_ok(node_reload(node, "test", &reload));
	assert_int_equal(reload.applied_count, 0);
	assert_int_equal(reload.restart_count, 1);
	reload_release(&reload);
}

static void
test_reload_that_fails_changes_nothing(void **state)
{
	struct running *running = *state;
	struct node *node = &running->node;
	struct governed before[GOVERNED_MAX], after[GOVERNED_MAX];
	unsigned count = look(node, before);
	struct reload reload;

	node_on_reload(node, on_reload, node);
	write_file(running, "max_ahead: 0\nlink:\n  ping_after: 1s\n");
	reload_init(&reload);
	assert_int_equal(node_reload(node, "test", &reload), HERD_ENOMEM);
	reload_release(&reload);
	look(node, after);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(before[i].value, after[i].value);
	assert_int_equal(node->file.settings.max_ahead, 300 * HERD_NS_PER_S);
}

/* A file that a setting names: what was done with it. */
struct named_file {
	bool fails;
	unsigned reads, uses, drops;
};

static enum herd_error
on_read(void *arg, struct reload *reload, struct buf *message)
{
	struct named_file *file = arg;

	file->reads++;
	if (file->fails)
		return buf_add_text(message, "key_file x: torn") == HERD_OK
			   ? HERD_ESYSTEM
			   : HERD_ENOMEM;
	reload_applies(reload, "key_file");
	return HERD_OK;
}

static void
on_end(void *arg, bool use)
{
	struct named_file *file = arg;

	if (use)
		file->uses++;
	else
		file->drops++;
}

static void
test_reload_takes_files_all_or_none(void **state)
{
	static const struct reload_files FILES = { on_read, on_end };
	struct running *running = *state;
	struct node *node = &running->node;
	struct named_file first = { 0 };
	struct named_file second = { .fails = true };
	struct reload reload;

	node_on_reload_files(node, &FILES, &first);
	node_on_reload_files(node, &FILES, &second);
	write_file(running, "link:\n  ping_after: 1s\n");
	reload_init(&reload);
	assert_int_equal(node_reload(node, "test", &reload), HERD_ESYSTEM);
	assert_int_equal(reload.diagnostics.errors, 1);
	assert_string_equal(
	    reload.diagnostics.items[0].text, "key_file x: torn");
	reload_release(&reload);
	assert_int_equal(first.drops, 1);
	assert_int_equal(first.uses + second.uses + second.drops, 0);
	assert_int_not_equal(node->timings.ping_after_ns, HERD_NS_PER_S);

	second.fails = false;
	reload_init(&reload);
	assert_ok(node_reload(node, "test", &reload));
	assert_int_equal(reload.applied_count, 3);
	assert_string_equal(reload.applied[2], "key_file");
	reload_release(&reload);
	assert_int_equal(first.uses, 1);
	assert_int_equal(second.uses, 1);
	assert_int_equal(node->timings.ping_after_ns, HERD_NS_PER_S);

	/* The links could not take it: nor do the files. */
	node_on_reload(node, on_reload, node);
	write_file(running, "max_ahead: 0\n");
	reload_init(&reload);
	assert_int_equal(node_reload(node, "test", &reload), HERD_ENOMEM);
	reload_release(&reload);
	assert_int_equal(first.uses + second.uses, 2);
	assert_int_equal(first.drops + second.drops, 3);
}

static void
test_reload_reaches_the_links(void **state)
{
	struct running *running = *state;
	struct node *node = &running->node;
	struct peering *peering;
	struct reload reload;
	struct buf message;

	buf_init(&message, 1000);
	assert_ok(peering_open(node, &message, &peering));
	write_file(running, "link: {ping_after: 1s, dead_after: 2s,\n"
			    "  stall_after: 3s, verify_every: 4s,\n"
			    "  flush_every: 5ms}\n");
	reload_init(&reload);
	assert_ok(node_reload(node, "test", &reload));
	reload_release(&reload);
	peering_close(peering);
	assert_int_equal(node->sessions.ping_after_ns, HERD_NS_PER_S);
	assert_int_equal(node->sessions.dead_after_ns, 2 * HERD_NS_PER_S);
	assert_int_equal(node->sessions.stall_after_ns, 3 * HERD_NS_PER_S);
	assert_int_equal(node->sessions.verify_every_ns, 4 * HERD_NS_PER_S);
	assert_int_equal(node->sessions.flush_every_ns, 5 * HERD_NS_PER_MS);
	buf_release(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_each_setting_changes_what_it_governs, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_reload_says_what_applied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_reload_that_fails_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_reload_takes_files_all_or_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_reload_reaches_the_links, set_up, tear_down),
	};

	evthread_use_pthreads();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
