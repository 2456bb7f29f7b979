/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/fetch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/loop_watch.h"

/*
 * Connections and the fetches on them. After a timeout the pool takes no new
 * fetches and is freed with its last one, because the connection may be dead
 * without a sign, and HTTP/2 would give it to the next fetches too.
 */
struct pool {
	TAILQ_ENTRY(pool) all;
	struct fetcher *fetcher;
	CURLM *multi;
	struct event *timer;
	unsigned fetches;
	bool collecting; /* collect() is at work on it */
};

struct fetch {
	TAILQ_ENTRY(fetch) all;
	struct fetcher *fetcher;
	struct pool *pool; /* NULL = not begun */
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	struct buf body;
	bool too_large;
	char text[CURL_ERROR_SIZE];
	fetch_on_done *on_done;
	void *arg;
};

struct fetcher {
	struct event_base *base;
	struct pool *pool; /* for new fetches; NULL = made with the next */
	char *user_agent;
	char *ca_file;
	char *connect_to; /* in curl's form; NULL = none */
	uint64_t connect_timeout_ms;
	TAILQ_HEAD(fetch_list, fetch) fetches;
	TAILQ_HEAD(pool_list, pool) pools;
};

/* --- pools --------------------------------------------------------------- */

static void
pool_free(struct pool *pool)
{
	TAILQ_REMOVE(&pool->fetcher->pools, pool, all);
	/* It may still call back. */
	if (pool->multi != NULL)
		(void)curl_multi_cleanup(pool->multi);
	if (pool->timer != NULL)
		event_free(pool->timer);
	free(pool);
}

static void
pool_retire(struct pool *pool)
{
	if (pool->fetcher->pool == pool)
		pool->fetcher->pool = NULL;
}

/* Frees a retired pool that has no fetches. */
static void
pool_settle(struct pool *pool)
{
	if (pool->fetcher->pool != pool && pool->fetches == 0 &&
	    !pool->collecting)
		pool_free(pool);
}

/* --- life of a fetch ----------------------------------------------------- */

void
fetch_free(struct fetch *fetch)
{
	struct pool *pool = fetch->pool;

	TAILQ_REMOVE(&fetch->fetcher->fetches, fetch, all);
	if (pool != NULL) {
		(void)curl_multi_remove_handle(pool->multi, fetch->easy);
		pool->fetches--;
	}
	if (fetch->easy != NULL)
		curl_easy_cleanup(fetch->easy);
	/* One of them may hold the key. */
	for (struct curl_slist *at = fetch->headers; at != NULL; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(fetch->headers);
	curl_slist_free_all(fetch->connect_to);
	buf_release(&fetch->body);
	free(fetch);
	if (pool != NULL)
		pool_settle(pool);
}

/* --- how it ended -------------------------------------------------------- */

static enum fetch_outcome
outcome_of(CURLcode code, const struct fetch *fetch)
{
	if (fetch->too_large)
		return FETCH_TOO_LARGE;
	/* libcurl may have codes that this was not compiled with. */
	switch ((int)code) {
	case CURLE_OK: return FETCH_ANSWERED;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return FETCH_NAME;
	case CURLE_COULDNT_CONNECT: return FETCH_CONNECT;
	case CURLE_OPERATION_TIMEDOUT: return FETCH_TIMEOUT;
	case CURLE_FILESIZE_EXCEEDED: return FETCH_TOO_LARGE;
	case CURLE_OUT_OF_MEMORY: return FETCH_MEMORY;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR: return FETCH_TLS;
	default: return FETCH_BROKEN;
	}
}

/* Microseconds since the start as milliseconds; 0 means: not reached. */
static double
read_ms(CURL *easy, CURLINFO info)
{
	curl_off_t us = 0;

	if (curl_easy_getinfo(easy, info, &us) != CURLE_OK || us <= 0)
		return -1;
	return (double)us / 1000;
}

static void
finish(struct fetch *fetch, CURLcode code)
{
	struct fetch_result result = { .outcome = outcome_of(code, fetch) };
	long status = 0;
	long header_bytes = 0;

	(void)curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(
	    fetch->easy, CURLINFO_HEADER_SIZE, &header_bytes);
	result.http_status = (unsigned)status;
	result.body = buf_span(&fetch->body);
	result.silent = header_bytes == 0 && fetch->body.len == 0;
	if (result.outcome == FETCH_TOO_LARGE)
		result.text = "the answer is larger than its limit";
	else if (fetch->text[0] != '\0')
		result.text = fetch->text;
	else
		result.text = curl_easy_strerror(code);
	result.dns_ms = read_ms(fetch->easy, CURLINFO_NAMELOOKUP_TIME_T);
	result.connect_ms = read_ms(fetch->easy, CURLINFO_CONNECT_TIME_T);
	result.tls_ms = read_ms(fetch->easy, CURLINFO_APPCONNECT_TIME_T);
	result.first_byte_ms =
	    read_ms(fetch->easy, CURLINFO_STARTTRANSFER_TIME_T);
	result.total_ms = read_ms(fetch->easy, CURLINFO_TOTAL_TIME_T);
	if (result.outcome == FETCH_TIMEOUT)
		pool_retire(fetch->pool);
	fetch->on_done(fetch->arg, &result);
	fetch_free(fetch);
}

/* Finishes the fetches that libcurl has ended. May free the pool. */
static void
collect(struct pool *pool)
{
	CURLMsg *message;
	int left;

	pool->collecting = true;
	while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
		char *private = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, &private);
		finish((struct fetch *)(void *)private, code);
	}
	pool->collecting = false;
	pool_settle(pool);
}

