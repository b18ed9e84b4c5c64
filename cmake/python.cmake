# The extension modules: ctok._core (Cython) and ctok._pcre2 (cffi).
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)

set(core_pyx ${CMAKE_CURRENT_SOURCE_DIR}/pkg/ctok/_core.pyx)
file(GLOB core_parts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/pkg/ctok/bridge/*.pxi)
set(core_c ${CMAKE_CURRENT_BINARY_DIR}/_core.c)
add_custom_command(
  OUTPUT ${core_c}
  COMMAND ${Python_EXECUTABLE} -m cython -3 --module-name ctok._core ${core_pyx} -o ${core_c}
  DEPENDS ${core_pyx} ${core_parts} ${CMAKE_CURRENT_SOURCE_DIR}/pkg/ctok/_ctok.pxd
  COMMENT "Cython: _core.pyx"
  VERBATIM)
python_add_library(_core MODULE WITH_SOABI ${core_c})
target_include_directories(_core PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/pkg/ctok)
target_link_libraries(_core PRIVATE ctok)
install(TARGETS _core DESTINATION ctok)

include(${CMAKE_CURRENT_SOURCE_DIR}/vendor/pcre2/pcre2.cmake)
ctok_add_pcre2_module()
