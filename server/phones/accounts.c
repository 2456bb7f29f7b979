/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/accounts.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct remembered {
	struct credentials_digest digest;
	struct account *account; /* NULL: this place is free */
};

struct accounts {
	struct users_file file;
	struct account *list; /* by name */
	size_t count;
	struct account_group *groups;
	unsigned group_count;
	struct remembered remembered[ACCOUNTS_REMEMBERED];
	uint8_t secret[USERS_DIGEST];
	EVP_MD *sha256;
	EVP_MD_CTX *context;
};

/* --- the list ------------------------------------------------------------- */

static int
account_compare(const void *a, const void *b)
{
	const struct account *left = a, *right = b;

	return span_compare(left->name, right->name);
}

/* Each user once, with its password if it has one. */
static enum herd_error
make_list(struct accounts *accounts)
{
	const struct users_file *file = &accounts->file;
	struct account *list = calloc(file->count + 1, sizeof(*list));
	size_t count = 0;

	if (list == NULL)
		return HERD_ENOMEM;
	accounts->list = list;
	for (size_t i = 0; i < file->count; i++) {
		const struct users_entry *entry = &file->entries[i];

		list[i].name = entry->user;
		list[i].password = entry->device.len == 0 ? entry : NULL;
	}
	qsort(list, file->count, sizeof(*list), account_compare);
	for (size_t i = 0; i < file->count; i++) {
		const struct account account = list[i];

		if (count == 0 ||
		    !span_equal(list[count - 1].name, account.name))
			list[count++] = account;
		else if (account.password != NULL)
			list[count - 1].password = account.password;
	}
	accounts->count = count;
	return HERD_OK;
}

struct account *
accounts_find(const struct accounts *accounts, struct span name)
{
	const struct account key = { .name = name };

	return bsearch(&key, accounts->list, accounts->count, sizeof(key),
	    account_compare);
}

size_t
accounts_count(const struct accounts *accounts)
{
	return accounts->count;
}

/* --- friends -------------------------------------------------------------- */

static unsigned
count_byte(struct span text, char byte)
{
	unsigned count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == byte;
	return count;
}

