/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request of the client protocol: an IAMAT or WHATSAT line, or something
 * invalid. Source: herd-protocol(7), "Client protocol".
 */
#ifndef HERD_REQUEST_H
#define HERD_REQUEST_H

#include <stdint.h>

#include "herd/location.h"

/* The radius is at most 50 km, the bound 1 to 20. */
#define REQUEST_RADIUS_MAX_KM 50u
#define REQUEST_BOUND_MAX 20u

enum request_kind {
	REQUEST_INVALID,
	REQUEST_IAMAT,
	REQUEST_WHATSAT,
};

/* Borrows the line. Only the fields of its kind are set. */
struct request {
	enum request_kind kind;
	struct span client;
	struct span location; /* IAMAT */
	struct span time;     /* IAMAT */
	uint64_t time_ns;     /* IAMAT */
	double radius_m;      /* WHATSAT, 0 < x <= 50,000 */
	unsigned bound;       /* WHATSAT, 1 to 20 */
};

/*
 * Reads one line without its LF. A line that does not follow the rules is
 * REQUEST_INVALID; that is an answer, not an error. A time in the future is
 * not checked here.
 */
void request_parse(struct span line, struct request *out);

/* Whose protocol a connection speaks, by its first line. */
enum request_speech {
	SPEECH_HERD,
	SPEECH_HTTP,    /* a GET or HEAD: no body follows */
	SPEECH_FOREIGN, /* any other method of HTTP; TLS; STUN */
};

/*
 * Looks at a first line without its LF that is no request. A web page can make
 * a browser connect to any port, but what the browser sends there begins with a
 * request of HTTP (METHOD TARGET HTTP/VERSION), a TLS handshake or, from
 * WebRTC, a message of STUN with its magic cookie (RFC 8489), alone or framed
 * (RFC 4571). What comes after that may be the page's.
 */
enum request_speech request_speech(struct span line);

/* digits [. digits], 0 < km <= 50; metres. HERD_ESYNTAX, HERD_ERANGE. */
HERD_MUST_CHECK enum herd_error radius_parse(struct span km, double *metres);

/* digits, 1 to 20. HERD_ESYNTAX, HERD_ERANGE. */
HERD_MUST_CHECK enum herd_error bound_parse(struct span text, unsigned *bound);

#endif
