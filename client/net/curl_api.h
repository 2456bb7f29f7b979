/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libcurl, loaded when the first admin request is made: it and the 28
 * libraries that it loads cost most of a one-shot's start-up, and commands that
 * speak the client protocol do not need them.
 */
#ifndef HERD_CLIENT_CURL_API_H
#define HERD_CLIENT_CURL_API_H

#include <curl/curl.h>

/* name here, symbol, result, arguments */
#define CURL_API(X)                                                       \
	X(global_init, curl_global_init, CURLcode, (long))                \
	X(easy_init, curl_easy_init, CURL *, (void))                      \
	X(easy_cleanup, curl_easy_cleanup, void, (CURL *))                \
	X(set, curl_easy_setopt, CURLcode, (CURL *, CURLoption, ...))     \
	X(get, curl_easy_getinfo, CURLcode, (CURL *, CURLINFO, ...))      \
	X(strerror, curl_easy_strerror, const char *, (CURLcode))         \
	X(slist_append, curl_slist_append, struct curl_slist *,           \
	    (struct curl_slist *, const char *))                          \
	X(slist_free, curl_slist_free_all, void, (struct curl_slist *))   \
	X(multi_init, curl_multi_init, CURLM *, (void))                   \
	X(multi_cleanup, curl_multi_cleanup, CURLMcode, (CURLM *))        \
	X(multi_add, curl_multi_add_handle, CURLMcode, (CURLM *, CURL *)) \
	X(multi_remove, curl_multi_remove_handle, CURLMcode,              \
	    (CURLM *, CURL *))                                            \
	X(multi_set, curl_multi_setopt, CURLMcode,                        \
	    (CURLM *, CURLMoption, ...))                                  \
	X(multi_act, curl_multi_socket_action, CURLMcode,                 \
	    (CURLM *, curl_socket_t, int, int *))                         \
	X(multi_assign, curl_multi_assign, CURLMcode,                     \
	    (CURLM *, curl_socket_t, void *))                             \
	X(multi_read, curl_multi_info_read, CURLMsg *, (CURLM *, int *))

struct curl_api {
#define CURL_API_MEMBER(name, symbol, result, arguments) \
	result(*name) arguments;
	CURL_API(CURL_API_MEMBER)
#undef CURL_API_MEMBER
};

/* Loads and initialises libcurl. On failure -1 and a sentence in *error. */
int curl_api_load(struct curl_api *api, const char **error);

#endif
