/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shape of places: which members and columns of OpenStreetMap, Overture,
 * Foursquare and tables of one's own hold what a gazetteer keeps of a place.
 * A place that has closed, or has no name, is passed over, as is what is no
 * place at all, such as a street.
 */
#ifndef HERD_CLIENT_PLACE_SHAPE_H
#define HERD_CLIENT_PLACE_SHAPE_H

#include "input/gazetteer_maker.h"
#include "input/import_record.h"

/* Fields of a record of this shape. */
enum place_field {
	PLACE_ID,
	PLACE_NAME,
	PLACE_LAT,
	PLACE_LON,
	PLACE_KIND,
	PLACE_TYPES,  /* Google's words */
	PLACE_LABELS, /* the source's own */
	PLACE_STREET,
	PLACE_NUMBER,
	PLACE_TOWN,
	PLACE_VICINITY,
	PLACE_COUNTRY,
	PLACE_ADMIN1,
	PLACE_POPULATION,
	PLACE_HOURS,
	PLACE_CLOSED,
	PLACE_FIELDS
};

#define PLACE_SHAPE_KINDS "the kind is not one of C A B D E P X F f T N"

/* options->columns is "id=TITLE,name=TITLE,...", or NULL. */
extern const struct import_shape place_shape;

/* Is it a text for options->columns? Else *why says what is wrong, static. */
bool place_shape_columns_are_good(const char *columns, const char **why);

/* A record without fault as a place; its texts are the record's. */
void place_shape_read(
    const struct import_record *record, struct maker_place *out);

#endif
