/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#define COMMAND_ADDRESS(name) &cmd_##name,

/* clang-format off */
const struct command *const command_table[] = {
	COMMAND_LIST(COMMAND_ADDRESS)
	NULL
};
/* clang-format on */
