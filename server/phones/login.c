/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/login.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "herd/text.h"
#include "net/addresses.h"

/*
 * The hash of a user who is not there, so that the time of the answer does not
 * say so. It fits no password.
 */
#define NOBODY_HASH \
	"$y$j9T$NobodyNobodyNobodyNob/$NobodyNobodyNobodyNobodyNobodyNobody1234/"
/* "USER:PASSWORD" */
#define PAIR_MAX (USERS_NAME_MAX + 1u + USERS_PASSWORD_MAX)
#define BASIC_MAX (PAIR_MAX / 3u * 4u + 8u)

struct login {
	struct hash_job job; /* first */
	TAILQ_ENTRY(login) all;
	struct phones *phones;
	struct phone_call_list calls;
	struct credentials_digest digest;
	char user[USERS_NAME_MAX];
	size_t user_len;
	uint64_t address; /* that showed them first */
	bool known;       /* there is such a user */
	bool forgotten;   /* the accounts have been replaced since */
};

/* --- what was sent -------------------------------------------------------- */

/* The text after the scheme ("Basic "); empty: it is another one. */
static struct span
after_scheme(struct span header, const char *scheme)
{
	size_t len = strlen(scheme);

	if (header.len <= len || strncasecmp(header.data, scheme, len) != 0)
		return span_from("");
	return text_trim(span_of(header.data + len, header.len - len));
}

/* Wipes and frees. */
static void
wipe(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->cap);
	buf_release(buf);
}

static struct visitor *
visitor_at(struct phones *phones, uint64_t address)
{
	return visitors_find(&phones->visitors, address, clock_mono());
}

static struct visitor *
visitor_of(struct phone_call *call)
{
	return visitor_at(call->phones, address_key(&call->peer));
}

/* A wrong one has been shown; the sender is told so. */
static void
refuse(struct phone_call *call)
{
	visitor_tries(visitor_of(call), clock_mono());
	phone_call_refuse(call, PHONES_CREDENTIALS);
}

static void
accept_user(struct phone_call *call, struct account *account)
{
	memcpy(call->user, account->name.data, account->name.len);
	call->user_len = account->name.len;
	phone_call_go_on(call, account);
}

/* --- keys ----------------------------------------------------------------- */

/* The owner of that key; the call is then its device's. NULL: it is none. */
static struct account *
take_key(struct phone_call *call, struct span key)
{
	struct accounts *accounts = call->phones->config.accounts;
	const struct users_entry *entry = accounts_key(accounts, key);

	if (entry == NULL)
		return NULL;
	memcpy(call->device, entry->device.data, entry->device.len);
	call->device_len = entry->device.len;
	call->by_key = true;
	return accounts_find(accounts, entry->user);
}

/* The id that the request claims; it is wiped if it is a key. */
static struct account *
take_claimed_key(struct phone_call *call)
{
	struct intake *intake = &call->intake;
	struct account *account =
	    take_key(call, span_of(intake->claim, intake->claim_len));

	if (account == NULL)
		return NULL;
	explicit_bzero(intake->claim, sizeof(intake->claim));
	intake->claim_len = 0;
	return account;
}

/* --- passwords ------------------------------------------------------------ */

static void
end_call(struct phone_call *call, struct account *account)
{
	login_leave(call);
	if (account != NULL)
		accept_user(call, account);
	else
		phone_call_refuse(call, PHONES_CREDENTIALS);
}

static void
on_checked(struct message *message)
{
	struct login *login = (struct login *)message;
	struct accounts *accounts = login->phones->config.accounts;
	struct account *account = NULL;
	struct phone_call *call;

	if (!login->forgotten)
		TAILQ_REMOVE(&login->phones->logins, login, all);
	if (login->job.fits && login->known && !login->forgotten)
		account = accounts_find(
		    accounts, span_of(login->user, login->user_len));
	if (account != NULL) {
		accounts_remember(accounts, &login->digest, account);
		visitor_is_right(visitor_at(login->phones, login->address));
	}
	while ((call = TAILQ_FIRST(&login->calls)) != NULL)
		end_call(call, account);
	free(login);
}

/* The same credentials may be under way for another request already. */
static struct login *
find_under_way(struct phones *phones, const struct credentials_digest *digest)
{
	struct login *login;

	TAILQ_FOREACH(login, &phones->logins, all)
	{
		if (memcmp(&login->digest, digest, sizeof(*digest)) == 0)
			return login;
	}
	return NULL;
}

