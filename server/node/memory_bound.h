/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much memory the kernel lets this process have: the cgroup's bound, such
 * as MemoryMax= of its unit or that of a container.
 */
#ifndef HERD_MEMORY_BOUND_H
#define HERD_MEMORY_BOUND_H

#include <stdint.h>

#define MEMORY_BOUND_CGROUPS "/sys/fs/cgroup"
#define MEMORY_BOUND_OWN "/proc/self/cgroup"

/*
 * The least memory.max of the cgroup that the file `own` names (cgroup v2),
 * memory.limit_in_bytes of the one in folder memory (v1), and those of the
 * ones around them, below the folder `cgroups`; 0: there is none.
 */
uint64_t memory_bound(const char *cgroups, const char *own);

#endif
