# Finds standalone Asio, header-only. Distributions ship it without CMake files of its own.
#
#   Asio::Asio        the target
#   Asio_VERSION      for example 1.22.1
#   Asio_INCLUDE_DIR  cache variable: where asio.hpp is
find_package(Threads QUIET)
find_path(Asio_INCLUDE_DIR asio/version.hpp DOC "Standalone Asio")
mark_as_advanced(Asio_INCLUDE_DIR)

if(Asio_INCLUDE_DIR)  # ASIO_VERSION is major * 100000 + minor * 100 + patch
  file(STRINGS "${Asio_INCLUDE_DIR}/asio/version.hpp" Asio_VERSION REGEX "#define ASIO_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+" Asio_VERSION "${Asio_VERSION}")
  math(EXPR asio_major "${Asio_VERSION} / 100000")
  math(EXPR asio_minor "${Asio_VERSION} / 100 % 1000")
  math(EXPR asio_patch "${Asio_VERSION} % 100")
  set(Asio_VERSION "${asio_major}.${asio_minor}.${asio_patch}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  Asio REQUIRED_VARS Asio_INCLUDE_DIR Threads_FOUND VERSION_VAR Asio_VERSION)

if(Asio_FOUND AND NOT TARGET Asio::Asio)
  add_library(Asio::Asio INTERFACE IMPORTED)
  target_include_directories(Asio::Asio INTERFACE "${Asio_INCLUDE_DIR}")
  target_compile_definitions(Asio::Asio INTERFACE ASIO_STANDALONE)
  target_link_libraries(Asio::Asio INTERFACE Threads::Threads)
  if(WIN32)
    target_link_libraries(Asio::Asio INTERFACE ws2_32 mswsock)
  endif()
endif()
