/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "herd/text.h"

#define IDENTITY_MAX 128u

struct transport_tls {
	SSL_CTX *context;
	char identity[IDENTITY_MAX];
	unsigned char key[SHA256_DIGEST_LENGTH];
};

/* --- TLS ---------------------------------------------------------------- */

static struct transport_tls *
tls_of(const SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

static unsigned
on_psk_client(SSL *ssl, const char *hint HERD_UNUSED, char *identity,
    unsigned identity_max, unsigned char *psk, unsigned psk_max)
{
	const struct transport_tls *tls = tls_of(ssl);

	if (psk_max < sizeof(tls->key))
		return 0;
	snprintf(identity, identity_max, "%s", tls->identity);
	memcpy(psk, tls->key, sizeof(tls->key));
	return sizeof(tls->key);
}

static unsigned
on_psk_server(SSL *ssl, const char *identity HERD_UNUSED, unsigned char *psk,
    unsigned psk_max)
{
	const struct transport_tls *tls = tls_of(ssl);

	if (psk_max < sizeof(tls->key))
		return 0;
	memcpy(psk, tls->key, sizeof(tls->key));
	return sizeof(tls->key);
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
	       SSL_CTX_set_num_tickets(context, 0) == 1 &&
	       SSL_CTX_set_ciphersuites(context,
		   "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1;
}

enum herd_error
transport_tls_open(const struct keyfile *file, const char *identity,
    struct buf *message, struct transport_tls **out)
{
	char key[TRANSPORT_KEY_MAX + 1];
	struct transport_tls *tls;
	size_t len = 0;
	enum herd_error error = keyfile_read(
	    file, TRANSPORT_KEY_MIN, TRANSPORT_KEY_MAX, key, &len, message);

	if (error != HERD_OK)
		return error;
	tls = calloc(1, sizeof(*tls));
	if (tls != NULL)
		SHA256((const unsigned char *)key, len, tls->key);
	OPENSSL_cleanse(key, sizeof(key));
	if (tls == NULL)
		return HERD_ENOMEM;
	snprintf(tls->identity, sizeof(tls->identity), "%s", identity);
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
	OPENSSL_cleanse(tls->key, sizeof(tls->key));
	free(tls);
}

/* --- life ---------------------------------------------------------------- */

enum herd_error
transport_init(
    struct transport *transport, int fd, struct transport_tls *tls, bool client)
{
	const int unsent = TRANSPORT_UNSENT_MAX;

	transport->fd = fd;
	transport->ssl = NULL;
	transport->error[0] = '\0';
	if (tls != NULL) {
		transport->ssl = SSL_new(tls->context);
		if (transport->ssl == NULL ||
		    SSL_set_fd(transport->ssl, fd) != 1) {
			SSL_free(transport->ssl);
			return HERD_ENOMEM;
		}
		if (client)
			SSL_set_connect_state(transport->ssl);
		else
			SSL_set_accept_state(transport->ssl);
	}
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	return HERD_OK;
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

/* What OpenSSL's reason means to whoever runs the herd. */
static const char *
tls_reason_text(unsigned long code)
{
	switch (ERR_GET_REASON(code)) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_RECORD_LENGTH_MISMATCH:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
		return "not TLS: the peer speaks plaintext, or is no herd node";
	case SSL_R_BINDER_DOES_NOT_VERIFY:
	case SSL_R_DIGEST_CHECK_FAILED:
	case SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER:
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
		return "wrong key: key_file differs between the two nodes";
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return "the peer does not speak TLS 1.3";
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_CIPHER: return "the peer has no pre-shared key";
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return "the peer hung up without a word";
	default: return ERR_reason_error_string(code);
	}
}

static enum transport_result
tls_result(struct transport *transport, int returned)
{
	unsigned long code;
	const char *text;

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
	text = tls_reason_text(code);
	snprintf(transport->error, TRANSPORT_ERROR_MAX, "TLS: %s",
	    text == NULL ? "failed" : text);
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

enum transport_result
transport_handshake(struct transport *transport)
{
	int returned;

	if (transport->ssl == NULL)
		return TRANSPORT_DONE;
	ERR_clear_error();
	errno = 0;
	returned = SSL_do_handshake(transport->ssl);
	return returned == 1 ? TRANSPORT_DONE : tls_result(transport, returned);
}

enum transport_result
transport_read(
    struct transport *transport, char *data, size_t room, size_t *len)
{
	ssize_t n;

	if (transport->ssl != NULL) {
		int returned;

		ERR_clear_error();
		errno = 0;
		returned = SSL_read_ex(transport->ssl, data, room, len);
		return returned == 1 ? TRANSPORT_DONE
				     : tls_result(transport, returned);
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
		int returned;

		ERR_clear_error();
		errno = 0;
		returned =
		    SSL_write_ex(transport->ssl, data.data, data.len, len);
		return returned == 1 ? TRANSPORT_DONE
				     : tls_result(transport, returned);
	}
	n = send(transport->fd, data.data, data.len, MSG_NOSIGNAL);
	if (n < 0)
		return socket_result(transport, TRANSPORT_WANTS_WRITE);
	*len = (size_t)n;
	return TRANSPORT_DONE;
}
