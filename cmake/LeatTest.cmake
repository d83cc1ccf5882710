# leat_test(NAME name COMMAND ... [LABELS unit|sql|e2e|threads|lint...] [TIMEOUT seconds] [COST seconds]):
# a test of this build tree, under a name that tells the trees apart ("data", "data@asan"), so that one ctest runs
# several. The sanitizers take what pays: asan unit and sql, tsan only threads. COST is roughly what it
# takes when that is long: ctest begins with the dearest, so that the last to end is a short one.
set(LEAT_TEST_SUFFIX "")
if(LEAT_SANITIZE MATCHES "address")
  set(LEAT_TEST_SUFFIX "@asan")
elseif(LEAT_SANITIZE MATCHES "thread")
  set(LEAT_TEST_SUFFIX "@tsan")
endif()

# Arrow's libraries are not instrumented: a container half filled by them looks like an overflow, and
# what they synchronise is not seen. The exit code is one that `leat` never has: a test that expects a
# failure does not take a finding for it. Arrow's own pools hand memory from thread to thread and back
# unseen (races that are none, uses after free that go unnoticed): malloc, which is watched, as in leat.
set(LEAT_TEST_ENVIRONMENT
  "ARROW_DEFAULT_MEMORY_POOL=system"
  "ASAN_OPTIONS=exitcode=66:detect_container_overflow=0:detect_stack_use_after_return=1:strict_string_checks=1"
  "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tools/lsan.supp:print_suppressions=0:exitcode=66"
  "UBSAN_OPTIONS=exitcode=66:print_stacktrace=1"
  "TSAN_OPTIONS=exitcode=66:suppressions=${CMAKE_SOURCE_DIR}/tools/tsan.supp:ignore_noninstrumented_modules=1:halt_on_error=1"
  "LEAT_TOOLS=${LEAT_TOOLS}")

# `tests` builds what the tests of this tree need, and no more.
add_custom_target(tests)

# leat_test_wanted(RESULT LABELS...): whether this tree runs a test with these labels.
function(leat_test_wanted result)
  set(wanted TRUE)
  if(LEAT_TEST_SUFFIX STREQUAL "@asan")
    set(wanted FALSE)
    if("unit" IN_LIST ARGN OR "sql" IN_LIST ARGN)
      set(wanted TRUE)
    endif()
  elseif(LEAT_TEST_SUFFIX STREQUAL "@tsan")
    set(wanted FALSE)
    if("threads" IN_LIST ARGN)
      set(wanted TRUE)
    endif()
  endif()
  set(${result} ${wanted} PARENT_SCOPE)
endfunction()

function(leat_test)
  cmake_parse_arguments(TEST "" "NAME;TIMEOUT;COST;WORKING_DIRECTORY" "COMMAND;LABELS;DEPENDS" ${ARGN})
  if(NOT TEST_LABELS)
    set(TEST_LABELS unit)
  endif()
  leat_test_wanted(wanted ${TEST_LABELS})
  if(NOT wanted)
    return()
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 600)
  endif()
  if(NOT TEST_COST)
    set(TEST_COST 0)
  endif()
  if(NOT TEST_WORKING_DIRECTORY)
    set(TEST_WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
  endif()
  set(name "${TEST_NAME}${LEAT_TEST_SUFFIX}")
  add_test(NAME ${name} COMMAND ${TEST_COMMAND} WORKING_DIRECTORY "${TEST_WORKING_DIRECTORY}")
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} COST ${TEST_COST} LABELS "${TEST_LABELS}"
    ENVIRONMENT "${LEAT_TEST_ENVIRONMENT}")
  list(GET TEST_COMMAND 0 program)
  foreach(target ${program} ${TEST_DEPENDS})
    if(TARGET ${target})
      add_dependencies(tests ${target})
    endif()
  endforeach()
endfunction()
