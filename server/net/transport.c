/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Between node and fingerprint; no node's name has it. */
#define IDENTITY_MARK '#'

struct transport_tls {
	SSL_CTX *context;
	const char *node;
	struct keyring keys;
};

/* --- TLS ---------------------------------------------------------------- */

static struct transport_tls *
tls_of(const SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

static unsigned
use_key(struct transport *transport, const struct keyring_key *key,
    unsigned char *psk, unsigned psk_max)
{
	if (psk_max < sizeof(key->hash))
		return 0;
	memcpy(transport->key, key->fingerprint, sizeof(transport->key));
	memcpy(psk, key->hash, sizeof(key->hash));
	return sizeof(key->hash);
}

static unsigned
on_psk_client(SSL *ssl, const char *hint HERD_UNUSED, char *identity,
    unsigned identity_max, unsigned char *psk, unsigned psk_max)
{
	const struct transport_tls *tls = tls_of(ssl);
	struct transport *transport = SSL_get_app_data(ssl);
	const struct keyring_key *key;
	int len;

	/* A reload may have taken keys away since. */
	if (transport->offer >= tls->keys.count)
		transport->offer = 0;
	key = &tls->keys.keys[transport->offer];
	len = snprintf(identity, identity_max, "%s%c%s", tls->node,
	    IDENTITY_MARK, key->fingerprint);
	if (len < 0 || (unsigned)len >= identity_max)
		return 0;
	return use_key(transport, key, psk, psk_max);
}

/* The peer has offered a key that is none of ours: keeps what to say of it. */
static void
note_unknown(struct transport *transport, struct span name, const char *offered)
{
	bool has_form = keyring_is_fingerprint(offered);

	snprintf(transport->unknown_key, sizeof(transport->unknown_key), "%s",
	    has_form ? offered : "?");
	if (node_name_is_valid(name) && name.len <= REPORT_ORIGIN_MAX)
		snprintf(transport->unknown_name,
		    sizeof(transport->unknown_name), SPAN_FMT, SPAN_ARG(name));
}

static unsigned
on_psk_server(
    SSL *ssl, const char *identity, unsigned char *psk, unsigned psk_max)
{
	const struct transport_tls *tls = tls_of(ssl);
	struct transport *transport = SSL_get_app_data(ssl);
	const char *mark = strrchr(identity, IDENTITY_MARK);
	const struct keyring_key *key;

	if (mark == NULL)
		return use_key(transport, &tls->keys.keys[0], psk, psk_max);
	key = keyring_find(&tls->keys, mark + 1);
	if (key != NULL)
		return use_key(transport, key, psk, psk_max);
	note_unknown(
	    transport, span_of(identity, (size_t)(mark - identity)), mark + 1);
	return 0;
}

/* A link has no certificates: a peer that shows one lacks the key. */
static int
on_certificate(int is_good HERD_UNUSED, X509_STORE_CTX *store)
{
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static bool
tls_configure(struct transport_tls *tls)
{
	SSL_CTX *context = tls->context;

	SSL_CTX_set_app_data(context, tls);
	SSL_CTX_set_psk_client_callback(context, on_psk_client);
	SSL_CTX_set_psk_server_callback(context, on_psk_server);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	/* A key of the callbacks above goes with SHA-256 suites only. */
	return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(context, 0) == 1 &&
	       SSL_CTX_set_ciphersuites(context,
		   "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1;
}

enum herd_error
transport_tls_open(const struct keyring *keys, const char *node,
    struct buf *message, struct transport_tls **out)
{
	struct transport_tls *tls = calloc(1, sizeof(*tls));

	if (tls == NULL)
		return HERD_ENOMEM;
	tls->node = node;
	tls->keys = *keys;
	tls->context = SSL_CTX_new(TLS_method());
	if (tls->context == NULL || !tls_configure(tls)) {
		transport_tls_close(tls);
		return buf_add_text(message,
			   "OpenSSL cannot do TLS 1.3 with a key") == HERD_OK
			   ? HERD_ESYSTEM
			   : HERD_ENOMEM;
	}
	*out = tls;
	return HERD_OK;
}

void
transport_tls_close(struct transport_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	keyring_wipe(&tls->keys);
	free(tls);
}

void
transport_tls_set_keys(struct transport_tls *tls, const struct keyring *keys)
{
	tls->keys = *keys;
}

const struct keyring *
transport_tls_keys(const struct transport_tls *tls)
{
	return &tls->keys;
}

/* --- life ---------------------------------------------------------------- */

void
transport_init(
    struct transport *transport, int fd, struct transport_tls *tls, bool client)
{
	const int unsent = TRANSPORT_UNSENT_MAX;

	*transport =
	    (struct transport){ .fd = fd, .tls = tls, .client = client };
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

void
transport_init_ssl(struct transport *transport, int fd, struct ssl_st *ssl)
{
	*transport = (struct transport){ .fd = fd, .ssl = ssl };
	/* Without memory for it the handshake fails. */
	(void)SSL_set_fd(ssl, fd);
}

void
transport_drop_ssl(struct transport *transport)
{
	SSL_free(transport->ssl);
	transport->ssl = NULL;
	ERR_clear_error();
}

void
transport_finish(struct transport *transport)
{
	if (transport->ssl != NULL)
		(void)SSL_shutdown(transport->ssl);
	ERR_clear_error();
	(void)shutdown(transport->fd, SHUT_WR);
}

void
transport_release(struct transport *transport)
{
	if (transport->ssl != NULL) {
		(void)SSL_shutdown(transport->ssl);
		SSL_free(transport->ssl);
		ERR_clear_error();
	}
	close(transport->fd);
}

/* --- bytes -------------------------------------------------------------- */

#define NOT_TLS "not TLS: the peer speaks plaintext, or is no herd node"
#define OTHER_KEY "wrong key: key_file differs between the two nodes"

/* What OpenSSL's reasons mean to the person who runs the herd. */
static const struct tls_reason {
	int reason;
	bool wrong_key; /* the peer speaks TLS, but not with our key */
	const char *text;
} TLS_REASONS[] = {
	{ SSL_R_WRONG_VERSION_NUMBER, false, NOT_TLS },
	{ SSL_R_HTTP_REQUEST, false, NOT_TLS },
	{ SSL_R_RECORD_LENGTH_MISMATCH, false, NOT_TLS },
	{ SSL_R_PACKET_LENGTH_TOO_LONG, false, NOT_TLS },
	{ SSL_R_BINDER_DOES_NOT_VERIFY, true, OTHER_KEY },
	{ SSL_R_DIGEST_CHECK_FAILED, true, OTHER_KEY },
	{ SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER, true, OTHER_KEY },
	{ SSL_R_TLSV1_ALERT_DECRYPT_ERROR, true, OTHER_KEY },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, true, OTHER_KEY },
	{ SSL_R_CERTIFICATE_VERIFY_FAILED, true,
	    "wrong key: the peer showed a certificate, not the herd's key" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, true, "the peer does not speak TLS 1.3" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, true,
	    "the peer does not speak TLS 1.3" },
	{ SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, true,
	    "the peer has no pre-shared key" },
	{ SSL_R_NO_SHARED_CIPHER, true, "the peer has no pre-shared key" },
	{ SSL_R_UNEXPECTED_EOF_WHILE_READING, false,
	    "the peer hung up without an answer" },
};

/* "TLS: wrong key: the peer offered 00c0ffee, this node has 0badf00d" */
static void
tls_note_unknown(struct transport *transport)
{
	struct buf names;
	const char *text = NULL;

	buf_init(&names, TRANSPORT_ERROR_MAX);
	if (keyring_names(&transport->tls->keys, &names) == HERD_OK)
		text = buf_cstr(&names);
	transport->wrong_key = true;
	snprintf(transport->error, TRANSPORT_ERROR_MAX,
	    "TLS: wrong key: the peer offered %s, this node has %s",
	    transport->unknown_key, text == NULL ? "others" : text);
	buf_release(&names);
}

static void
tls_note_error(struct transport *transport, unsigned long code)
{
	const char *text = ERR_reason_error_string(code);
	long verify = SSL_get_verify_result(transport->ssl);

	if (transport->tls == NULL && verify != X509_V_OK)
		text = X509_verify_cert_error_string(verify);
	for (size_t i = 0;
	     transport->tls != NULL && i < HERD_ARRAY_LEN(TLS_REASONS); i++) {
		if (ERR_GET_REASON(code) != TLS_REASONS[i].reason)
			continue;
		text = TLS_REASONS[i].text;
		transport->wrong_key = TLS_REASONS[i].wrong_key;
	}
	if (transport->unknown_key[0] != '\0')
		tls_note_unknown(transport);
	else if (transport->wrong_key && transport->key[0] != '\0')
		snprintf(transport->error, TRANSPORT_ERROR_MAX,
		    "TLS: %s (key %s)", text, transport->key);
	else
		snprintf(transport->error, TRANSPORT_ERROR_MAX, "TLS: %s",
		    text == NULL ? "failed" : text);
}

/* Before each call of OpenSSL whose result is for tls_result(). */
static void
tls_forget_errors(void)
{
	ERR_clear_error();
	errno = 0;
}

static enum transport_result
tls_result(struct transport *transport, int returned)
{
	unsigned long code;

	if (returned == 1)
		return TRANSPORT_DONE;
	switch (SSL_get_error(transport->ssl, returned)) {
	case SSL_ERROR_WANT_READ: return TRANSPORT_WANTS_READ;
	case SSL_ERROR_WANT_WRITE: return TRANSPORT_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN: return TRANSPORT_CLOSED;
	case SSL_ERROR_SYSCALL:
		if (errno == 0)
			return TRANSPORT_CLOSED;
		snprintf(transport->error, TRANSPORT_ERROR_MAX, "%s",
		    strerror(errno));
		return TRANSPORT_FAILED;
	default: break;
	}
	code = ERR_get_error();
	ERR_clear_error();
	if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING &&
	    SSL_is_init_finished(transport->ssl))
		return TRANSPORT_CLOSED;
	tls_note_error(transport, code);
	return TRANSPORT_FAILED;
}

static enum transport_result
socket_result(struct transport *transport, enum transport_result again)
{
	if (errno == EAGAIN || errno == EINTR)
		return again;
	snprintf(transport->error, TRANSPORT_ERROR_MAX, "%s", strerror(errno));
	return TRANSPORT_FAILED;
}

/* Waits for something to read, so that a silent stranger costs no memory. */
static bool
tls_begin(struct transport *transport)
{
	SSL *ssl = SSL_new(transport->tls->context);

	if (ssl == NULL || SSL_set_fd(ssl, transport->fd) != 1) {
		SSL_free(ssl);
		return false;
	}
	SSL_set_app_data(ssl, transport);
	if (transport->client) {
		SSL_set_verify(ssl, SSL_VERIFY_PEER, on_certificate);
		SSL_set_connect_state(ssl);
	} else {
		SSL_set_accept_state(ssl);
	}
	transport->ssl = ssl;
	return true;
}

enum transport_result
transport_handshake(struct transport *transport)
{
	enum transport_result result;

	if (transport->tls == NULL && transport->ssl == NULL)
		return TRANSPORT_DONE;
	if (transport->ssl == NULL && !tls_begin(transport)) {
		snprintf(
		    transport->error, TRANSPORT_ERROR_MAX, "out of memory");
		return TRANSPORT_FAILED;
	}
	tls_forget_errors();
	result = tls_result(transport, SSL_do_handshake(transport->ssl));
	if (result != TRANSPORT_DONE || transport->tls == NULL ||
	    transport_is_keyed(transport))
		return result;
	transport->wrong_key = true;
	snprintf(transport->error, TRANSPORT_ERROR_MAX,
	    "TLS: wrong key: the handshake did without the herd's key");
	return TRANSPORT_FAILED;
}

/*
 * OpenSSL calls a handshake with a pre-shared key "reused", on the server's
 * side as soon as it has verified the binder in ClientHello. There are no
 * tickets, so nothing else is reused.
 */
bool
transport_is_keyed(const struct transport *transport)
{
	return transport->ssl != NULL &&
	       SSL_session_reused(transport->ssl) == 1;
}

enum transport_result
transport_read(
    struct transport *transport, char *data, size_t room, size_t *len)
{
	ssize_t n;

	if (transport->ssl != NULL) {
		tls_forget_errors();
		return tls_result(
		    transport, SSL_read_ex(transport->ssl, data, room, len));
	}
	n = recv(transport->fd, data, room, 0);
	if (n < 0)
		return socket_result(transport, TRANSPORT_WANTS_READ);
	*len = (size_t)n;
	return n == 0 ? TRANSPORT_CLOSED : TRANSPORT_DONE;
}

enum transport_result
transport_write(struct transport *transport, struct span data, size_t *len)
{
	ssize_t n;

	if (transport->ssl != NULL) {
		tls_forget_errors();
		return tls_result(transport,
		    SSL_write_ex(transport->ssl, data.data, data.len, len));
	}
	n = send(transport->fd, data.data, data.len, MSG_NOSIGNAL);
	if (n < 0)
		return socket_result(transport, TRANSPORT_WANTS_WRITE);
	*len = (size_t)n;
	return TRANSPORT_DONE;
}
