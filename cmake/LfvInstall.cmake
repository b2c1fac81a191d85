# SPDX-License-Identifier: MIT
#
# Installs the library, its header and what find_package and pkg-config read,
# and the two programs of the bench.

include(CMakePackageConfigHelpers)
set(lfv_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/lfv)

install(TARGETS lfv EXPORT lfvTargets
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_SOURCE_DIR}/engine/include/lfv/lfv.h
	DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lfv)
install(EXPORT lfvTargets NAMESPACE lfv:: DESTINATION ${lfv_config_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/lfvConfig.cmake.in
	${PROJECT_BINARY_DIR}/lfvConfig.cmake
	INSTALL_DESTINATION ${lfv_config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lfvConfigVersion.cmake
	COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lfvConfig.cmake
	${PROJECT_BINARY_DIR}/lfvConfigVersion.cmake
	DESTINATION ${lfv_config_dir})

# Relative to the file itself, so that it holds wherever `cmake --install
# --prefix` puts it; an absolute directory of the user stays where it is.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
	set(lfv_pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
	file(RELATIVE_PATH lfv_pc_up
		/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
	string(REGEX REPLACE "/$" "" lfv_pc_up "${lfv_pc_up}")
	set(lfv_pc_prefix "\${pcfiledir}/${lfv_pc_up}")
endif()
foreach(kind LIBDIR INCLUDEDIR)
	string(TOLOWER ${kind} name)
	if(IS_ABSOLUTE "${CMAKE_INSTALL_${kind}}")
		set(lfv_pc_${name} ${CMAKE_INSTALL_${kind}})
	else()
		set(lfv_pc_${name} "\${prefix}/${CMAKE_INSTALL_${kind}}")
	endif()
endforeach()
# By name, not as Requires.private: with that, users of a shared lfv would need
# the package, too.
list(JOIN liburcu-bp_LDFLAGS " " lfv_pc_libs_private)
configure_file(${CMAKE_CURRENT_LIST_DIR}/lfv.pc.in
	${PROJECT_BINARY_DIR}/lfv.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/lfv.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

foreach(program lfv-bench lfv-gbench)
	if(TARGET ${program})
		install(TARGETS ${program}
			RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
	endif()
endforeach()
