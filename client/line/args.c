/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "line/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tokens.h"
#include "base/xbuf.h"
#include "herd/text.h"

#define NAMES_MAX 128u

struct parser {
	const char *const *words;
	size_t count;
	size_t at;
	bool literal; /* after `--`, or a verbatim command */
	struct args *out;
	struct buf *message;
};

bool
args_is_option(const char *word)
{
	if (word[0] != '-' || word[1] == '\0')
		return false;
	return !text_is_digit(word[1]) && word[1] != '.';
}

void
args_quote(struct buf *out, const char *word)
{
	put_text(out, args_is_option(word) ? "-- " : "");
	tokens_quote(out, word);
}

static const struct flag *
find_in(const struct flag *flags, const char *name, size_t len, char letter)
{
	for (; flags != NULL && flags->name != NULL; flags++) {
		if (letter != 0 ? flags->letter == letter
				: strlen(flags->name) == len &&
				      memcmp(flags->name, name, len) == 0)
			return flags;
	}
	return NULL;
}

const struct flag *
args_find_flag(const struct command *command, const char *word)
{
	bool is_long = word[1] == '-';
	const char *name = is_long ? word + 2 : "";
	size_t len = strcspn(name, "=");
	char letter = is_long ? 0 : word[1];
	const struct flag *flag = NULL;

	if (command != NULL)
		flag = find_in(command->flags, name, len, letter);
	return flag != NULL
		   ? flag
		   : find_in(command_global_flags(), name, len, letter);
}

static const struct flag *
find_flag(
    struct parser *p, const char *name, size_t len, char letter, bool *global)
{
	const struct flag *flag = NULL;

	*global = false;
	if (p->out->command != NULL)
		flag = find_in(p->out->command->flags, name, len, letter);
	if (flag != NULL)
		return flag;
	*global = true;
	flag = find_in(command_global_flags(), name, len, letter);
	if (flag != NULL || p->out->command != NULL || letter != 0)
		return flag;
	/* A flag may come before its command. */
	*global = false;
	commands_each(c) {
		flag = find_in((*c)->flags, name, len, 0);
		if (flag != NULL)
			break;
	}
	return flag;
}

/* Is the next word the value of the option that this word ends with? */
static bool
takes_next(struct parser *p, const char *word)
{
	const struct flag *flag = NULL;
	bool global;

	if (word[1] == '-') {
		flag = find_flag(p, word + 2, strlen(word + 2), 0, &global);
		return flag != NULL && flag->value != NULL &&
		       !flag->value_optional;
	}
	for (const char *c = word + 1; *c != '\0'; c++) {
		flag = find_flag(p, NULL, 0, *c, &global);
		if (flag != NULL && flag->value != NULL &&
		    !flag->value_optional)
			return c[1] == '\0';
	}
	return false;
}

size_t
args_command_at(const char *const *words, size_t count)
{
	struct args none = { 0 };
	struct parser p = { .out = &none };
	size_t at = 0;

	while (at < count && args_is_option(words[at])) {
		if (strcmp(words[at], "--") == 0)
			return at + 1;
		at += takes_next(&p, words[at]) ? 2 : 1;
	}
	return at < count ? at : count;
}

static size_t
add_names(const char **names, size_t count, const struct flag *flags)
{
	for (; flags != NULL && flags->name != NULL; flags++) {
		if (count + 1 < NAMES_MAX)
			names[count++] = flags->name;
	}
	return count;
}

/* The one name that begins with the word, else one that resembles it. */
static const char *
nearest_name(const char *word, size_t len, const char *const *names)
{
	const char *found = NULL;

	for (size_t i = 0; names[i] != NULL; i++) {
		if (strncmp(names[i], word, len) != 0)
			continue;
		if (found != NULL)
			return text_did_you_mean(span_of(word, len), names);
		found = names[i];
	}
	return found != NULL ? found
			     : text_did_you_mean(span_of(word, len), names);
}