/* "USER:PASSWORD"; false: it can be no user's. */
static bool
fill(struct login *login, struct span pair)
{
	struct span user = span_cut(&pair, ':');
	const struct account *account;
	struct span hash = span_from(NOBODY_HASH);

	if (!users_file_name_is_valid(user) || !users_hash_takes(pair))
		return false;
	account = accounts_find(login->phones->config.accounts, user);
	login->known = account != NULL && account->password != NULL;
	if (login->known)
		hash = account->password->hash;
	memcpy(login->job.hash, hash.data, hash.len);
	login->job.hash_len = hash.len;
	memcpy(login->job.password, pair.data, pair.len);
	login->job.password_len = pair.len;
	memcpy(login->user, user.data, user.len);
	login->user_len = user.len;
	return true;
}

static struct login *
login_new(struct phones *phones, struct span basic)
{
	struct login *login = calloc(1, sizeof(*login));
	struct buf pair;
	bool good;

	if (login == NULL)
		return NULL;
	login->job.message.run = on_checked;
	login->phones = phones;
	TAILQ_INIT(&login->calls);
	buf_init(&pair, PAIR_MAX);
	good = basic.len <= BASIC_MAX &&
	       text_from_base64(&pair, basic) == HERD_OK &&
	       fill(login, buf_span(&pair));
	wipe(&pair);
	if (!good) {
		free(login);
		return NULL;
	}
	return login;
}

/* Until it has been checked it counts as wrong for that address. */
static struct login *
submit(struct phone_call *call, struct login *login)
{
	struct phones *phones = call->phones;

	if (!hasher_submit(phones->hasher, &login->job)) {
		explicit_bzero(login, sizeof(*login));
		free(login);
		phone_call_refuse(call, PHONES_BUSY);
		return NULL;
	}
	login->address = address_key(&call->peer);
	visitor_tries(visitor_of(call), clock_mono());
	TAILQ_INSERT_TAIL(&phones->logins, login, all);
	return login;
}

/* NULL: the call has been refused. */
static struct login *
begin_check(struct phone_call *call, struct span basic,
    const struct credentials_digest *digest)
{
	struct login *login;

	if (!visitor_may_try(visitor_of(call), clock_mono())) {
		phone_call_refuse(call, PHONES_ATTEMPTS);
		return NULL;
	}
	login = login_new(call->phones, basic);
	if (login == NULL) {
		refuse(call);
		return NULL;
	}
	login->digest = *digest;
	return submit(call, login);
}

static void
take_basic(struct phone_call *call, struct span basic)
{
	struct accounts *accounts = call->phones->config.accounts;
	struct credentials_digest digest;
	struct account *account;
	struct login *login;

	if (!accounts_digest(accounts, basic, &digest)) {
		phone_call_refuse(call, PHONES_BUSY);
		return;
	}
	account = accounts_recall(accounts, &digest);
	if (account != NULL) {
		accept_user(call, account);
		return;
	}
	login = find_under_way(call->phones, &digest);
	if (login == NULL)
		login = begin_check(call, basic, &digest);
	if (login == NULL)
		return;
	call->login = login;
	TAILQ_INSERT_TAIL(&login->calls, call, waiting);
}

void
login_begin(struct phone_call *call)
{
	struct span header = phone_call_header(call, "Authorization");
	struct span basic = after_scheme(header, "Basic ");
	struct span bearer = after_scheme(header, "Bearer ");
	struct account *account = NULL;
	bool shows_one = bearer.len > 0 || call->intake.claim_len > 0;

	if (basic.len > 0) {
		take_basic(call, basic);
		return;
	}
	/*
	 * Nobody guesses a key, so one that is right is not held up by what
	 * others have tried from the same address.
	 */
	if (bearer.len > 0)
		account = take_key(call, bearer);
	else if (header.len == 0)
		account = take_claimed_key(call);
	if (account != NULL)
		accept_user(call, account);
	else if (shows_one && !visitor_may_try(visitor_of(call), clock_mono()))
		phone_call_refuse(call, PHONES_ATTEMPTS);
	else if (shows_one)
		refuse(call);
	else
		phone_call_refuse(call, PHONES_CREDENTIALS);
}

void
login_leave(struct phone_call *call)
{
	TAILQ_REMOVE(&call->login->calls, call, waiting);
	call->login = NULL;
}

void
login_restart(struct phones *phones)
{
	struct login_list old;
	struct login *login;
	struct phone_call *call;

	TAILQ_INIT(&old);
	TAILQ_CONCAT(&old, &phones->logins, all);
	while ((login = TAILQ_FIRST(&old)) != NULL) {
		TAILQ_REMOVE(&old, login, all);
		login->forgotten = true;
		while ((call = TAILQ_FIRST(&login->calls)) != NULL) {
			login_leave(call);
			login_begin(call);
		}
	}
}