/* --- libcurl on libevent ------------------------------------------------- */

static void
on_socket_ready(evutil_socket_t fd, short what, void *arg)
{
	struct pool *pool = arg;
	int running;
	int bits = (what & EV_READ ? CURL_CSELECT_IN : 0) |
		   (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

	loop_watch_begin("places-call");
	(void)curl_multi_socket_action(pool->multi, fd, bits, &running);
	collect(pool);
	loop_watch_end();
}

static void
on_timeout(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct pool *pool = arg;
	int running;

	loop_watch_begin("places-time");
	(void)curl_multi_socket_action(
	    pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(pool);
	loop_watch_end();
}

/*
 * A timeout of 0 goes through the loop as well: libcurl must not be entered
 * from its own callback.
 */
static int
on_timer_wanted(CURLM *multi HERD_UNUSED, long timeout_ms, void *arg)
{
	struct pool *pool = arg;
	struct timeval delay;

	if (timeout_ms < 0)
		return event_del(pool->timer);
	delay.tv_sec = timeout_ms / 1000;
	delay.tv_usec = timeout_ms % 1000 * 1000;
	return event_add(pool->timer, &delay);
}

/*
 * Each change makes a new event for the socket. CURL_POLL_REMOVE ends only the
 * watching: the socket stays open for the next request.
 */
static int
on_socket_wanted(CURL *easy HERD_UNUSED, curl_socket_t fd, int what, void *arg,
    void *socket_arg)
{
	struct pool *pool = arg;
	struct event *event = socket_arg;
	short bits = EV_PERSIST;

	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		bits = (short)(bits | EV_READ);
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		bits = (short)(bits | EV_WRITE);
	if (what != CURL_POLL_REMOVE) {
		event = event_new(
		    pool->fetcher->base, fd, bits, on_socket_ready, pool);
		if (event == NULL || event_add(event, NULL) != 0) {
			if (event != NULL)
				event_free(event);
			(void)curl_multi_assign(pool->multi, fd, NULL);
			return -1;
		}
	}
	(void)curl_multi_assign(pool->multi, fd, event);
	return 0;
}

/* --- opening ------------------------------------------------------------- */

static bool
copy_options(struct fetcher *fetcher, const struct fetch_options *options)
{
	fetcher->connect_timeout_ms = options->connect_timeout_ms;
	fetcher->user_agent = strdup(options->user_agent);
	fetcher->ca_file = strdup(options->ca_file);
	if (options->connect_to[0] != '\0' &&
	    asprintf(&fetcher->connect_to, "::%s", options->connect_to) < 0)
		fetcher->connect_to = NULL;
	return fetcher->user_agent != NULL && fetcher->ca_file != NULL &&
	       (options->connect_to[0] == '\0' || fetcher->connect_to != NULL);
}

static bool
pool_set_up(struct pool *pool)
{
	CURLM *multi = curl_multi_init();

	pool->multi = multi;
	pool->timer = event_new(pool->fetcher->base, -1, 0, on_timeout, pool);
	return multi != NULL && pool->timer != NULL &&
	       curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
		   on_socket_wanted) == CURLM_OK &&
	       curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool) ==
		   CURLM_OK &&
	       curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION,
		   on_timer_wanted) == CURLM_OK &&
	       curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool) == CURLM_OK &&
	       curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
		   (long)FETCH_CONNECTIONS_MAX) == CURLM_OK;
}

