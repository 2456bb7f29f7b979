/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The columns of an answer about clients: `client ls', `near' and `map' show
 * them one way, `client show' another, and both have all of them.
 */
#ifndef HERD_CLIENT_CLIENT_COLUMNS_H
#define HERD_CLIENT_CLIENT_COLUMNS_H

enum {
	CLIENT_NODE,
	CLIENT_ID,
	CLIENT_TIME,
	CLIENT_LOCATION,
	CLIENT_DISTANCE,
	CLIENT_RECEIVED,
	CLIENT_AHEAD,
	CLIENT_LAG,
	CLIENT_STATUS,
	CLIENT_ORIGIN,
	CLIENT_SKEW,
	CLIENT_FROM,
	CLIENT_ERROR,
	CLIENT_COLUMNS
};

#endif
