# Finds the static library of PCRE2 and builds ctok._pcre2 from it. See README.md here.
#
#   CTOK_PCRE2=package   the PyPI package pcre2 in the Python that builds (default)
#   CTOK_PCRE2=archive   the pinned source archive, by path or URL
#   CTOK_PCRE2=system    whatever the system has

set(CTOK_PCRE2_VERSION 10.47)
set(CTOK_PCRE2_SHA256 47fe8c99461250d42f89e6e8fdaeba9da057855d06eb7fc08d9ca03fd08d7bc7)
set(CTOK_PCRE2_DIR ${CMAKE_CURRENT_LIST_DIR})

set(CTOK_PCRE2 package CACHE STRING "Where PCRE2 comes from: package, archive or system")
set_property(CACHE CTOK_PCRE2 PROPERTY STRINGS package archive system)
set(CTOK_PCRE2_ARCHIVE
  https://github.com/PCRE2Project/pcre2/releases/download/pcre2-${CTOK_PCRE2_VERSION}/pcre2-${CTOK_PCRE2_VERSION}.tar.bz2
  CACHE STRING "With CTOK_PCRE2=archive: path or URL of the release archive")

# Defines the imported target ctok_pcre2: a library file and the folder of its header.
function(ctok_pcre2_import library include)
  file(STRINGS ${include}/pcre2.h lines REGEX "^#define PCRE2_(MAJOR|MINOR) ")
  string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*" "\\1.\\2" version "${lines}")
  if(NOT version STREQUAL CTOK_PCRE2_VERSION)
    if(NOT CTOK_PCRE2 STREQUAL "system")
      message(FATAL_ERROR "PCRE2 ${version} in ${include}; ctok is pinned to "
        "${CTOK_PCRE2_VERSION}: pip install pcre2==0.7.1, or -DCTOK_PCRE2=archive")
    endif()
    message(WARNING "The system's PCRE2 is ${version}, not ${CTOK_PCRE2_VERSION}. Its "
      "Unicode tables may be of another version than the references' 16.0; ctok brings "
      "its own and asks PCRE2's nothing, but only ${CTOK_PCRE2_VERSION} is tested.")
  endif()
  message(STATUS "PCRE2 ${version}: ${library}")
  add_library(ctok_pcre2 UNKNOWN IMPORTED)
  set_target_properties(ctok_pcre2 PROPERTIES
    IMPORTED_LOCATION ${library} INTERFACE_INCLUDE_DIRECTORIES ${include})
endfunction()

function(ctok_pcre2_from_package)
  execute_process(
    COMMAND ${Python_EXECUTABLE} ${CTOK_PCRE2_DIR}/locate.py
    OUTPUT_VARIABLE found ERROR_VARIABLE reason RESULT_VARIABLE failed
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
  if(failed)
    message(FATAL_ERROR "${reason}\nInstall it for ${Python_EXECUTABLE} with "
      "`pip install pcre2==0.7.1`, or choose -DCTOK_PCRE2=archive.")
  endif()
  list(GET found 0 library)
  list(GET found 1 include)
  ctok_pcre2_import(${library} ${include})
  set_property(TARGET ctok_pcre2 APPEND PROPERTY
    INTERFACE_COMPILE_DEFINITIONS PCRE2_STATIC)
endfunction()

function(ctok_pcre2_from_archive)
  include(FetchContent)
  # Options of PCRE2's own build.
  set(BUILD_SHARED_LIBS OFF)
  set(BUILD_STATIC_LIBS ON)
  set(PCRE2_STATIC_PIC ON)
  set(PCRE2_BUILD_PCRE2_8 ON)
  set(PCRE2_BUILD_PCRE2_16 OFF)
  set(PCRE2_BUILD_PCRE2_32 OFF)
  set(PCRE2_SUPPORT_JIT ON)
  set(PCRE2_SUPPORT_UNICODE ON)
  set(PCRE2_BUILD_PCRE2GREP OFF)
  set(PCRE2_BUILD_TESTS OFF)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
  set(CMAKE_C_EXTENSIONS ON)
  FetchContent_Declare(pcre2
    URL ${CTOK_PCRE2_ARCHIVE} URL_HASH SHA256=${CTOK_PCRE2_SHA256}
    DOWNLOAD_EXTRACT_TIMESTAMP OFF
    SOURCE_SUBDIR only-unpack) # so that EXCLUDE_FROM_ALL keeps its install rules out
  FetchContent_MakeAvailable(pcre2)
  add_subdirectory(${pcre2_SOURCE_DIR} ${pcre2_BINARY_DIR} EXCLUDE_FROM_ALL)
  add_library(ctok_pcre2 INTERFACE)
  target_link_libraries(ctok_pcre2 INTERFACE pcre2-8-static)
endfunction()

function(ctok_pcre2_from_system)
  find_path(CTOK_PCRE2_INCLUDE pcre2.h REQUIRED)
  find_library(CTOK_PCRE2_LIBRARY NAMES pcre2-8 pcre2-8-static REQUIRED)
  ctok_pcre2_import(${CTOK_PCRE2_LIBRARY} ${CTOK_PCRE2_INCLUDE})
endfunction()

# The extension module _pcre2, installed into the package.
function(ctok_add_pcre2_module)
  if(NOT CTOK_PCRE2 MATCHES "^(package|archive|system)$")
    message(FATAL_ERROR "CTOK_PCRE2 is '${CTOK_PCRE2}': package, archive or system")
  endif()
  cmake_language(CALL ctok_pcre2_from_${CTOK_PCRE2})
  cmake_path(SET root NORMALIZE ${CTOK_PCRE2_DIR}/../..)
  set(package ${root}/pkg/ctok)
  set(glue ${CMAKE_CURRENT_BINARY_DIR}/_pcre2.c)
  add_custom_command(
    OUTPUT ${glue}
    COMMAND ${Python_EXECUTABLE} ${package}/_pcre2_build.py ${glue}
    DEPENDS ${package}/_pcre2_build.py
    COMMENT "cffi: _pcre2.c"
    VERBATIM)
  python_add_library(_pcre2 MODULE WITH_SOABI ${glue} ${package}/_pcre2_engine.c)
  target_include_directories(_pcre2 PRIVATE ${package} ${root}/csrc)
  target_link_libraries(_pcre2 PRIVATE ctok_pcre2)
  set_target_properties(_pcre2 PROPERTIES C_VISIBILITY_PRESET hidden)
  if(CMAKE_C_COMPILER_ID MATCHES "GNU|Clang")
    set_property(SOURCE ${package}/_pcre2_engine.c APPEND PROPERTY
      COMPILE_OPTIONS -Wall -Wextra -Wpedantic -Wconversion)
    if(UNIX AND NOT APPLE)
      # What the archive defines stays inside: another PCRE2 may live in the process.
      target_link_options(_pcre2 PRIVATE LINKER:--exclude-libs,ALL)
    endif()
  endif()
  install(TARGETS _pcre2 DESTINATION ctok)
endfunction()
