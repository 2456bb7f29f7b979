/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "herd/keyfile.h"
#include "net/ssl_api.h"

#define ERROR_MAX 400u
#define KEY_MAX 16384u

struct tls {
	unsigned holders;
	struct tls_names files; /* copies */
	struct ssl_api api;
	SSL_CTX *context; /* NULL: not made yet */
};

struct tls_session {
	struct tls *tls; /* held */
	SSL *ssl;
	char error[ERROR_MAX];
};

/* --- the files --------------------------------------------------------- */

static char *
copy_of(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

struct tls *
tls_new(const struct tls_names *files)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));

	tls->holders = 1;
	tls->files = (struct tls_names){ copy_of(files->ca),
		copy_of(files->cert), copy_of(files->key) };
	return tls;
}

struct tls *
tls_hold(struct tls *tls)
{
	if (tls != NULL)
		tls->holders++;
	return tls;
}

void
tls_drop(struct tls *tls)
{
	if (tls == NULL || --tls->holders > 0)
		return;
	if (tls->context != NULL)
		tls->api.SSL_CTX_free(tls->context);
	free((char *)(uintptr_t)tls->files.ca);
	free((char *)(uintptr_t)tls->files.cert);
	free((char *)(uintptr_t)tls->files.key);
	free(tls);
}

const struct tls_names *
tls_names(const struct tls *tls)
{
	return &tls->files;
}

static bool
is_readable(const char *setting, const char *path, struct buf *message)
{
	if (path == NULL || access(path, R_OK) == 0)
		return true;
	putf(message, "%s: cannot read ", setting);
	put_clean(message, span_from(path));
	putf(message, ": %s", strerror(errno));
	return false;
}

static bool
key_is_good(const char *path, struct buf *message)
{
	const struct keyfile file = { "key-file", path, NULL, NULL, false };
	char *data = xmalloc(KEY_MAX + 1);
	size_t len = 0;
	enum herd_error error =
	    keyfile_read(&file, 1, KEY_MAX, data, &len, message);

	explicit_bzero(data, KEY_MAX + 1);
	free(data);
	return error == HERD_OK;
}

enum status
tls_check(const struct tls *tls, struct buf *message)
{
	const struct tls_names *files = &tls->files;

	if (!is_readable("ca-file", files->ca, message) ||
	    !is_readable("cert-file", files->cert, message))
		return STATUS_LOCAL;
	if ((files->cert == NULL) != (files->key == NULL)) {
		putf(message, "%s needs %s",
		    files->cert != NULL ? "--cert-file" : "--key-file",
		    files->cert != NULL ? "--key-file" : "--cert-file");
		return STATUS_LOCAL;
	}
	if (files->key != NULL && !key_is_good(files->key, message))
		return STATUS_LOCAL;
	return STATUS_OK;
}

/* --- words ------------------------------------------------------------- */

#define NAME_FAULT 0

const char *
tls_certificate_fault(long number, const char **hint)
{
	switch (number) {
	case NAME_FAULT:
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		*hint = "the certificate's subjectAltName needs the host of "
			"the address by which it is asked; is this the right "
			"machine?";
		return "its certificate is for another host";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		*hint = "give the node a new certificate, then `config "
			"reload'; is this machine's clock right?";
		return "its certificate has expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		*hint = "is this machine's clock right?";
		return "its certificate is not valid yet";
	case X509_V_ERR_INVALID_PURPOSE:
		*hint = "make one whose extendedKeyUsage has serverAuth";
		return "its certificate is not one for servers";
	default: break;
	}
	*hint = "name the CA's certificate with --ca-file; if that is given, "
		"somebody else may be answering there";
	return "its certificate is not signed by a CA that is trusted here";
}

static const struct {
	const char *part; /* of OpenSSL's text */
	const char *meaning;
	const char *hint;
} MEANINGS[] = {
	{ "wrong version number", "it does not speak TLS",
	    "has its herd file tls_cert, and has it been reloaded? Without "
	    "TLS ask it without tls://" },
	{ "packet length too long", "it does not speak TLS",
	    "has its herd file tls_cert, and has it been reloaded?" },
	{ "http request", "it speaks TLS", "ask it with tls://" },
	{ "certificate required", "it wants a certificate of yours",
	    "name one with --cert-file and --key-file" },
	{ "handshake failure",
	    "it wants a certificate of yours, or refuses "
	    "the one given",
	    "name one with --cert-file and --key-file" },
	{ "unknown ca", "it does not trust the CA of your certificate",
	    "take one that its client_ca has signed" },
	{ "certificate expired", "your certificate has expired",
	    "have a new one made" },
	{ "bad certificate", "it refuses your certificate",
	    "take one that its client_ca has signed" },
	{ "unsupported certificate", "your certificate is not one for clients",
	    "make one whose extendedKeyUsage has clientAuth" },
};

const char *
tls_error_meaning(const char *text, const char **hint)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(MEANINGS); i++) {
		if (strstr(text, MEANINGS[i].part) == NULL)
			continue;
		*hint = MEANINGS[i].hint;
		return MEANINGS[i].meaning;
	}
	return NULL;
}

static void
set_error(struct tls_session *session, const char *text, const char *hint)
{
	snprintf(session->error, sizeof(session->error), "%s; %s", text, hint);
}

static void
note_error(struct tls_session *session)
{
	const struct ssl_api *api = &session->tls->api;
	long verify = api->SSL_get_verify_result(session->ssl);
	unsigned long code = api->ERR_peek_last_error();
	const char *text = api->ERR_reason_error_string(code);
	const char *hint = "";
	const char *meaning;

	if (text == NULL)
		text = errno != 0 ? strerror(errno) : "it hung up";
	meaning = ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED
		      ? tls_certificate_fault(verify, &hint)
		      : tls_error_meaning(text, &hint);
	if (meaning != NULL)
		set_error(session, meaning, hint);
	else
		snprintf(
		    session->error, sizeof(session->error), "TLS: %s", text);
	api->ERR_clear_error();
}