static enum status
unknown_option(struct parser *p, const char *word)
{
	const char *names[NAMES_MAX];
	const char *near = NULL;
	size_t count = 0;
	size_t len = strcspn(word, "=");

	put_text(p->message, "no option ");
	put_clean(p->message, span_of(word, len));
	if (p->out->command != NULL) {
		putf(p->message, " of %s", p->out->command->path);
		count = add_names(names, count, p->out->command->flags);
	}
	count = add_names(names, count, command_global_flags());
	names[count] = NULL;
	if (len > 2 && word[1] == '-')
		near = nearest_name(word + 2, len - 2, names);
	if (near != NULL)
		putf(p->message, ", did you mean --%s?", near);
	else if (p->out->command != NULL)
		putf(p->message, " (see `help %s')", p->out->command->path);
	else
		put_text(p->message, " (see `help')");
	return STATUS_USAGE;
}

static enum status
add_option(
    struct parser *p, const struct flag *flag, bool global, const char *value)
{
	struct args *out = p->out;

	if (out->option_count == ARGS_OPTIONS_MAX) {
		put_text(p->message, "too many options");
		return STATUS_USAGE;
	}
	if (global && strcmp(flag->name, "help") == 0)
		out->help = true;
	out->options[out->option_count++] =
	    (struct option){ .flag = flag, .global = global, .value = value };
	return STATUS_OK;
}

static enum status
missing_value(struct parser *p, const struct flag *flag)
{
	putf(p->message, "--%s needs a value: --%s %s", flag->name, flag->name,
	    flag->value);
	return STATUS_USAGE;
}

static enum status
read_long(struct parser *p, const char *word)
{
	size_t len = strcspn(word + 2, "=");
	const char *value = word[2 + len] == '=' ? word + 3 + len : NULL;
	bool global;
	const struct flag *flag = find_flag(p, word + 2, len, 0, &global);

	if (flag == NULL)
		return unknown_option(p, word);
	if (flag->value == NULL && value != NULL) {
		putf(p->message, "--%s takes no value", flag->name);
		return STATUS_USAGE;
	}
	if (flag->value != NULL && value == NULL && !flag->value_optional) {
		if (p->at == p->count)
			return missing_value(p, flag);
		value = p->words[p->at++];
	}
	return add_option(p, flag, global, value);
}

/* -qv, -o json, -ojson */
static enum status
read_short(struct parser *p, const char *word)
{
	for (const char *c = word + 1; *c != '\0'; c++) {
		bool global;
		const struct flag *flag = find_flag(p, NULL, 0, *c, &global);
		const char *value = NULL;
		enum status status;

		if (flag == NULL)
			return unknown_option(p, word);
		if (flag->value != NULL && !flag->value_optional) {
			if (c[1] != '\0')
				value = c[1] == '=' ? c + 2 : c + 1;
			else if (p->at < p->count)
				value = p->words[p->at++];
			else
				return missing_value(p, flag);
		}
		status = add_option(p, flag, global, value);
		if (status != STATUS_OK || value != NULL)
			return status;
	}
	return STATUS_OK;
}

/* The words so far may name a command; a command of two words wins. */
static void
try_command(struct parser *p)
{
	struct args *out = p->out;
	size_t used;
	const struct command *command;

	if (out->count == 1 && strcmp(out->words[0], "?") == 0)
		out->words[0] = "help";
	if (out->count == 1 && command_is_group(out->words[0]))
		return;
	/* `client ?' is a question, too. */
	if (out->count == 2 && strcmp(out->words[1], "?") == 0) {
		out->help = true;
		out->count--;
		return;
	}
	command = command_match(out->words, out->count, &used);
	if (command == NULL)
		return;
	out->command = command;
	out->count -= used;
	memmove(
	    out->words, out->words + used, out->count * sizeof(*out->words));
	if ((command->traits & COMMAND_VERBATIM) != 0)
		p->literal = true;
}

static enum status
unknown_command(struct parser *p)
{
	struct args *out = p->out;
	const char *near = command_did_you_mean(out->words, out->count);

	put_text(p->message, "no command `");
	put_clean(p->message, span_from(out->words[0]));
	if (command_is_group(out->words[0]) && out->count > 1) {
		put_byte(p->message, ' ');
		put_clean(p->message, span_from(out->words[1]));
	}
	put_byte(p->message, '\'');
	put_did_you_mean(p->message, near, " (see `help')");
	return STATUS_USAGE;
}

