# hawser::compiled: servers and clients of the default policies, compiled once for all files of a
# program that links it instead of hawser::hawser. Costs nothing where nobody does.
#
# hawser_add_compiled(name base): likewise, on top of another target than hawser::hawser.
function(hawser_add_compiled name base)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include <hawser/compiled.hpp>\n")
  add_library(${name} STATIC EXCLUDE_FROM_ALL ${source})
  target_link_libraries(${name} PUBLIC ${base})
  target_compile_definitions(${name} PUBLIC HAWSER_COMPILED=1)
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

if(NOT TARGET hawser_compiled)
  hawser_add_compiled(hawser_compiled hawser::hawser)
  add_library(hawser::compiled ALIAS hawser_compiled)
endif()
