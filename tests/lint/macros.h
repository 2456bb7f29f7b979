/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What cppcheck has to know of headers that it does not read: macros that are
 * statements.
 */
#ifndef HERD_MACROS_H
#define HERD_MACROS_H

#define cJSON_ArrayForEach(element, array) \
	for ((element) = (array)->child; (element); (element) = (element)->next)

#endif
