#!/bin/sh
# SPDX-License-Identifier: MIT
#
# consumer.sh SOURCE WORK - installs lfv into a staging prefix, shared and
# static, and builds the consumer against each by find_package and pkg-config.
# "moved" is the shared one under a prefix named only when it was installed.
#
# Environment: CC, the compiler of the build that runs this test.

set -eu
source=$1
work=$2
here=$source/tests/cli/consumer

fail() {
	echo "consumer: $1" >&2
	exit 1
}

install_lfv() {
	cmake -S "$source" -B "$work/$1/build" -G Ninja \
		-DCMAKE_C_COMPILER="$CC" \
		-DBUILD_SHARED_LIBS="$2" \
		-DCMAKE_INSTALL_PREFIX="$work/$1/prefix" \
		-DLFV_BUILD_TESTS=OFF -DLFV_BUILD_BENCHMARKS=OFF
	cmake --build "$work/$1/build" -j 2 --target lfv
	cmake --install "$work/$1/build"
}

move_lfv() {
	for libdir in lib lib/some-multiarch; do
		rm -rf "$work/moved"
		cmake -S "$source" -B "$work/shared/build" \
			-DCMAKE_INSTALL_LIBDIR=$libdir
		cmake --build "$work/shared/build" -j 2 --target lfv
		cmake --install "$work/shared/build" \
			--prefix "$work/moved/prefix"
		check_pkg_config moved
		# CMake searches only directories that it knows.
		[ $libdir != lib ] || check_find_package moved
	done
}

check_find_package() {
	cmake -S "$here" -B "$work/$1/consumer" -G Ninja \
		-DCMAKE_C_COMPILER="$CC" \
		-DCMAKE_PREFIX_PATH="$work/$1/prefix"
	cmake --build "$work/$1/consumer"
	"$work/$1/consumer/consumer" || fail "$1, find_package"
}

check_pkg_config() {
	PKG_CONFIG_PATH=$(dirname "$(find "$work/$1/prefix" -name lfv.pc)")
	export PKG_CONFIG_PATH
	pkg-config --exists 'lfv >= 0.1' || fail "$1: lfv.pc is not found"
	libraries=$(pkg-config --variable=libdir lfv)
	kind=
	[ "$1" != static ] || kind=--static
	# shellcheck disable=SC2046
	"$CC" "$here/consumer.c" -o "$work/$1/by-pkg-config" \
		$(pkg-config --cflags lfv) $(pkg-config --libs $kind lfv)
	LD_LIBRARY_PATH=$libraries "$work/$1/by-pkg-config" ||
		fail "$1, pkg-config"
}

check_symbols() {
	library=$(find "$work/shared/prefix" -name liblfv.so)
	readelf -d "$library" | grep -q 'SONAME.*\[liblfv\.so\.0\]' ||
		fail 'the library has no versioned soname'
	strangers=$(nm -D --defined-only "$library" |
		awk '$2 != "A" { print $3 }' | grep -v '^lfv_.*@@LFV_0$' || true)
	[ -z "$strangers" ] || fail "these symbols leave the library: $strangers"
}

check_dependencies() {
	strangers=$(readelf -d "$work/shared/by-pkg-config" |
		sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
		grep -vE '^(liblfv\.so\.0|libc\.so\.6|ld-linux.*)$' || true)
	[ -z "$strangers" ] || fail "a user of lfv needs $strangers"
}

rm -rf "$work"
install_lfv shared ON
install_lfv static OFF
for kind in shared static; do
	check_find_package $kind
	check_pkg_config $kind
done
check_symbols
check_dependencies
move_lfv
echo '#include <lfv/lfv.h>' |
	c++ -x c++ -Wall -Wextra -Werror -fsyntax-only \
		-I"$work/shared/prefix/include" - || fail 'the header is no C++'