/* --- a connection ------------------------------------------------------- */

/* A key with a password would ask on the terminal in the middle of a run. */
static int
on_password(char *out HERD_UNUSED, int room HERD_UNUSED,
    int is_writing HERD_UNUSED, void *arg HERD_UNUSED)
{
	return -1;
}

static bool
load_files(struct tls *tls, struct buf *message)
{
	const struct ssl_api *api = &tls->api;
	const struct tls_names *files = &tls->files;
	const char *bad = NULL;

	if (files->ca == NULL)
		(void)api->SSL_CTX_set_default_verify_paths(tls->context);
	else if (api->SSL_CTX_load_verify_file(tls->context, files->ca) != 1)
		bad = files->ca;
	if (bad == NULL && files->cert != NULL &&
	    api->SSL_CTX_use_certificate_chain_file(
		tls->context, files->cert) != 1)
		bad = files->cert;
	if (bad == NULL && files->key != NULL &&
	    api->SSL_CTX_use_PrivateKey_file(
		tls->context, files->key, SSL_FILETYPE_PEM) != 1)
		bad = files->key;
	if (bad == NULL)
		return true;
	put_clean(message, span_from(bad));
	put_text(message, bad == files->key
			      ? ": not the certificate's key in PEM form, "
				"without a password"
			      : ": no certificates in PEM form");
	api->ERR_clear_error();
	return false;
}

/* Reads the files once; `message` says what is wrong with them. */
static bool
make_context(struct tls *tls, struct buf *message)
{
	struct ssl_api *api = &tls->api;
	const char *error;

	if (tls->context != NULL)
		return true;
	if (tls_check(tls, message) != STATUS_OK)
		return false;
	if (ssl_api_load(api, &error) != 0) {
		putf(message, "TLS needs OpenSSL: %s", error);
		return false;
	}
	tls->context = api->SSL_CTX_new(api->TLS_client_method());
	if (tls->context == NULL)
		out_of_memory();
	(void)api->SSL_CTX_ctrl(
	    tls->context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
	api->SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	api->SSL_CTX_set_default_passwd_cb(tls->context, on_password);
	if (load_files(tls, message))
		return true;
	api->SSL_CTX_free(tls->context);
	tls->context = NULL;
	return false;
}

/* Whose certificate it has to be; a name is told to the server, too. */
static void
set_host(const struct ssl_api *api, SSL *ssl, const char *host)
{
	if (api->X509_VERIFY_PARAM_set1_ip_asc(
		api->SSL_get0_param(ssl), host) == 1)
		return;
	if (api->SSL_set1_host(ssl, host) != 1)
		out_of_memory();
	(void)api->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
	    TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host);
}

/*
 * What OpenSSL wants to send is kept in memory, because its own way to send
 * raises SIGPIPE.
 */
struct tls_session *
tls_begin(struct tls *tls, int fd, const char *host, struct buf *message)
{
	const struct ssl_api *api = &tls->api;
	struct tls_session *session;
	BIO *in;
	BIO *out;

	if (!make_context(tls, message))
		return NULL;
	session = xcalloc(1, sizeof(*session));
	session->tls = tls_hold(tls);
	session->ssl = api->SSL_new(tls->context);
	in = api->BIO_new_socket(fd, 0);
	out = api->BIO_new(api->BIO_s_mem());
	if (session->ssl == NULL || in == NULL || out == NULL)
		out_of_memory();
	api->SSL_set_bio(session->ssl, in, out);
	api->SSL_set_connect_state(session->ssl);
	set_host(api, session->ssl, host);
	api->ERR_clear_error();
	return session;
}

void
tls_end(struct tls_session *session)
{
	if (session == NULL)
		return;
	session->tls->api.SSL_free(session->ssl);
	session->tls->api.ERR_clear_error();
	tls_drop(session->tls);
	free(session);
}

static enum tls_result
result_of(struct tls_session *session, int returned)
{
	if (returned == 1)
		return TLS_DONE;
	switch (session->tls->api.SSL_get_error(session->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return TLS_WAITS;
	case SSL_ERROR_ZERO_RETURN: return TLS_CLOSED;
	default: break;
	}
	if (ERR_GET_REASON(session->tls->api.ERR_peek_last_error()) ==
	    SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		session->tls->api.ERR_clear_error();
		return TLS_CLOSED;
	}
	note_error(session);
	return TLS_FAILED;
}

enum tls_result
tls_shake(struct tls_session *session)
{
	errno = 0;
	return result_of(
	    session, session->tls->api.SSL_do_handshake(session->ssl));
}

enum tls_result
tls_read(struct tls_session *session, char *data, size_t room, size_t *len)
{
	errno = 0;
	return result_of(session,
	    session->tls->api.SSL_read_ex(session->ssl, data, room, len));
}

enum tls_result
tls_write(struct tls_session *session, struct span data)
{
	size_t len;

	if (data.len == 0)
		return TLS_DONE;
	errno = 0;
	return result_of(session, session->tls->api.SSL_write_ex(
				      session->ssl, data.data, data.len, &len));
}

void
tls_output(struct tls_session *session, struct buf *out)
{
	const struct ssl_api *api = &session->tls->api;
	BIO *bio = api->SSL_get_wbio(session->ssl);
	char chunk[4096];
	int n;

	while ((n = api->BIO_read(bio, chunk, sizeof(chunk))) > 0)
		put(out, chunk, (size_t)n);
}

const char *
tls_error(const struct tls_session *session)
{
	return session->error;
}
