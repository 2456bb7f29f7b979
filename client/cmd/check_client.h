/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check client ID --max-age DURATION: is a client's newest position fresh? */
#ifndef HERD_CHECK_CLIENT_H
#define HERD_CHECK_CLIENT_H

#include "run/run.h"

/* The plugins' exit status; says what is wrong with the line. */
enum status check_client_run(struct run *run);

#endif