/* The pool for new fetches; NULL = out of memory. */
static struct pool *
fetcher_pool(struct fetcher *fetcher)
{
	struct pool *pool;

	if (fetcher->pool != NULL)
		return fetcher->pool;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return NULL;
	pool->fetcher = fetcher;
	TAILQ_INSERT_TAIL(&fetcher->pools, pool, all);
	if (!pool_set_up(pool)) {
		pool_free(pool);
		return NULL;
	}
	fetcher->pool = pool;
	return pool;
}

enum herd_error
fetcher_open(struct event_base *base, const struct fetch_options *options,
    struct fetcher **out)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (fetcher == NULL)
		return HERD_ENOMEM;
	fetcher->base = base;
	TAILQ_INIT(&fetcher->fetches);
	TAILQ_INIT(&fetcher->pools);
	if (!copy_options(fetcher, options) || fetcher_pool(fetcher) == NULL) {
		fetcher_close(fetcher);
		return HERD_ENOMEM;
	}
	*out = fetcher;
	return HERD_OK;
}

void
fetcher_close(struct fetcher *fetcher)
{
	if (fetcher == NULL)
		return;
	while (!TAILQ_EMPTY(&fetcher->fetches))
		fetch_free(TAILQ_FIRST(&fetcher->fetches));
	while (!TAILQ_EMPTY(&fetcher->pools))
		pool_free(TAILQ_FIRST(&fetcher->pools));
	free(fetcher->user_agent);
	free(fetcher->ca_file);
	free(fetcher->connect_to);
	free(fetcher);
}

/* --- one fetch ----------------------------------------------------------- */

/* libcurl's own limit does not see the length of chunked bodies. */
static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	struct fetch *fetch = arg;
	size_t len = size * count;

	if (buf_add(&fetch->body, data, len) == HERD_OK)
		return len;
	fetch->too_large = fetch->body.len + len > fetch->body.max;
	return 0;
}

