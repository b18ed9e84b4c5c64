# For C projects: the library, its header, find_package(ctok) and pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS ctok EXPORT ctok-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES csrc/ctok.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT ctok-targets NAMESPACE ctok::
  FILE ctok-config.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ctok)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ctok-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ctok-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ctok)
configure_file(cmake/ctok.pc.in ctok.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ctok.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
