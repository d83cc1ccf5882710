# Flags for every target of ours, through the interface target leat_options.
add_library(leat_options INTERFACE)
target_compile_options(leat_options INTERFACE
  -Wall -Wextra $<$<CXX_COMPILER_ID:GNU>:-Wshadow=local> -Wnon-virtual-dtor -Woverloaded-virtual $<$<CXX_COMPILER_ID:GNU>:-Werror>
  -Wno-missing-field-initializers -fno-strict-aliasing -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND (LEAT_SANITIZE OR NOT CMAKE_BUILD_TYPE STREQUAL "Debug"))
  # What GCC 12 says of optimised code is wrong about std::optional and std::string (GCC bugs 80635,
  # 105329); clang-tidy and the sanitizers look for the real ones.
  target_compile_options(leat_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict
    -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-free-nonheap-object)
endif()
if(CMAKE_UNITY_BUILD)
  # Several sources as one: what lies in no namespace of a name is not "used from a header".
  target_compile_options(leat_options INTERFACE -Wno-subobject-linkage)
endif()
# Only GCC's warnings are errors: clang builds the fuzzers, and has opinions of its own.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(leat_options INTERFACE -Wthread-safety)
endif()
# No target is a shared library: one code model, so that all share one precompiled header.
# x86-64-v3 (AVX2, BMI2): Haswell and Zen 1 or later; `leat` says so when it starts on less.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-march=x86-64-v3)
endif()

set(LEAT_SANITIZE "" CACHE STRING "sanitizers for -fsanitize=, e.g. address,undefined")
if(LEAT_SANITIZE)
  add_compile_options(-fsanitize=${LEAT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LEAT_SANITIZE})
  if(LEAT_SANITIZE MATCHES "undefined")
    # A null or wild pointer is address's to find; saying so at every access doubles the code.
    add_compile_options(-fno-sanitize=null,object-size,vptr)
  endif()
endif()

# No path of the machine that built it in a binary, nor in what ccache compares.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

find_program(LEAT_CCACHE ccache)
if(LEAT_CCACHE)
  # Precompiled headers need the sloppiness; see ccache(1), "PRECOMPILED HEADERS". With paths taken as
  # relative to it, what one checkout compiled serves another.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${LEAT_CCACHE})
  add_compile_options(-fpch-preprocess)
endif()
find_program(LEAT_MOLD mold)
if(LEAT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)
