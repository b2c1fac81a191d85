# SPDX-License-Identifier: MIT
#
# The libraries that lfv is built with.  A missing one is named by its Debian
# package, with what it is for.

find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

function(lfv_missing package purpose)
	message(FATAL_ERROR "${package} is missing: ${purpose}.\n"
		"Debian and Ubuntu: apt-get install ${package}")
endfunction()

# lfv_pkg_config(MODULE PACKAGE PURPOSE) makes PkgConfig::MODULE or stops.
macro(lfv_pkg_config module package purpose)
	pkg_check_modules(${module} QUIET IMPORTED_TARGET ${module})
	if(NOT ${module}_FOUND)
		lfv_missing(${package} "${purpose}")
	endif()
endmacro()

lfv_pkg_config(ck libck-dev "Concurrency Kit, the lock kinds of the engine")
lfv_pkg_config(liburcu-bp liburcu-dev "read-copy-update, for the strategy rcu")

if(LFV_BUILD_BENCHMARKS)
	find_package(benchmark QUIET)
	if(NOT benchmark_FOUND)
		lfv_missing(libbenchmark-dev "Google Benchmark, for lfv-gbench")
	endif()
	lfv_pkg_config(hwloc libhwloc-dev "pins the threads of the bench")
	lfv_pkg_config(jansson libjansson-dev "reads and writes result files")
	lfv_pkg_config(zlib zlib1g-dev "reads compressed traces")
endif()

if(LFV_BUILD_TESTS)
	lfv_pkg_config(cmocka libcmocka-dev "the frame of the tests")
endif()
