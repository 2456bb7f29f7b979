/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * XML cut into tags and text, without a tree and without entities but the five
 * of XML and those by number: nothing that a document declares has an effect.
 * It takes what is no XML as well, as far as tags can be told in it.
 */
#ifndef HERD_CLIENT_XML_TOKEN_H
#define HERD_CLIENT_XML_TOKEN_H

#include "herd/buf.h"

enum xml_kind {
	XML_TEXT,
	XML_CDATA,
	XML_START,
	XML_EMPTY, /* <name/> */
	XML_END,
	XML_OTHER, /* a comment, <?...?>, <!DOCTYPE ...> */
};

struct xml_token {
	enum xml_kind kind;
	struct span name; /* of a tag, without the prefix before `:' */
	struct span text; /* of TEXT and CDATA; attributes of a tag */
	size_t len;
	const char *end; /* HERD_EAGAIN: what it would end with */
};

/*
 * The token that `in' (not empty) begins with. TEXT goes to the next tag or to
 * the end of `in'. HERD_EAGAIN: it is not complete.
 */
HERD_MUST_CHECK enum herd_error xml_token_next(
    struct span in, struct xml_token *out);

/* The raw value of an attribute of XML_START's text; false: there is none. */
bool xml_attribute(struct span text, const char *name, struct span *value);

/*
 * Appends text with its references replaced. HERD_ESYNTAX: one that is not
 * known, or is no character.
 */
HERD_MUST_CHECK enum herd_error xml_decode(struct buf *out, struct span text);

/* Appends text so that xml_decode() gives it back. */
void xml_encode(struct buf *out, struct span text);

#endif
