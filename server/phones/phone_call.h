/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request of a phone: read, its sender found out, taken and answered. It
 * waits for a password's check, a commit or places without holding anybody
 * else up; until then nothing more is read from its connection.
 */
#ifndef HERD_PHONE_CALL_H
#define HERD_PHONE_CALL_H

#include "core/table.h"
#include "phones/phones_room.h"

#define PHONE_BODY_MAX (64u << 10)
#define PHONE_BATCH_MAX (1u << 20) /* of Overland */
#define PHONE_HEAD_MAX (8u << 10)

struct evhttp_request;
struct phone_places;

enum phone_route { ROUTE_REPORT, ROUTE_WHATSAT_JSON, ROUTE_WHERE };

struct phone_call {
	TAILQ_ENTRY(phone_call) all;
	TAILQ_ENTRY(phone_call) waiting; /* of a login, or for a commit */
	struct phones *phones;
	struct evhttp_request *request;
	struct http_connection *conn; /* NULL: there was no memory for it */
	struct sockaddr_storage peer; /* the phone, as a trusted proxy says */
	enum phone_route route;
	enum phones_app app;
	struct span query; /* of the URL, still encoded */
	struct intake intake;
	struct login *login; /* it waits for, or NULL */
	bool held;           /* it waits for a commit */
	bool answered;
	bool last; /* the connection closes after the answer */
	bool has_ticket;
	struct put_info ticket;
	struct mono since;           /* held */
	struct phone_places *places; /* it waits for, or NULL */
	char user[USERS_NAME_MAX];   /* who asks, once that is known */
	size_t user_len;
	char device[USERS_NAME_MAX]; /* "": none was named */
	size_t device_len;
	bool by_key; /* the device's own, which named it */
	/* A fix was refused for this reason; PHONES_REFUSAL_COUNT: none was. */
	enum phones_refusal refused;
};

/* A request has come; `arg` is the phones. */
void phone_call_on_request(struct evhttp_request *request, void *arg);

/* The sender is known: goes on. Its account is `account`. */
void phone_call_go_on(struct phone_call *call, struct account *account);

/* Answers; the call must not be used after it. */
void phone_call_answer(
    struct phone_call *call, int status, const char *type, struct span body);

/* Counts why, and answers with its status and a reason as JSON. */
void phone_call_refuse(struct phone_call *call, enum phones_refusal why);

/* The same with a reason of its own. */
void phone_call_explain(
    struct phone_call *call, enum phones_refusal why, const char *text);

/* Counts it, and logs it once a minute for each user and reason. */
void phone_call_note(struct phone_call *call, const char *why);
void phone_call_count(struct phone_call *call, enum phones_refusal why);

/* The value of a parameter of the URL, as query_form_find(). */
size_t phone_call_parameter(const struct phone_call *call, const char *name,
    char out[INTAKE_VALUE_MAX]);

/* A header's value, "" if it has none. */
struct span phone_call_header(const struct phone_call *call, const char *name);

/* The node stops: what still waits is answered so. */
void phone_call_abort(struct phone_call *call);

struct span phone_call_user(const struct phone_call *call);
struct span phone_call_device(const struct phone_call *call);

#endif
