/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/selection.h"

#include <stdlib.h>

#include "herd/glob.h"
#include "herd/text.h"

#define NEAR_KM_MAX 20038u /* half way round the Earth */
#define MESSAGE_MAX 2048u
#define NUMBER_MAX 63u

/* digits [. digits], 0 < km <= NEAR_KM_MAX; metres. */
static bool
read_km(struct span text, double *metres)
{
	double km = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (!text_is_digit(text.data[i]) && text.data[i] != '.')
			return false;
	}
	if (value_parse(VALUE_REAL, text, &km) != HERD_OK)
		return false;
	*metres = km * 1000;
	return km > 0 && km <= NEAR_KM_MAX;
}

static const char *
read_glob(const struct page_filter *filter)
{
	return filter->glob.len > GLOB_MAX ? "a glob has at most 1024 bytes"
					   : NULL;
}

/* Returns what is wrong with the parameters, or NULL. */
static const char *
read_near(const struct query *query, struct page_filter *filter)
{
	const struct query_param *near = query_find(query, "near");
	const struct query_param *km = query_find(query, "km");
	enum herd_error error;
	struct buf text;

	if (near == NULL)
		return km == NULL ? NULL : "km needs near";
	buf_init(&text, 1024);
	error = location_from_human(near->value, &text, &filter->at);
	buf_release(&text);
	if (error != HERD_OK)
		return "near is a location like +34.068930-118.445127";
	filter->near = true;
	filter->order.column = CLIENT_DISTANCE;
	if (km == NULL)
		return NULL;
	if (!read_km(km->value, &filter->within_m))
		return "km is a number above 0, at most 20038";
	return NULL;
}

static const char *
read_order(const struct query *query, struct page_filter *filter)
{
	const struct query_param *sort = query_find(query, "sort");

	if (sort != NULL &&
	    page_order_parse(sort->value, &filter->order) != HERD_OK)
		return PAGE_ORDER_WORDS;
	if (filter->order.column == CLIENT_DISTANCE && !filter->near)
		return "sort=distance needs near";
	return NULL;
}

static struct span
text_param(const struct query *query, const char *name)
{
	const struct query_param *param = query_find(query, name);

	return param == NULL ? span_of("", 0) : param->value;
}

static void
fail_where(struct http_call *call, enum herd_error error, struct buf *message)
{
	const char *why = buf_cstr(message);

	if (error == HERD_ENOMEM || why == NULL)
		http_call_out_of_memory(call);
	else
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "where is an expression such as age > 10m and client ~ "
		    "'a*'; herdctl(1) describes it",
		    "where: %s", why);
}

static bool
read_where(struct selection *selection, struct http_call *call)
{
	struct span text = text_param(&call->query, "where");
	enum herd_error error;
	struct buf message;

	if (text.len == 0)
		return true;
	buf_init(&message, MESSAGE_MAX);
	error = filter_parse(text, &client_view, &selection->where, &message);
	if (error != HERD_OK)
		fail_where(call, error, &message);
	buf_release(&message);
	selection->filter.where = selection->where;
	return error == HERD_OK;
}

bool
selection_read(struct selection *selection, struct http_call *call)
{
	struct page_filter *filter = &selection->filter;
	const char *fault;

	*filter = (struct page_filter){
		.scene = &selection->scene,
		.order = { CLIENT_ID, false },
		.prefix = text_param(&call->query, "prefix"),
		.glob = text_param(&call->query, "glob"),
	};
	selection->where = NULL;
	client_scene_init(&selection->scene, call->node);
	fault = read_glob(filter);
	if (fault == NULL)
		fault = read_near(&call->query, filter);
	if (fault == NULL)
		fault = read_order(&call->query, filter);
	if (fault == NULL)
		return read_where(selection, call);
	http_call_fail(
	    call, ADMIN_BAD_REQUEST, fault, "a parameter has a wrong value");
	return false;
}

void
selection_release(struct selection *selection)
{
	filter_free(selection->where);
	selection->where = NULL;
}

bool
selection_is_all(const struct selection *selection)
{
	const struct page_filter *filter = &selection->filter;

	return filter->prefix.len == 0 && filter->glob.len == 0 &&
	       !filter->near && filter->where == NULL;
}