/* A flag that stood before its command must be one of that command's. */
static enum status
check_early_flags(struct parser *p)
{
	struct args *out = p->out;

	for (size_t i = 0; i < out->option_count; i++) {
		struct option *option = &out->options[i];
		const struct flag *flag;
		char name[80];

		if (option->global)
			continue;
		flag = out->command == NULL
			   ? NULL
			   : find_in(out->command->flags, option->flag->name,
				 strlen(option->flag->name), 0);
		if (flag == NULL) {
			snprintf(
			    name, sizeof(name), "--%s", option->flag->name);
			return unknown_option(p, name);
		}
		option->flag = flag;
	}
	return STATUS_OK;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* In `alias NAME = COMMAND' the options after = are the alias's own. */
static bool
begins_rest(const struct args *out)
{
	return (out->command->traits & COMMAND_ASSIGN) != 0 &&
	       out->count == 2 && strcmp(out->words[1], "=") == 0;
}

static enum status
read_all(struct parser *p)
{
	struct args *out = p->out;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && p->at < p->count) {
		const char *word = p->words[p->at++];

		/* `raw --help' alone is a question, not a request. */
		if (p->literal && out->command != NULL && p->at == p->count &&
		    (out->command->traits & COMMAND_VERBATIM) != 0 &&
		    out->count == 0 && is_help(word)) {
			out->help = true;
		} else if (!p->literal && strcmp(word, "--") == 0) {
			p->literal = true;
		} else if (!p->literal && args_is_option(word)) {
			status = word[1] == '-' ? read_long(p, word)
						: read_short(p, word);
		} else {
			out->words[out->count++] = word;
			if (out->command == NULL)
				try_command(p);
			else if (begins_rest(out))
				p->literal = true;
		}
	}
	return status;
}

enum status
args_parse(const char *const *words, size_t count, struct args *out,
    struct buf *message)
{
	struct parser p = {
		.words = words, .count = count, .out = out, .message = message
	};
	enum status status;

	*out = (struct args){ 0 };
	out->words = xcalloc(count + 1, sizeof(*out->words));
	status = read_all(&p);
	if (status != STATUS_OK)
		return status;
	if (out->command == NULL && out->count == 1 &&
	    command_is_group(out->words[0])) {
		out->group = out->words[0];
		return STATUS_OK;
	}
	if (out->command == NULL && out->count > 0)
		return unknown_command(&p);
	return check_early_flags(&p);
}

void
args_release(struct args *args)
{
	free(args->words);
	args->words = NULL;
}

const struct command *
args_guess(const char *const *words, size_t count)
{
	const struct command *command = NULL;
	size_t used;

	for (size_t i = 0; i < count && command == NULL; i++) {
		if (!args_is_option(words[i]))
			command = command_match(words + i, count - i, &used);
	}
	return command;
}

enum status
args_check(const struct args *args, struct buf *message)
{
	const struct argument *a = args->command->args;
	size_t i = 0;

	for (; a != NULL && a->name != NULL && i < args->count; a++) {
		do {
			if (a->fixed && !tokens_is_among(a->words,
					    span_from(args->words[i]))) {
				put_text(message, "`");
				put_clean(message, span_from(args->words[i]));
				putf(message, "' is not one of: %s", a->words);
				return STATUS_USAGE;
			}
			i++;
		} while (a->repeats && i < args->count);
	}
	if (a != NULL && a->name != NULL && !a->optional) {
		putf(message, "%s is missing; usage: ", a->name);
		command_synopsis(message, args->command);
		return STATUS_USAGE;
	}
	if (i < args->count) {
		put_text(message, "`");
		put_clean(message, span_from(args->words[i]));
		put_text(message, "' is one argument too many; usage: ");
		command_synopsis(message, args->command);
		return STATUS_USAGE;
	}
	return STATUS_OK;
}

const struct option *
args_option(const struct args *args, const char *name, bool global)
{
	const struct option *found = NULL;

	for (size_t i = 0; i < args->option_count; i++) {
		const struct option *option = &args->options[i];

		if (option->global == global &&
		    strcmp(option->flag->name, name) == 0)
			found = option;
	}
	return found;
}

const char *
args_flag(const struct args *args, const char *name, bool global)
{
	const struct option *option = args_option(args, name, global);

	if (option == NULL)
		return NULL;
	return option->value == NULL ? "" : option->value;
}
