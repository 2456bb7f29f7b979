/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/client_view.h"

static const struct column columns[] = { CLIENT_COLUMNS(COLUMN_ROW) };

const struct view client_view =
    VIEW(columns, .schema = "herd.clients/1", .list = "clients");
