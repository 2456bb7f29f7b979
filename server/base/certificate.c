/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/certificate.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "herd/file.h"
#include "herd/herdfile.h"
#include "herd/keyfile.h"

/* The setting that is being read, and the context that is being made. */
struct loading {
	const struct certificate_files *files;
	const char *setting; /* "tls_cert" */
	const char *value;
	struct buf *message;
	SSL_CTX *context;
};

/* "admin.tls_cert /etc/herd/a.pem: TEXT" */
static enum herd_error HERD_PRINTF(2, 3)
    refuse(const struct loading *loading, const char *fmt, ...)
{
	va_list args;
	enum herd_error error =
	    buf_addf(loading->message, "%s.%s %s: ", loading->files->name,
		loading->setting, loading->value);

	va_start(args, fmt);
	if (error == HERD_OK)
		error = buf_addv(loading->message, fmt, args);
	va_end(args);
	ERR_clear_error();
	return error != HERD_OK ? error : HERD_ESYSTEM;
}

/* What OpenSSL says, in its own words. */
static const char *
reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text == NULL ? "unknown error" : text;
}

/* --- files --------------------------------------------------------------- */

static enum herd_error
read_public(const struct loading *loading, struct buf *text)
{
	const struct certificate_files *files = loading->files;
	enum herd_error error;
	struct buf path;

	buf_init(&path, PATH_MAX);
	error = herdfile_expand(
	    &path, loading->value, files->node, files->base_dir);
	if (error == HERD_OK && buf_cstr(&path) == NULL)
		error = HERD_ENOMEM;
	errno = 0;
	if (error == HERD_OK)
		error = file_read(buf_cstr(&path), CERTIFICATE_FILE_MAX, text);
	buf_release(&path);
	if (error == HERD_OK || error == HERD_ENOMEM)
		return error;
	return refuse(loading, "cannot read it: %s",
	    errno != 0 ? file_strerror(errno) : herd_strerror(error));
}

/* Certificates are public; a key has the rules of keyfile.h. */
static enum herd_error
read_secret(const struct loading *loading, size_t most, struct buf *text)
{
	char name[64];
	const struct keyfile file = { name, loading->value,
		loading->files->node, loading->files->base_dir, false };
	enum herd_error error = buf_reserve(text, most + 1);
	size_t len = 0;

	snprintf(name, sizeof(name), "%s.%s", loading->files->name,
	    loading->setting);
	if (error == HERD_OK)
		error = keyfile_read(
		    &file, 1, most, buf_tail(text), &len, loading->message);
	if (error == HERD_OK)
		buf_grow(text, len);
	return error;
}

static enum herd_error
read_file(const struct loading *loading, struct buf *text)
{
	if (strncmp(loading->value, "credential:", 11) == 0)
		return read_secret(loading, CERTIFICATE_FILE_MAX - 1, text);
	return read_public(loading, text);
}

/* A view of the text; NULL when out of memory. */
static BIO *
open_text(const struct buf *text)
{
	struct span span = buf_span(text);

	return BIO_new_mem_buf(span.data, (int)span.len);
}

/* A key that is encrypted cannot be opened: nobody is there to ask. */
static int
on_password(char *out HERD_UNUSED, int room HERD_UNUSED,
    int is_writing HERD_UNUSED, void *arg HERD_UNUSED)
{
	return -1;
}

/* --- the certificate -------------------------------------------------------
 */

/* The first is the listener's own, the others lead to a root. */
static enum herd_error
take_certificates(const struct loading *loading, BIO *text)
{
	X509 *own = PEM_read_bio_X509(text, NULL, on_password, NULL);
	X509 *next;
	bool good =
	    own != NULL && SSL_CTX_use_certificate(loading->context, own) == 1;

	X509_free(own);
	if (!good)
		return refuse(
		    loading, "no certificate in PEM form (%s)", reason());
	while (
	    (next = PEM_read_bio_X509(text, NULL, on_password, NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(loading->context, next) != 1) {
			X509_free(next);
			return refuse(loading, "%s", reason());
		}
	}
	ERR_clear_error();
	return HERD_OK;
}

static enum herd_error
take_key(const struct loading *loading, BIO *text)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, on_password, NULL);
	bool good = key != NULL;

	if (!good)
		return refuse(loading,
		    "no key in PEM form that opens without a password (%s)",
		    reason());
	good = SSL_CTX_use_PrivateKey(loading->context, key) == 1 &&
	       SSL_CTX_check_private_key(loading->context) == 1;
	EVP_PKEY_free(key);
	if (!good)
		return refuse(loading,
		    "it is not the key of %s.tls_cert %s (%s); put the key "
		    "and the certificate that was made for it there",
		    loading->files->name, loading->files->cert, reason());
	return HERD_OK;
}

