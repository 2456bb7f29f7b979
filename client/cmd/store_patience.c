/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/store_patience.h"

void
store_be_patient(struct run *run)
{
	struct mono until = mono_add(now_mono(), STORE_PATIENCE_NS);

	if (run->prefs.values[PREF_TIMEOUT].origin < ORIGIN_FLAG &&
	    run->deadline.ns < until.ns)
		run->deadline = until;
}
