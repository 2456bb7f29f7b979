/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a store's file comes to its place: it is written under a name of its own,
 * synced, and renamed.
 */
#ifndef HERD_STORE_PLACE_H
#define HERD_STORE_PLACE_H

#include "run/run.h"

/*
 * Gives *fd, of the empty file `temporary` for its owner alone. Says what
 * fails; also if `path` is there and no regular file.
 */
enum status store_place_open(
    struct run *run, const char *path, const char *temporary, int *fd);

/* Syncs it and renames it to `path`. Says what fails. */
enum status store_place_keep(
    struct run *run, int fd, const char *temporary, const char *path);

/* Syncs the folder that has `path`, so that a new name lasts. */
void store_place_sync_folder(const char *path);

#endif
