/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OpenSSL, loaded when the first connection with TLS to a listener for clients
 * is made, or a device's key: it would cost each start of herdctl some
 * milliseconds.
 */
#ifndef HERD_CLIENT_SSL_API_H
#define HERD_CLIENT_SSL_API_H

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stddef.h>

/* name here and symbol, result, arguments */
#define SSL_API(X)                                                             \
	X(TLS_client_method, const SSL_METHOD *, (void))                       \
	X(SSL_CTX_new, SSL_CTX *, (const SSL_METHOD *))                        \
	X(SSL_CTX_free, void, (SSL_CTX *))                                     \
	X(SSL_CTX_ctrl, long, (SSL_CTX *, int, long, void *))                  \
	X(SSL_CTX_set_verify, void, (SSL_CTX *, int, SSL_verify_cb))           \
	X(SSL_CTX_load_verify_file, int, (SSL_CTX *, const char *))            \
	X(SSL_CTX_set_default_verify_paths, int, (SSL_CTX *))                  \
	X(SSL_CTX_set_default_passwd_cb, void, (SSL_CTX *, pem_password_cb *)) \
	X(SSL_CTX_use_certificate_chain_file, int, (SSL_CTX *, const char *))  \
	X(SSL_CTX_use_PrivateKey_file, int, (SSL_CTX *, const char *, int))    \
	X(SSL_new, SSL *, (SSL_CTX *))                                         \
	X(SSL_free, void, (SSL *))                                             \
	X(SSL_set_connect_state, void, (SSL *))                                \
	X(SSL_ctrl, long, (SSL *, int, long, void *))                          \
	X(SSL_set1_host, int, (SSL *, const char *))                           \
	X(SSL_get0_param, X509_VERIFY_PARAM *, (SSL *))                        \
	X(X509_VERIFY_PARAM_set1_ip_asc, int,                                  \
	    (X509_VERIFY_PARAM *, const char *))                               \
	X(SSL_set_bio, void, (SSL *, BIO *, BIO *))                            \
	X(SSL_get_wbio, BIO *, (const SSL *))                                  \
	X(BIO_new_socket, BIO *, (int, int))                                   \
	X(BIO_new, BIO *, (const BIO_METHOD *))                                \
	X(BIO_s_mem, const BIO_METHOD *, (void))                               \
	X(BIO_read, int, (BIO *, void *, int))                                 \
	X(SSL_do_handshake, int, (SSL *))                                      \
	X(SSL_read_ex, int, (SSL *, void *, size_t, size_t *))                 \
	X(SSL_write_ex, int, (SSL *, const void *, size_t, size_t *))          \
	X(SSL_get_error, int, (const SSL *, int))                              \
	X(SSL_get_verify_result, long, (const SSL *))                          \
	X(SHA256, unsigned char *,                                             \
	    (const unsigned char *, size_t, unsigned char *))                  \
	X(ERR_peek_last_error, unsigned long, (void))                          \
	X(ERR_clear_error, void, (void))                                       \
	X(ERR_reason_error_string, const char *, (unsigned long))

struct ssl_api {
#define SSL_API_MEMBER(name, result, arguments) result(*name) arguments;
	SSL_API(SSL_API_MEMBER)
#undef SSL_API_MEMBER
};

/* Loads OpenSSL. On failure -1 and a sentence in *error. */
int ssl_api_load(struct ssl_api *api, const char **error);

#endif
