/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "herd/text.h"

enum option_id {
	OPTION_FILE,
	OPTION_CHECK,
	OPTION_AS_SERVICE,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option_entry {
	enum option_id id;
	const char *flag; /* "" = none */
	const char *name;
	const char *value; /* "" = takes none */
	const char *help;
} OPTIONS[] = {
	{ OPTION_FILE, "-c", "--conf", "FILE",
	    "herd file (else $" OPTIONS_FILE_VARIABLE
	    ", else " OPTIONS_FILE_DEFAULT ")" },
	{ OPTION_CHECK, "", "--check-config", "",
	    "check the herd file, print each error, and exit" },
	{ OPTION_AS_SERVICE, "", "--as-service", "",
	    "check as for a node that systemd runs" },
	{ OPTION_HELP, "-h", "--help", "", "this help" },
	{ OPTION_VERSION, "-V", "--version", "", "the version" },
};

void
options_help(FILE *out)
{
	fputs("usage: herdd [-c FILE] NODE\n"
	      "       herdd [-c FILE] --check-config [--as-service] [NODE]\n"
	      "\nRuns node NODE of a herd in the foreground.\n\n",
	    out);
	for (size_t i = 0; i < HERD_ARRAY_LEN(OPTIONS); i++) {
		const struct option_entry *entry = &OPTIONS[i];
		char left[64];

		snprintf(left, sizeof(left), "%2s%c %s %s", entry->flag,
		    entry->flag[0] == '\0' ? ' ' : ',', entry->name,
		    entry->value);
		fprintf(out, "  %-24s %s\n", left, entry->help);
	}
	fputs("\nSIGHUP reloads the herd file, SIGTERM stops. See herdd(8), "
	      "herd.yaml(5).\n",
	    out);
}

static const struct option_entry *
option_find(const char *word)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(OPTIONS); i++) {
		if (strcmp(word, OPTIONS[i].name) == 0 ||
		    (OPTIONS[i].flag[0] != '\0' &&
			strcmp(word, OPTIONS[i].flag) == 0))
			return &OPTIONS[i];
	}
	return NULL;
}

static enum herd_error
unknown_option(const char *word, struct buf *message)
{
	const char *names[HERD_ARRAY_LEN(OPTIONS) + 1] = { NULL };
	const char *meant;

	for (size_t i = 0; i < HERD_ARRAY_LEN(OPTIONS); i++)
		names[i] = OPTIONS[i].name;
	meant = text_did_you_mean(span_from(word), names);
	if (meant != NULL)
		return buf_addf(message, "unknown option %s, did you mean %s?",
		    word, meant);
	return buf_addf(message, "unknown option %s", word);
}

static void
option_apply(const struct option_entry *entry, const char *value,
    struct options *options)
{
	switch (entry->id) {
	case OPTION_FILE: options->file = value; break;
	case OPTION_CHECK: options->action = OPTIONS_CHECK_CONFIG; break;
	case OPTION_AS_SERVICE: options->as_service = true; break;
	case OPTION_HELP: options->action = OPTIONS_HELP; break;
	case OPTION_VERSION: options->action = OPTIONS_VERSION; break;
	}
}

/* One word of the command line; *at is moved over an option's value. */
static enum herd_error
parse_word(int argc, char *const *argv, int *at, struct options *options,
    struct buf *message)
{
	const char *word = argv[*at];
	const struct option_entry *entry = option_find(word);

	if (entry == NULL && word[0] == '-')
		return unknown_option(word, message) == HERD_OK ? HERD_ESYNTAX
								: HERD_ENOMEM;
	if (entry == NULL && options->node[0] != '\0')
		return buf_addf(message, "one node only, not %s and %s",
			   options->node, word) == HERD_OK
			   ? HERD_ESYNTAX
			   : HERD_ENOMEM;
	if (entry == NULL) {
		options->node = word;
		return HERD_OK;
	}
	if (entry->value[0] != '\0' && *at + 1 >= argc)
		return buf_addf(message, "%s wants a %s", word, entry->value) ==
			       HERD_OK
			   ? HERD_ESYNTAX
			   : HERD_ENOMEM;
	if (entry->value[0] != '\0')
		++*at;
	option_apply(entry, argv[*at], options);
	return HERD_OK;
}

enum herd_error
options_parse(
    int argc, char *const *argv, struct options *out, struct buf *message)
{
	const char *variable = getenv(OPTIONS_FILE_VARIABLE);
	struct options options = { OPTIONS_RUN, OPTIONS_FILE_DEFAULT, "",
		false };

	if (variable != NULL && variable[0] != '\0')
		options.file = variable;
	for (int i = 1; i < argc; i++) {
		enum herd_error error =
		    parse_word(argc, argv, &i, &options, message);

		if (error != HERD_OK)
			return error;
	}
	if (options.as_service && options.action == OPTIONS_RUN)
		return buf_add_text(message, "--as-service is for "
					     "--check-config") == HERD_OK
			   ? HERD_ESYNTAX
			   : HERD_ENOMEM;
	if (options.action == OPTIONS_RUN && options.node[0] == '\0')
		return buf_add_text(message, "which node? herdd [-c FILE] "
					     "NODE") == HERD_OK
			   ? HERD_ESYNTAX
			   : HERD_ENOMEM;
	*out = options;
	return HERD_OK;
}
