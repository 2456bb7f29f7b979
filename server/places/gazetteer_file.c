/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_file.h"

#include <math.h>

#include "herd/compiler.h"

#define AREA(kind, name)                              \
	{                                             \
		kind, false, true, name,              \
		{                                     \
			"locality", "political", NULL \
		}                                     \
	}

static const struct gazetteer_kind KINDS[] = {
	AREA('C', "capital"),
	AREA('A', "seat of a first-order division"),
	AREA('B', "seat of a second-order division"),
	AREA('D', "seat of a third-order division"),
	AREA('E', "seat of a lower division"),
	AREA('P', "populated place"),
	{ 'X', false, true, "neighbourhood",
	    { "neighborhood", "political", NULL } },
	{ 'F', true, false, "large airport",
	    { "airport", "point_of_interest", "establishment", NULL } },
	{ 'f', true, false, "airport",
	    { "airport", "point_of_interest", "establishment", NULL } },
	{ 'T', true, true, "railway station",
	    { "train_station", "transit_station", "point_of_interest",
		"establishment", NULL } },
};

const struct gazetteer_kind *
gazetteer_kind_find(char letter)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(KINDS); i++) {
		if (KINDS[i].letter == letter)
			return &KINDS[i];
	}
	return NULL;
}

void
gazetteer_vector(double lat, double lng, double out[3])
{
	double phi = lat * (M_PI / 180);
	double lambda = lng * (M_PI / 180);

	out[0] = GAZETTEER_UNIT * cos(phi) * cos(lambda);
	out[1] = GAZETTEER_UNIT * cos(phi) * sin(lambda);
	out[2] = GAZETTEER_UNIT * sin(phi);
}
