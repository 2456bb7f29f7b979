/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/session_hello.h"

#include <stdio.h>

#include "core/mutant.h"
#include "core/session_exchange.h"
#include "core/session_input.h"
#include "herd/text.h"

#define HELLO_PROTOCOL "herd/1"

static const char *const FEATURES[] = {
#define HERD_SESSION_FEATURE_WORD(id, word) [SESSION_BIT_##id] = word,
	SESSION_FEATURES(HERD_SESSION_FEATURE_WORD)
#undef HERD_SESSION_FEATURE_WORD
};

static unsigned
session_features_parse(struct span list)
{
	unsigned features = 0;

	while (list.len > 0) {
		struct span word = span_cut(&list, ',');

		for (unsigned i = 0; i < HERD_ARRAY_LEN(FEATURES); i++) {
			if (span_is(word, FEATURES[i]))
				features |= 1u << i;
		}
	}
	return features;
}

bool
session_knows(const struct session *session, enum session_feature feature)
{
	return (session->features & feature) != 0;
}

uint64_t
session_params(
    uint64_t max_line, uint64_t max_clients, uint64_t expire_after_ns)
{
	const struct siphash_key key = { 0, 0 };
	char text[128];
	int len = snprintf(text, sizeof(text),
	    "order=1 line=%llu cap=%llu "
	    "expire=%llu",
	    (unsigned long long)max_line, (unsigned long long)max_clients,
	    (unsigned long long)expire_after_ns);

	return siphash(&key, text, (size_t)len);
}

/* --- sending it ----------------------------------------------------------- */

enum herd_error
session_queue_hello(struct session *session)
{
	const struct session_node *node = session->node;
	struct buf *out = &session->control;
	const char *list = " features=";
	enum herd_error error;

	error = buf_addf(out,
	    "HELLO " HELLO_PROTOCOL " herd=" SPAN_FMT " node=" SPAN_FMT,
	    SPAN_ARG(node->herd), SPAN_ARG(node->name));
	/* The accepting side does not know its peer yet. */
	if (error == HERD_OK && session->peer[0] != '\0')
		error = buf_addf(out, " peer=%s", session->peer);
	if (error == HERD_OK)
		error = buf_add_text(out, " nonce=");
	if (error == HERD_OK)
		error =
		    digest_hex_format(out, session->nonce, SESSION_NONCE_LEN);
	if (error == HERD_OK)
		error = buf_addf(out, " params=%016llx fresh=%d",
		    (unsigned long long)node->params, session->fresh);
	for (unsigned i = 0; i < HERD_ARRAY_LEN(FEATURES) && error == HERD_OK;
	     i++) {
		if ((node->lacks & 1u << i) != 0)
			continue;
		error = buf_addf(out, "%s%s", list, FEATURES[i]);
		list = ",";
	}
	if (error == HERD_OK && node->boot != 0)
		error = buf_addf(
		    out, " boot=%016llx", (unsigned long long)node->boot);
	if (error == HERD_OK)
		error =
		    buf_add_text(out, session->knocks ? " knock=1\n" : "\n");
	return error;
}

/* --- reading it ----------------------------------------------------------- */

struct hello {
	struct span version;
	struct span herd;
	struct span node;
	struct span peer;
	struct span nonce;
	struct span params;
	struct span fresh;
	struct span features;
	struct span boot;
	struct span knock;
};

/* Fields in any order; unknown ones are for later versions. */
static void
hello_parse(struct span rest, struct hello *out)
{
	static const struct {
		const char *key;
		size_t offset;
	} fields[] = {
		{ "herd=", offsetof(struct hello, herd) },
		{ "node=", offsetof(struct hello, node) },
		{ "peer=", offsetof(struct hello, peer) },
		{ "nonce=", offsetof(struct hello, nonce) },
		{ "params=", offsetof(struct hello, params) },
		{ "fresh=", offsetof(struct hello, fresh) },
		{ "features=", offsetof(struct hello, features) },
		{ "boot=", offsetof(struct hello, boot) },
		{ "knock=", offsetof(struct hello, knock) },
	};

	memset(out, 0, sizeof(*out));
	out->version = text_next_field(&rest);
	for (struct span field = text_next_field(&rest); field.len > 0;
	     field = text_next_field(&rest)) {
		for (size_t i = 0; i < HERD_ARRAY_LEN(fields); i++) {
			size_t len = strlen(fields[i].key);

			if (field.len < len ||
			    memcmp(field.data, fields[i].key, len) != 0)
				continue;
			memcpy((char *)out + fields[i].offset,
			    &(struct span){ field.data + len, field.len - len },
			    sizeof(struct span));
		}
	}
}

/*
 * Is the peer a node of this herd? Says BYE if not, for the first reason in the
 * order of REASONS. Both sides read the texts, so they name both nodes.
 */
