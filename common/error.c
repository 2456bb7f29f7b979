/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/error.h"

const char *
herd_strerror(enum herd_error error)
{
	switch (error) {
#define HERD_ERROR_TEXT(code, text) \
	case code: return text;
		HERD_ERRORS(HERD_ERROR_TEXT)
#undef HERD_ERROR_TEXT
	}
	return "unknown error";
}
