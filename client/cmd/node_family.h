/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HERD_NODE_FAMILY_H
#define HERD_NODE_FAMILY_H

#include "run/run.h"

#define node_herd_name run_herd_name
#define node_count_states out_count_states

#endif