static enum herd_error
join(struct account_group *group, struct account *account)
{
	const struct account_group **grown;

	grown = realloc(
	    account->groups, (account->group_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return HERD_ENOMEM;
	account->groups = grown;
	account->groups[account->group_count++] = group;
	group->members[group->count++] = account;
	return HERD_OK;
}

/* "jane john" */
static enum herd_error
make_group(
    struct accounts *accounts, struct account_group *group, struct span names)
{
	enum herd_error error = HERD_OK;

	group->members =
	    calloc(count_byte(names, ' ') + 1u, sizeof(struct account *));
	if (group->members == NULL)
		return HERD_ENOMEM;
	while (names.len > 0 && error == HERD_OK) {
		struct account *account =
		    accounts_find(accounts, span_cut(&names, ' '));

		if (account != NULL)
			error = join(group, account);
	}
	return error;
}

static enum herd_error
make_groups(struct accounts *accounts, struct span text)
{
	unsigned count = count_byte(text, ',') + 1;
	enum herd_error error = HERD_OK;

	accounts->groups = calloc(count, sizeof(struct account_group));
	if (accounts->groups == NULL)
		return HERD_ENOMEM;
	accounts->group_count = count;
	for (unsigned i = 0; i < count && error == HERD_OK; i++)
		error = make_group(
		    accounts, &accounts->groups[i], span_cut(&text, ','));
	return error;
}

bool
account_sees(const struct account *account, const struct account *other)
{
	for (unsigned i = 0; i < account->group_count; i++)
		for (unsigned j = 0; j < other->group_count; j++)
			if (account->groups[i] == other->groups[j])
				return true;
	return account == other;
}

/* --- credentials ---------------------------------------------------------- */

static bool
digest(struct accounts *accounts, struct span secret, struct span text,
    uint8_t out[USERS_DIGEST])
{
	EVP_MD_CTX *context = accounts->context;

	return EVP_DigestInit_ex2(context, accounts->sha256, NULL) == 1 &&
	       EVP_DigestUpdate(context, secret.data, secret.len) == 1 &&
	       EVP_DigestUpdate(context, text.data, text.len) == 1 &&
	       EVP_DigestFinal_ex(context, out, NULL) == 1;
}

const struct users_entry *
accounts_key(struct accounts *accounts, struct span key)
{
	uint8_t sum[USERS_DIGEST];

	if (accounts->file.key_count == 0 || key.len == 0 ||
	    !digest(accounts, span_from(""), key, sum))
		return NULL;
	return users_file_key(&accounts->file, sum);
}

static struct remembered *
place_of(struct accounts *accounts, const struct credentials_digest *sum)
{
	uint32_t at;

	memcpy(&at, sum->bytes, sizeof(at));
	return &accounts->remembered[at % ACCOUNTS_REMEMBERED];
}

bool
accounts_digest(struct accounts *accounts, struct span credentials,
    struct credentials_digest *out)
{
	return digest(accounts,
	    span_of((const char *)accounts->secret, USERS_DIGEST), credentials,
	    out->bytes);
}

struct account *
accounts_recall(struct accounts *accounts, const struct credentials_digest *sum)
{
	const struct remembered *place = place_of(accounts, sum);

	return place->account != NULL && CRYPTO_memcmp(place->digest.bytes,
					     sum->bytes, USERS_DIGEST) == 0
		   ? place->account
		   : NULL;
}

void
accounts_remember(struct accounts *accounts,
    const struct credentials_digest *sum, struct account *account)
{
	*place_of(accounts, sum) = (struct remembered){ *sum, account };
}

/* --- devices -------------------------------------------------------------- */

/* The place for one more; NULL: there is none. */
static struct account_device *
place_for_device(struct account *account, bool own)
{
	if (account->device_count < USERS_DEVICES_MAX)
		return &account->devices[account->device_count++];
	for (unsigned i = 0; own && i < USERS_DEVICES_MAX; i++) {
		if (account->devices[i].own)
			continue;
		free(account->devices[i].name);
		return &account->devices[i];
	}
	return NULL;
}

bool
account_add_device(struct account *account, struct span device, bool own)
{
	struct account_device *place;
	char *copy;

	for (unsigned i = 0; i < account->device_count; i++) {
		place = &account->devices[i];
		if (!span_is(device, place->name))
			continue;
		place->own |= own;
		return true;
	}
	copy = strndup(device.data, device.len);
	place = copy == NULL ? NULL : place_for_device(account, own);
	if (place == NULL) {
		free(copy);
		return false;
	}
	*place = (struct account_device){ copy, own };
	return true;
}

void
accounts_take_devices(struct accounts *accounts, struct accounts *from)
{
	for (size_t i = 0; from != NULL && i < from->count; i++) {
		struct account *old = &from->list[i];
		struct account *account = accounts_find(accounts, old->name);

		if (account == NULL)
			continue;
		memcpy(account->devices, old->devices, sizeof(old->devices));
		account->device_count = old->device_count;
		old->device_count = 0;
	}
}

/* --- life ----------------------------------------------------------------- */

enum herd_error
accounts_new(
    struct users_file *file, const char *friends, struct accounts **out)
{
	struct accounts *accounts = calloc(1, sizeof(*accounts));
	enum herd_error error;

	if (accounts == NULL) {
		users_file_release(file);
		return HERD_ENOMEM;
	}
	accounts->file = *file;
	*file = (struct users_file){ 0 };
	accounts->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	accounts->context = EVP_MD_CTX_new();
	error = accounts->sha256 == NULL || accounts->context == NULL
		    ? HERD_ENOMEM
		    : make_list(accounts);
	if (error == HERD_OK)
		error = make_groups(accounts, span_from(friends));
	if (error == HERD_OK &&
	    getrandom(accounts->secret, USERS_DIGEST, 0) != USERS_DIGEST)
		error = HERD_ESYSTEM;
	if (error == HERD_OK)
		*out = accounts;
	else
		accounts_free(accounts);
	return error;
}

void
accounts_free(struct accounts *accounts)
{
	if (accounts == NULL)
		return;
	for (size_t i = 0; i < accounts->count; i++) {
		struct account *account = &accounts->list[i];

		for (unsigned j = 0; j < account->device_count; j++)
			free(account->devices[j].name);
		free(account->groups);
	}
	for (unsigned i = 0; i < accounts->group_count; i++)
		free(accounts->groups[i].members);
	free(accounts->groups);
	free(accounts->list);
	EVP_MD_CTX_free(accounts->context);
	EVP_MD_free(accounts->sha256);
	users_file_release(&accounts->file);
	OPENSSL_cleanse(accounts->secret, USERS_DIGEST);
	free(accounts);
}
