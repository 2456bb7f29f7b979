/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who sends a request: HTTP Basic, or a device's key as Bearer or as the id
 * that the app claims. Passwords are checked by other threads; those found
 * right are remembered until the users file is read again. Wrong ones are
 * limited for each address. Neither passwords nor keys are ever logged.
 */
#ifndef HERD_LOGIN_H
#define HERD_LOGIN_H

#include "phones/phone_call.h"

/* A password under way, and all the requests that wait for it. */
struct login;

/*
 * Finds out who sends the request: phone_call_go_on() follows, now or later;
 * or the call is refused.
 */
void login_begin(struct phone_call *call);

/* The call does not wait any more. */
void login_leave(struct phone_call *call);

/*
 * The accounts have been replaced: calls that wait begin again with the new
 * ones.
 */
void login_restart(struct phones *phones);

#endif
