/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The herd that commands speak of: its nodes with their addresses, from the
 * herd file that was named or found, or the one server of `--server`.
 */
#ifndef HERD_CLIENT_HERD_H
#define HERD_CLIENT_HERD_H

#include "conf/prefs.h"
#include "herd/herdfile.h"
#include "net/admin_client.h"

struct target {
	const char *name; /* the node's, or the address of --server */
	struct address clients;
	struct address_list admin;
	struct tls *clients_tls; /* the herd's, NULL: without TLS */
	bool is_node;            /* the name is a node's */
};

struct herd {
	char *name; /* of the herd; NULL with --server */
	char *path; /* of the herd file; NULL with --server */
	struct herdfile file;
	bool has_file;
	char *server_name;
	struct target *targets;
	size_t count;
	/* Asked when no node was named: the first whose admin socket was on
	 * this machine when the herd file was read, else the first. */
	size_t nearest;
	char *token;       /* for admin listeners over TCP, or NULL */
	char *token_fault; /* why the file named for it gave none, or NULL */
	struct tls *tls;   /* with the files that the settings name */
	bool admin_tls;    /* over TCP, admin listeners speak TLS */
	bool insecure;     /* the token may go to other machines in clear */
};

/*
 * Finds and reads it as the settings say: --server or --conf, whichever
 * comes from the higher origin; else the user's, the system's. The current
 * folder is not looked at: it may be a stranger's. STATUS_LOCAL: `message`
 * has every error as FILE:LINE:COL, or what is wrong with the token file that
 * a setting names.
 */
enum status herd_load(
    const struct prefs *prefs, struct herd *out, struct buf *message);
void herd_release(struct herd *herd);

/*
 * The ways to an admin listener, which borrow the herd's token: Unix sockets
 * first, then TCP, in the order of the list. Where the list has TCP, a socket
 * that does not exist is another machine's and left out. STATUS_LOCAL: there is
 * none, because it has no address, or because the token or a file for TLS could
 * not be read, or the token would leave this machine in clear; `message` says
 * what to do.
 */
enum status herd_ways(const struct herd *herd, const struct address_list *admin,
    struct admin_ways *ways, struct buf *message);

/*
 * Reads a herd file: gives *out, to herdfile_release(). STATUS_LOCAL: `message`
 * has every error as FILE:LINE:COL.
 */
enum status herd_read_file(
    const char *path, struct herdfile *out, struct buf *message);

/* Do both settings mean the same herd, with the same rights? */
bool herd_is_same(const struct prefs *a, const struct prefs *b);

/* Gives the folder of its herd file, which relative paths are taken from. */
char *herd_folder(const struct herd *herd);

/* Index of the node of that name, or count. */
size_t herd_find(const struct herd *herd, const char *name);

#endif
