/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/gazetteer_file.h"

#include <math.h>

#include "herd/compiler.h"

#define TOWN "locality,political"
#define AIRPORT "airport,point_of_interest,establishment"
#define STATION "train_station,transit_station,point_of_interest,establishment"

static const struct gazetteer_kind KINDS[] = {
	{ 'C', false, "capital", TOWN },
	{ 'A', false, "seat of a first-order division", TOWN },
	{ 'B', false, "seat of a second-order division", TOWN },
	{ 'D', false, "seat of a third-order division", TOWN },
	{ 'E', false, "seat of a lower division", TOWN },
	{ 'P', false, "populated place", TOWN },
	{ 'X', false, "neighbourhood", "neighborhood,political" },
	{ 'F', false, "large airport", AIRPORT },
	{ 'f', false, "airport", AIRPORT },
	{ 'T', true, "railway station", STATION },
	{ GAZETTEER_KIND_OWN, false, "place with types of its own", "" },
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
