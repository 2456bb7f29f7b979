#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What sanitizers see: all unit tests and corpora with ASan and UBSan, the
# unit tests with threads with TSan, real nodes with each of them, and herdctl
# with ASan and UBSan. A finding ends its process with a status that its test
# does not expect.
#
#     tests/sanitize.sh MAKE PYTHON
set -u
cd "$(dirname "$0")/.." || exit 1
make=$1
python=$2
jobs=-j$(nproc)
threads="test_addresses test_commit test_loop_watch test_places test_resolver
	test_stress"
system="test_admin test_flood test_heavy test_herd test_links test_signals test_store
	test_store_damage test_store_files"
client="formats herd lessons live once repl terminal trust wait"
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

# real_nodes MODE FILE...
real_nodes() {
	local mode=$1
	shift
	HERDD=$PWD/build/$mode/herdd "$python" -m pytest -q -n 2 \
	    -p no:cacheprovider "$@" || status=1
}

files=()
for name in $system; do
	files+=("tests/system/$name.py")
done
client_files=()
for name in $client; do
	client_files+=("tests/system/test_herdctl_$name.py")
done
programs=()
for name in $threads; do
	programs+=("build/tsan/tests/unit/$name")
done

build asan build/asan/herdd build/asan/herdctl
for suite in unit fuzz-replay; do
	"$make" --no-print-directory "$jobs" MODE=asan "$suite" || status=1
done
real_nodes asan "${files[@]}"
HERDCTL=$PWD/build/asan/herdctl real_nodes asan "${client_files[@]}"

build tsan build/tsan/herdd "${programs[@]}"
# Where the kernel spreads memory wider than this compiler's TSan knows, it
# ends every program at its start.
if build/tsan/herdd --version >/dev/null; then
	for program in "${programs[@]}"; do
		"$program" || status=1
	done
	real_nodes tsan "${files[@]}"
else
	echo "TSan does not run on this kernel (vm.mmap_rnd_bits): left out"
fi
exit $status
