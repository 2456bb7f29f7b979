/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the phones listener opens, reloads and closes. */
#include "phones/phones.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop_watch.h"
#include "base/thread.h"
#include "net/socket.h"
#include "node/limits.h"
#include "node/reload.h"
#include "phones/friends.h"
#include "phones/login.h"
#include "phones/phone_report.h"
#include "phones/phones_room.h"

#define USERS_SETTING "http.users_file"
#define IDLE_S 300u /* between two requests of a phone */
#define BYTES_MAX (32u << 20)
#define BYTES_PER_S 2048u
#define PER_ADDRESS 256u
/* What evhttp, TLS and a call hold of a connection beside its requests. */
#define CONNECTION_BYTES (96u << 10)
/* An account with its devices and its lines; two sets during a reload. */
#define USER_BYTES 8192u
#define STOP_S 11 /* places may take 10 s */

const char *
phones_app_word(enum phones_app app)
{
	static const char *const words[] = {
#define HERD_PHONES_APP_WORD(id, word) [id] = word,
		PHONES_APPS(HERD_PHONES_APP_WORD)
#undef HERD_PHONES_APP_WORD
	};

	return words[app];
}

const char *
phones_refusal_word(enum phones_refusal why)
{
	static const char *const words[] = {
#define HERD_PHONES_REFUSAL_WORD(id, status, word, always, text) [id] = word,
		PHONES_REFUSALS(HERD_PHONES_REFUSAL_WORD)
#undef HERD_PHONES_REFUSAL_WORD
	};

	return words[why];
}

/* --- configuration ---------------------------------------------------------
 */

static enum herd_error
read_users(const struct node *node, struct users_file *out, struct buf *message)
{
	const struct keyfile file = { USERS_SETTING,
		node->boot.settings.http.users_file, node->name, node->base_dir,
		false };

	return users_file_read(&file, out, message);
}

/* False: the text is no address. */
static bool
read_proxy(const char *text, struct in6_addr *out)
{
	struct in_addr v4;

	if (inet_pton(AF_INET6, text, out) == 1)
		return true;
	if (inet_pton(AF_INET, text, &v4) != 1)
		return false;
	*out = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&out->s6_addr[12], &v4, sizeof(v4));
	return true;
}

/* Takes the users file. */
static enum herd_error
make_config(const struct node *node, struct users_file *users,
    struct phones_config *out)
{
	out->has_proxy = node->http_proxy[0] != '\0' &&
			 read_proxy(node->http_proxy, &out->proxy);
	if (node->http_proxy[0] != '\0' && !out->has_proxy)
		LOG(node->log, LOG_ERROR, "trust-proxy",
		    log_text("error", "http.trust_proxy is no numeric address"),
		    log_text("next", "no proxy is trusted; fix it and reload"));
	return accounts_new(users, node->http_friends, &out->accounts);
}

static void
use_config(struct phones *phones, const struct phones_config *config)
{
	accounts_take_devices(config->accounts, phones->config.accounts);
	accounts_free(phones->config.accounts);
	phones->config = *config;
	phones->walk = (struct table_cursor){ 0 };
	phones->walk_pause = 0;
	atomic_store(&phones->users, accounts_count(config->accounts));
}

/* A configuration on its way to the phones thread. */
struct config_message {
	struct message message;
	struct phones *phones;
	struct phones_config config;
};

static void
on_config(struct message *message)
{
	struct config_message *news = (struct config_message *)message;

	use_config(news->phones, &news->config);
	login_restart(news->phones);
	free(news);
}

/* Tells a file that has changed. */
static uint64_t
hash_of(const struct users_file *users)
{
	return herdfile_hash(span_of(users->text, users->len));
}

static enum herd_error
on_reload_read(void *arg, struct reload *reload, struct buf *message)
{
	struct phones *phones = arg;
	enum herd_error error =
	    read_users(phones->node, &phones->new_users, message);

	if (error == HERD_OK &&
	    hash_of(&phones->new_users) != phones->users_hash)
		reload_applies(reload, USERS_SETTING);
	return error;
}

static void
on_reload_end(void *arg, bool use)
{
	struct phones *phones = arg;
	struct config_message *news = use ? calloc(1, sizeof(*news)) : NULL;
	enum herd_error error = HERD_ENOMEM;

	if (use)
		phones->users_hash = hash_of(&phones->new_users);
	if (news != NULL)
		error = make_config(
		    phones->node, &phones->new_users, &news->config);
	users_file_release(&phones->new_users);
	if (error == HERD_OK && news != NULL) {
		news->message.run = on_config;
		news->phones = phones;
		mailbox_post(&phones->mailbox, &news->message);
		return;
	}
	free(news);
	if (use)
		LOG(phones->node->log, LOG_ERROR, "users-file",
		    log_text("error", herd_strerror(error)),
		    log_text("next", "the users and friends of before stay; "
				     "reload again"));
}

