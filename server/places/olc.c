/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/olc.h"

#define DEGREE_E7 INT64_C(10000000)
#define CELL_E7 (DEGREE_E7 / 8000)

void
olc_encode(int64_t lat_e7, int64_t lng_e7, char out[OLC_LEN])
{
	static const char alphabet[] = "23456789CFGHJMPQRVWX";
	int64_t lat = lat_e7 + 90 * DEGREE_E7;
	int64_t lng = (lng_e7 + 180 * DEGREE_E7) % (360 * DEGREE_E7);

	/* The pole belongs to the cell below it. */
	if (lat >= 180 * DEGREE_E7)
		lat = 180 * DEGREE_E7 - CELL_E7;
	if (lat < 0)
		lat = 0;
	if (lng < 0)
		lng += 360 * DEGREE_E7;
	lat /= CELL_E7;
	lng /= CELL_E7;
	for (unsigned pair = 5; pair-- > 0;) {
		unsigned at = 2 * pair + (pair == 4); /* '+' is before it */

		out[at] = alphabet[lat % 20];
		out[at + 1] = alphabet[lng % 20];
		lat /= 20;
		lng /= 20;
	}
	out[8] = '+';
}
