/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/authority.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/xbuf.h"
#include "net/crypto_api.h"

#define KEY_ROOM 16384u
#define DAY_S 86400L
/* A node whose clock is slow must not refuse what is new. */
#define BEFORE_S 86400L

struct authority {
	struct crypto_api api;
	X509 *certificate;
	EVP_PKEY *key;
};

/* A certificate that is being made. */
struct making {
	struct authority *authority;
	X509 *certificate;
	X509 *issuer; /* itself for the CA's own */
};

/* --- texts ---------------------------------------------------------------- */

void
authority_pair_init(struct authority_pair *pair)
{
	*pair = (struct authority_pair){ XBUF, XBUF };
	/* No copy of a key is left where a buffer outgrew its memory. */
	must(buf_reserve(&pair->key, KEY_ROOM));
}

void
authority_pair_release(struct authority_pair *pair)
{
	if (pair->key.data != NULL)
		explicit_bzero(pair->key.data, pair->key.len);
	buf_release(&pair->certificate);
	buf_release(&pair->key);
}

/* Appends OpenSSL's words for it. Always false. */
static bool
fail(const struct crypto_api *api, const char *what, struct buf *message)
{
	const char *text =
	    api->ERR_reason_error_string(api->ERR_peek_last_error());

	putf(message, "%s: %s", what, text == NULL ? "unknown error" : text);
	api->ERR_clear_error();
	return false;
}

static void
take_text(const struct crypto_api *api, BIO *bio, struct buf *out)
{
	char chunk[1024];
	int n;

	while ((n = api->BIO_read(bio, chunk, sizeof(chunk))) > 0)
		put(out, chunk, (size_t)n);
	explicit_bzero(chunk, sizeof(chunk));
}

