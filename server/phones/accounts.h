/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Those who may report over HTTP: the users file, who is whose friend, which
 * credentials were found right lately, and which devices each user has. Made
 * in the main thread at the start and at each reload, then the phones thread's.
 */
#ifndef HERD_ACCOUNTS_H
#define HERD_ACCOUNTS_H

#include "base/rate.h"
#include "herd/users_file.h"

#define ACCOUNTS_REMEMBERED 4096u /* credentials that were right */

struct account_group;
struct accounts;

/* A device that the herd has or had a report of. */
struct account_device {
	char *name;
	bool own; /* the user has reported with it, here and with credentials */
};

struct account {
	struct span name;
	const struct users_entry *password; /* NULL: it has keys only */
	struct rate requests;
	struct account_device devices[USERS_DEVICES_MAX];
	unsigned device_count;
	const struct account_group **groups; /* of friends */
	unsigned group_count;
};

/* Users who see each other. */
struct account_group {
	struct account **members;
	unsigned count;
};

/* SHA-256 of credentials, with a secret of this process. */
struct credentials_digest {
	uint8_t bytes[USERS_DIGEST];
};

/*
 * Takes *file, also on failure. `friends` is the value of http.friends; a name
 * in it that is no user is nobody. HERD_ENOMEM, HERD_ESYSTEM.
 */
HERD_MUST_CHECK enum herd_error accounts_new(
    struct users_file *file, const char *friends, struct accounts **out);
void accounts_free(struct accounts *accounts); /* NULL is fine */

size_t accounts_count(const struct accounts *accounts);

/* The user of that name, or NULL. */
struct account *accounts_find(
    const struct accounts *accounts, struct span name);

/* The device that has this key, or NULL. */
const struct users_entry *accounts_key(
    struct accounts *accounts, struct span key);

/* False: there is no memory for it. */
HERD_MUST_CHECK bool accounts_digest(struct accounts *accounts,
    struct span credentials, struct credentials_digest *out);

/* Whose credentials these are, if they were found right lately, or NULL. */
struct account *accounts_recall(
    struct accounts *accounts, const struct credentials_digest *digest);
void accounts_remember(struct accounts *accounts,
    const struct credentials_digest *digest, struct account *account);

/* Do the two see each other? Everybody sees himself. */
bool account_sees(const struct account *account, const struct account *other);

/*
 * Does the user have that device now? False: it has USERS_DEVICES_MAX others,
 * or there is no memory. One with `own` takes the place of one without, which
 * anybody may have made up with the client protocol.
 */
bool account_add_device(struct account *account, struct span device, bool own);

/* Moves the devices of users that both have; `from` may be NULL. */
void accounts_take_devices(struct accounts *accounts, struct accounts *from);

#endif
