/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line from a client. */
#include "herd/report.h"
#include "herd/request.h"
#include "herd/time.h"

#include "fuzz.h"

static bool
is_within(struct span part, struct span whole)
{
	return part.data >= whole.data &&
	       part.data + part.len <= whole.data + whole.len;
}

static void
check_iamat(const struct request *request, struct span line)
{
	struct location location;
	uint64_t ns;

	assert(is_within(request->client, line));
	assert(is_within(request->location, line));
	assert(is_within(request->time, line));
	assert(client_id_is_valid(request->client));
	assert(location_parse(request->location, &location) == HERD_OK);
	assert(time_parse(request->time, &ns) == HERD_OK);
	assert(ns == request->time_ns);
}

static void
check_whatsat(const struct request *request, struct span line)
{
	assert(is_within(request->client, line));
	assert(client_id_is_valid(request->client));
	assert(request->radius_m > 0.0 && request->radius_m <= 50000.0);
	assert(request->bound >= 1 && request->bound <= 20);
}

/* White space at both ends changes nothing. */
static void
check_padded(struct span line, enum request_kind kind)
{
	struct request request;
	struct buf padded;

	buf_init(&padded, line.len + 2u);
	if (buf_add_byte(&padded, '\v') == HERD_OK &&
	    buf_add_span(&padded, line) == HERD_OK &&
	    buf_add_byte(&padded, '\r') == HERD_OK) {
		request_parse(buf_span(&padded), &request);
		assert(request.kind == kind);
	}
	buf_release(&padded);
}

/* A CR at the end is HTTP's, white space before it is nobody's. */
static void
check_speech(struct span line, enum request_kind kind)
{
	enum request_speech speech = request_speech(line);
	struct buf other;

	assert(kind == REQUEST_INVALID || speech != SPEECH_HTTP);
	buf_init(&other, line.len + 1u);
	if (buf_add_span(&other, line) == HERD_OK &&
	    buf_add_byte(&other, '\r') == HERD_OK)
		assert(line.len < 10 ||
		       request_speech(buf_span(&other)) == speech);
	buf_clear(&other);
	if (buf_add_byte(&other, ' ') == HERD_OK &&
	    buf_add_span(&other, line) == HERD_OK)
		assert(request_speech(buf_span(&other)) != SPEECH_HTTP);
	buf_release(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = span_of((const char *)data, size);
	struct request request;

	request_parse(line, &request);
	switch (request.kind) {
	case REQUEST_INVALID: break;
	case REQUEST_IAMAT: check_iamat(&request, line); break;
	case REQUEST_WHATSAT: check_whatsat(&request, line); break;
	}
	check_padded(line, request.kind);
	check_speech(line, request.kind);
	return 0;
}
