/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A closed-loop load generator for line servers, and for phones over HTTP: C
 * connections, each sends D requests at once and waits for D replies. Prints
 * one line of JSON with the rate, the latency of a batch and the server's CPU
 * time per request, which is what can be compared on a noisy machine.
 *
 *     load PROTOCOL PORT PID CONNECTIONS DEPTH SECONDS CLIENTS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "herd/text.h"
#include "herd/time.h"

#define CONNECTIONS_MAX 4096u
#define DEPTH_MAX 1024u
#define SAMPLES_MAX (1u << 22)
#define REQUEST_MAX 512u
#define DEVICES_OF_USER 32u

enum protocol {
	HERD_IAMAT,
	HERD_WHATSAT,
	REDIS_SET,
	REDIS_GEO,
	MEMCACHED_SET,
	ECHO_LINE,
	HTTP_OWNTRACKS, /* a password, tests/bench/phones.py */
	HTTP_QUERY      /* a device's key */
};

static const struct {
	const char *name;
	unsigned lf_per_reply; /* LFs in a row end a reply: 1 or 2 */
} PROTOCOLS[] = {
	[HERD_IAMAT] = { "iamat", 1 },
	[HERD_WHATSAT] = { "whatsat", 2 },
	[REDIS_SET] = { "redis-set", 1 },
	[REDIS_GEO] = { "redis-geo", 0 },
	[MEMCACHED_SET] = { "memcached-set", 1 },
	[ECHO_LINE] = { "echo", 1 },
	/* The head of the reply ends so, and nothing in a body. */
	[HTTP_OWNTRACKS] = { "http-owntracks", 2 },
	[HTTP_QUERY] = { "http-query", 2 },
};

struct connection {
	int fd;
	unsigned open; /* replies to come */
	bool was_lf;
	uint64_t sent_ns;
	size_t out_len;
	size_t out_at;
	char *out;
	/* redis-geo: lines of the array still to come, -1 = header is due */
	long lines;
	long header;
	bool in_header;
};

