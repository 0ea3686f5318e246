# Configures, builds and runs the consumer in SOURCE from scratch; it must print EXPECT.
string(REPLACE "|" ";" options "${OPTIONS}")
string(REPLACE "|" ";" launcher "${LAUNCHER}")
file(REMOVE_RECURSE "${BINARY}")
execute_process(
  COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${BINARY}" -G "${GENERATOR}"
          "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${launcher}"
          -DCMAKE_BUILD_TYPE=Debug ${options}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BINARY}" --config Debug
                COMMAND_ERROR_IS_FATAL ANY)
find_program(consumer consumer PATHS "${BINARY}" "${BINARY}/Debug" NO_DEFAULT_PATH REQUIRED)
execute_process(COMMAND "${consumer}" OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
if(NOT printed STREQUAL "hawser ${EXPECT}\n")
  message(FATAL_ERROR "expected `hawser ${EXPECT}`, the consumer printed: ${printed}")
endif()