static bool
append(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

/* curl_easy_setopt() as a condition. */
#define SET(easy, option, value) \
	(curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK)

static bool
set_limits(struct fetch *fetch, uint64_t timeout_ms)
{
	const struct fetcher *fetcher = fetch->fetcher;
	CURL *easy = fetch->easy;
	uint64_t connect_ms = fetcher->connect_timeout_ms < timeout_ms
				  ? fetcher->connect_timeout_ms
				  : timeout_ms;

	return SET(easy, NOSIGNAL, 1L) &&
	       /* Else the end of a fetch waits for a resolver that hangs. */
	       SET(easy, QUICK_EXIT, 1L) &&
	       SET(easy, CONNECTTIMEOUT_MS, (long)connect_ms) &&
	       SET(easy, TIMEOUT_MS, (long)timeout_ms) &&
	       SET(easy, LOW_SPEED_LIMIT, (long)FETCH_SLOW_BYTES_PER_S) &&
	       SET(easy, LOW_SPEED_TIME, (long)FETCH_SLOW_S) &&
	       SET(easy, MAXFILESIZE, (long)PLACES_ANSWER_MAX) &&
	       SET(easy, MAXLIFETIME_CONN, (long)FETCH_CONNECTION_LIFE_S) &&
	       SET(easy, FOLLOWLOCATION, 0L) && SET(easy, PROXY, "") &&
	       /* HTTP/2 over TLS, if both can; fetches share a connection. */
	       SET(easy, HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) &&
	       SET(easy, PIPEWAIT, 1L);
}

static bool
set_security(struct fetch *fetch, const char *url)
{
	const struct fetcher *fetcher = fetch->fetcher;
	CURL *easy = fetch->easy;
	bool plain = strncmp(url, "http:", 5) == 0;

	if (!SET(easy, PROTOCOLS_STR, plain ? "http" : "https") ||
	    !SET(easy, SSL_VERIFYPEER, 1L) || !SET(easy, SSL_VERIFYHOST, 2L) ||
	    !SET(easy, SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2))
		return false;
	if (fetcher->ca_file[0] == '\0')
		return true;
	/* These certificates and no others. */
	return SET(easy, CAINFO, fetcher->ca_file) && SET(easy, CAPATH, NULL);
}

static bool
set_request(struct fetch *fetch, struct upstream_request *request)
{
	CURL *easy = fetch->easy;
	struct span body = buf_span(&request->body);

	for (unsigned i = 0; i < request->header_count; i++) {
		const char *header = buf_cstr(&request->headers[i]);

		if (header == NULL || !append(&fetch->headers, header))
			return false;
	}
	if (body.len > 0 && (!SET(easy, POST, 1L) ||
				!SET(easy, POSTFIELDSIZE, (long)body.len) ||
				!SET(easy, COPYPOSTFIELDS, body.data)))
		return false;
	return SET(easy, HTTPHEADER, fetch->headers) &&
	       SET(easy, USERAGENT, fetch->fetcher->user_agent);
}

static bool
set_way(struct fetch *fetch, enum fetch_way way)
{
	CURL *easy = fetch->easy;

	return way == FETCH_SHARES ||
	       (SET(easy, FRESH_CONNECT, 1L) && SET(easy, FORBID_REUSE, 1L) &&
		   SET(easy, DNS_CACHE_TIMEOUT, 0L));
}

static bool
set_up(struct fetch *fetch, struct upstream_request *request, const char *url,
    enum fetch_way way, uint64_t timeout_ms)
{
	struct fetcher *fetcher = fetch->fetcher;
	struct pool *pool = fetcher_pool(fetcher);

	fetch->easy = curl_easy_init();
	if (pool == NULL || fetch->easy == NULL)
		return false;
	if (fetcher->connect_to != NULL &&
	    (!append(&fetch->connect_to, fetcher->connect_to) ||
		!SET(fetch->easy, CONNECT_TO, fetch->connect_to)))
		return false;
	if (!SET(fetch->easy, PRIVATE, fetch) ||
	    !SET(fetch->easy, ERRORBUFFER, fetch->text) ||
	    !SET(fetch->easy, WRITEFUNCTION, on_body) ||
	    !SET(fetch->easy, WRITEDATA, fetch) ||
	    !SET(fetch->easy, URL, url) || !set_limits(fetch, timeout_ms) ||
	    !set_security(fetch, url) || !set_request(fetch, request) ||
	    !set_way(fetch, way) ||
	    curl_multi_add_handle(pool->multi, fetch->easy) != CURLM_OK)
		return false;
	fetch->pool = pool;
	pool->fetches++;
	return true;
}

enum herd_error
fetch_start(struct fetcher *fetcher, struct upstream_request *request,
    enum fetch_way way, uint64_t timeout_ms, fetch_on_done *on_done, void *arg,
    struct fetch **out)
{
	const char *url = buf_cstr(&request->url);
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL || url == NULL) {
		free(fetch);
		return HERD_ENOMEM;
	}
	fetch->fetcher = fetcher;
	fetch->on_done = on_done;
	fetch->arg = arg;
	buf_init(&fetch->body, PLACES_ANSWER_MAX);
	TAILQ_INSERT_TAIL(&fetcher->fetches, fetch, all);
	if (!set_up(fetch, request, url, way, timeout_ms)) {
		fetch_free(fetch);
		return HERD_ENOMEM;
	}
	*out = fetch;
	return HERD_OK;
}
