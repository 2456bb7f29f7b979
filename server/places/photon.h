/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Photon (github.com/komoot/photon), a geocoder over OpenStreetMap: its
 * reverse search gives GeoJSON.
 */
#ifndef HERD_PLACES_PHOTON_H
#define HERD_PLACES_PHOTON_H

#include "places/upstream.h"

extern const struct upstream upstream_photon;

#endif