/* Memory of such a BIO is wiped when it is freed. */
static bool
put_pair(const struct crypto_api *api, const X509 *certificate,
    const EVP_PKEY *key, struct authority_pair *out)
{
	BIO *bio = api->BIO_new(api->BIO_s_secmem());
	bool ok = bio != NULL && api->PEM_write_bio_X509(bio, certificate) == 1;

	if (ok)
		take_text(api, bio, &out->certificate);
	ok = ok && api->PEM_write_bio_PrivateKey(
		       bio, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (ok)
		take_text(api, bio, &out->key);
	api->BIO_free(bio);
	return ok;
}

/* --- a certificate -------------------------------------------------------- */

static bool
set_serial(const struct crypto_api *api, X509 *certificate)
{
	uint64_t serial;

	return getrandom(&serial, sizeof(serial), 0) == sizeof(serial) &&
	       api->ASN1_INTEGER_set_uint64(
		   api->X509_get_serialNumber(certificate), serial >> 1) == 1;
}

/* What the CA's certificate does not cover is worth nothing. */
static bool
set_days(const struct making *making, long days)
{
	const struct crypto_api *api = &making->authority->api;
	ASN1_TIME *end = api->X509_getm_notAfter(making->certificate);
	ASN1_TIME *last = api->X509_getm_notAfter(making->issuer);

	if (api->X509_gmtime_adj(api->X509_getm_notBefore(making->certificate),
		-BEFORE_S) == NULL ||
	    api->X509_gmtime_adj(end, days * DAY_S) == NULL)
		return false;
	return api->ASN1_TIME_compare(end, last) <= 0 ||
	       api->X509_set1_notAfter(making->certificate, last) == 1;
}

static bool
set_names(const struct making *making, const char *name)
{
	const struct crypto_api *api = &making->authority->api;
	X509_NAME *subject = api->X509_get_subject_name(making->certificate);

	return api->X509_NAME_add_entry_by_NID(subject, NID_commonName,
		   MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
		   0) == 1 &&
	       api->X509_set_issuer_name(making->certificate,
		   api->X509_get_subject_name(making->issuer)) == 1;
}

static bool
add_extension(const struct making *making, int nid, const char *value)
{
	const struct crypto_api *api = &making->authority->api;
	X509_EXTENSION *extension;
	X509V3_CTX context;
	bool ok;

	api->X509V3_set_ctx(
	    &context, making->issuer, making->certificate, NULL, NULL, 0);
	extension = api->X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = extension != NULL &&
	     api->X509_add_ext(making->certificate, extension, -1) == 1;
	api->X509_EXTENSION_free(extension);
	return ok;
}

static bool
set_extensions(const struct making *making, const char *hosts)
{
	bool is_ca = hosts == NULL;

	return add_extension(making, NID_basic_constraints,
		   is_ca ? "critical,CA:TRUE,pathlen:0"
			 : "critical,CA:FALSE") &&
	       add_extension(making, NID_key_usage,
		   is_ca ? "critical,keyCertSign,cRLSign"
			 : "critical,digitalSignature") &&
	       add_extension(making, NID_subject_key_identifier, "hash") &&
	       (is_ca ||
		   (add_extension(
			making, NID_authority_key_identifier, "keyid") &&
		       add_extension(making, NID_ext_key_usage, "serverAuth") &&
		       add_extension(making, NID_subject_alt_name, hosts)));
}

/* Without `hosts` the CA's own. Gives *out; false: OpenSSL says why not. */
static bool
make(struct authority *authority, EVP_PKEY *key, const char *name,
    const char *hosts, X509 **out)
{
	const struct crypto_api *api = &authority->api;
	struct making making = { authority, api->X509_new(), NULL };
	bool ok = key != NULL && making.certificate != NULL;

	making.issuer =
	    hosts == NULL ? making.certificate : authority->certificate;
	ok = ok &&
	     api->X509_set_version(making.certificate, X509_VERSION_3) == 1 &&
	     set_serial(api, making.certificate) &&
	     set_days(&making,
		 hosts == NULL ? AUTHORITY_DAYS : AUTHORITY_NODE_DAYS) &&
	     set_names(&making, name) &&
	     api->X509_set_pubkey(making.certificate, key) == 1 &&
	     set_extensions(&making, hosts) &&
	     api->X509_sign(making.certificate,
		 hosts == NULL ? key : authority->key, api->EVP_sha256()) > 0;
	if (!ok) {
		api->X509_free(making.certificate);
		return false;
	}
	*out = making.certificate;
	return true;
}

static EVP_PKEY *
new_key(const struct crypto_api *api)
{
	return api->EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

/* --- the CA --------------------------------------------------------------- */

static struct authority *
load(struct buf *message)
{
	struct authority *authority = xcalloc(1, sizeof(*authority));
	const char *error;

	if (crypto_api_load(&authority->api, &error) == 0)
		return authority;
	putf(message, "certificates need OpenSSL: %s", error);
	free(authority);
	return NULL;
}

void
authority_free(struct authority *authority)
{
	if (authority == NULL)
		return;
	authority->api.X509_free(authority->certificate);
	authority->api.EVP_PKEY_free(authority->key);
	free(authority);
}

struct authority *
authority_new(const char *name, struct buf *message)
{
	struct authority *authority = load(message);

	if (authority == NULL)
		return NULL;
	authority->key = new_key(&authority->api);
	if (make(
		authority, authority->key, name, NULL, &authority->certificate))
		return authority;
	(void)fail(&authority->api, "cannot make a CA", message);
	authority_free(authority);
	return NULL;
}

/* A key that is encrypted cannot be opened: nobody is asked. */
static int
on_password(char *out HERD_UNUSED, int room HERD_UNUSED,
    int is_writing HERD_UNUSED, void *arg HERD_UNUSED)
{
	return -1;
}

static BIO *
open_text(const struct crypto_api *api, const struct buf *text)
{
	BIO *bio = api->BIO_new_mem_buf(
	    text->len > 0 ? buf_span(text).data : "", (int)text->len);

	if (bio == NULL)
		out_of_memory();
	return bio;
}

/* The certificate of the key, which may be one of several. NULL: none is. */
static X509 *
find_own(const struct crypto_api *api, BIO *bio, const EVP_PKEY *key)
{
	X509 *found;

	while ((found = api->PEM_read_bio_X509(bio, NULL, on_password, NULL)) !=
	       NULL) {
		if (key != NULL && api->X509_check_private_key(found, key) == 1)
			break;
		api->X509_free(found);
	}
	return found;
}

struct authority *
authority_read(const struct authority_pair *pair, struct buf *message)
{
	struct authority *authority = load(message);
	const struct crypto_api *api;
	BIO *certificate;
	BIO *key;

	if (authority == NULL)
		return NULL;
	api = &authority->api;
	certificate = open_text(api, &pair->certificate);
	key = open_text(api, &pair->key);
	authority->key =
	    api->PEM_read_bio_PrivateKey(key, NULL, on_password, NULL);
	authority->certificate = find_own(api, certificate, authority->key);
	api->BIO_free(certificate);
	api->BIO_free(key);
	api->ERR_clear_error();
	if (authority->certificate != NULL)
		return authority;
	put_text(message, authority->key == NULL
			      ? "no key in PEM form"
			      : "no certificate is of this key");
	authority_free(authority);
	return NULL;
}

bool
authority_write(struct authority *authority, struct authority_pair *out,
    struct buf *message)
{
	return put_pair(&authority->api, authority->certificate, authority->key,
		   out) ||
	       fail(&authority->api, "cannot write a CA", message);
}

bool
authority_issue(struct authority *authority, const char *name,
    const char *hosts, struct authority_pair *out, struct buf *message)
{
	const struct crypto_api *api = &authority->api;
	EVP_PKEY *key = new_key(api);
	X509 *certificate = NULL;
	bool ok = make(authority, key, name, hosts, &certificate) &&
		  put_pair(api, certificate, key, out);

	api->X509_free(certificate);
	api->EVP_PKEY_free(key);
	return ok || fail(api, "cannot make a certificate", message);
}