struct load {
	enum protocol protocol;
	unsigned depth;
	uint64_t clients;
	uint64_t next_client;
	uint64_t clock_ns; /* the reports' time: only grows */
	uint64_t requests;
	uint32_t *samples; /* us, one a batch */
	size_t sample_count;
};

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * HERD_NS_PER_S + (uint64_t)now.tv_nsec;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* User and system time of all threads of a process, in ns. */
static uint64_t
cpu_ns(long pid)
{
	char path[64];
	char line[1024];
	unsigned long user = 0;
	unsigned long kernel = 0;
	const char *rest;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "r");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		die(path);
	fclose(file);
	rest = strrchr(line, ')') + 1;
	for (unsigned field = 3; field < 16 && *rest != '\0'; field++) {
		char *end;

		while (*rest == ' ')
			rest++;
		if (field == 14)
			user = strtoul(rest, &end, 10);
		if (field == 15)
			kernel = strtoul(rest, &end, 10);
		while (*rest != ' ' && *rest != '\0')
			rest++;
	}
	return (user + kernel) *
	       (HERD_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* "Basic" of user number `user`, whose password is "bench". */
static const char *
basic_of(uint64_t user, struct buf *out)
{
	char pair[64];

	snprintf(pair, sizeof(pair), "bench-%lu:bench", (unsigned long)user);
	buf_clear(out);
	if (text_to_base64(out, span_from(pair)) != HERD_OK)
		die("base64");
	return buf_cstr(out);
}

/* One second later at each turn through the clients: no report is stale. */
static unsigned long
turn_time(const struct load *load)
{
	return (unsigned long)(load->clock_ns / HERD_NS_PER_S +
			       load->next_client / load->clients);
}

static size_t
add_owntracks(const struct load *load, uint64_t client, char *out)
{
	static struct buf basic = { .max = 256 };
	char body[REQUEST_MAX];
	int len = snprintf(body, sizeof(body),
	    "{\"_type\":\"location\",\"lat\":34.068930,"
	    "\"lon\":-118.445127,\"tst\":%lu,\"tid\":\"JJ\",\"acc\":12,"
	    "\"batt\":80,\"vel\":0,\"topic\":\"owntracks/jane/phone\"}",
	    turn_time(load));

	return (size_t)snprintf(out, REQUEST_MAX,
	    "POST /owntracks HTTP/1.1\r\nHost: bench\r\n"
	    "Authorization: Basic %s\r\nX-Limit-D: d%lu\r\n"
	    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
	    basic_of(client / DEVICES_OF_USER, &basic),
	    (unsigned long)(client % DEVICES_OF_USER), len, body);
}

static size_t
add_query(const struct load *load, uint64_t client, char *out)
{
	return (size_t)snprintf(out, REQUEST_MAX,
	    "GET /?id=%032lx&lat=34.068930&lon=-118.445127&timestamp=%lu"
	    "&speed=0.0&altitude=35.2&batt=80 HTTP/1.1\r\nHost: bench\r\n\r\n",
	    (unsigned long)client, turn_time(load));
}

static size_t
add_request(struct load *load, char *out)
{
	uint64_t client = load->next_client++ % load->clients;
	char time[TIME_FORMAT_MAX];
	int time_len;

	load->clock_ns += 1000;
	time_len = (int)time_format(load->clock_ns, time);
	switch (load->protocol) {
	case HERD_IAMAT:
		return (size_t)snprintf(out, REQUEST_MAX,
		    "IAMAT client-%013lu +34.068930-118.445127 %.*s\n",
		    (unsigned long)client, time_len, time);
	case HERD_WHATSAT:
		return (size_t)snprintf(out, REQUEST_MAX,
		    "WHATSAT client-%013lu 10 20\n", (unsigned long)client);
	case REDIS_SET:
		return (size_t)snprintf(out, REQUEST_MAX,
		    "*3\r\n$3\r\nSET\r\n$20\r\nclient-%013lu\r\n$%d\r\n"
		    "+34.068930-118.445127 %.*s\r\n",
		    (unsigned long)client, 22 + time_len, time_len, time);
	case REDIS_GEO:
		return (size_t)snprintf(out, REQUEST_MAX,
		    "GEOSEARCH places FROMLONLAT -118.445127 34.068930 "
		    "BYRADIUS 10 km ASC COUNT 20 WITHDIST\r\n");
	case MEMCACHED_SET:
		return (size_t)snprintf(out, REQUEST_MAX,
		    "set client-%013lu 0 0 %d\r\n+34.068930-118.445127 "
		    "%.*s\r\n",
		    (unsigned long)client, 22 + time_len, time_len, time);
	case ECHO_LINE:
		return (size_t)snprintf(out, REQUEST_MAX,
		    "IAMAT client-%013lu +34.068930-118.445127 %.*s\n",
		    (unsigned long)client, time_len, time);
	case HTTP_OWNTRACKS: return add_owntracks(load, client, out);
	case HTTP_QUERY: return add_query(load, client, out);
	}
	return 0;
}

static void
send_batch(struct load *load, struct connection *connection)
{
	connection->out_len = 0;
	connection->out_at = 0;
	for (unsigned i = 0; i < load->depth; i++)
		connection->out_len +=
		    add_request(load, connection->out + connection->out_len);
	connection->open = load->depth;
	connection->sent_ns = now_ns(CLOCK_MONOTONIC);
}

static void
push_out(struct connection *connection)
{
	while (connection->out_at < connection->out_len) {
		ssize_t n =
		    send(connection->fd, connection->out + connection->out_at,
			connection->out_len - connection->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			die("send");
		connection->out_at += (size_t)n;
	}
}

/*
 * A RESP array of arrays of two bulk strings: "*N", then N times "*2" and
 * two strings of two lines each, so five lines an element.
 */
static unsigned
count_geo(struct connection *connection, const char *data, size_t len)
{
	unsigned replies = 0;

	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (connection->lines == 0 && c == '*') {
			connection->in_header = true;
			connection->header = 0;
		} else if (connection->in_header && c >= '0' && c <= '9') {
			connection->header =
			    connection->header * 10 + (c - '0');
		} else if (c == '\n' && connection->in_header) {
			connection->in_header = false;
			connection->lines = connection->header * 5;
			replies += connection->lines == 0;
		} else if (c == '\n' && connection->lines > 0) {
			replies += --connection->lines == 0;
		}
	}
	return replies;
}

static unsigned
count_replies(struct load *load, struct connection *connection,
    const char *data, size_t len)
{
	unsigned wanted = PROTOCOLS[load->protocol].lf_per_reply;
	unsigned replies = 0;

	if (load->protocol == REDIS_GEO)
		return count_geo(connection, data, len);
	for (const char *at = data, *end = data + len; at < end; at++) {
		if (wanted == 1) {
			at = memchr(at, '\n', (size_t)(end - at));
			if (at == NULL)
				break;
			replies++;
		} else if (*at != '\r') {
			replies += *at == '\n' && connection->was_lf;
			connection->was_lf = *at == '\n' && !connection->was_lf;
		}
	}
	return replies;
}

static void
on_readable(struct load *load, struct connection *connection)
{
	static char data[1 << 18];
	ssize_t n = recv(connection->fd, data, sizeof(data), 0);
	unsigned replies;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("recv");
	if (load->protocol >= HTTP_OWNTRACKS && data[0] == 'H' &&
	    !span_begins(
		span_of(data, (size_t)n), span_from("HTTP/1.1 200 "))) {
		fprintf(stderr, "load: %.*s\n", (int)n, data);
		exit(1);
	}
	replies = count_replies(load, connection, data, (size_t)n);
	if (replies > connection->open) {
		fputs("more replies than requests\n", stderr);
		exit(1);
	}
	connection->open -= replies;
	load->requests += replies;
	if (connection->open > 0)
		return;
	if (load->sample_count < SAMPLES_MAX)
		load->samples[load->sample_count++] =
		    (uint32_t)((now_ns(CLOCK_MONOTONIC) - connection->sent_ns) /
			       1000);
	send_batch(load, connection);
}

static int
dial(uint16_t port)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static int
compare_samples(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t
percentile(const struct load *load, unsigned per_mille)
{
	if (load->sample_count == 0)
		return 0;
	return load->samples[(load->sample_count - 1) * per_mille / 1000];
}

static void
run(struct load *load, struct connection *connections, unsigned count,
    uint64_t until_ns)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN,
			.data.ptr = &connections[i] };

		epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
		send_batch(load, &connections[i]);
		push_out(&connections[i]);
	}
	while (now_ns(CLOCK_MONOTONIC) < until_ns) {
		struct epoll_event events[256];
		int n = epoll_wait(epoll, events, 256, 100);

		for (int i = 0; i < n; i++) {
			on_readable(load, events[i].data.ptr);
			push_out(events[i].data.ptr);
		}
	}
	close(epoll);
}

