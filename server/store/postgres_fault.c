/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/postgres_fault.h"

#include "herd/text.h"

/* The first row that the SQLSTATE begins with. */
static const struct {
	const char *prefix;
	enum engine_fault fault;
	const char *hint;
} RULES[] = {
	{ "08", ENGINE_AWAY, "is the server up, and the network?" },
	{ "22", ENGINE_REFUSED,
	    "the database refuses a value: are the tables as this herdd "
	    "makes them, and its encoding UTF8?" },
	{ "23", ENGINE_REFUSED,
	    "a constraint refuses the rows: are the tables as this herdd "
	    "makes them?" },
	{ "25006", ENGINE_AWAY,
	    "the server takes no writes: name the primary in store.url_file, "
	    "or all servers of the cluster" },
	{ "28", ENGINE_REFUSED,
	    "correct user and password in store.url_file, or pg_hba.conf" },
	{ "3F", ENGINE_REFUSED,
	    "make the schema that the role's search_path names" },
	{ "40", ENGINE_AWAY, "others write the same rows" },
	{ "42501", ENGINE_REFUSED, "grant the role what herd.yaml(5) lists" },
	{ "42", ENGINE_REFUSED,
	    "the tables are not as this herdd makes them: name another "
	    "database or schema in store.url_file" },
	{ "53100", ENGINE_AWAY, "make room on the server's disk" },
	{ "53300", ENGINE_AWAY, "raise the server's max_connections" },
	{ "57014", ENGINE_AWAY,
	    "raise the role's statement_timeout: a commit may take as long "
	    "as store.timeout" },
	{ "57", ENGINE_AWAY, "the server starts, stops or ends connections" },
	{ "", ENGINE_AWAY, "look at the server and its log" },
};

enum engine_fault
postgres_fault_judge(const char *sqlstate, const char **hint)
{
	size_t i = 0;

	if (sqlstate == NULL)
		sqlstate = "";
	while (strncmp(sqlstate, RULES[i].prefix, strlen(RULES[i].prefix)) != 0)
		i++;
	*hint = RULES[i].hint;
	return RULES[i].fault;
}

bool
postgres_fault_is_missing(const char *sqlstate)
{
	return sqlstate != NULL && (strcmp(sqlstate, "42P01") == 0 ||
				       strcmp(sqlstate, "3F000") == 0);
}

bool
postgres_fault_is_forbidden(const char *sqlstate)
{
	return sqlstate != NULL && (strcmp(sqlstate, "42501") == 0 ||
				       strcmp(sqlstate, "3F000") == 0);
}

static bool
is_sqlstate(const char *text)
{
	size_t n = 0;

	while (n < POSTGRES_SQLSTATE_LEN &&
	       (text_is_digit(text[n]) || (text[n] >= 'A' && text[n] <= 'Z')))
		n++;
	return n == POSTGRES_SQLSTATE_LEN && text[n] == ':';
}

bool
postgres_fault_find(
    const char *message, char sqlstate[POSTGRES_SQLSTATE_LEN + 1])
{
	const char *at = message;

	while ((at = strstr(at, ":  ")) != NULL) {
		at += strlen(":  ");
		if (!is_sqlstate(at))
			continue;
		memcpy(sqlstate, at, POSTGRES_SQLSTATE_LEN);
		sqlstate[POSTGRES_SQLSTATE_LEN] = '\0';
		return true;
	}
	return false;
}
