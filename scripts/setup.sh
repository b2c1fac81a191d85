# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# setup.sh - what the scripts need on this machine; sourced, not run.
#
#	. scripts/setup.sh
#	setup_argument "$1" && shift	takes --yes and --no-install
#	setup_begin build test		makes sure of these groups, or stops
#
# One row a package: group, Debian name, what for, probe.  A `wish` is
# installed with the rest, but the script goes on without it.

setup_cmake_oldest=3.25

setup_cmake_wanted() {
	echo "$setup_cmake_oldest or newer: Debian 12, Ubuntu 24.04"
}

setup_table() {
	cat <<-ROWS
		build|gcc|compiles the library|setup_has_tool cc
		build|libc6-dev|headers of the C library|setup_has_header stdio.h
		build|cmake|configures; $(setup_cmake_wanted)|setup_has_cmake
		build|ninja-build|builds|setup_has_tool ninja
		build|pkg-config|finds the libraries|setup_has_tool pkg-config
		build|libck-dev|Concurrency Kit: lock kinds|setup_has_module ck
		build|liburcu-dev|read-copy-update: strategy rcu|setup_has_module liburcu-bp
		build|g++|compiles the Google Benchmark shim|setup_has_tool c++
		build|libbenchmark-dev|Google Benchmark|setup_has_module benchmark
		build|libhwloc-dev|pins threads to CPUs|setup_has_module hwloc
		build|libjansson-dev|result files|setup_has_module jansson
		build|zlib1g-dev|compressed traces|setup_has_module zlib
		test|libcmocka-dev|the frame of the tests|setup_has_module cmocka
		test|python3|style checks|setup_has_tool python3
		test wish|clang-format-14|format check|setup_has_tool clang-format-14
		plot wish|python3-matplotlib|draws the plots|setup_has_matplotlib
	ROWS
}

setup_yes=
setup_install=yes

setup_argument() {
	case "$1" in
	--yes) setup_yes=yes ;;
	--no-install) setup_install= ;;
	*) return 1 ;;
	esac
}

setup_has_tool() {
	command -v "$1" >/dev/null 2>&1
}

setup_has_header() {
	echo "#include <$1>" | cc -E - >/dev/null 2>&1
}

setup_has_module() {
	pkg-config --exists "$1" 2>/dev/null
}

setup_has_matplotlib() {
	/usr/bin/python3 -c 'import matplotlib' 2>/dev/null
}

setup_has_cmake() {
	setup_has_tool cmake || return 1
	printf '%s\n' $setup_cmake_oldest "$(cmake --version | sed -n '1s/[^0-9]*//p')" |
		sort -C -V
}

# setup_missing GROUPS KIND: a line "package|what for" for each absent package
# of the groups; KIND is need or wish.
setup_missing() {
	setup_table | while IFS='|' read -r group package purpose probe; do
		kind=need
		[ "${group#* }" = wish ] && kind=wish
		case " $1 " in
		*" ${group%% *} "*) ;;
		*) continue ;;
		esac
		[ "$kind" = "$2" ] || continue
		$probe || echo "$package|$purpose"
	done
}

setup_is_debian() {
	[ -r /etc/os-release ] && command -v apt-get >/dev/null &&
		sed -n 's/^ID\(_LIKE\)\{0,1\}=//p' /etc/os-release |
		grep -qE 'debian|ubuntu'
}

# setup_apt RUNNER PACKAGE...: RUNNER is empty for root, or sudo.
setup_apt() {
	runner=$1
	shift
	$runner env DEBIAN_FRONTEND=noninteractive apt-get install -y \
		--no-install-recommends "$@" </dev/null >&2
}

# setup_rows: rows of setup_missing as a person reads them.
setup_rows() {
	sed -n 's/^\(.\{1,\}\)|\(.*\)$/  \1\t\2/p' | expand -t 24
}

# setup_may_write FILE: makes it, empty, or stops.  What is read from it later
# is then of this run.
setup_may_write() {
	{ mkdir -p "$(dirname "$1")" && (: >"$1"); } 2>/dev/null ||
		setup_stop "$1 cannot be written: is $(pwd) yours?"
}

setup_stop() {
	echo "$1" >&2
	exit 1
}

# setup_may_install: prints how to become root, or stops the script.
setup_may_install() {
	if [ "$(id -u)" -eq 0 ]; then
		return
	fi
	command -v sudo >/dev/null ||
		setup_stop 'Run that line as root, then start again.'
	if [ -z "$setup_yes" ]; then
		if ! [ -t 0 ] || ! [ -t 2 ]; then
			setup_stop 'Run that line, or start again with --yes.'
		fi
		printf 'Install them now with sudo? [y/N] ' >&2
		read -r answer
		case "$answer" in
		y | Y | yes) ;;
		*) setup_stop 'Nothing was installed.' ;;
		esac
	fi
	echo sudo
}

setup_begin() {
	need=$(setup_missing "$*" need)
	wish=$(setup_missing "$*" wish)
	[ -n "$need$wish" ] || return 0

	need_names=$(echo "$need" | cut -d'|' -f1 | xargs)
	wish_names=$(echo "$wish" | cut -d'|' -f1 | xargs)
	{
		echo 'Missing on this machine:'
		printf '%s\n' "$need" "$wish" | setup_rows
		[ -z "$wish_names" ] || echo "(it works without: $wish_names)"
	} >&2

	if ! setup_is_debian; then
		[ -n "$need" ] || return 0
		setup_stop "These are Debian's names; install what your system calls them."
	fi
	echo "  apt-get install $need_names $wish_names" >&2
	if [ -z "$setup_install" ]; then
		[ -n "$need" ] || return 0
		setup_stop 'Not installed, as asked.'
	fi
	# A wish alone is no reason to ask or to stop.
	if [ -z "$need" ] && [ "$(id -u)" -ne 0 ] && [ -z "$setup_yes" ]; then
		return 0
	fi

	runner=$(setup_may_install) || exit 1
	$runner apt-get update </dev/null >&2 ||
		echo 'apt-get update failed; trying with the lists of before' >&2
	# shellcheck disable=SC2086
	if [ -n "$need" ]; then
		setup_apt "$runner" $need_names ||
			setup_stop 'apt-get could not install them.'
	fi
	# shellcheck disable=SC2086
	for name in $wish_names; do
		setup_apt "$runner" "$name" || echo "going on without $name" >&2
	done

	need=$(setup_missing "$*" need)
	[ -z "$need" ] || setup_stop "Still missing:
$(echo "$need" | setup_rows)"
}
