/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates of a listener: what is read, what is refused, and whose name a
 * peer's certificate gives. Handshakes go through memory.
 */
#include "unit.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "base/certificate.h"

#define LIFE_S 86400

/* A folder with ca.pem and, for the node N, N.pem with its key N.key. */
struct shop {
	char dir[32];
	EVP_PKEY *ca_key;
	X509 *ca;
};

/* --- making them ---------------------------------------------------------- */

static char *
path_of(const struct shop *shop, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", shop->dir, name);
	return path;
}

static X509 *
make(EVP_PKEY *key, struct span name, EVP_PKEY *issuer_key, const X509 *issuer)
{
	X509 *made = X509_new();
	X509_NAME *subject = X509_get_subject_name(made);
	static long serial;

	/* A CA needs no extensions if it is of version 1. */
	assert_int_equal(X509_set_version(made, issuer == NULL ? 0 : 2), 1);
	assert_int_equal(
	    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -10));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), LIFE_S));
	assert_int_equal(X509_set_pubkey(made, key), 1);
	assert_int_equal(
	    X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
		(const unsigned char *)name.data, (int)name.len, -1, 0),
	    1);
	assert_int_equal(
	    X509_set_issuer_name(
		made, issuer == NULL ? subject : X509_get_subject_name(issuer)),
	    1);
	assert_true(X509_sign(made, issuer_key, EVP_sha256()) > 0);
	return made;
}

static void
write_certificate(const struct shop *shop, const char *name, X509 *certificate)
{
	FILE *file = fopen(path_of(shop, name), "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	assert_int_equal(fclose(file), 0);
}

static void
write_key(const struct shop *shop, const char *name, EVP_PKEY *key)
{
	FILE *file = fopen(path_of(shop, name), "w");

	assert_non_null(file);
	assert_int_equal(
	    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path_of(shop, name), 0600), 0);
}

static int
set_up(void **state)
{
	struct shop *shop = calloc(1, sizeof(*shop));
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *own;

	strcpy(shop->dir, "/tmp/herd-cert-XXXXXX");
	assert_non_null(mkdtemp(shop->dir));
	shop->ca_key = EVP_EC_gen("P-256");
	shop->ca = make(shop->ca_key, span_from("ca"), shop->ca_key, NULL);
	own = make(key, span_from("N"), shop->ca_key, shop->ca);
	write_certificate(shop, "ca.pem", shop->ca);
	write_certificate(shop, "N.pem", own);
	write_key(shop, "N.key", key);
	X509_free(own);
	EVP_PKEY_free(key);
	*state = shop;
	return 0;
}

static int
tear_down(void **state)
{
	struct shop *shop = *state;

	unlink(path_of(shop, "ca.pem"));
	unlink(path_of(shop, "N.pem"));
	unlink(path_of(shop, "N.key"));
	rmdir(shop->dir);
	X509_free(shop->ca);
	EVP_PKEY_free(shop->ca_key);
	free(shop);
	return 0;
}

static struct certificate_files
files_of(const struct shop *shop)
{
	return (struct certificate_files){ "admin", "%n.pem", "%n.key",
		"ca.pem", "N", shop->dir };
}

/* --- reading ------------------------------------------------------------- */

static void
test_no_certificate_is_no_context(void **state)
{
	struct certificate_files files = files_of(*state);
	struct ssl_ctx_st *context = NULL;
	struct buf message;

	buf_init(&message, 1000);
	files.cert = "";
	assert_ok(certificate_load(&files, &message, &context));
	assert_null(context);
	buf_release(&message);
}

static void
test_certificate_is_described(void **state)
{
	struct certificate_files files = files_of(*state);
	struct certificate_facts facts;
	struct ssl_ctx_st *context;
	struct buf message;

	buf_init(&message, 1000);
	assert_ok(certificate_load(&files, &message, &context));
	facts = certificate_describe(context);
	assert_string_equal(facts.name, "N");
	assert_true(facts.expires > time(NULL) + LIFE_S - 100 &&
		    facts.expires <= time(NULL) + LIFE_S);
	certificate_drop(context);
	buf_release(&message);
}

