# SPDX-License-Identifier: MIT
#
# Writes OUTPUT, a header with the commit of SOURCE as LFV_COMMIT: "" outside
# of a repository, with "-changed" after it where tracked files differ.  Run at
# each build; an unchanged header is left alone, so nothing is compiled again.

execute_process(COMMAND git rev-parse --short=12 HEAD
	WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit
	OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 0)
	set(commit "")
else()
	execute_process(COMMAND git diff --quiet HEAD
		WORKING_DIRECTORY ${SOURCE} ERROR_QUIET RESULT_VARIABLE status)
	if(NOT status EQUAL 0)
		string(APPEND commit -changed)
	endif()
endif()

set(text "#define LFV_COMMIT \"${commit}\"\n")
set(before "")
if(EXISTS ${OUTPUT})
	file(READ ${OUTPUT} before)
endif()
if(NOT text STREQUAL before)
	file(WRITE ${OUTPUT} "${text}")
endif()
