/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "repl/shells.h"

#include <stddef.h>
#include <string.h>

#include "herd/compiler.h"

static const char bash_script[] =
    "# bash completion for herdctl\n"
    "# What the shell made of $1: sets out, the word; quote, the one that is open;\n"
    "# cut, the part of out before which readline replaces nothing.\n"
    "_herdctl_unquote()\n"
    "{\n"
    "\tlocal text=$1 c\n"
    "\tlocal -i i\n"
    "\tout='' quote='' cut=''\n"
    "\tfor ((i = 0; i < ${#text}; i++)); do\n"
    "\t\tc=${text:i:1}\n"
    "\t\tcase $quote:$c in\n"
    "\t\t\\':\\' | \\\":\\\") quote='' cut=$out ;;\n"
    "\t\t\\':*) out+=$c ;;\n"
    "\t\t\\\":\\\\)\n"
    "\t\t\t[[ ${text:i+1:1} == [\\\"\\\\\\$\\`] ]] && i+=1\n"
    "\t\t\tout+=${text:i:1} ;;\n"
    "\t\t\\\":*) out+=$c ;;\n"
    "\t\t:\\' | :\\\") quote=$c cut=$out ;;\n"
    "\t\t:\\\\) i+=1 out+=${text:i:1} ;;\n"
    "\t\t*)\n"
    "\t\t\tout+=$c\n"
    "\t\t\t[[ $COMP_WORDBREAKS == *\"$c\"* ]] && cut=$out ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "}\n"
    "# Sets out to $1 as it must follow the open quote.\n"
    "_herdctl_quote()\n"
    "{\n"
    "\tout=$1\n"
    "\tcase $quote in\n"
    "\t\\') out=${out//\\'/\\'\\\\\\'\\'} ;;\n"
    "\t\\\")\n"
    "\t\tout=${out//\\\\/\\\\\\\\}\n"
    "\t\tout=${out//\\\"/\\\\\\\"}\n"
    "\t\tout=${out//\\$/\\\\\\$}\n"
    "\t\tout=${out//\\`/\\\\\\`}\n"
    "\t\tout=${out//!/\\\"\\'!\\'\\\"} ;;\n"
    "\t*)\n"
    "\t\tcase $out in\n"
    "\t\t*[!A-Za-z0-9_.,:=+/@%-]*) printf -v out '%q' \"$out\" ;;\n"
    "\t\tesac ;;\n"
    "\tesac\n"
    "\t# readline closes the quote, unless this ends with one.\n"
    "\t[[ -n $quote && $out == *\"$quote\" ]] && out+=$quote\n"
    "\treturn 0\n"
    "}\n"
    "_herdctl()\n"
    "{\n"
    "\tlocal word piece out quote cut files= rest=${COMP_LINE:0:COMP_POINT}\n"
    "\tlocal -a words=() plain=()\n"
    "\tlocal -i i\n"
    "\tCOMPREPLY=()\n"
    "\t# `=' and `:' cut words in bash: what no space divides is one word.\n"
    "\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "\t\tword=${rest#\"${rest%%[![:space:]]*}\"}\n"
    "\t\tpiece=${COMP_WORDS[i]}\n"
    "\t\t((i == COMP_CWORD)) && piece=$word\n"
    "\t\tif ((i > 0)) && [ \"$word\" = \"$rest\" ]; then\n"
    "\t\t\twords[-1]+=$piece\n"
    "\t\telse\n"
    "\t\t\twords+=(\"$piece\")\n"
    "\t\tfi\n"
    "\t\trest=${word#\"$piece\"}\n"
    "\tdone\n"
    "\tfor word in \"${words[@]}\"; do\n"
    "\t\t_herdctl_unquote \"$word\"\n"
    "\t\tplain+=(\"$out\")\n"
    "\tdone\n"
    "\twhile IFS= read -r word; do\n"
    "\t\tif [ \"$word\" = :files ]; then\n"
    "\t\t\tfiles=1\n"
    "\t\telse\n"
    "\t\t\t_herdctl_quote \"${word#\"$cut\"}\"\n"
    "\t\t\tCOMPREPLY+=(\"$out\")\n"
    "\t\tfi\n"
    "\tdone < <(herdctl __complete \"${plain[@]:1}\" 2>/dev/null)\n"
    "\t[ -n \"$files\" ] && compopt -o default\n"
    "\treturn 0\n"
    "}\n"
    "complete -F _herdctl herdctl\n";

static const char zsh_script[] =
    "#compdef herdctl\n"
    "# zsh completion for herdctl\n"
    "_herdctl()\n"
    "{\n"
    "\tlocal -a found\n"
    "\tlocal word files= none=1\n"
    "\twhile IFS= read -r word; do\n"
    "\t\tif [[ $word == :files ]]; then\n"
    "\t\t\tfiles=1\n"
    "\t\telse\n"
    "\t\t\tfound+=(\"$word\")\n"
    "\t\tfi\n"
    "\tdone < <(herdctl __complete \"${(@Q)words[2,CURRENT-1]}\" \"${(Q)PREFIX}\" 2>/dev/null)\n"
    "\t(( ${#found} )) && compadd -a -- found && none=0\n"
    "\tif [[ -n $files ]]; then\n"
    "\t\tcompset -P '--*='\n"
    "\t\t_files && none=0\n"
    "\tfi\n"
    "\treturn none\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _herdctl ]; then\n"
    "\t_herdctl \"$@\"\n"
    "else\n"
    "\tcompdef _herdctl herdctl\n"
    "fi\n";

static const char fish_script[] =
    "# fish completion for herdctl\n"
    "function __herdctl_complete\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -l typed (commandline -ct | string replace -ra '[\\\\\\\\\"\\']' '')\n"
    "\tset -l option (string match -r '^--[^=]*=' -- \"$typed\")\n"
    "\tfor word in (herdctl __complete $words[2..-1] \"$typed\" 2>/dev/null)\n"
    "\t\tif test \"$word\" = :files\n"
    "\t\t\tset -l path (string replace -r '^--[^=]*=' '' -- \"$typed\")\n"
    "\t\t\tfor file in (__fish_complete_path \"$path\")\n"
    "\t\t\t\tprintf '%s\\n' \"$option$file\"\n"
    "\t\t\tend\n"
    "\t\telse if not string match -q '~*' -- \"$word\" # it is never quoted\n"
    "\t\t\tprintf '%s\\n' \"$word\"\n"
    "\t\tend\n"
    "\tend\n"
    "end\n"
    "complete -c herdctl -f -a '(__herdctl_complete)'\n";

const char *
shells_script(const char *shell)
{
	static const struct {
		const char *shell;
		const char *script;
	} scripts[] = {
		{ "bash", bash_script },
		{ "zsh", zsh_script },
		{ "fish", fish_script },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(scripts); i++) {
		if (strcmp(scripts[i].shell, shell) == 0)
			return scripts[i].script;
	}
	return NULL;
}