static bool
hello_check(struct session *session, const struct hello *hello)
{
	const struct session_node *node = session->node;
	struct session_text shown;
	char params[17];

	snprintf(params, sizeof(params), "%016llx",
	    (unsigned long long)node->params);
	if (!span_is(hello->version, HELLO_PROTOCOL)) {
		session_bye(session, BYE_VERSION,
		    SPAN_FMT " speaks " HELLO_PROTOCOL ", not `%s`",
		    SPAN_ARG(node->name),
		    session_show(&shown, hello->version, SESSION_SHOWN_MAX));
	} else if (!span_equal(hello->herd, node->herd)) {
		session_bye(session, BYE_WRONG_HERD,
		    SPAN_FMT " is of herd " SPAN_FMT ", not of `%s`",
		    SPAN_ARG(node->name), SPAN_ARG(node->herd),
		    session_show(&shown, hello->herd, SESSION_SHOWN_MAX));
	} else if (!node_name_is_valid(hello->node)) {
		session_bye(session, BYE_BAD_LINE, "HELLO without a node name");
	} else if (span_equal(hello->node, node->name)) {
		session_bye(session, BYE_SELF, "this is " SPAN_FMT " itself",
		    SPAN_ARG(node->name));
	} else if (hello->peer.len > 0 &&
		   !span_equal(hello->peer, node->name)) {
		session_bye(session, BYE_WRONG_NODE,
		    "this is node " SPAN_FMT ", not `%s`", SPAN_ARG(node->name),
		    session_show(&shown, hello->peer, SESSION_SHOWN_MAX));
	} else if (session->peer[0] != '\0' &&
		   !span_is(hello->node, session->peer)) {
		session_bye(session, BYE_WRONG_NODE,
		    SPAN_FMT " dialled %s, but " SPAN_FMT " answers",
		    SPAN_ARG(node->name), session->peer, SPAN_ARG(hello->node));
	} else if (!span_is(hello->params, params)) {
		session_bye(session, BYE_PARAMS,
		    "max_line, max_clients or expire_after differ between " SPAN_FMT
		    " and " SPAN_FMT,
		    SPAN_ARG(node->name), SPAN_ARG(hello->node));
	} else if (digest_hex_parse(hello->nonce, session->peer_nonce,
		       SESSION_NONCE_LEN) != HERD_OK) {
		session_bye(session, BYE_BAD_LINE, "HELLO without a nonce");
	}
	return session->state != SESSION_CLOSED;
}

/* The peer is of this herd, but may not speak here. */
static void
session_refuse(struct session *session, enum session_reason reason)
{
	struct span name = session->node->name;

	if (reason == BYE_DISABLED)
		session_bye(session, reason,
		    "an operator has disabled the link between " SPAN_FMT
		    " and %s here",
		    SPAN_ARG(name), session->peer);
	else if (reason == BYE_TWIN)
		session_bye(session, reason,
		    "another process runs as %s and is linked to " SPAN_FMT,
		    session->peer, SPAN_ARG(name));
	else if (reason == BYE_KNOCK)
		session_bye(session, reason, SPAN_FMT " dials %s",
		    SPAN_ARG(name), session->peer);
	else
		session_bye(session, reason,
		    "no link between " SPAN_FMT " and %s here that %s dials",
		    SPAN_ARG(name), session->peer, session->peer);
}

bool
session_parse_hex(struct span text, uint64_t *out)
{
	uint8_t bytes[8];

	if (digest_hex_parse(text, bytes, sizeof(bytes)) != HERD_OK)
		return false;
	*out = 0;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		*out = *out << 8 | bytes[i];
	return true;
}

/* The HELLO is accepted or refused. */
static void
session_answer_hello(struct session *session, enum session_reason reason,
    unsigned number, struct mono now)
{
	if (reason != BYE_NONE) {
		session_refuse(session, reason);
		return;
	}
	framer_widen(
	    &session->in, session->node->max_line + SESSION_LINE_EXTRA);
	outbox_init(&session->outbox, session->node->table,
	    MUTANT(ECHO_BY_LINK)
		? number + 2
		: board_session_number(session->node->board, number),
	    session->wake, session->arg);
	session_set_state(session, SESSION_LIVE);
	if (session->node->roster == NULL)
		session->features &= ~(unsigned)SESSION_SPARSE;
	else
		session->words_asked = session->node->roster->sets;
	(void)session_ping(session, now);
	session_tell_limits(session);
	/* Closed if there was no memory for the PING. */
	if (session->state == SESSION_LIVE)
		session_consider_exchange(session, now);
}

void
session_decide(struct session *session, enum session_reason reason,
    unsigned number, struct mono now, struct wall clock)
{
	if (session->state != SESSION_HELLO)
		return;
	session->held = false;
	session_answer_hello(session, reason, number, now);
	/* Bytes after HELLO have waited. */
	session_input(session, 0, now, clock);
}

void
session_on_hello(struct session *session, struct span rest, struct mono now,
    struct wall clock)
{
	enum session_reason reason;
	struct hello hello;
	unsigned number = 0;

	hello_parse(rest, &hello);
	if (!hello_check(session, &hello))
		return;
	memcpy(session->peer, hello.node.data, hello.node.len);
	session->peer[hello.node.len] = '\0';
	session->peer_fresh = span_is(hello.fresh, "1");
	/* Anything else than a boot id is none. */
	if (!session_parse_hex(hello.boot, &session->peer_boot))
		session->peer_boot = 0;
	session->features =
	    session_features_parse(hello.features) & ~session->node->lacks;
	session->peer_knocks = span_is(hello.knock, "1");
	session->exchange.pairs = session_knows(session, SESSION_PAIRS);
	session->exchange.is_first =
	    span_compare(session->node->name, hello.node) < 0;
	session->greeted = true;
	/* The peer answers our knock with BYE. */
	if (session->knocks)
		return;
	reason = session->admit(session->arg, session, &number, now, clock);
	if (!session->held)
		session_answer_hello(session, reason, number, now);
}
