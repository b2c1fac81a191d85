# SPDX-License-Identifier: MIT
#
# lfv_flags: what every C and C++ file of the project is compiled with.
#
# Symbols and frame pointers stay in every build, for perf and gdb.  There is
# no -march=native: a figure belongs to a binary that runs everywhere.

add_library(lfv_flags INTERFACE)
set(lfv_c_warnings -Wall -Wextra -Wpedantic -Wshadow -Wconversion
	-Wstrict-prototypes -Wmissing-prototypes)
set(lfv_cxx_warnings -Wall -Wextra -Wpedantic -Wshadow -Wconversion)

target_compile_features(lfv_flags INTERFACE c_std_17)
target_compile_definitions(lfv_flags INTERFACE _GNU_SOURCE)
target_compile_options(lfv_flags INTERFACE
	-g -fno-omit-frame-pointer -fno-plt
	"$<$<COMPILE_LANGUAGE:C>:${lfv_c_warnings}>"
	"$<$<COMPILE_LANGUAGE:CXX>:${lfv_cxx_warnings}>"
	$<$<BOOL:${LFV_WERROR}>:-Werror>)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

if(LFV_SANITIZE STREQUAL "address")
	set(lfv_sanitizers -fsanitize=address,undefined
		-fno-sanitize-recover=all)
elseif(LFV_SANITIZE STREQUAL "thread")
	set(lfv_sanitizers -fsanitize=thread)
elseif(LFV_SANITIZE)
	message(FATAL_ERROR "LFV_SANITIZE is '${LFV_SANITIZE}': "
		"choose address or thread")
endif()
if(LFV_SANITIZE)
	target_compile_options(lfv_flags INTERFACE ${lfv_sanitizers})
	target_link_options(lfv_flags INTERFACE ${lfv_sanitizers})
endif()
