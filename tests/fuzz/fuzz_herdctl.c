/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line of herdctl's session or of a script: cut into words, sorted into
 * command and options, its aliases replaced; a template of --format; a time in
 * ISO 8601; and an answer of the client protocol.
 */
#include "base/tokens.h"
#include "base/xbuf.h"
#include "herd/time.h"
#include "line/alias.h"
#include "line/args.h"
#include "net/reply.h"
#include "out/template.h"

#include "fuzz.h"

/* Whatever was read is read again from its quoted form. */
static void
check_quoted(const struct tokens *words)
{
	struct buf text;
	struct line again;

	buf_init(&text, XBUF_MAX);
	for (size_t i = 0; i < words->count; i++) {
		tokens_quote(&text, words->words[i].text);
		put_byte(&text, ' ');
	}
	if (line_split(buf_span(&text), NULL, &again) == WORDS_OK &&
	    words->count > 0) {
		assert(again.count == 1);
		assert(again.commands[0].count == words->count);
		for (size_t i = 0; i < words->count; i++)
			assert(strcmp(again.commands[0].words[i].text,
				   words->words[i].text) == 0);
	}
	line_release(&again);
	buf_release(&text);
}

static void
check_args(const struct tokens *words)
{
	const char **texts = xcalloc(words->count, sizeof(*texts));
	struct args args;
	struct buf message;

	buf_init(&message, XBUF_MAX);
	for (size_t i = 0; i < words->count; i++)
		texts[i] = words->words[i].text;
	if (args_parse(texts, words->count, &args, &message) != STATUS_OK)
		assert(message.len > 0);
	else if (args.command != NULL &&
		 args_check(&args, &message) != STATUS_OK)
		assert(message.len > 0);
	args_release(&args);
	buf_release(&message);
	free(texts);
}

/* Each word as an alias of the whole line: it ends, and words are words. */
static void
check_aliases(const struct tokens *words)
{
	const char **texts = xcalloc(words->count, sizeof(*texts));
	struct aliases aliases = { 0 };
	struct alias_line expanded;
	struct buf message;

	buf_init(&message, XBUF_MAX);
	for (size_t i = 0; i < words->count; i++)
		texts[i] = words->words[i].text;
	for (size_t i = 0; i < words->count && i < 4; i++)
		(void)!alias_set(&aliases, texts[i], texts + i + 1,
		    words->count - i - 1, "here", &message);
	buf_clear(&message);
	if (words->count < 100 && alias_expand(&aliases, texts, words->count,
				      &expanded, &message) == STATUS_OK) {
		size_t at = args_command_at(
		    (const char *const *)expanded.words, expanded.count);

		assert(at == expanded.count ||
		       alias_find(&aliases, expanded.words[at]) == NULL);
	}
	if (words->count < 100)
		alias_line_release(&expanded);
	aliases_release(&aliases);
	buf_release(&message);
	free(texts);
}

/* A line of a row that knows nothing has its LF, and no other control. */
static void
check_template(struct span text)
{
	static const struct column columns[] = {
		COLUMN("client", "CLIENT", VALUE_TEXT),
		COLUMN("age_s", "AGE", VALUE_SECONDS),
		COLUMN("location", "LOCATION", VALUE_PLACE),
	};
	static const struct view view =
	    VIEW(columns, .schema = "x/1", .list = "x");
	const struct value row[HERD_ARRAY_LEN(columns)] = { 0 };
	char *typed = xstrndup(text.data, text.len);
	struct template *template;
	struct buf out;

	buf_init(&out, XBUF_MAX);
	if (template_parse(typed, &view, &template, &out) == HERD_OK) {
		template_write(&out, template, row, true);
		assert(out.data[out.len - 1] == '\n');
		template_free(template);
	} else {
		assert(out.len > 0);
	}
	buf_release(&out);
	free(typed);
}

/* What is read is written, and read back. */
static void
check_iso(struct span text)
{
	char iso[TIME_ISO_MAX];
	uint64_t ns;
	uint64_t again;

	if (time_from_iso(text, &ns) != HERD_OK)
		return;
	assert(time_from_iso(span_of(iso, time_to_iso(ns, iso)), &again) ==
	       HERD_OK);
	assert(again == ns);
}

/* Its end is the same, fed at once or byte by byte. */
static void
check_reply(struct span text, enum reply_kind kind)
{
	struct reply_scan whole = { 0 };
	struct reply_scan parts = { 0 };
	struct reply reply;
	size_t len = 0;
	size_t piece = 0;
	enum herd_error error = reply_measure(text, kind, &whole, &len);

	if (error != HERD_OK)
		return;
	assert(len <= text.len);
	for (size_t n = 1; n <= text.len; n++) {
		error =
		    reply_measure(span_of(text.data, n), kind, &parts, &piece);
		if (error != HERD_EAGAIN)
			break;
	}
	assert(error == HERD_OK && piece == len);
	(void)!reply_parse(span_of(text.data, len), kind, &reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of((const char *)data, size);
	struct line line;

	if (line_split(text, command_is_verbatim, &line) == WORDS_OK) {
		for (size_t i = 0; i < line.count; i++) {
			check_quoted(&line.commands[i]);
			check_args(&line.commands[i]);
			check_aliases(&line.commands[i]);
		}
	}
	line_release(&line);
	check_template(text);
	check_iso(text);
	check_reply(text, REPLY_LINE);
	check_reply(text, REPLY_WHATSAT);
	return 0;
}