static const struct reload_files USERS_FILES = { on_reload_read,
	on_reload_end };

/* --- the thread ------------------------------------------------------------
 */

static void
on_wake(void *arg)
{
	phone_report_release(arg);
}

static void
on_tick(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct phones *phones = arg;
	struct http_limits_counts counts = http_limits_count(phones->limits);

	loop_watch_begin("phones-walk");
	busiest_turn(&phones->busiest, clock_mono());
	phone_report_expire(phones, clock_mono());
	atomic_store(&phones->connections, counts.now);
	atomic_store(&phones->connections_refused, counts.refused);
	atomic_store(&phones->timed_out, counts.timed_out);
	friends_walk(phones);
	loop_watch_end();
}

static void *
run(void *arg)
{
	struct phones *phones = arg;

	(void)event_base_dispatch(phones->base);
	return NULL;
}

struct stop_message {
	struct message message;
	struct phones *phones;
};

static void
on_stop(struct message *message)
{
	struct stop_message *stop = (struct stop_message *)message;
	struct phones *phones = stop->phones;
	const struct timeval wait = { STOP_S, 0 };

	free(stop);
	phones->stopping = true;
	http_acceptor_rest(&phones->acceptor);
	if (TAILQ_EMPTY(&phones->calls))
		event_base_loopexit(phones->base, NULL);
	else
		event_base_loopexit(phones->base, &wait);
}

/* --- life ------------------------------------------------------------------
 */

static enum herd_error
open_limits(struct phones *phones)
{
	unsigned max = limits_phones(limits_raise_files());
	const struct http_limits_config config = {
		.event = "phones-limit",
		.error = "too many connections of phones",
		.max = max,
		.reserved = max / 8,
		.of_address = PER_ADDRESS < max ? PER_ADDRESS : max,
		.bytes_max = BYTES_MAX,
		.trusted_of_address = max / 4 + 1,
		.bytes_of_connection = 2u * PHONE_BATCH_MAX,
		.bytes_per_s = BYTES_PER_S,
	};

	return http_limits_open(
	    phones->base, phones->node->log, &config, &phones->limits);
}

static enum herd_error
open_listener(
    struct phones *phones, const struct address *address, struct buf *message)
{
	const struct http_acceptor_config config = {
		.base = phones->base,
		.log = phones->node->log,
		.limits = phones->limits,
		.name = "http",
		.slot = &phones->node->http_tls.slot,
		.idle_s = IDLE_S,
		.head_max = PHONE_HEAD_MAX,
		.body_max = PHONE_BATCH_MAX,
		.methods = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT,
		.on_request = phone_call_on_request,
		.arg = phones,
	};
	enum herd_error error;
	int fd;

	error = socket_listen(address, message, &fd);
	if (error != HERD_OK)
		return error;
	error = socket_bound(fd, address, &phones->address);
	if (error != HERD_OK) {
		close(fd);
		return error;
	}
	phones->is_local = address_is_loopback(address);
	return http_acceptor_open(&phones->acceptor, &config, fd);
}

static enum herd_error
open_config(struct phones *phones, struct buf *message)
{
	struct users_file users = { 0 };
	struct phones_config config = { .accounts = NULL };
	enum herd_error error = read_users(phones->node, &users, message);

	if (error == HERD_OK) {
		phones->users_hash = hash_of(&users);
		error = make_config(phones->node, &users, &config);
	}
	if (error == HERD_OK)
		use_config(phones, &config);
	return error;
}

static enum herd_error
open_tick(struct phones *phones)
{
	const struct timeval every = { 0, FRIENDS_TICK_MS * 1000 };

	phones->walk_tick =
	    event_new(phones->base, -1, EV_PERSIST, on_tick, phones);
	return phones->walk_tick == NULL ||
		       event_add(phones->walk_tick, &every) != 0
		   ? HERD_ENOMEM
		   : HERD_OK;
}

static enum herd_error
open_parts(
    struct phones *phones, const struct address *address, struct buf *message)
{
	enum herd_error error;

	phones->base = event_base_new();
	if (phones->base == NULL)
		return HERD_ENOMEM;
	error = mailbox_init(&phones->mailbox, phones->base, on_wake, phones);
	phones->has_mailbox = error == HERD_OK;
	if (error == HERD_OK)
		error = open_config(phones, message);
	if (error == HERD_OK)
		error = hasher_open(&phones->mailbox, &phones->hasher);
	if (error == HERD_OK && phones->node->places != NULL)
		error =
		    places_reader_open(phones->node->places, &phones->places);
	if (error == HERD_OK)
		error = open_limits(phones);
	if (error == HERD_OK)
		error = open_tick(phones);
	if (error == HERD_OK)
		error = open_listener(phones, address, message);
	/* A flood of phones must not slow the line protocol. */
	if (error == HERD_OK &&
	    thread_start(&phones->thread, "phones",
		THREAD_LOOP | THREAD_PATIENT, run, phones) != 0)
		error = HERD_ENOMEM;
	phones->has_thread = error == HERD_OK;
	if (phones->has_thread && phones->node->places != NULL)
		places_expect_filters(phones->node->places);
	return error;
}

