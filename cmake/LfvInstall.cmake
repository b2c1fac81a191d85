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