static uint64_t
number(const char *text, uint64_t max)
{
	uint64_t value;

	if (text_to_u64(span_from(text), 0, max, &value) != HERD_OK) {
		fprintf(stderr, "load: bad number %s\n", text);
		exit(2);
	}
	return value;
}

int
main(int argc, char **argv)
{
	static struct connection connections[CONNECTIONS_MAX];
	struct load load = { 0 };
	unsigned count;
	uint64_t start;
	uint64_t cpu;
	double seconds;
	long pid;

	if (argc != 8) {
		fputs("usage: load PROTOCOL PORT PID CONNECTIONS DEPTH SECONDS "
		      "CLIENTS\n",
		    stderr);
		return 2;
	}
	while (strcmp(PROTOCOLS[load.protocol].name, argv[1]) != 0) {
		if (++load.protocol > HTTP_QUERY)
			die(argv[1]);
	}
	pid = (long)number(argv[3], 1u << 22);
	count = (unsigned)number(argv[4], CONNECTIONS_MAX);
	load.depth = (unsigned)number(argv[5], DEPTH_MAX);
	load.clients = number(argv[7], 100000000);
	load.clock_ns = now_ns(CLOCK_REALTIME);
	load.samples = malloc(SAMPLES_MAX * sizeof(*load.samples));
	for (unsigned i = 0; i < count; i++) {
		connections[i].fd = dial((uint16_t)number(argv[2], 65535));
		connections[i].out = malloc((size_t)load.depth * REQUEST_MAX);
	}
	cpu = cpu_ns(pid);
	start = now_ns(CLOCK_MONOTONIC);
	run(&load, connections, count,
	    start + number(argv[6], 3600) * HERD_NS_PER_S);
	seconds = (double)(now_ns(CLOCK_MONOTONIC) - start) / 1e9;
	cpu = cpu_ns(pid) - cpu;
	qsort(load.samples, load.sample_count, sizeof(*load.samples),
	    compare_samples);
	printf("{\"requests\": %llu, \"seconds\": %.3f, \"rate\": %.0f, "
	       "\"cpu_us\": %.4f, \"p50_us\": %u, \"p99_us\": %u, "
	       "\"p999_us\": %u}\n",
	    (unsigned long long)load.requests, seconds,
	    (double)load.requests / seconds,
	    load.requests == 0 ? 0.0
			       : (double)cpu / 1000.0 / (double)load.requests,
	    percentile(&load, 500), percentile(&load, 990),
	    percentile(&load, 999));
	return 0;
}
