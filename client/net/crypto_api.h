/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of OpenSSL makes certificates, loaded when the first one is made. */
#ifndef HERD_CLIENT_CRYPTO_API_H
#define HERD_CLIENT_CRYPTO_API_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* name here and symbol, result, arguments */
#define CRYPTO_API(X)                                                      \
	X(EVP_PKEY_Q_keygen, EVP_PKEY *,                                   \
	    (OSSL_LIB_CTX *, const char *, const char *, ...))             \
	X(EVP_PKEY_free, void, (EVP_PKEY *))                               \
	X(EVP_sha256, const EVP_MD *, (void))                              \
	X(X509_new, X509 *, (void))                                        \
	X(X509_free, void, (X509 *))                                       \
	X(X509_set_version, int, (X509 *, long))                           \
	X(X509_get_serialNumber, ASN1_INTEGER *, (X509 *))                 \
	X(ASN1_INTEGER_set_uint64, int, (ASN1_INTEGER *, uint64_t))        \
	X(X509_getm_notBefore, ASN1_TIME *, (const X509 *))                \
	X(X509_getm_notAfter, ASN1_TIME *, (const X509 *))                 \
	X(X509_gmtime_adj, ASN1_TIME *, (ASN1_TIME *, long))               \
	X(ASN1_TIME_compare, int, (const ASN1_TIME *, const ASN1_TIME *))  \
	X(X509_set1_notAfter, int, (X509 *, const ASN1_TIME *))            \
	X(X509_set_pubkey, int, (X509 *, EVP_PKEY *))                      \
	X(X509_get_subject_name, X509_NAME *, (const X509 *))              \
	X(X509_set_issuer_name, int, (X509 *, const X509_NAME *))          \
	X(X509_NAME_add_entry_by_NID, int,                                 \
	    (X509_NAME *, int, int, const unsigned char *, int, int, int)) \
	X(X509V3_set_ctx, void,                                            \
	    (X509V3_CTX *, X509 *, X509 *, X509_REQ *, X509_CRL *, int))   \
	X(X509V3_EXT_conf_nid, X509_EXTENSION *,                           \
	    (LHASH_OF(CONF_VALUE) *, X509V3_CTX *, int, const char *))     \
	X(X509_add_ext, int, (X509 *, const X509_EXTENSION *, int))        \
	X(X509_EXTENSION_free, void, (X509_EXTENSION *))                   \
	X(X509_sign, int, (X509 *, EVP_PKEY *, const EVP_MD *))            \
	X(X509_check_private_key, int, (const X509 *, const EVP_PKEY *))   \
	X(BIO_new, BIO *, (const BIO_METHOD *))                            \
	X(BIO_new_mem_buf, BIO *, (const void *, int))                     \
	X(BIO_s_secmem, const BIO_METHOD *, (void))                        \
	X(BIO_read, int, (BIO *, void *, int))                             \
	X(BIO_free, int, (BIO *))                                          \
	X(PEM_read_bio_X509, X509 *,                                       \
	    (BIO *, X509 **, pem_password_cb *, void *))                   \
	X(PEM_read_bio_PrivateKey, EVP_PKEY *,                             \
	    (BIO *, EVP_PKEY **, pem_password_cb *, void *))               \
	X(PEM_write_bio_X509, int, (BIO *, const X509 *))                  \
	X(PEM_write_bio_PrivateKey, int,                                   \
	    (BIO *, const EVP_PKEY *, const EVP_CIPHER *,                  \
		const unsigned char *, int, pem_password_cb *, void *))    \
	X(ERR_peek_last_error, unsigned long, (void))                      \
	X(ERR_clear_error, void, (void))                                   \
	X(ERR_reason_error_string, const char *, (unsigned long))

struct crypto_api {
#define CRYPTO_API_MEMBER(name, result, arguments) result(*name) arguments;
	CRYPTO_API(CRYPTO_API_MEMBER)
#undef CRYPTO_API_MEMBER
};

/* Loads OpenSSL. On failure -1 and a sentence in *error. */
int crypto_api_load(struct crypto_api *api, const char **error);

#endif