static enum herd_error
take_client_ca(const struct loading *loading, BIO *text)
{
	X509_STORE *store = SSL_CTX_get_cert_store(loading->context);
	unsigned count = 0;
	X509 *ca;

	while (
	    (ca = PEM_read_bio_X509(text, NULL, on_password, NULL)) != NULL) {
		bool good = X509_STORE_add_cert(store, ca) == 1 &&
			    SSL_CTX_add_client_CA(loading->context, ca) == 1;

		X509_free(ca);
		if (!good)
			return refuse(loading, "%s", reason());
		count++;
	}
	if (count == 0)
		return refuse(
		    loading, "no certificate in PEM form (%s)", reason());
	ERR_clear_error();
	SSL_CTX_set_verify(loading->context,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return HERD_OK;
}

typedef enum herd_error take_function(const struct loading *loading, BIO *text);

static enum herd_error
take_file(struct loading *loading, const char *setting, const char *value,
    take_function *take)
{
	bool is_key = take == take_key;
	enum herd_error error;
	struct buf text;
	BIO *bio;

	loading->setting = setting;
	loading->value = value;
	buf_init(&text, CERTIFICATE_FILE_MAX);
	error = is_key ? read_secret(loading, CERTIFICATE_KEY_MAX, &text)
		       : read_file(loading, &text);
	if (error == HERD_OK) {
		bio = open_text(&text);
		error = bio == NULL ? HERD_ENOMEM : take(loading, bio);
		BIO_free(bio);
	}
	if (is_key && text.len > 0)
		OPENSSL_cleanse(
		    (void *)(uintptr_t)buf_span(&text).data, text.len);
	buf_release(&text);
	return error;
}

static bool
set_rules(SSL_CTX *context)
{
	SSL_CTX_set_options(context,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/* Else one read goes on while a peer sends nothing but key updates. */
	SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(context, 0) == 1;
}

enum herd_error
certificate_load(const struct certificate_files *files, struct buf *message,
    struct ssl_ctx_st **out)
{
	struct loading loading = { .files = files, .message = message };
	enum herd_error error = HERD_OK;

	if (files->cert[0] == '\0') {
		*out = NULL;
		return HERD_OK;
	}
	loading.context = SSL_CTX_new(TLS_server_method());
	if (loading.context == NULL || !set_rules(loading.context))
		error = HERD_ENOMEM;
	if (error == HERD_OK)
		error = take_file(
		    &loading, "tls_cert", files->cert, take_certificates);
	if (error == HERD_OK)
		error = take_file(&loading, "tls_key", files->key, take_key);
	if (error == HERD_OK && files->client_ca[0] != '\0')
		error = take_file(
		    &loading, "client_ca", files->client_ca, take_client_ca);
	if (error != HERD_OK) {
		SSL_CTX_free(loading.context);
		return error;
	}
	*out = loading.context;
	return HERD_OK;
}

void
certificate_drop(struct ssl_ctx_st *context)
{
	SSL_CTX_free(context);
}

/* --- names ---------------------------------------------------------------- */

/* It begins ids and comes into the log: a part of it would be another name. */
static bool
is_useful(const unsigned char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return len <= CERTIFICATE_NAME_MAX;
}

/* The last CN is the most specific one. */
static void
common_name(X509 *certificate, char out[CERTIFICATE_NAME_MAX + 1])
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	unsigned char *text = NULL;
	int at = -1;
	int next;
	int len = -1;

	while ((next = X509_NAME_get_index_by_NID(
		    subject, NID_commonName, at)) >= 0)
		at = next;
	if (at >= 0)
		len = ASN1_STRING_to_UTF8(&text,
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	out[0] = '\0';
	if (len > 0 && is_useful(text, (size_t)len)) {
		memcpy(out, text, (size_t)len);
		out[len] = '\0';
	}
	if (len >= 0)
		OPENSSL_free(text);
	ERR_clear_error();
}

bool
certificate_peer_name(
    const struct ssl_st *ssl, char out[CERTIFICATE_NAME_MAX + 1])
{
	X509 *certificate = SSL_get1_peer_certificate(ssl);
	bool shown =
	    certificate != NULL && SSL_get_verify_result(ssl) == X509_V_OK;

	out[0] = '\0';
	if (shown)
		common_name(certificate, out);
	X509_free(certificate);
	return shown;
}

struct certificate_facts
certificate_describe(struct ssl_ctx_st *context)
{
	struct certificate_facts facts = { .expires = INT64_MAX };
	X509 *own = SSL_CTX_get0_certificate(context);
	struct tm end;

	if (own == NULL)
		return facts;
	common_name(own, facts.name);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(own), &end) == 1)
		facts.expires = (int64_t)timegm(&end);
	return facts;
}

