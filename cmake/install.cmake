# The install rules: headers, and a package that find_package(hawser) finds.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/hawser")  # share/: nothing in it has a word size
configure_package_config_file(cmake/hawser-config.cmake.in hawser-config.cmake
                              INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Below 1.0 a new minor version may break; SameMinorVersion says so.
write_basic_package_version_file(hawser-config-version.cmake COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)

install(TARGETS hawser EXPORT hawser-targets FILE_SET HEADERS)
install(EXPORT hawser-targets NAMESPACE hawser:: DESTINATION ${package_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/hawser-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/hawser-config-version.cmake
              cmake/dependencies.cmake cmake/compiled.cmake cmake/FindAsio.cmake
        DESTINATION ${package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/hawser)
