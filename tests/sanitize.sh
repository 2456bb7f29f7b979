#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What sanitizers see: all unit tests and corpora with ASan and UBSan, the
# unit tests with threads with TSan, and real nodes with each of them. A
# finding ends its process with a status that its test does not expect.
#
#     tests/sanitize.sh MAKE PYTHON
set -u
cd "$(dirname "$0")/.." || exit 1
make=$1
python=$2
jobs=-j$(nproc)
threads="test_addresses test_commit test_places test_pulse test_resolver
	test_stress"
system="test_admin test_herd test_links test_signals test_store
	test_store_damage test_store_files"
# The look for leaks stops all threads at the end of a process, which hangs
# on some virtual machines. `make MODE=asan unit` has it.
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=exitcode=66
export HERD_TEST_DEADLINE=60
status=0

build() {
	local mode=$1
	shift
	"$make" --no-print-directory "$jobs" MODE="$mode" "$@" || exit 1
}

real_nodes() {
	HERDD=$PWD/build/$1/herdd "$python" -m pytest -q -n 2 \
	    -p no:cacheprovider "${files[@]}" || status=1
}

files=()
for name in $system; do
	files+=("tests/system/$name.py")
done
programs=()
for name in $threads; do
	programs+=("build/tsan/tests/unit/$name")
done

build asan build/asan/herdd
"$make" --no-print-directory MODE=asan unit fuzz-replay || status=1
real_nodes asan

build tsan build/tsan/herdd "${programs[@]}"
# Where the kernel spreads memory wider than this compiler's TSan knows, it
# ends every program at its start.
if build/tsan/herdd --version >/dev/null; then
	for program in "${programs[@]}"; do
		"$program" || status=1
	done
	real_nodes tsan
else
	echo "TSan does not run on this kernel (vm.mmap_rnd_bits): left out"
fi
exit $status