static uint64_t
hash_of(const X509 *certificate)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	uint64_t hash;

	(void)X509_digest(certificate, EVP_sha256(), digest, NULL);
	memcpy(&hash, digest, sizeof(hash));
	return hash;
}

struct certificate_hashes
certificate_hash(struct ssl_ctx_st *context)
{
	struct certificate_hashes hashes = { 0, 0 };
	STACK_OF(X509) *chain = NULL;
	STACK_OF(X509_OBJECT) * roots;

	if (context == NULL)
		return hashes;
	hashes.cert = hash_of(SSL_CTX_get0_certificate(context));
	(void)SSL_CTX_get0_chain_certs(context, &chain);
	for (int i = 0; i < sk_X509_num(chain); i++)
		hashes.cert ^= hash_of(sk_X509_value(chain, i));
	roots = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
	for (int i = 0; i < sk_X509_OBJECT_num(roots); i++)
		hashes.client_ca ^= hash_of(
		    X509_OBJECT_get0_X509(sk_X509_OBJECT_value(roots, i)));
	return hashes;
}

/* --- the present one --------------------------------------------------------
 */

void
certificate_slot_init(struct certificate_slot *slot)
{
	pthread_mutex_init(&slot->lock, NULL);
	slot->context = NULL;
}

void
certificate_slot_set(struct certificate_slot *slot, struct ssl_ctx_st *context)
{
	SSL_CTX *before;

	pthread_mutex_lock(&slot->lock);
	before = slot->context;
	slot->context = context;
	pthread_mutex_unlock(&slot->lock);
	/* Connections hold what they were made of. */
	SSL_CTX_free(before);
}

bool
certificate_slot_is_set(struct certificate_slot *slot)
{
	bool is_set;

	pthread_mutex_lock(&slot->lock);
	is_set = slot->context != NULL;
	pthread_mutex_unlock(&slot->lock);
	return is_set;
}

bool
certificate_slot_describe(
    struct certificate_slot *slot, struct certificate_facts *out)
{
	bool has_tls;

	pthread_mutex_lock(&slot->lock);
	has_tls = slot->context != NULL;
	if (has_tls)
		*out = certificate_describe(slot->context);
	pthread_mutex_unlock(&slot->lock);
	return has_tls;
}

struct certificate_hashes
certificate_slot_hash(struct certificate_slot *slot)
{
	struct certificate_hashes hashes;

	pthread_mutex_lock(&slot->lock);
	hashes = certificate_hash(slot->context);
	pthread_mutex_unlock(&slot->lock);
	return hashes;
}

bool
certificate_slot_begin(struct certificate_slot *slot, struct ssl_st **out)
{
	bool has_tls;

	*out = NULL;
	pthread_mutex_lock(&slot->lock);
	has_tls = slot->context != NULL;
	if (has_tls) {
		*out = SSL_new(slot->context);
		if (*out != NULL)
			SSL_set_accept_state(*out);
	}
	pthread_mutex_unlock(&slot->lock);
	return has_tls;
}
