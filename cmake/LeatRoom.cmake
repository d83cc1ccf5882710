# leat_room(NAME LIBRARIES ... [LABELS ...]): the static library leat_NAME from src/NAME/*.cc, and, where
# there are any, the test program NAME_test from src/NAME/*_test.cc and the benchmark NAME_bench from
# src/NAME/*_bench.cc (with a main of its own), which only the target `benches` builds. Folders inside
# a room (connect/file/) belong to it.
add_custom_target(benches)

function(leat_room name)
  cmake_parse_arguments(ROOM "" "" "LIBRARIES;LABELS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cc")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(benchmarks ${sources})
  list(FILTER benchmarks INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|/main)\\.cc$")

  if(NOT sources)  # a room of headers alone
    add_library(leat_${name} INTERFACE)
    target_link_libraries(leat_${name} INTERFACE ${ROOM_LIBRARIES} leat_options leat::arrow)
    return()
  endif()
  add_library(leat_${name} STATIC ${sources})
  target_link_libraries(leat_${name} PUBLIC ${ROOM_LIBRARIES} leat_options leat::arrow)
  if(name STREQUAL "base")
    target_precompile_headers(leat_base PRIVATE "${CMAKE_SOURCE_DIR}/src/base/precompiled.h")
  else()
    target_precompile_headers(leat_${name} REUSE_FROM leat_base)
  endif()

  leat_test_wanted(wanted unit ${ROOM_LABELS})
  if(tests AND wanted)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE leat_${name} leat::gtest_main)
    target_precompile_headers(${name}_test REUSE_FROM leat_base)
    leat_test(NAME ${name} COMMAND ${name}_test LABELS unit ${ROOM_LABELS})
  endif()

  if(benchmarks)
    add_executable(${name}_bench EXCLUDE_FROM_ALL ${benchmarks})
    target_link_libraries(${name}_bench PRIVATE leat_${name})
    target_precompile_headers(${name}_bench REUSE_FROM leat_base)
    add_dependencies(benches ${name}_bench)
  endif()
endfunction()
