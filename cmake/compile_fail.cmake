# Compiles SOURCE with COMPILER and the flags in the file FLAGS. TWIN=mistake: must fail and say
# what the file's first line expects. TWIN=corrected: must compile with -DCORRECTED.
file(STRINGS "${SOURCE}" expected LIMIT_COUNT 1)
if(NOT expected MATCHES "^// EXPECT: (.+)$")
  message(FATAL_ERROR "${SOURCE}: the first line must be `// EXPECT: text`")
endif()
set(expected "${CMAKE_MATCH_1}")

set(define "")
if(TWIN STREQUAL "corrected")
  set(define -DCORRECTED)
endif()
execute_process(COMMAND "${COMPILER}" "@${FLAGS}" ${define} -S -o - "${SOURCE}"
                RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE said)

if(TWIN STREQUAL "corrected")
  if(failed)
    message(FATAL_ERROR "${SOURCE} must compile when corrected, but:\n${said}")
  endif()
  return()
endif()
if(NOT failed)
  message(FATAL_ERROR "${SOURCE} must not compile, but it does")
endif()
string(FIND "${said}" "${expected}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${SOURCE} must be refused with `${expected}`, but:\n${said}")
endif()
