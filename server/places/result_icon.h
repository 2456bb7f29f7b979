/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The icon of a result, by its types. Clients of Google's answers demand one:
 * some raise an error where it is missing.
 */
#ifndef HERD_PLACES_RESULT_ICON_H
#define HERD_PLACES_RESULT_ICON_H

#include "herd/json.h"

/*
 * Writes icon, icon_background_color and icon_mask_base_uri. `base` is a URL
 * that ends before the icon's name; empty or NULL: no icons. `color` and
 * `mask` are the provider's own; .data is NULL where it has none.
 */
void result_icon_add(struct json *json, const char *base,
    const struct span *types, size_t count, struct span color,
    struct span mask);

#endif
