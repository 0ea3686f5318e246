# Finds what hawser stands on. The source build includes this file and so does the installed
# package, so that both take the same variables:
#
#   HAWSER_ASIO_TARGET, HAWSER_SSL_TARGET, HAWSER_SIMDJSON_TARGET, HAWSER_ZLIB_TARGET
#       a target that the host program has already: nothing is looked for then
#   HAWSER_TLS, HAWSER_DEFLATE
#       OFF needs no OpenSSL, no zlib
#   HAWSER_FETCH
#       what isn't found is downloaded (except OpenSSL); never by the installed package

set(hawser_cmake_dir "${CMAKE_CURRENT_LIST_DIR}")

# Downloads at a full commit id: a tag can move, a commit can't.
macro(hawser_fetch name repository commit)
  message(STATUS "hawser: ${name} was not found, fetching it")
  include(FetchContent)
  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${commit})
  FetchContent_MakeAvailable(${name})
endmacro()

# Sets hawser_<KEY> to the target that the host named or that the package has, or to nothing.
function(hawser_find key target package)
  set(found "")
  if(HAWSER_${key}_TARGET)
    if(NOT TARGET ${HAWSER_${key}_TARGET})
      message(FATAL_ERROR "HAWSER_${key}_TARGET is '${HAWSER_${key}_TARGET}', which is no target "
                          "yet: define that target before hawser is added or found.")
    endif()
    set(found ${HAWSER_${key}_TARGET})
  else()
    list(APPEND CMAKE_MODULE_PATH "${hawser_cmake_dir}")  # FindAsio; local to this function
    find_package(${package} ${ARGN} QUIET)
    if(TARGET ${target})
      set(found ${target})
    endif()
  endif()
  set(hawser_${key} "${found}" PARENT_SCOPE)
  set(Asio_VERSION "${Asio_VERSION}" PARENT_SCOPE)
endfunction()

# Sets hawser_ASIO, hawser_SIMDJSON, hawser_SSL, hawser_ZLIB, and hawser_MISSING: the names of the
# packages that are neither there nor fetched.
macro(hawser_find_dependencies)
  set(hawser_MISSING "")

  hawser_find(ASIO Asio::Asio Asio)
  if(NOT hawser_ASIO AND HAWSER_FETCH)
    hawser_fetch(asio https://github.com/chriskohlhoff/asio.git
                 231cb29bab30f82712fcd54faaea42424cc6e710)  # 1.36.0
    set(Asio_INCLUDE_DIR "${asio_SOURCE_DIR}/asio/include" CACHE PATH "Standalone Asio" FORCE)
    hawser_find(ASIO Asio::Asio Asio)
  endif()
  if(NOT hawser_ASIO)
    list(APPEND hawser_MISSING Asio)
  endif()

  hawser_find(SIMDJSON simdjson::simdjson simdjson)
  if(NOT hawser_SIMDJSON AND HAWSER_FETCH)
    hawser_fetch(simdjson https://github.com/simdjson/simdjson.git
                 0c0ce1bd48baa0677dc7c0945ea7cd1e8b52b297)  # 3.13.0
    get_target_property(hawser_includes simdjson INTERFACE_INCLUDE_DIRECTORIES)
    set_property(TARGET simdjson PROPERTY INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${hawser_includes})
    set(hawser_SIMDJSON simdjson::simdjson)
  endif()
  if(NOT hawser_SIMDJSON)
    list(APPEND hawser_MISSING simdjson)
  endif()

  set(hawser_SSL "")
  if(HAWSER_TLS)
    hawser_find(SSL OpenSSL::SSL OpenSSL 3.0)
    if(NOT hawser_SSL)
      list(APPEND hawser_MISSING OpenSSL)
    endif()
  endif()

  set(hawser_ZLIB "")
  if(HAWSER_DEFLATE)
    hawser_find(ZLIB ZLIB::ZLIB ZLIB)
    if(NOT hawser_ZLIB AND HAWSER_FETCH)
      set(ZLIB_BUILD_EXAMPLES OFF CACHE BOOL "Enable Zlib Examples")
      hawser_fetch(zlib https://github.com/madler/zlib.git
                   51b7f2abdade71cd9bb0e7a373ef2610ec6f9daf)  # 1.3.1
      add_library(hawser_zlib INTERFACE)  # zlib's own target carries no include directories
      target_include_directories(hawser_zlib SYSTEM INTERFACE ${zlib_SOURCE_DIR}
                                                              ${zlib_BINARY_DIR})
      target_link_libraries(hawser_zlib INTERFACE zlibstatic)
      set(hawser_ZLIB hawser_zlib)
    endif()
    if(NOT hawser_ZLIB)
      list(APPEND hawser_MISSING ZLIB)
    endif()
  endif()
endmacro()

# Links them to `target`. Only for the build: the installed package finds its own.
macro(hawser_link_dependencies target)
  hawser_find_dependencies()
  if("OpenSSL" IN_LIST hawser_MISSING)
    message(FATAL_ERROR
      "hawser needs OpenSSL 3 and did not find it (Debian: libssl-dev; or set OPENSSL_ROOT_DIR, or "
      "name a target in HAWSER_SSL_TARGET). -DHAWSER_TLS=OFF builds hawser without TLS.")
  elseif(hawser_MISSING)
    message(FATAL_ERROR "hawser needs and did not find: ${hawser_MISSING}. Install it, name a "
                        "target in HAWSER_<NAME>_TARGET, or set HAWSER_FETCH=ON.")
  endif()
  foreach(dependency IN LISTS hawser_ASIO hawser_SIMDJSON hawser_SSL hawser_ZLIB)
    target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:${dependency}>)
  endforeach()
endmacro()
