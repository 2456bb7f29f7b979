/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One command on its way: its words, its settings, the nodes that it is for,
 * its deadline and its output. Commands are functions of this and return the
 * exit status; errors are reported here, once, on stderr.
 */
#ifndef HERD_CLIENT_RUN_H
#define HERD_CLIENT_RUN_H

#include "base/tokens.h"
#include "line/args.h"
#include "out/out.h"
#include "run/app.h"

struct rounds;

/*
 * What a watched command keeps from round to round. `key` and `draw` may be
 * NULL; they are called while the command waits as well.
 */
struct run_picture {
	void *state;
	void (*release)(void *state);
	bool (*key)(void *state, int key); /* true: it has to be drawn again */
	void (*draw)(void *state, struct sink *sink); /* without asking nodes */
};

struct run {
	struct app *app;
	const struct args *args;
	struct prefs prefs;
	char *context;     /* name, or NULL */
	struct herd *herd; /* set by run_targets() */
	struct herd own_herd;
	bool owns_herd;
	const struct target **targets;
	size_t target_count;
	bool all_nodes; /* more than one was asked for */
	struct mono deadline;
	struct sink sink;
	struct out out;
	bool out_begun;
	bool nodes_choose;     /* --where is applied by the nodes */
	const char *place;     /* "FILE:LINE" in a script, else NULL */
	bool to_terminal;      /* stdout is one, nothing is redirected */
	struct buf afterwards; /* for stderr, after the answer */
	struct buf message;    /* scratch for callees that explain */
	struct buf where;      /* what run_where() gave */
	struct buf complaint;  /* of a plugin: why it can't judge */
	struct rounds *rounds; /* of a picture that is drawn again, or NULL */
	struct run_picture picture;
	bool watched;        /* by --watch */
	char round_time[32]; /* then when the round began, ISO 8601 */
	bool titled;         /* an earlier round has written the title line */
	bool is_sketch;      /* what it writes is for the time being */
};

/* The source of a command line and the target of its output. */
struct run_origin {
	const char *place; /* "FILE:LINE", or NULL */
	enum redirect redirect;
	const char *target;
	bool is_line; /* of the REPL or a script */
};

/* Runs one command line, `--watch` and redirection included. */
enum status run_words(struct app *app, const char *const *words, size_t count,
    const struct run_origin *origin);

/* One command of a line of the REPL (`place` NULL) or of a script. */
enum status run_parsed(
    struct app *app, const struct tokens *words, const char *place);

/* As run_words(), for options that are parsed already. */
enum status run_args(
    struct app *app, const struct args *args, const struct run_origin *origin);

/* --- for commands --------------------------------------------------------- */

/* Begins the answer: run->out is then usable. */
enum status run_begin(struct run *run, const struct view *view);
enum status run_begin_stream(struct run *run, const struct view *view);
/* As run_begin() for lists that may be very long: see out_write_early(). */
enum status run_begin_long(struct run *run, const struct view *view);

/* Sets the deadline to --timeout from now. */
void run_renew_deadline(struct run *run);

/* The format in which the answer will be written. */
const struct format *run_format(const struct run *run);

/*
 * STATUS_OK unless this is read-only; then reports it. Commands of
 * COMMAND_BY_LINE call it when they know that they will change something.
 */
enum status run_may_change(struct run *run);

/* The command's word or NULL; the command's flag or NULL. */
const char *run_word(const struct run *run, size_t i);
const char *run_flag(const struct run *run, const char *name);

/* A duration flag in ns. STATUS_USAGE when it is none. */
enum status run_duration_flag(
    struct run *run, const char *name, uint64_t initial, uint64_t *out);
enum status run_number_flag(struct run *run, const char *name, uint64_t initial,
    uint64_t min, uint64_t max, uint64_t *out);

#include "run/run_message.h"
#include "run/run_targets.h"

#endif
