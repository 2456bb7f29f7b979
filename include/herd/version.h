/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The version of herdd, herdctl, their man pages and packages. The Makefile
 * reads it here.
 */
#ifndef HERD_VERSION_H
#define HERD_VERSION_H

#define HERD_VERSION "1.0.0"

#endif
