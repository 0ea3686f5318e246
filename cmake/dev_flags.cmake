# hawser_dev: warnings and sanitizers for our own tests, examples and benchmarks. It is not part
# of the library: what hawser::hawser carries is imposed on whoever uses it.
set(CMAKE_CXX_EXTENSIONS OFF)
add_library(hawser_dev INTERFACE)
target_link_libraries(hawser_dev INTERFACE hawser::hawser)

set(HAWSER_SANITIZE "" CACHE STRING "Sanitizers for tests and examples: address,undefined or thread")

if(MSVC)
  target_compile_options(hawser_dev INTERFACE /W4 /permissive- /utf-8 /bigobj)
else()
  target_compile_options(
    hawser_dev INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror)
  if(HAWSER_SANITIZE)
    set(sanitizers -fsanitize=${HAWSER_SANITIZE} -fno-sanitize-recover=all)
    target_compile_options(hawser_dev INTERFACE ${sanitizers} -fno-omit-frame-pointer)
    target_link_options(hawser_dev INTERFACE ${sanitizers})
  endif()
endif()

# Asio before 1.26 doesn't believe that Clang has coroutines.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND (NOT Asio_VERSION OR Asio_VERSION VERSION_LESS 1.26))
  target_compile_definitions(hawser_dev INTERFACE ASIO_HAS_CO_AWAIT ASIO_HAS_STD_COROUTINE)
endif()

# A second build of the same thing costs nothing where ccache is installed. Precompiled headers
# need its sloppiness, and from Clang a header without a time stamp.
find_program(HAWSER_CCACHE ccache)
if(HAWSER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${HAWSER_CCACHE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(hawser_dev INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
  else()
    target_compile_options(hawser_dev INTERFACE -fpch-preprocess)
  endif()
endif()
