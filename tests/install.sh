#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# install.sh PACKAGE...: installs the Debian packages that are missing, with
# sudo when the caller is not root. Before that it names all that apt will
# install, which is more than what was asked for.
set -u
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
mapfile -t missing < <(
	dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		awk '$2 == "installed" { print $1 }' | sort -u |
		comm -13 - <(printf '%s\n' "$@" | sort -u)
)
[ "${#missing[@]}" -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "install: there is no apt-get here; needed are: ${missing[*]}" >&2
	exit 1
fi
root=()
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "install: not root, and there is no sudo; as root:" \
			"apt-get install --no-install-recommends ${missing[*]}" >&2
		exit 1
	fi
	root=(sudo DEBIAN_FRONTEND=noninteractive)
	echo "install: ${#missing[@]} packages are missing (${missing[*]}); sudo asks apt"
fi
"${root[@]}" apt-get update -qq || exit 1
if ! plan=$(apt-get install -s --no-install-recommends "${missing[@]}"); then
	exit 1
fi
mapfile -t all < <(awk '$1 == "Inst" { print $2 }' <<<"$plan" | sort)
echo "install: ${#all[@]} packages, for the ${#missing[@]} that are missing:"
fold -s -w 76 <<<"${all[*]}" | sed 's/^/    /'
# With the package Debian would start a server that nobody asked for.
if [[ " ${all[*]} " = *" postgresql-common "* ]]; then
	"${root[@]}" apt-get install -y -qq --no-install-recommends \
		postgresql-common || exit 1
	"${root[@]}" sed -i 's/^#*create_main_cluster *=.*/create_main_cluster = false/' \
		/etc/postgresql-common/createcluster.conf
fi
"${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