enum herd_error
phones_open(struct node *node, struct buf *message, struct phones **out)
{
	const struct address *address = &node->boot.nodes[node->boot_self].http;
	struct phones *phones;
	enum herd_error error;

	*out = NULL;
	if (address->kind == ADDRESS_NONE)
		return HERD_OK;
	phones = calloc(1, sizeof(*phones));
	if (phones == NULL)
		return HERD_ENOMEM;
	phones->node = node;
	TAILQ_INIT(&phones->logins);
	TAILQ_INIT(&phones->calls);
	TAILQ_INIT(&phones->held);
	refusals_init(&phones->refusals);
	error = busiest_init(&phones->busiest);
	if (error == HERD_OK)
		error = open_parts(phones, address, message);
	if (error != HERD_OK) {
		phones_stop(phones);
		phones_free(phones);
		return error;
	}
	node_on_reload_files(node, &USERS_FILES, phones);
	*out = phones;
	return HERD_OK;
}

static void
end_thread(struct phones *phones)
{
	struct stop_message *stop = calloc(1, sizeof(*stop));

	if (stop != NULL) {
		stop->message.run = on_stop;
		stop->phones = phones;
		mailbox_post(&phones->mailbox, &stop->message);
	} else {
		event_base_loopexit(phones->base, NULL);
	}
	pthread_join(phones->thread, NULL);
	phones->has_thread = false;
}

void
phones_stop(struct phones *phones)
{
	struct phone_call *call;
	struct phone_call *next;

	if (phones == NULL)
		return;
	if (phones->has_thread)
		end_thread(phones);
	for (call = TAILQ_FIRST(&phones->calls); call != NULL; call = next) {
		next = TAILQ_NEXT(call, all);
		phone_call_abort(call);
	}
	http_acceptor_close(&phones->acceptor);
	http_limits_close(phones->limits);
	phones->limits = NULL;
	hasher_close(phones->hasher);
	phones->hasher = NULL;
	if (phones->places != NULL)
		places_reader_close(phones->places);
	phones->places = NULL;
}

void
phones_free(struct phones *phones)
{
	if (phones == NULL)
		return;
	if (phones->has_mailbox)
		mailbox_release(&phones->mailbox);
	if (phones->walk_tick != NULL)
		event_free(phones->walk_tick);
	if (phones->base != NULL)
		event_base_free(phones->base);
	accounts_free(phones->config.accounts);
	users_file_release(&phones->new_users);
	refusals_release(&phones->refusals);
	busiest_release(&phones->busiest);
	free(phones);
}

/* --- for others ------------------------------------------------------------
 */

void
phones_wake(struct phones *phones)
{
	if (phones != NULL)
		mailbox_wake(&phones->mailbox);
}

const struct address *
phones_address(const struct phones *phones)
{
	return &phones->address;
}

void
phones_count(const struct phones *phones, struct phones_counts *out)
{
	*out = (struct phones_counts){ 0 };
	if (phones == NULL)
		return;
	for (unsigned i = 0; i < APP_COUNT; i++)
		out->reports[i] = atomic_load(&phones->reports[i]);
	for (unsigned i = 0; i < PHONES_REFUSAL_COUNT; i++)
		out->refused[i] = atomic_load(&phones->refused[i]);
	for (unsigned i = 0; i < INTAKE_FAULT_COUNT; i++)
		out->faults[i] = atomic_load(&phones->faults[i]);
	out->requests = atomic_load(&phones->requests);
	out->connections = atomic_load(&phones->connections);
	out->connections_refused = atomic_load(&phones->connections_refused);
	out->timed_out = atomic_load(&phones->timed_out);
	out->users = atomic_load(&phones->users);
	out->pending = atomic_load(&phones->pending);
	out->memory_max = sizeof(*phones) + BYTES_MAX + busiest_bytes() +
			  out->users * USER_BYTES * 2 +
			  out->connections * CONNECTION_BYTES;
	busiest_raise(
	    &phones->busiest, BUSIEST_REPORTS, &out->busiest_client_reports);
	busiest_raise(
	    &phones->busiest, BUSIEST_REQUESTS, &out->busiest_address_requests);
	if (phones->hasher != NULL)
		out->hashing = hasher_waiting(phones->hasher);
}

void
phones_post(struct phones *phones, struct message *message)
{
	mailbox_post(&phones->mailbox, message);
}

const struct busiest *
phones_busiest(const struct phones *phones)
{
	return &phones->busiest;
}

void
phones_refused(struct phones *phones, struct refused *list, unsigned *count)
{
	if (phones != NULL)
		refusals_merge(&phones->refusals, list, count);
}