static void
test_bad_files_are_named(void **state)
{
	const struct {
		const char *cert, *key, *ca, *message;
	} cases[] = {
		{ "no.pem", "%n.key", "",
		    "admin.tls_cert no.pem: cannot read "
		    "it: No such file or directory" },
		{ "%n.key", "%n.key", "",
		    "admin.tls_cert %n.key: no certificate in PEM form (no "
		    "start line)" },
		{ "ca.pem", "%n.key", "",
		    "admin.tls_key %n.key: it is not the key of "
		    "admin.tls_cert ca.pem" },
		{ "%n.pem", "%n.key", "%n.key",
		    "admin.client_ca %n.key: no certificate in PEM form" },
	};
	struct buf message;

	buf_init(&message, 1000);
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		struct certificate_files files = files_of(*state);
		struct ssl_ctx_st *context = NULL;

		files.cert = cases[i].cert;
		files.key = cases[i].key;
		files.client_ca = cases[i].ca;
		buf_clear(&message);
		assert_int_equal(
		    certificate_load(&files, &message, &context), HERD_ESYSTEM);
		assert_null(context);
		if (strncmp(buf_cstr(&message), cases[i].message,
			strlen(cases[i].message)) != 0)
			fail_msg("%s", buf_cstr(&message));
	}
	buf_release(&message);
}

/* --- names ---------------------------------------------------------------- */

/* Moves what one side has written to the other. */
static void
carry(SSL *from, SSL *to)
{
	char bytes[4096];
	int n;

	while ((n = BIO_read(SSL_get_wbio(from), bytes, sizeof(bytes))) > 0)
		assert_int_equal(BIO_write(SSL_get_rbio(to), bytes, n), n);
}

static void
use_memory(SSL *ssl)
{
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

/* Shakes hands with a client of that certificate (NULL: none). */
static bool
shake(SSL *server, X509 *certificate, EVP_PKEY *key)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *client;
	int result = -1;

	if (certificate != NULL) {
		assert_int_equal(
		    SSL_CTX_use_certificate(context, certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
	}
	client = SSL_new(context);
	SSL_set_connect_state(client);
	use_memory(client);
	use_memory(server);
	for (unsigned i = 0; i < 4 && result != 1; i++) {
		(void)SSL_do_handshake(client);
		carry(client, server);
		result = SSL_do_handshake(server);
		carry(server, client);
	}
	SSL_free(client);
	SSL_CTX_free(context);
	return result == 1;
}

static void
check_name(struct certificate_slot *slot, X509 *certificate, EVP_PKEY *key,
    const char *name)
{
	char got[CERTIFICATE_NAME_MAX + 1];
	SSL *server;

	assert_true(certificate_slot_begin(slot, &server));
	assert_non_null(server);
	if (shake(server, certificate, key) != (name != NULL))
		fail_msg("%s", name == NULL ? "none" : name);
	if (name != NULL) {
		assert_true(certificate_peer_name(server, got));
		assert_string_equal(got, name);
	}
	SSL_free(server);
}

static void
test_peers_are_named(void **state)
{
	static const struct {
		struct span cn;
		const char *name;
	} cases[] = {
		{ { "anna", 4 }, "anna" },
		{ { "Zo\xc3\xab", 4 }, "Zo\xc3\xab" },
		{ { "an na", 5 }, "" },
		{ { "anna\nx", 6 }, "" },
		{ { "car\0x", 5 }, "" },
		{ { "\x1b[31m", 5 }, "" },
	};
	const struct shop *shop = *state;
	struct certificate_files files = files_of(shop);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct certificate_slot slot;
	struct ssl_ctx_st *context;
	struct buf message;
	X509 *certificate;

	buf_init(&message, 1000);
	certificate_slot_init(&slot);
	assert_false(certificate_slot_is_set(&slot));
	assert_ok(certificate_load(&files, &message, &context));
	certificate_slot_set(&slot, context);
	assert_true(certificate_slot_is_set(&slot));
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		certificate = make(key, cases[i].cn, shop->ca_key, shop->ca);
		check_name(&slot, certificate, key, cases[i].name);
		X509_free(certificate);
	}
	/* None, and one that signs itself. */
	check_name(&slot, NULL, NULL, NULL);
	certificate = make(key, span_from("anna"), key, NULL);
	check_name(&slot, certificate, key, NULL);
	X509_free(certificate);
	certificate_slot_set(&slot, NULL);
	EVP_PKEY_free(key);
	buf_release(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_no_certificate_is_no_context, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_certificate_is_described, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_bad_files_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_peers_are_named, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
